//! A request and its answer -> one line in the access log.

use std::time::Duration;

use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};

use crate::error::ApiError;
use crate::issuers::Issuer;
use crate::log::Shown;

/// What the line says beside the request.
pub struct Entry<'a> {
    /// The path as the table has it, if it has it.
    pub route: Option<&'static str>,
    /// Whether the route asks for a token.
    pub protected: bool,
    /// What is answered.
    pub answer: &'a Result<Response<Body>, ApiError>,
    /// How long that took.
    pub latency: Duration,
    /// Whether this is the first request of the process.
    pub cold_start: bool,
    /// The issuer whose keys are behind the answer, if it is known.
    pub issuer: Option<&'a Issuer>,
    /// Whether several are trusted, so that the line must name it.
    pub several: bool,
}

/// Writes the line. Metrics, alarms and the dashboard of template.yaml read its fields by these names.
pub fn write(request: &Request, entry: &Entry) {
    let refusal = entry.answer.as_ref().err();
    let api_request_id = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(event)) => event.request_id.as_deref(),
        Some(RequestContext::ApiGatewayV2(event)) => event.request_id.as_deref(),
        _ => None,
    };
    let Shown { kid, claim, expected, received, seconds_ahead } = refusal.map(Shown::of).unwrap_or_default();
    tracing::info!(
        api_request_id,
        trace_id = trace_id(request),
        route = entry.route.unwrap_or("-"),
        protected = entry.protected,
        // A method may be any word, and so it may be a token.
        method = METHODS.iter().find(|method| **method == request.method()).unwrap_or(&"-"),
        status = entry.answer.as_ref().map_or_else(ApiError::status, Response::status).as_u16(),
        code = refusal.map(ApiError::code),
        reason = refusal.map(ApiError::reason),
        kid,
        claim,
        expected,
        received,
        seconds_ahead,
        latency_ms = entry.latency.as_secs_f64() * 1e3,
        cold_start = entry.cold_start,
        issuer = entry.issuer.filter(|_| entry.several).map(|issuer| issuer.name.as_str()),
        keys_age_s = entry.issuer.and_then(|issuer| issuer.keys.age()).map(|age| age.as_secs()),
        "request"
    );
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
