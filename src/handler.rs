//! A request -> its response, and one line in the access log.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use lambda_http::http::Method;
use lambda_http::http::header::{self, HeaderName, HeaderValue};
use lambda_http::request::RequestContext;
use lambda_http::tower::{Layer, Service};
use lambda_http::{Body, Request, RequestExt, Response, service_fn};
use serde_json::json;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::call::{AuthorizedCall, Call};
use crate::config::{AllowedHeaders, AllowedOrigins, Config};
use crate::error::{ApiError, Mismatch};
use crate::issuers::{Issuer, Issuers};
use crate::log::shown;
use crate::reply::Reply;
use crate::route::{self, Access, Match, Route};
use crate::{bearer, event, grant, metadata, token};

/// What all requests share: the table, the configuration, the keys, the state.
pub struct Api<S: 'static = ()> {
    routes: &'static [Route<S>],
    config: Config,
    issuers: Issuers,
    state: S,
    warm: AtomicBool,
}

impl<S> Api<S> {
    /// Puts them together.
    pub fn new(routes: &'static [Route<S>], config: Config, issuers: Issuers, state: S) -> Arc<Self> {
        Arc::new(Self { routes, config, issuers, state, warm: AtomicBool::new(false) })
    }
}

/// Answers requests. Never fails: a refusal is a response, too.
pub fn service<S: Send + Sync + 'static>(
    api: Arc<Api<S>>,
) -> impl Service<Request, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static {
    // CORS is around everything, so that a page can read a 401, too. This layer answers every OPTIONS by itself.
    cors(&api).layer(service_fn(move |request| {
        let api = Arc::clone(&api);
        async move { Ok(handle(&request, &api).await) }
    }))
}

async fn handle<S: Sync>(request: &Request, api: &Api<S>) -> Response<Body> {
    let started = Instant::now();
    let found = match route::find(api.routes, request, api.config.base_path.as_deref()) {
        Match::NotFound => metadata::find(api.routes, request, &api.config),
        found => found,
    };
    let (path, scopes) = (found.path(), found.scopes());
    let before = if let Match::Found(.., before) = found { before } else { "" };
    // Whose keys are behind the answer: the sole issuer's, or those of the issuer of a token that was accepted.
    let mut issuer = api.issuers.sole();
    let answer = AssertUnwindSafe(answer(request, found, api, &mut issuer)).catch_unwind().await;
    let answer = answer.unwrap_or(Err(ApiError::Panicked));
    let answer = answer.and_then(|reply| reply.into_response().ok_or(ApiError::UnwritableReply));
    log(request, path, scopes.is_some(), &answer, api, issuer, started.elapsed());
    respond(
        request,
        answer.unwrap_or_else(|error| {
            let metadata = scopes.and_then(|_| metadata::address(request, before, &api.config.resource_url));
            refusal(&error, metadata.as_deref(), scopes.unwrap_or_default())
        }),
    )
}

/// The line of a request: route, bearer token, claims, grant, endpoint. Nothing else answers a protected request.
async fn answer<'a, S: Sync>(
    request: &Request,
    found: Match<'_, S>,
    api: &'a Api<S>,
    issuer: &mut Option<&'a Issuer>,
) -> Result<Reply, ApiError> {
    if event::malformed(request) {
        return Err(ApiError::BadRequest);
    }
    let (route, parameters) = match found {
        Match::Found(route, parameters, _) => (route, parameters),
        Match::Metadata(resource) => return Ok(Reply::ok(resource.document(api.routes, &api.issuers))),
        Match::MethodNotAllowed(_, methods) => return Err(ApiError::MethodNotAllowed(methods)),
        Match::NotFound => return Err(ApiError::NotFound),
    };
    let call = Call { request, state: &api.state, parameters, grants: api.config.grants };
    match route.access {
        Access::Public(handler) => handler(call).await,
        Access::Protected(grant, handler) => {
            let token = bearer::token(request.headers())?;
            let claims = token::validate(&token, &api.issuers, &api.config, time_left(request, api)).await?;
            *issuer = api.issuers.named(claims.issuer());
            grant::require(&claims, grant, api.config.grants)?;
            handler(AuthorizedCall { call, claims: &claims }).await
        }
    }
}

