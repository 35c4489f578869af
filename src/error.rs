//! `ApiError` -> what the caller sees (status, code, description, one header) and what the log says (the reason).
//!
//! Two tables: [`ApiError`] lists every reason for a refusal, and each reason points at one of the few answers that
//! a caller can get. Codes are a closed list that callers may match on; reasons are for whoever reads the logs.

use lambda_http::http::StatusCode;
use lambda_http::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::reply::Problem;

/// Why a request is refused. The comment on a variant says what the caller sent, or what we lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// No `Authorization` header, or a blank one.
    AuthorizationMissing,
    /// An `Authorization` header with another scheme than `Bearer`.
    NotBearer,
    /// `Bearer`, and nothing behind it.
    TokenNotFound,
    /// More than one token: several headers, a comma, or words behind the token.
    NotOneToken,

    /// More than 16 KiB of token.
    TokenTooLong,
    /// A token without dots: what Auth0 issues where no audience was asked for.
    OpaqueToken,
    /// A token of five segments: encrypted (a JWE).
    EncryptedToken,
    /// No three segments of canonical base64url.
    MalformedToken,
    /// A header that is no JSON object, or has a member of a wrong type, or a known one repeated.
    MalformedHeader,
    /// A header that asks for what we do not do: `crit`, `b64`, `enc`, `zip`, or a foreign `typ`.
    UnsupportedHeader,
    /// An algorithm that is not RS256.
    UnsupportedAlgorithm,
    /// A signature that does not fit the key.
    BadSignature,
    /// A signed payload that is no JSON object.
    MalformedPayload,

    /// No `kid`, or one that is not 1 to 256 bytes long.
    InvalidKid,
    /// A `kid` that the JWKS has no usable key for; and the issuer, where the token names another than the one that was asked.
    UnknownKid(String, Option<Mismatch>),

    /// `exp` is past.
    Expired,
    /// No `exp`, `iss` or `aud`.
    MissingClaim,
    /// A claim of the wrong type, or a known one that is repeated.
    MalformedClaim,
    /// `nbf` or `iat` lies this many seconds ahead.
    NotYetValid(u64),
    /// Another issuer's token.
    WrongIssuer(Mismatch),
    /// A token for another API.
    WrongAudience(Mismatch),
    /// A token bound to a key (`cnf`): nobody here asks for the proof that its bearer holds the key.
    BoundToken,
    /// A token that is not meant for an API: an ID token, a refresh token, a logout token.
    NotAnAccessToken,
    /// A token of Auth0's anonymous sessions, behind which nobody has logged in.
    AnonymousSession,

    /// A token without a claim that `EXPECTED_CLAIMS` names, or with another value; and the claim's name.
    UnexpectedClaim(String),

    /// A valid token without the scopes that the route or its handler requires; and those.
    InsufficientScope(&'static [&'static str]),

    /// The signing keys cannot be had, and no cached one serves; they may be asked for again in so many seconds.
    KeysUnavailable(u64),
    /// An event that makes no HTTP request, or a body that is no JSON of the shape that the endpoint reads.
    BadRequest,
    /// No such path.
    NotFound,
    /// A path of ours, with a method that it does not have; and the methods that it has.
    MethodNotAllowed(String),
    /// A body of more than 1 MiB.
    PayloadTooLarge,
    /// A body of another content type than JSON.
    UnsupportedMediaType,
    /// A handler's own refusal.
    Problem(&'static Problem),
    /// A handler could not do its work. For your own handlers: log the cause, then return this.
    Internal,
    /// A handler's reply holds a value that is no JSON, or a header that cannot be one.
    UnwritableReply,
    /// A handler panicked.
    Panicked,
}

/// What a claim should have been, and what it was. For the log alone: nobody can fix a mistake that they cannot see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What the configuration asks for.
    pub expected: String,
    /// What the token says, as it says it.
    pub received: String,
}

impl From<&'static Problem> for ApiError {
    fn from(problem: &'static Problem) -> Self {
        Self::Problem(problem)
    }
}

