//! Path and method -> who may call what, and the endpoints' answers.
//!
//! To add an endpoint: a row in [`ROUTES`], a function below it, and an event in `template.yaml`.

use futures_util::future::BoxFuture;
use lambda_http::http::Method;
use lambda_http::{Request, RequestExt, request::RequestContext};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::token::Claims;

/// Every path of the API. Paths are compared as they are: no pattern, no trailing slash, no other case.
pub static ROUTES: &[Route] = &[
    Route { path: "/api/public", endpoint: Endpoint::Public(|request| Box::pin(public(request))) },
    Route {
        path: "/api/private",
        endpoint: Endpoint::Protected(&[], |request, claims| Box::pin(private(request, claims))),
    },
    Route {
        path: "/api/private-scoped",
        endpoint: Endpoint::Protected(&["read:messages"], |request, claims| Box::pin(private_scoped(request, claims))),
    },
];

async fn public(_request: &Request) -> Result<Value, ApiError> {
    Ok(json!({ "message": "Hello from a public endpoint! You don't need to be authenticated to see this." }))
}

async fn private(_request: &Request, _claims: &Claims) -> Result<Value, ApiError> {
    Ok(json!({ "message": "Hello from a private endpoint! You need to be authenticated to see this." }))
}

async fn private_scoped(_request: &Request, _claims: &Claims) -> Result<Value, ApiError> {
    Ok(json!({
        "message": "Hello from a private endpoint! \
                    You need to be authenticated and have a scope of read:messages to see this."
    }))
}

/// One row of [`ROUTES`].
pub struct Route {
    /// The path, as the caller writes it.
    pub path: &'static str,
    /// Who may call it, and what answers.
    pub endpoint: Endpoint,
}

/// Who may call a path with `GET` or `HEAD`, and the function that answers: a JSON value, or an [`ApiError`].
///
/// A protected handler takes the verified [`Claims`] of its caller:
///
/// ```
/// # use api_authorization::{error::ApiError, routes::Endpoint, token::Claims};
/// # async fn whoami(claims: &Claims) -> Result<serde_json::Value, ApiError> {
/// #     Ok(serde_json::json!({ "you": claims.subject() }))
/// # }
/// let endpoint = Endpoint::Protected(&[], |_request, claims| Box::pin(whoami(claims)));
/// ```
///
/// A public one cannot see any, so that a handler which takes claims cannot be made public by mistake:
///
/// ```compile_fail
/// # use api_authorization::{error::ApiError, routes::Endpoint, token::Claims};
/// # async fn whoami(claims: &Claims) -> Result<serde_json::Value, ApiError> {
/// #     Ok(serde_json::json!({ "you": claims.subject() }))
/// # }
/// let endpoint = Endpoint::Public(|_request, claims| Box::pin(whoami(claims)));
/// ```
pub enum Endpoint {
    /// Anyone.
    Public(for<'a> fn(&'a Request) -> BoxFuture<'a, Result<Value, ApiError>>),
    /// Whoever brings a valid access token that grants all of these scopes.
    Protected(&'static [&'static str], for<'a> fn(&'a Request, &'a Claims) -> BoxFuture<'a, Result<Value, ApiError>>),
}

impl Route {
    /// The endpoint, if it may be called by `method`.
    ///
    /// # Errors
    /// [`ApiError::MethodNotAllowed`] for every other than `GET` and `HEAD`. (`OPTIONS` never gets here.)
    pub fn endpoint(&self, method: &Method) -> Result<&Endpoint, ApiError> {
        match *method {
            Method::GET | Method::HEAD => Ok(&self.endpoint),
            _ => Err(ApiError::MethodNotAllowed),
        }
    }
}

/// Finds the route of a request: by the path that the event gives, and where that is none, once more without the stage
/// and the base path that may stand before it.
pub fn find(request: &Request, base_path: Option<&str>) -> Option<&'static Route> {
    // Not `uri().path()`, where what HTTP APIs have decoded is encoded again. Where lambda_http makes it, a URL parser
    // resolves `..`, and a forged Host may eat a part of the path.
    let path = request.raw_http_path();
    let stage = match request.request_context_ref() {
        // HTTP APIs leave a named stage in the path; REST APIs do not.
        Some(RequestContext::ApiGatewayV2(event)) => {
            event.stage.as_deref().filter(|stage| !["", "$default"].contains(stage))
        }
        _ => None,
    };
    exactly(path).or_else(|| {
        let path = stage.map_or(path, |stage| without(&format!("/{stage}"), path));
        exactly(base_path.map_or(path, |base_path| without(base_path, path)))
    })
}

/// The path behind `prefix`, where that is its beginning in whole segments; else the path as it is.
fn without<'a>(prefix: &str, path: &'a str) -> &'a str {
    path.strip_prefix(prefix).filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

fn exactly(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == path)
}