/// The time that the invocation has left, if known. `cargo lambda watch` sends a deadline in 1970: that counts as none.
fn time_left<S>(request: &Request, api: &Api<S>) -> Option<Duration> {
    let deadline = Duration::from_millis(request.lambda_context_ref()?.deadline);
    deadline.checked_sub(api.issuers.now().wall).filter(|left| !left.is_zero())
}

fn refusal(error: &ApiError, metadata: Option<&str>, scopes: &[&str]) -> Response<Body> {
    let body = json!({ "code": error.code(), "description": error.description() });
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = error.status();
    let json = HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .extend([Some((header::CONTENT_TYPE, json)), error.header(metadata, scopes)].into_iter().flatten());
    response
}

/// Adds what every answer has, and takes the body from an answer to `HEAD` (RFC 9110, section 9.3.2).
fn respond(request: &Request, mut response: Response<Body>) -> Response<Body> {
    for (name, value) in ON_EVERY_ANSWER {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::Empty;
    }
    response
}

const ON_EVERY_ANSWER: [(HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];

/// One line a request. Metrics, alarms and the dashboard of template.yaml read its fields by these names.
fn log<S>(
    request: &Request,
    route: Option<&str>,
    protected: bool,
    answer: &Result<Response<Body>, ApiError>,
    api: &Api<S>,
    issuer: Option<&Issuer>,
    latency: Duration,
) {
    let refusal = answer.as_ref().err();
    let api_request_id = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(event)) => event.request_id.as_deref(),
        Some(RequestContext::ApiGatewayV2(event)) => event.request_id.as_deref(),
        _ => None,
    };
    // These the log shows although a caller sent them: nobody can fix a mistake that they cannot see.
    let kid = match refusal {
        Some(ApiError::UnknownKid(kid)) => Some(shown(kid)),
        _ => None,
    };
    let claim = match refusal {
        Some(ApiError::UnexpectedClaim(claim)) => Some(claim.as_str()),
        _ => None,
    };
    let mismatch = match refusal {
        Some(ApiError::WrongIssuer(mismatch) | ApiError::WrongAudience(mismatch)) => Some(mismatch),
        _ => None,
    };
    tracing::info!(
        api_request_id,
        trace_id = trace_id(request),
        route = route.unwrap_or("-"),
        protected,
        // A method may be any word, and so it may be a token.
        method = METHODS.iter().find(|method| **method == request.method()).unwrap_or(&"-"),
        status = answer.as_ref().map_or_else(ApiError::status, Response::status).as_u16(),
        code = refusal.map(ApiError::code),
        reason = refusal.map(ApiError::reason),
        kid,
        claim,
        expected = mismatch.map(|Mismatch { expected, .. }| shown(expected)),
        received = mismatch.map(|Mismatch { received, .. }| shown(received)),
        seconds_ahead = match refusal {
            Some(ApiError::NotYetValid(seconds)) => Some(*seconds),
            _ => None,
        },
        latency_ms = latency.as_secs_f64() * 1e3,
        cold_start = !api.warm.swap(true, Ordering::Relaxed),
        issuer = issuer.filter(|_| api.issuers.sole().is_none()).map(|issuer| issuer.name.as_str()),
        keys_age_s = issuer.and_then(|issuer| issuer.keys.age()).map(|age| age.as_secs()),
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

fn cors<S>(api: &Api<S>) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods(route::methods(api.routes.iter()))
        .allow_headers(match &api.config.allowed_headers {
            AllowedHeaders::Asked => AllowHeaders::mirror_request(),
            AllowedHeaders::List(names) => AllowHeaders::list(names.iter().cloned()),
        })
        .expose_headers([
            header::WWW_AUTHENTICATE,
            // REST APIs and Function URLs rename it to this.
            HeaderName::from_static("x-amzn-remapped-www-authenticate"),
            header::RETRY_AFTER,
            header::LOCATION,
        ])
        .max_age(Duration::from_secs(600));
    match &api.config.allowed_origins {
        AllowedOrigins::Any => layer.allow_origin(AllowOrigin::any()).vary([]),
        AllowedOrigins::List(origins) => {
            let origins = origins.clone();
            let matches = move |origin: &HeaderValue| origins.iter().any(|allowed| allowed.matches(origin.as_bytes()));
            layer.allow_origin(AllowOrigin::predicate(move |origin, _| matches(origin))).vary([header::ORIGIN])
        }
    }
}

#[cfg(test)]
#[path = "../tests/unit/handler.rs"]
mod tests;
