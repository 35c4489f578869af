//! A request -> its response.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use lambda_http::http::Method;
use lambda_http::http::header::{self, HeaderName, HeaderValue};
use lambda_http::tower::{Layer, Service};
use lambda_http::{Body, Request, RequestExt, Response, service_fn};
use serde_json::json;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::access_log::{self, Entry};
use crate::call::{AuthorizedCall, Call};
use crate::config::{AllowedHeaders, AllowedOrigins, Config};
use crate::error::ApiError;
use crate::issuers::{Issuer, Issuers};
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
    let found = route::find(api.routes, request, api.config.base_path.as_deref());
    let resource = if found.path.is_none() { metadata::find(api.routes, request, &api.config) } else { None };
    let path = found.path.or(resource.as_deref().map(|_| metadata::PATH));
    let (scopes, before) = (found.scopes(), found.before);
    // Whose keys are behind the answer: the sole issuer's, or those of the issuer of a token that was accepted.
    let mut issuer = api.issuers.sole();
    let answer = match resource {
        Some(resource) => metadata::answer(&resource, request.method(), api.routes, &api.issuers),
        None => AssertUnwindSafe(answer(request, found, api, &mut issuer))
            .catch_unwind()
            .await
            .unwrap_or(Err(ApiError::Panicked)),
    };
    let answer = answer.and_then(|reply| reply.into_response().ok_or(ApiError::UnwritableReply));
    access_log::write(&Entry {
        ids: access_log::ids(request),
        route: path.unwrap_or("-"),
        protected: scopes.is_some(),
        method: request.method().as_str(),
        status: answer.as_ref().map_or_else(ApiError::status, Response::status),
        refusal: answer.as_ref().err(),
        latency: started.elapsed(),
        cold_start: !api.warm.swap(true, Ordering::Relaxed),
        issuer,
        several: api.issuers.sole().is_none(),
    });
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
    let (route, parameters) = found.row?;
    let call = Call { request, state: &api.state, parameters, grants: api.config.grants };
    match route.access {
        Access::Public(handler) => handler(call).await,
        Access::Protected(grant, handler) => {
            let token = bearer::token(request.headers())?;
            // The time that the invocation has left, if known.
            let left = request.lambda_context_ref().and_then(|context| api.issuers.now().until(context.deadline));
            let claims = token::validate(&token, &api.issuers, &api.config, left).await?;
            *issuer = api.issuers.named(claims.issuer());
            grant::require(&claims, grant, api.config.grants)?;
            handler(AuthorizedCall { call, claims: &claims }).await
        }
    }
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
