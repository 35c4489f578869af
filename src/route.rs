//! The types of a table of routes, and how a request finds its row: found, 404, or 405 with `Allow`.

use lambda_http::http::Method;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};

#[doc(inline)]
pub use crate::__handler as handler;
use crate::call::{Answer, AuthorizedCall, Call, Parameters};
use crate::error::ApiError;
use crate::grant::Grant;

/// A row of the table. `S` is the state that all calls share.
///
/// `HEAD` follows `GET`, and `OPTIONS` belongs to CORS: neither needs a row.
pub struct Route<S: 'static = ()> {
    /// The method.
    pub method: Method,
    /// The path in API Gateway's syntax, `/api/messages/{id}`. A parameter is one whole segment, and never empty. Where
    /// two rows fit a path, a literal segment wins over a parameter.
    pub path: &'static str,
    /// Who may call it, and what answers.
    pub access: Access<S>,
}

impl<S> Route<S> {
    /// The scopes that a token has to have here.
    pub fn scopes(&self) -> &'static [&'static str] {
        match self.access {
            Access::Public(_) => &[],
            Access::Protected(grant, _) => grant.scopes(),
        }
    }
}

/// Who may call a route, and the function that answers, as [`handler!`](handler) makes it of an `async fn`.
///
/// A protected handler takes the verified [`Claims`](crate::token::Claims) of its caller:
///
/// ```
/// # use api_authorization::{call::Call, error::ApiError, grant::Grant, reply::Reply, token::Claims};
/// # use api_authorization::route::{Access, handler};
/// async fn whoami(_call: Call<'_>, claims: &Claims) -> Result<Reply, ApiError> {
///     Ok(Reply::ok(claims.subject()))
/// }
/// let access: Access<()> = Access::Protected(Grant::Anyone, handler!(whoami));
/// ```
///
/// A public one cannot see any, so that a handler which takes claims cannot be made public by mistake:
///
/// ```compile_fail
/// # use api_authorization::{call::Call, error::ApiError, grant::Grant, reply::Reply, token::Claims};
/// # use api_authorization::route::{Access, handler};
/// async fn whoami(_call: Call<'_>, claims: &Claims) -> Result<Reply, ApiError> {
///     Ok(Reply::ok(claims.subject()))
/// }
/// let access: Access<()> = Access::Public(handler!(whoami));
/// ```
pub enum Access<S: 'static = ()> {
    /// Anyone.
    Public(for<'a> fn(Call<'a, S>) -> Answer<'a>),
    /// Whoever brings a valid access token with this grant.
    Protected(Grant, for<'a> fn(AuthorizedCall<'a, S>) -> Answer<'a>),
}

/// An `async fn` -> what a row of the table holds: `handler!(messages)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __handler {
    ($function:expr) => {
        |call| call.answer_by($function)
    };
}

/// What a request's path and method lead to.
pub struct Match<'a, S: 'static> {
    /// The row, and what the path holds for it; or 404, or 405 with `Allow`.
    pub row: Result<(&'static Route<S>, Parameters<'a>), ApiError>,
    /// The path as the table has it, if it has it.
    pub path: Option<&'static str>,
    /// What a front put before the path, such as a stage.
    pub before: &'a str,
}

impl<S> Match<'_, S> {
    /// The scopes that a challenge on this route names. `None` where the route asks for no token.
    pub fn scopes(&self) -> Option<&'static [&'static str]> {
        match self.row {
            Ok((Route { access: Access::Protected(grant, _), .. }, _)) => Some(grant.scopes()),
            _ => None,
        }
    }
}

/// Finds the row of a request by the path that the event gives. Where no row fits, it tries once more without a leading
/// stage and without the base path.
pub fn find<'a, S>(routes: &'static [Route<S>], request: &'a Request, base_path: Option<&str>) -> Match<'a, S> {
    let nowhere = Match { row: Err(ApiError::NotFound), path: None, before: "" };
    let [given, rest] = paths(request, base_path).map(|(before, path)| exactly(routes, before, path, request));
    given.or(rest).unwrap_or(nowhere)
}

