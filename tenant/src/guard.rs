//! Turns away requests that a foreign page could send: by the host that they name, and by the origin that sent them.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Lets requests of the playground's page pass, and those of a terminal. Otherwise a page of another origin could rotate
/// the tenant's keys, for a POST without a body needs no preflight.
pub(crate) async fn from_this_page(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let cross_origin = headers.get(header::ORIGIN).is_some_and(|from| from.as_bytes() != origin(headers).as_bytes());
    // A browser that does not send Sec-Fetch-Site sends an Origin with each POST.
    let cross_site = headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin");
    if cross_origin || cross_site {
        return (StatusCode::FORBIDDEN, "Only the playground's own page, or a terminal, may ask for this.")
            .into_response();
    }
    at_this_machine(request, next).await
}

/// Refuses a host that is not this machine. Otherwise a foreign page could rebind its own name to 127.0.0.1, and would then
/// be of the same origin.
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
