//! `RESOURCE_URL` and a request -> the metadata of this API as a protected resource (RFC 9728), and their address for challenges.

use lambda_http::http::Method;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use reqwest::Url;
use serde_json::json;

use crate::config::{Config, ResourceUrl, is_plain};
use crate::error::ApiError;
use crate::issuers::Issuers;
use crate::reply::Reply;
use crate::route::{Route, paths};

/// Where the metadata stand, without what a front puts before it and a resource's own path behind it (section 3.1).
pub const PATH: &str = "/.well-known/oauth-protected-resource";

/// The answer to a request for the document (section 2) of this resource: the API or a route of it, as a client knows it.
///
/// # Errors
/// [`ApiError::MethodNotAllowed`].
pub fn answer<S>(resource: &str, method: &Method, routes: &[Route<S>], issuers: &Issuers) -> Result<Reply, ApiError> {
    if ![Method::GET, Method::HEAD].contains(method) {
        return Err(ApiError::MethodNotAllowed("GET, HEAD, OPTIONS".to_owned()));
    }
    let mut scopes = Vec::new();
    for scope in routes.iter().flat_map(Route::scopes) {
        if !scopes.contains(scope) {
            scopes.push(*scope);
        }
    }
    let mut document = json!({
        "resource": resource,
        "authorization_servers": issuers.names(),
        "bearer_methods_supported": ["header"],
    });
    // Section 3.2 forbids an empty list, and clients would read one as "ask for no scope".
    if let (Some(members), false) = (document.as_object_mut(), scopes.is_empty()) {
        members.insert("scopes_supported".to_owned(), scopes.into());
    }
    Ok(Reply::ok(document))
}

/// The resource whose metadata a request asks for that no route fits: the API, at the root and where section 3.1 puts them, or a
/// route.
pub fn find<S>(routes: &[Route<S>], request: &Request, config: &Config) -> Option<String> {
    paths(request, config.base_path.as_deref()).into_iter().find_map(|(before, path)| {
        let path = path.strip_prefix(PATH)?;
        let Place { origin, before, path: api } = place(request, before, &config.resource_url)?;
        if path.is_empty() || path == api {
            return Some(match &config.resource_url {
                ResourceUrl::At(url) => url.clone(),
                _ => format!("{origin}{before}"),
            });
        }
        let is_route = routes.iter().any(|route| route.path == path && !path.contains('{'));
        is_route.then(|| format!("{origin}{before}{path}"))
    })
}

/// The address of the API's metadata, for the challenge to a request on a route that has `before` before its path: one that
/// answers, or none.
pub fn address(request: &Request, before: &str, setting: &ResourceUrl) -> Option<String> {
    let Place { origin, before, path } = place(request, before, setting)?;
    Some(format!("{origin}{before}{PATH}{path}"))
}

/// The parts of the API's URL.
struct Place {
    origin: String,
    /// What a front puts before each path: it comes before the metadata's path, too, for no front would lead here otherwise.
    before: String,
    /// The rest of the path, which belongs behind the metadata's path.
    path: String,
}

fn place(request: &Request, before: &str, setting: &ResourceUrl) -> Option<Place> {
    let (domain, hidden) = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(event)) => (event.domain_name.as_deref(), Some("")),
        // A REST API takes its stage off the path, and shows in the context what the caller wrote.
        Some(RequestContext::ApiGatewayV1(event)) => {
            let hidden = event.path.as_deref().and_then(|path| path.strip_suffix(request.raw_http_path()));
            (event.domain_name.as_deref(), hidden.filter(|hidden| hidden.is_empty() || hidden.starts_with('/')))
        }
        _ => (None, Some("")),
    };
    let before = format!("{}{before}", hidden?);
    match setting {
        ResourceUrl::Off => None,
        ResourceUrl::At(url) => {
            let url = Url::parse(url).ok()?;
            let path = if url.path() == "/" { "" } else { url.path() };
            let rest = path.strip_prefix(&*before).filter(|rest| rest.is_empty() || rest.starts_with('/'));
            let (before, path) = match rest {
                Some(rest) => (&*before, rest),
                None if url.host_str() == domain => (&*before, path),
                // Another front before this one, such as CloudFront, hides what this one puts before the path.
                None => ("", path),
            };
            Some(Place { origin: url.origin().ascii_serialization(), before: before.to_owned(), path: path.to_owned() })
        }
        ResourceUrl::Auto => {
            // Never a header: whoever forges one could send clients to an authorization server of his own. And
            // `cargo lambda watch` calls itself localhost, and speaks no https.
            let domain = domain.filter(|domain| is_plain(domain) && !["", "localhost"].contains(domain))?;
            let origin = format!("https://{domain}");
            is_plain_path(&before).then(|| Place { origin, before, path: String::new() })
        }
    }
}

fn is_plain_path(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~$".contains(&byte))
}
