//! What was asked, and what was decided -> one line in the access log: the API's, or the authorizer's.

use std::time::Duration;

use lambda_http::http::StatusCode;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};

use crate::error::ApiError;
use crate::issuers::Issuer;
use crate::log::shown;

/// What the line says.
pub struct Entry<'a> {
    /// The gateway's id of the request, and X-Ray's.
    pub ids: (Option<&'a str>, Option<&'a str>),
    /// The path as the table has it, or the gateway's own name of the route; `-` where there is neither.
    pub route: &'a str,
    /// Whether the route asks for a token.
    pub protected: bool,
    /// The method.
    pub method: &'a str,
    /// The status of the answer.
    pub status: StatusCode,
    /// Why the request is refused, if it is.
    pub refusal: Option<&'a ApiError>,
    /// How long the answer took.
    pub latency: Duration,
    /// Whether this is the first request of the process.
    pub cold_start: bool,
    /// The issuer whose keys are behind the answer, if it is known.
    pub issuer: Option<&'a Issuer>,
    /// Whether several are trusted, so that the line must name it.
    pub several: bool,
}

/// Writes the line. Metrics, alarms and the dashboard of template.yaml read its fields by these names.
pub fn write(entry: &Entry) {
    let refusal = entry.refusal;
    // What is shown of a refused token although a caller sent it: nobody can fix a mistake that they cannot see.
    let (kid, claim, mismatch, seconds_ahead) = match refusal {
        Some(ApiError::UnknownKid(kid, another_issuer)) => (Some(kid), None, another_issuer.as_ref(), None),
        Some(ApiError::UnexpectedClaim(claim)) => (None, Some(claim), None, None),
        Some(ApiError::WrongIssuer(mismatch) | ApiError::WrongAudience(mismatch)) => (None, None, Some(mismatch), None),
        Some(ApiError::NotYetValid(seconds)) => (None, None, None, Some(seconds)),
        _ => (None, None, None, None),
    };
    tracing::info!(
        api_request_id = entry.ids.0,
        trace_id = entry.ids.1,
        route = entry.route,
        protected = entry.protected,
        // A method may be any word, and so it may be a token.
        method = METHODS.iter().find(|method| **method == entry.method).unwrap_or(&"-"),
        status = entry.status.as_u16(),
        code = refusal.map(ApiError::code),
        reason = refusal.map(ApiError::reason),
        kid = kid.map(|kid| shown(kid)),
        claim,
        expected = mismatch.map(|mismatch| shown(&mismatch.expected)),
        received = mismatch.map(|mismatch| shown(&mismatch.received)),
        seconds_ahead,
        latency_ms = entry.latency.as_secs_f64() * 1e3,
        cold_start = entry.cold_start,
        issuer = entry.issuer.filter(|_| entry.several).map(|issuer| issuer.name.as_str()),
        keys_age_s = entry.issuer.and_then(|issuer| issuer.keys.age()).map(|age| age.as_secs()),
        "request"
    );
}

/// The ids of a request, for its line: the gateway's and X-Ray's.
pub fn ids(request: &Request) -> (Option<&str>, Option<&str>) {
    let api_request_id = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(event)) => event.request_id.as_deref(),
        Some(RequestContext::ApiGatewayV2(event)) => event.request_id.as_deref(),
        _ => None,
    };
    (api_request_id, trace_id(request))
}

/// X-Ray's id of the request, by which the log lines of several services belong together. lambda_http puts Lambda's own into this
/// header, where Lambda gives one. Otherwise the header is the caller's, and may hold anything: only an id is logged.
fn trace_id(request: &Request) -> Option<&str> {
    let trace = request.headers().get("x-amzn-trace-id")?.to_str().ok()?;
    let root = trace.split(';').find_map(|part| part.trim().strip_prefix("Root="))?;
    let (time, random) = root.strip_prefix("1-")?.split_once('-')?;
    let is_hex = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex(time, 8) && is_hex(random, 24)).then_some(root)
}

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

#[cfg(test)]
#[path = "../tests/unit/access_log.rs"]
mod tests;
