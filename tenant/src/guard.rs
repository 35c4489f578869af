//! Turns away requests that another's page could send: by the name that they ask for, and by where they come from.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Lets the page's own requests pass, and a terminal's. A page of another origin could else turn the tenant's keys: a
/// POST without a body needs no preflight.
pub(crate) async fn from_this_page(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let cross_origin = headers.get(header::ORIGIN).is_some_and(|from| from.as_bytes() != origin(headers).as_bytes());
    // Browsers that say nothing of the site send an Origin with a POST.
    let cross_site = headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin");
    if cross_origin || cross_site {
        return (StatusCode::FORBIDDEN, "Only the playground's own page, or a terminal, may ask for this.")
            .into_response();
    }
    at_this_machine(request, next).await
}

/// Refuses a name that is not this machine's: another's page could else rebind its own name to 127.0.0.1, and be of one
/// origin with us.
pub(crate) async fn at_this_machine(request: Request, next: Next) -> Response {
    match host(request.headers()).map(|host| ["127.0.0.1", "localhost"].contains(&host.host())) {
        Some(true) => next.run(request).await,
        _ => (StatusCode::FORBIDDEN, "This is at 127.0.0.1 and localhost alone.").into_response(),
    }
}

/// The origin of a page that came from here.
pub(crate) fn origin(headers: &HeaderMap) -> String {
    format!("http://{}", host(headers).as_ref().map_or("", Authority::as_str))
}

fn host(headers: &HeaderMap) -> Option<Authority> {
    headers.get(header::HOST)?.to_str().ok()?.parse().ok()
}
