//! Turns the tenant's state into what its endpoints serve: the JWKS, the discovery document, and tokens.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::guard::at_this_machine;
use crate::kinds::KINDS;
use crate::state::TenantState;

pub(crate) fn router(tenant: Arc<TenantState>) -> Router {
    Router::new()
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/openid-configuration", get(openid_configuration))
        // Its tokens open the function on this machine, so nobody from elsewhere may have one.
        .route("/token", get(token).layer(middleware::from_fn(at_this_machine)))
        .with_state(tenant)
}

async fn jwks(State(tenant): State<Arc<TenantState>>) -> Response {
    tenant.count_fetch().respond(|| tenant.jwks()).await
}

/// What OpenID Connect Discovery, section 3 requires, and the endpoint for the user's profile.
async fn openid_configuration(State(tenant): State<Arc<TenantState>>) -> Json<Value> {
    let issuer = tenant.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}authorize"),
        "token_endpoint": format!("{issuer}oauth/token"),
        "userinfo_endpoint": format!("{issuer}userinfo"),
        "jwks_uri": tenant.jwks_uri(),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn token(State(tenant): State<Arc<TenantState>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let wanted = query.get("kind").map(String::as_str);
    if let Some((_, mint)) = KINDS.iter().find(|(kind, _)| Some(*kind) == wanted) {
        // Whose token it is and what it grants, where the caller says.
        let chosen = ["sub", "scope"].into_iter().filter_map(|claim| Some((claim, query.get(claim)?.as_str())));
        let token = chosen.fold(tenant.token(), |token, (claim, value)| token.claim(claim, value));
        return mint(token).into_response();
    }
    let kinds = KINDS.map(|(kind, _)| kind).join(", ");
    (StatusCode::BAD_REQUEST, format!("Ask for /token?kind=KIND, where KIND is one of {kinds}.")).into_response()
}
