//! Turns a browser on this machine into the stand-in tenant's holder: a page, and what its buttons do.
//!
//! The page calls the function by itself, across origins. Here is what the page cannot do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::digest;
use axum::extract::{Path, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::answer::Answer;
use crate::guard::{at_this_machine, from_this_page, origin};
use crate::state::TenantState;

const PAGE: &str = include_str!("playground.html");

/// What the page has to know of the function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Where it is.
    pub url: Uri,
    /// Those of its settings that say which tokens are accepted, as it was started with them.
    pub settings: BTreeMap<String, String>,
}

pub(crate) fn router(tenant: Arc<TenantState>, second: Arc<TenantState>, function: Function) -> Router {
    let Function { url, settings } = function;
    let issuers = settings.get("ISSUERS").map(|list| list.split(',').map(|name| name.trim().to_owned()).collect());
    let playground = Playground {
        issuers: issuers.unwrap_or_else(|| vec![tenant.issuer().to_owned()]),
        tenant,
        second,
        function: url.to_string().trim_end_matches('/').to_owned(),
        settings,
        client: Client::builder().no_proxy().redirect(redirect::Policy::none()).build().expect("a client"),
        jwks: Mutex::new(MODES[0].0),
    };
    Router::new()
        .route("/playground/tenant", get(describe))
        .route("/playground/preflight", get(preflight))
        .route("/playground/rotate", post(rotate))
        .route("/playground/withdraw", post(withdraw))
        .route("/playground/jwks/{mode}", post(jwks))
        .layer(middleware::from_fn(from_this_page))
        .with_state(Arc::new(playground))
        .merge(page(&url))
}

/// How the tenant can be made to answer for its JWKS, by name.
const MODES: [(&str, fn() -> Answer); 4] = [
    ("ok", || Answer::Jwks),
    // The function waits for up to 6 s where it has no key, and 0.3 s where it has one.
    ("slow", || Answer::After(Duration::from_secs(2), Box::new(Answer::Jwks))),
    ("down", || body(503, "text/plain", "The tenant is down, as the playground has told it.")),
    // As a captive portal answers: 200, and no JWKS.
    ("garbage", || body(200, "text/html", "<!doctype html><title>Welcome</title>Sign in to use this network.")),
];

fn body(status: u16, content_type: &str, body: &str) -> Answer {
    Answer::Body { status, content_type: content_type.to_owned(), body: body.into() }
}

struct Playground {
    tenant: Arc<TenantState>,
    /// A tenant of its own, of which the page only takes tokens.
    second: Arc<TenantState>,
    /// Whom the function trusts.
    issuers: Vec<String>,
    settings: BTreeMap<String, String>,
    /// Without a slash at its end.
    function: String,
    client: Client,
    /// The name of the mode that the tenant is in.
    jwks: Mutex<&'static str>,
}

impl Playground {
    fn mode(&self) -> MutexGuard<'_, &'static str> {
        self.jwks.lock().expect("nobody panics with the mode in hand")
    }

    /// All that the page shows of the tenant, and what it needs to judge a token.
    fn describe(&self) -> Json<Value> {
        Json(json!({
            "function": self.function,
            "settings": self.settings,
            "issuers": self.issuers,
            "issuer": self.tenant.issuer(),
            "audience": self.tenant.audience(),
            "jwks": *self.mode(),
            "fetches": self.tenant.fetches(),
            "signs": self.tenant.key().kid(),
            "keys": self.tenant.jwks()["keys"],
            "second": {
                "issuer": self.second.issuer(),
                "signs": self.second.key().kid(),
                "keys": self.second.jwks()["keys"],
            },
        }))
    }
}

async fn describe(State(playground): State<Arc<Playground>>) -> Json<Value> {
    playground.describe()
}

async fn rotate(State(playground): State<Arc<Playground>>) -> Json<Value> {
    let tenant = Arc::clone(&playground.tenant);
    spawn_blocking(move || tenant.rotate()).await.expect("a key can be made");
    playground.describe()
}

async fn withdraw(State(playground): State<Arc<Playground>>) -> Json<Value> {
    playground.tenant.withdraw_old();
    playground.describe()
}

async fn jwks(State(playground): State<Arc<Playground>>, Path(wanted): Path<String>) -> Response {
    let Some((mode, answer)) = MODES.iter().find(|(mode, _)| *mode == wanted) else {
        let modes = MODES.map(|(mode, _)| mode).join(", ");
        return (StatusCode::NOT_FOUND, format!("The tenant can be made one of {modes}.")).into_response();
    };
    *playground.mode() = mode;
    playground.tenant.serve(answer());
    playground.describe().into_response()
}

/// Sends the preflight that a browser sends for the page, and tells what came back. A browser does not show these headers
/// to the page's script. And where a browser blocks a call, it does not say whether the function answers at all.
async fn preflight(State(playground): State<Arc<Playground>>, headers: HeaderMap) -> Json<Value> {
    let request = playground
        .client
        .request(Method::OPTIONS, format!("{}/api/private", playground.function))
        .header(header::ORIGIN, origin(&headers))
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization")
        // The function waits up to 6 s for keys.
        .timeout(Duration::from_secs(10));
    Json(match request.send().await {
        Err(_) => json!({ "answers": false }),
        Ok(answer) => {
            let headers = answer.headers().iter().filter(|(name, _)| is_about_origins(name));
            let headers = headers.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())));
            json!({ "answers": true, "status": answer.status().as_u16(), "headers": headers.collect::<Vec<_>>() })
        }
    })
}

fn is_about_origins(name: &HeaderName) -> bool {
    name.as_str().starts_with("access-control-") || *name == header::VARY
}

/// The page. It may run its own script, and talk to the tenant and the function alone.
fn page(function: &Uri) -> Router {
    let origin =
        format!("{}://{}", function.scheme_str().unwrap_or("http"), function.authority().map_or("", Authority::as_str));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self' {origin}; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash("style"),
        hash("script"),
    );
    let policy = HeaderValue::try_from(policy).expect("a URL has the bytes of a header");
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Router::new().route("/", get(|| async { (headers, Html(PAGE)) })).layer(middleware::from_fn(at_this_machine))
}

/// The source expression that allows the page's one element of this name.
fn hash(element: &str) -> String {
    let text = PAGE.split_once(&format!("<{element}>")).and_then(|(_, rest)| rest.split_once(&format!("</{element}>")));
    let (text, _) = text.expect("the page has such an element");
    format!("'sha256-{}'", BASE64_STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes())))
}