/// The path that the event gives; and the same once more, as a leading stage and the base path before the rest.
pub fn paths<'a>(request: &'a Request, base_path: Option<&str>) -> [(&'a str, &'a str); 2] {
    // Not `uri().path()`: there, a URL parser has resolved `..`, and a forged Host may have taken a part of the path.
    let path = request.raw_http_path();
    // An HTTP API leaves a named stage in the path.
    let stage = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(event)) => event.stage.as_deref(),
        _ => None,
    };
    let stage = stage.filter(|stage| !["", "$default"].contains(stage)).map(|stage| format!("/{stage}"));
    let rest = stage.map_or(path, |stage| without(&stage, path));
    let rest = base_path.map_or(rest, |base_path| without(base_path, rest));
    [("", path), path.split_at(path.len() - rest.len())]
}

/// Whether the front hands on the path as the caller wrote it. An HTTP API decodes the path. A Function URL and
/// `cargo lambda watch` (`localhost`) send the same form of event, and do not decode.
fn is_encoded(request: &Request) -> bool {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(event)) => {
            event.domain_name.as_deref().is_some_and(|name| name == "localhost" || name.contains(".lambda-url."))
        }
        _ => true,
    }
}

/// The methods that CORS and `Allow` name for these rows, `OPTIONS` apart.
pub fn methods<'a, S: 'static>(routes: impl Iterator<Item = &'a Route<S>>) -> Vec<Method> {
    let mut methods = Vec::new();
    for route in routes {
        let head = (route.method == Method::GET).then_some(Method::HEAD);
        for method in [Some(route.method.clone()), head].into_iter().flatten() {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
    }
    methods
}

/// The path without `prefix`, where it begins with that in whole segments; else the path as it is.
fn without<'a>(prefix: &str, path: &'a str) -> &'a str {
    path.strip_prefix(prefix).filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// Looks for the path first, and for the method among the rows of that path.
fn exactly<'a, S>(
    routes: &'static [Route<S>],
    before: &'a str,
    path: &'a str,
    request: &Request,
) -> Option<Match<'a, S>> {
    let fitting = routes.iter().filter(|route| parameters(route.path, path).is_some());
    let shape = fitting.clone().map(|route| shape(route.path)).min()?;
    let rows: Vec<_> = fitting.filter(|route| self::shape(route.path) == shape).collect();
    let by = |method: &Method| rows.iter().copied().find(|route| route.method == *method);
    let method = request.method();
    let row = by(method).or_else(|| by(&Method::GET).filter(|_| method == Method::HEAD));
    let Some(route) = row else {
        let mut allowed = methods(rows.iter().copied());
        allowed.push(Method::OPTIONS);
        let allowed: Vec<_> = allowed.iter().map(Method::as_str).collect();
        let row = Err(ApiError::MethodNotAllowed(allowed.join(", ")));
        return Some(Match { row, path: Some(rows.first()?.path), before });
    };
    let parameters = Parameters { found: parameters(route.path, path)?, encoded: is_encoded(request) };
    Some(Match { row: Ok((route, parameters)), path: Some(route.path), before })
}

/// Which segments are parameters. In order, a literal segment comes before a parameter.
fn shape(path: &str) -> Vec<bool> {
    path.split('/').map(|segment| parameter(segment).is_some()).collect()
}

/// The values of the parameters in `path`, where it fits `pattern`.
fn parameters<'a>(pattern: &'static str, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
    let mut found = Vec::new();
    for (part, segment) in pattern.split('/').zip(path.split('/')) {
        match parameter(part) {
            Some(name) if !segment.is_empty() => found.push((name, segment)),
            None if part == segment => {}
            _ => return None,
        }
    }
    (pattern.split('/').count() == path.split('/').count()).then_some(found)
}

/// The name of the parameter that a segment of a row's path stands for.
pub(crate) fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
