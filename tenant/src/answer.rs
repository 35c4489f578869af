//! Turns GET requests into the tenant's answers.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::kinds::KINDS;
use crate::playground::at_this_machine;
use crate::tenant::Shared;

/// How the tenant answers for its JWKS.
#[derive(Clone, Debug, Default)]
pub enum Answer {
    /// With its JWKS, as an issuer should.
    #[default]
    Jwks,
    /// With this in its place.
    Body {
        /// The HTTP status.
        status: u16,
        /// The header `Content-Type`.
        content_type: String,
        /// The body, byte for byte.
        body: Vec<u8>,
    },
    /// So, after a pause. A JWKS is then as it stands at the end of the pause.
    After(Duration, Box<Answer>),
    /// Not at all: the connection stays open and silent.
    Never,
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/openid-configuration", get(openid_configuration))
        // What a token opens is on this machine, too.
        .route("/token", get(token).layer(middleware::from_fn(at_this_machine)))
        .with_state(shared)
}

async fn jwks(State(shared): State<Arc<Shared>>) -> Response {
    let mut answer = shared.count_fetch();
    loop {
        answer = match answer {
            Answer::Jwks => return Json(shared.jwks()).into_response(),
            Answer::Body { status, content_type, body } => {
                let status = StatusCode::from_u16(status).expect("a status has three digits");
                return (status, [(CONTENT_TYPE, content_type)], body).into_response();
            }
            Answer::After(pause, then) => {
                sleep(pause).await;
                *then
            }
            Answer::Never => pending().await,
        };
    }
}

/// What section 3 of the discovery specification requires, and where to ask about the user.
async fn openid_configuration(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let issuer = &shared.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}authorize"),
        "token_endpoint": format!("{issuer}oauth/token"),
        "userinfo_endpoint": format!("{issuer}userinfo"),
        "jwks_uri": shared.jwks_uri,
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn token(State(shared): State<Arc<Shared>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let wanted = query.get("kind").map(String::as_str);
    if let Some((_, mint)) = KINDS.iter().find(|(kind, _)| Some(*kind) == wanted) {
        return mint(shared.token()).into_response();
    }
    let kinds = KINDS.map(|(kind, _)| kind).join(", ");
    (StatusCode::BAD_REQUEST, format!("Ask for /token?kind=KIND, where KIND is one of {kinds}.")).into_response()
}