impl ApiError {
    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.row().1.status()
    }

    /// The `code` of the answer's body: one of a closed list.
    pub fn code(&self) -> &'static str {
        self.row().1.code()
    }

    /// The `description` of the answer's body. It never quotes what the caller sent.
    pub fn description(&self) -> &'static str {
        self.row().1.description()
    }

    /// The word for the log that tells this refusal from others with the same code.
    pub fn reason(&self) -> &'static str {
        self.row().0
    }

    /// The one header that this answer has beside those that every answer has. A challenge ends in what tells a client how to get
    /// a better token: where the resource's metadata are (RFC 9728, section 5.1), and which scopes the route and its handler require,
    /// for a client may ask for these words alone.
    pub fn header(&self, metadata: Option<&str>, scopes: &[&str]) -> Option<(HeaderName, HeaderValue)> {
        let mut how = metadata.map_or_else(String::new, |address| format!(r#", resource_metadata="{address}""#));
        let wanted = if let Self::InsufficientScope(wanted) = self { wanted } else { &[][..] };
        let scopes: Vec<_> =
            scopes.iter().chain(wanted.iter().filter(|scope| !scopes.contains(scope))).copied().collect();
        if !scopes.is_empty() {
            how.extend([r#", scope=""#, &scopes.join(" "), "\""]);
        }
        let error = |code| {
            let description = self.description();
            format!(r#"Bearer realm="api", error="{code}", error_description="{description}"{how}"#)
        };
        // RFC 6750, section 3 has three challenges for three questions: who are you, this token is no good, this token is not
        // enough.
        let (name, value) = match self {
            Self::Problem(_) => return None,
            Self::MethodNotAllowed(methods) => (ALLOW, methods.clone()),
            Self::KeysUnavailable(seconds) => (RETRY_AFTER, seconds.to_string()),
            // Section 3.1: a request without credentials gets no error code.
            Self::AuthorizationMissing | Self::NotBearer | Self::TokenNotFound | Self::NotOneToken => {
                (WWW_AUTHENTICATE, format!(r#"Bearer realm="api"{how}"#))
            }
            Self::InsufficientScope(_) => (WWW_AUTHENTICATE, error("insufficient_scope")),
            _ if self.status() == StatusCode::UNAUTHORIZED => (WWW_AUTHENTICATE, error("invalid_token")),
            _ => return None,
        };
        HeaderValue::try_from(value).ok().map(|value| (name, value))
    }

    /// The table: reason -> answer.
    #[rustfmt::skip]
    fn row(&self) -> (&'static str, Problem) {
        match self {
            Self::AuthorizationMissing => ("authorization_missing", Problem::new(401, "authorization_header_missing", "Authorization header is expected")),
            Self::NotBearer            => ("not_bearer", Problem::new(401, "invalid_header", "Authorization header must start with Bearer")),
            Self::TokenNotFound        => ("token_not_found", Problem::new(401, "invalid_header", "Token not found")),
            Self::NotOneToken          => ("not_one_token", Problem::new(401, "invalid_header", "Authorization header must be Bearer token")),

            Self::TokenTooLong         => ("token_too_long", NO_TOKEN_OF_OURS),
            Self::OpaqueToken          => ("opaque_token", NO_TOKEN_OF_OURS),
            Self::EncryptedToken       => ("encrypted_token", NO_TOKEN_OF_OURS),
            Self::MalformedToken       => ("malformed_token", NO_TOKEN_OF_OURS),
            Self::MalformedHeader      => ("malformed_header", NO_TOKEN_OF_OURS),
            Self::UnsupportedHeader    => ("unsupported_header", NO_TOKEN_OF_OURS),
            Self::UnsupportedAlgorithm => ("unsupported_algorithm", NO_TOKEN_OF_OURS),
            Self::BadSignature         => ("bad_signature", NO_TOKEN_OF_OURS),
            Self::MalformedPayload     => ("malformed_payload", NO_TOKEN_OF_OURS),

            Self::InvalidKid           => ("invalid_kid", NO_KEY),
            Self::UnknownKid(..)       => ("unknown_kid", NO_KEY),

            Self::Expired              => ("expired", Problem::new(401, "token_expired", "token is expired")),

            Self::MissingClaim         => ("missing_claim", WRONG_CLAIMS),
            Self::MalformedClaim       => ("malformed_claim", WRONG_CLAIMS),
            Self::NotYetValid(_)       => ("not_yet_valid", WRONG_CLAIMS),
            Self::WrongIssuer(_)       => ("wrong_issuer", WRONG_CLAIMS),
            Self::WrongAudience(_)     => ("wrong_audience", WRONG_CLAIMS),
            Self::BoundToken           => ("bound_token", WRONG_CLAIMS),
            Self::NotAnAccessToken     => ("not_an_access_token", WRONG_CLAIMS),
            Self::AnonymousSession     => ("anonymous_session", WRONG_CLAIMS),
            Self::UnexpectedClaim(_)   => ("unexpected_claim", WRONG_CLAIMS),

            Self::InsufficientScope(_) => ("insufficient_scope", Problem::new(403, "Unauthorized", "You don't have access to this resource")),

            Self::KeysUnavailable(_)   => ("keys_unavailable", Problem::new(503, "jwks_unavailable", "Signing keys are temporarily unavailable")),
            Self::BadRequest           => ("bad_request", Problem::new(400, "bad_request", "Bad request")),
            Self::NotFound             => ("not_found", Problem::new(404, "not_found", "Not found")),
            Self::MethodNotAllowed(_)  => ("method_not_allowed", Problem::new(405, "method_not_allowed", "Method not allowed")),
            Self::PayloadTooLarge      => ("payload_too_large", Problem::new(413, "payload_too_large", "The body is too large")),
            Self::UnsupportedMediaType => ("unsupported_media_type", Problem::new(415, "unsupported_media_type", "Content-Type must be application/json")),
            Self::Problem(problem)     => (problem.code(), **problem),
            Self::Internal             => ("internal", DEFECT),
            Self::UnwritableReply      => ("unwritable_reply", DEFECT),
            Self::Panicked             => ("panicked", DEFECT),
        }
    }
}

const NO_TOKEN_OF_OURS: Problem = Problem::new(401, "invalid_header", "Unable to parse authentication token.");
const NO_KEY: Problem = Problem::new(401, "invalid_header", "Unable to find appropriate key");
// The missing blank is the quickstart's own: callers may compare.
const WRONG_CLAIMS: Problem =
    Problem::new(401, "invalid_claims", "incorrect claims,please check the audience and issuer");
const DEFECT: Problem = Problem::new(500, "internal_error", "Internal error");
