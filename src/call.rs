//! A request and its route -> the [`Call`] that the handler gets.

use std::borrow::Cow;

use futures_util::future::BoxFuture;
use lambda_http::Request;
use lambda_http::http::header::CONTENT_TYPE;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::config::Grants;
use crate::error::ApiError;
use crate::grant::{self, Grant};
use crate::reply::Reply;
use crate::token::Claims;

/// A handler's answer, as a future.
pub type Answer<'a> = BoxFuture<'a, Result<Reply, ApiError>>;

/// A call of a route: the request, what its path holds, and the state that all calls share.
pub struct Call<'a, S = ()> {
    /// The request.
    pub request: &'a Request,
    /// What all calls share, made once at cold start.
    pub state: &'a S,
    pub(crate) parameters: Parameters<'a>,
    pub(crate) grants: Grants,
}

/// A call together with the verified claims of its caller.
pub struct AuthorizedCall<'a, S = ()> {
    pub(crate) call: Call<'a, S>,
    pub(crate) claims: &'a Claims,
}

impl<'a, S: Sync> Call<'a, S> {
    /// What the path holds in the place of `{name}`, percent-decoded once.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] where that is no UTF-8; [`ApiError::Internal`] where the route has no such parameter.
    pub fn param(&self, name: &str) -> Result<Cow<'a, str>, ApiError> {
        let Parameters { found, encoded } = &self.parameters;
        let (_, value) = found.iter().find(|(found, _)| *found == name).ok_or(ApiError::Internal)?;
        match encoded {
            true => percent_decode_str(value).decode_utf8().map_err(|_| ApiError::BadRequest),
            false => Ok(Cow::Borrowed(value)),
        }
    }

    /// The body, which must be JSON of the shape of `T`, in 1 MiB at most. (serde takes a list of the members' values for a
    /// struct, too.)
    ///
    /// # Errors
    /// [`ApiError::UnsupportedMediaType`], [`ApiError::PayloadTooLarge`] or [`ApiError::BadRequest`], looked for in this
    /// order.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let content_type = self.request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        let media_type = media_type.to_ascii_lowercase();
        let kind = media_type.strip_prefix("application/");
        // RFC 6839, section 3.1: `+json` is JSON, too.
        if !kind.is_some_and(|kind| kind == "json" || kind.ends_with("+json")) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let body: &[u8] = self.request.body().as_ref();
        if body.len() > MAX_BODY {
            return Err(ApiError::PayloadTooLarge);
        }
        serde_json::from_slice(body).map_err(|_| ApiError::BadRequest)
    }

    /// Passes if the token has what this very call requires beyond its route, such as one tool of several behind one path.
    ///
    /// # Errors
    /// [`ApiError::InsufficientScope`]: 403, and the challenge names these scopes, too.
    pub fn require(&self, claims: &Claims, grant: Grant) -> Result<(), ApiError> {
        grant::require(claims, grant, self.grants)
    }

    #[doc(hidden)]
    pub fn answer_by<F>(self, handler: impl FnOnce(Self) -> F) -> Answer<'a>
    where
        F: Future<Output = Result<Reply, ApiError>> + Send + 'a,
    {
        Box::pin(handler(self))
    }
}

impl<'a, S> AuthorizedCall<'a, S> {
    #[doc(hidden)]
    pub fn answer_by<F>(self, handler: impl FnOnce(Call<'a, S>, &'a Claims) -> F) -> Answer<'a>
    where
        F: Future<Output = Result<Reply, ApiError>> + Send + 'a,
    {
        Box::pin(handler(self.call, self.claims))
    }
}

/// Enough for a form or a document, and little enough for a small sandbox to hold several.
const MAX_BODY: usize = 1024 * 1024;

/// The values of a path's parameters, by name, as the event has them.
pub struct Parameters<'a> {
    pub(crate) found: Vec<(&'static str, &'a str)>,
    /// Whether they are still percent-encoded.
    pub(crate) encoded: bool,
}
