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
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::call::{AuthorizedCall, Call};
use crate::config::{AllowedOrigins, Config};
use crate::error::{ApiError, Mismatch};
use crate::keys::KeyStore;
use crate::reply::Reply;
use crate::route::{self, Access, Match, Route};
use crate::{bearer, event, grant, token};

/// What all requests share: the table, the configuration, the keys, the state.
pub struct Api<S: 'static = ()> {
    routes: &'static [Route<S>],
    config: Config,
    keys: KeyStore,
    state: S,
    warm: AtomicBool,
}

impl<S> Api<S> {
    /// Puts them together.
    pub fn new(routes: &'static [Route<S>], config: Config, keys: KeyStore, state: S) -> Arc<Self> {
        Arc::new(Self { routes, config, keys, state, warm: AtomicBool::new(false) })
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
    let found = route::find(api.routes, request, api.config.base_path.as_deref());
    let (path, scopes) = (found.path(), found.scopes());
    let answer = AssertUnwindSafe(answer(request, found, api)).catch_unwind().await;
    let answer = answer.unwrap_or(Err(ApiError::Panicked));
    let answer = answer.and_then(|reply| reply.into_response().ok_or(ApiError::UnwritableReply));
    log(request, path, scopes.is_some(), &answer, api, started.elapsed());
    respond(request, answer.unwrap_or_else(|error| refusal(&error, scopes.unwrap_or_default())))
}

/// The line of a request: route, bearer token, claims, grant, endpoint. Nothing else answers a protected request.
async fn answer<S: Sync>(request: &Request, found: Match<'_, S>, api: &Api<S>) -> Result<Reply, ApiError> {
    if event::malformed(request) {
        return Err(ApiError::BadRequest);
    }
    let (route, parameters) = match found {
        Match::Found(route, parameters) => (route, parameters),
        Match::MethodNotAllowed(_, methods) => return Err(ApiError::MethodNotAllowed(methods)),
        Match::NotFound => return Err(ApiError::NotFound),
    };
    let call = Call { request, state: &api.state, parameters };
    match route.access {
        Access::Public(handler) => handler(call).await,
        Access::Protected(grant, handler) => {
            let token = bearer::token(request.headers())?;
            let claims = token::validate(&token, &api.keys, &api.config, time_left(request, api)).await?;
            grant::require(&claims, grant)?;
            handler(AuthorizedCall { call, claims: &claims }).await
        }
    }
}

/// The time that the invocation has left, if known. `cargo lambda watch` sends a deadline in 1970: that counts as none.
fn time_left<S>(request: &Request, api: &Api<S>) -> Option<Duration> {
    let deadline = Duration::from_millis(request.lambda_context_ref()?.deadline);
    deadline.checked_sub(api.keys.now().wall).filter(|left| !left.is_zero())
}

fn refusal(error: &ApiError, scopes: &[&str]) -> Response<Body> {
    let body = json!({ "code": error.code(), "description": error.description() });
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = error.status();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().extend([Some((header::CONTENT_TYPE, json)), error.header(scopes)].into_iter().flatten());
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
    let mismatch = match refusal {
        Some(ApiError::WrongIssuer(mismatch) | ApiError::WrongAudience(mismatch)) => Some(mismatch),
        _ => None,
    };
    tracing::info!(
        api_request_id,
        route = route.unwrap_or("-"),
        protected,
        // A method may be any word, and so it may be a token.
        method = METHODS.iter().find(|method| **method == request.method()).unwrap_or(&"-"),
        status = answer.as_ref().map_or_else(ApiError::status, Response::status).as_u16(),
        code = refusal.map(ApiError::code),
        reason = refusal.map(ApiError::reason),
        kid,
        expected = mismatch.map(|Mismatch { expected, .. }| shown(expected)),
        received = mismatch.map(|Mismatch { received, .. }| shown(received)),
        seconds_ahead = match refusal {
            Some(ApiError::NotYetValid(seconds)) => Some(*seconds),
            _ => None,
        },
        latency_ms = latency.as_secs_f64() * 1e3,
        cold_start = !api.warm.swap(true, Ordering::Relaxed),
        keys_age_s = api.keys.age().map(|age| age.as_secs()),
        "request"
    );
}

/// Escaped, so that a string can neither break the line nor control the reader's terminal; 128 characters at most.
fn shown(string: &str) -> String {
    string.escape_default().take(128).collect()
}

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

fn cors<S>(api: &Api<S>) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods(route::methods(api.routes.iter()))
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
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
            layer.allow_origin(AllowOrigin::list(origins.iter().cloned())).vary([header::ORIGIN])
        }
    }
}
