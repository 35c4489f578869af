//! What an endpoint answers: a [`Reply`], or a [`Problem`] of its own.

use lambda_http::Body;
use lambda_http::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use lambda_http::http::response::{self, Response};
use lambda_http::http::{Error, StatusCode};
use serde::Serialize;

/// An answer of 2xx.
pub struct Reply {
    head: response::Builder,
    body: serde_json::Result<Body>,
}

impl Reply {
    /// 200, with `value` as JSON.
    pub fn ok(value: impl Serialize) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// 201, with `value` as JSON. `location` is the path or the URL of what was made (RFC 9110, section 15.3.2).
    pub fn created(location: impl TryInto<HeaderValue, Error: Into<Error>>, value: impl Serialize) -> Self {
        Self::json(StatusCode::CREATED, value).header(LOCATION, location)
    }

    /// 204, without a body.
    pub fn no_content() -> Self {
        Self { head: Response::builder().status(StatusCode::NO_CONTENT), body: Ok(Body::Empty) }
    }

    /// The same with one header more. It stands in place of the one that every answer has by that name.
    #[must_use]
    pub fn header(self, name: HeaderName, value: impl TryInto<HeaderValue, Error: Into<Error>>) -> Self {
        Self { head: self.head.header(name, value), ..self }
    }

    fn json(status: StatusCode, value: impl Serialize) -> Self {
        Self {
            head: Response::builder().status(status).header(CONTENT_TYPE, "application/json"),
            body: serde_json::to_string(&value).map(Body::Text),
        }
    }

    /// The response. `None` where a value cannot be written as JSON, or a header holds what no header can.
    pub(crate) fn into_response(self) -> Option<Response<Body>> {
        self.head.body(self.body.ok()?).ok()
    }
}

/// A refusal of an endpoint's own, such as 404 where a message is not there:
///
/// ```
/// # use api_authorization::reply::Problem;
/// static NO_MESSAGE: Problem = Problem::new(404, "message_not_found", "There is no such message");
/// ```
///
/// A handler returns it by `?` or `.into()`, as [`ApiError`](crate::error::ApiError). Only an error is one:
///
/// ```compile_fail
/// # use api_authorization::reply::Problem;
/// static FINE: Problem = Problem::new(200, "ok", "No problem");
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    status: u16,
    code: &'static str,
    description: &'static str,
}

impl Problem {
    /// `status` is 4xx or 5xx; anything else is a panic, which does not compile in a `static`. `code` is for programs,
    /// `description` for people; neither quotes what the caller sent.
    pub const fn new(status: u16, code: &'static str, description: &'static str) -> Self {
        assert!(400 <= status && status <= 599, "a problem has a status of 4xx or 5xx");
        Self { status, code, description }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The `code` of the answer's body.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The `description` of the answer's body.
    pub fn description(&self) -> &'static str {
        self.description
    }
}
