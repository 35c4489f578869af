//! Turns the answer that a tenant is set to into the response to a request for its JWKS.

use std::future::pending;
use std::time::Duration;

use axum::Json;
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::time::sleep;

/// How the tenant answers for its JWKS.
#[derive(Clone, Debug, Default)]
pub enum Answer {
    /// With its JWKS, as a tenant should.
    #[default]
    Jwks,
    /// With this instead.
    Body {
        /// The HTTP status.
        status: u16,
        /// The header `Content-Type`.
        content_type: String,
        /// The body, byte for byte.
        body: Vec<u8>,
    },
    /// With that answer, after a pause. A JWKS is the one at the end of the pause.
    After(Duration, Box<Answer>),
    /// Not at all: the connection stays open and silent.
    Never,
}

impl Answer {
    /// The response. `jwks` is called when the response is sent, and not before.
    pub(crate) async fn respond(self, jwks: impl Fn() -> Value) -> Response {
        let mut answer = self;
        loop {
            answer = match answer {
                Answer::Jwks => return Json(jwks()).into_response(),
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
}
