//! One request -> one response, and one line in the access log.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use lambda_http::http::header::{self, HeaderName, HeaderValue};
use lambda_http::http::{Method, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::tower::{Layer, Service};
use lambda_http::{Body, Request, RequestExt, Response, service_fn};
use serde_json::{Value, json};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::{AllowedOrigins, Config};
use crate::error::ApiError;
use crate::jwks::Jwks;
use crate::routes::{self, Endpoint, Route};
use crate::{bearer, scope, token};

/// What every request is answered from.
pub struct Api {
    config: Config,
    jwks: Jwks,
    warm: AtomicBool,
}

impl Api {
    /// Puts the two together.
    pub fn new(config: Config, jwks: Jwks) -> Arc<Self> {
        Arc::new(Self { config, jwks, warm: AtomicBool::new(false) })
    }
}

/// Answers requests. It never fails: a refusal is an answer.
pub fn service(
    api: Arc<Api>,
) -> impl Service<Request, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static {
    // Around everything, so that a browser may read a 401, too. It answers every OPTIONS by itself.
    cors(&api.config.allowed_origins).layer(service_fn(move |request| {
        let api = Arc::clone(&api);
        async move { Ok(handle(request, &api).await) }
    }))
}

/// The line of a request: route, bearer token, claims, scopes, endpoint. Nothing else answers a protected request.
async fn answer(route: Option<&'static Route>, request: &Request, api: &Api) -> Result<Value, ApiError> {
    match route.ok_or(ApiError::NotFound)?.endpoint(request.method())? {
        Endpoint::Public(handler) => handler(request).await,
        Endpoint::Protected(scopes, handler) => {
            let token = bearer::token(request.headers())?;
            let claims = token::validate(&token, &api.jwks, &api.config, time_left(request, api)).await?;
            scope::require_scopes(&claims, scopes)?;
            handler(request, &claims).await
        }
    }
}

async fn handle(request: Request, api: &Api) -> Response<Body> {
    let started = Instant::now();
    let route = routes::find(&request, api.config.base_path.as_deref());
    let answer = AssertUnwindSafe(answer(route, &request, api)).catch_unwind().await;
    let answer = answer.unwrap_or(Err(ApiError::Panicked));
    log(route, &request, &answer, api, started.elapsed());
    respond(&request, answer)
}

/// How long the invocation may go on. `cargo lambda watch` sends a deadline in 1970, which counts as none.
fn time_left(request: &Request, api: &Api) -> Option<Duration> {
    let deadline = Duration::from_millis(request.lambda_context_ref()?.deadline);
    deadline.checked_sub(api.jwks.now().wall).filter(|left| !left.is_zero())
}

fn respond(request: &Request, answer: Result<Value, ApiError>) -> Response<Body> {
    let (status, body, extra) = match answer {
        Ok(body) => (StatusCode::OK, body, None),
        Err(error) => {
            (error.status(), json!({ "code": error.code(), "description": error.description() }), error.header())
        }
    };
    // RFC 9110, section 9.3.2: HEAD gets what GET would, without the body.
    // Else not `body.to_string()`, which makes four more allocations. A JSON value can always be written.
    let body = if request.method() == Method::HEAD {
        Body::Empty
    } else {
        Body::Text(serde_json::to_string(&body).unwrap_or_default())
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(6); // for those of CORS, too
    headers.extend(ON_EVERY_ANSWER.map(|(name, value)| (name, HeaderValue::from_static(value))));
    headers.extend(extra);
    response
}

const ON_EVERY_ANSWER: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "application/json"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// One line a request. Alarms and dashboards are made of its fields: a name is changed with care.
fn log(route: Option<&Route>, request: &Request, answer: &Result<Value, ApiError>, api: &Api, latency: Duration) {
    let refusal = answer.as_ref().err();
    let api_request_id = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(event)) => event.request_id.as_deref(),
        Some(RequestContext::ApiGatewayV2(event)) => event.request_id.as_deref(),
        _ => None,
    };
    // The one thing of the caller's that is logged: whoever rotates keys must see which one is asked for. Escaped, so
    // that it can neither break the line nor turn the reader's terminal around.
    let kid = match refusal {
        Some(ApiError::UnknownKid(kid)) => Some(kid.escape_default().to_string()),
        _ => None,
    };
    tracing::info!(
        api_request_id,
        route = route.map_or("-", |route| route.path),
        // A method may be any word, a token, too.
        method = METHODS.iter().find(|method| *method == request.method()).map_or("-", Method::as_str),
        status = refusal.map_or(StatusCode::OK, ApiError::status).as_u16(),
        code = refusal.map(ApiError::code),
        reason = refusal.map(ApiError::reason),
        kid,
        latency_ms = latency.as_secs_f64() * 1e3,
        cold_start = !api.warm.swap(true, Ordering::Relaxed),
        keys_age_s = api.jwks.age().map(|age| age.as_secs()),
        "request"
    );
}

const METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

fn cors(allowed: &AllowedOrigins) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([
            header::WWW_AUTHENTICATE,
            // What REST APIs and Function URLs make of it.
            HeaderName::from_static("x-amzn-remapped-www-authenticate"),
            header::RETRY_AFTER,
        ])
        .max_age(Duration::from_secs(600));
    match allowed {
        AllowedOrigins::Any => layer.allow_origin(AllowOrigin::any()).vary([]),
        AllowedOrigins::List(origins) => {
            layer.allow_origin(AllowOrigin::list(origins.iter().cloned())).vary([header::ORIGIN])
        }
    }
}
