//! What an endpoint answers: a [`Reply`], or a [`Problem`] of its own.

use lambda_http::http::StatusCode;
use lambda_http::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use lambda_http::{Body, Response};
use serde::Serialize;

/// An answer of 2xx. If its value cannot be written as JSON, or a header's value is not valid, it becomes a 500.
pub struct Reply(Option<Response<Body>>);

impl Reply {
    /// 200, with `value` as JSON.
    pub fn ok(value: impl Serialize) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// 201, with `value` as JSON. `location` is the path or the URL of what was made (RFC 9110, section 15.3.2).
    pub fn created(location: impl TryInto<HeaderValue>, value: impl Serialize) -> Self {
        Self::json(StatusCode::CREATED, value).header(LOCATION, location)
    }

    /// 202, without a body: what was sent is taken, and nothing is answered to it.
    pub fn accepted() -> Self {
        Self::new(StatusCode::ACCEPTED, Body::Empty)
    }

    /// 204, without a body.
    pub fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT, Body::Empty)
    }

    /// The same with this header, in the place of any other of that name.
    #[must_use]
    pub fn header(self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        // The function's answer to Lambda is JSON, which cannot hold bytes of a header that are not ASCII.
        let value = value.try_into().ok().filter(|value: &HeaderValue| value.to_str().is_ok());
        Self(self.0.zip(value).map(|(mut response, value)| {
            response.headers_mut().insert(name, value);
            response
        }))
    }

    fn json(status: StatusCode, value: impl Serialize) -> Self {
        match serde_json::to_string(&value) {
            Ok(json) => Self::new(status, Body::Text(json)).header(CONTENT_TYPE, "application/json"),
            Err(_) => Self(None),
        }
    }

    fn new(status: StatusCode, body: Body) -> Self {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Self(Some(response))
    }

    /// The response, where it can be written.
    pub(crate) fn into_response(self) -> Option<Response<Body>> {
        self.0
    }
}

/// A refusal of an endpoint's own, such as 404 where a message is not there:
///
/// ```
/// # use api_authorization::reply::Problem;
/// static NO_MESSAGE: Problem = Problem::new(404, "message_not_found", "There is no such message");
/// ```
///
/// A handler returns it by `?` or `.into()`, as [`ApiError`](crate::error::ApiError). A status that is no error does not
/// compile:
///
/// ```compile_fail
/// # use api_authorization::reply::Problem;
/// static FINE: Problem = Problem::new(200, "ok", "No problem");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
