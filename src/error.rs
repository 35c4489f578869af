//! `ApiError` -> what the caller sees (status, code, description, one header) and what the log says (the reason).
//!
//! Two tables: [`ApiError`] lists every reason for a refusal, and each reason points at one of the few answers that
//! a caller can get. Codes are a closed list that callers may match on; reasons are for whoever reads the logs.

use lambda_http::http::StatusCode;
use lambda_http::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};

/// Why a request is refused. The comment on a variant says what it was that the caller sent, or what we lack.
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

    /// More than 8 KiB of token.
    TokenTooLong,
    /// A token without dots: what Auth0 issues where no audience was asked for.
    OpaqueToken,
    /// A token of five segments: encrypted (a JWE).
    EncryptedToken,
    /// No three segments of canonical base64url.
    MalformedToken,
    /// A header that is no JSON object, names a member twice, or has one of the wrong type.
    MalformedHeader,
    /// A header that asks for what we do not do: `crit`, `b64`, `enc`, `zip`, or a foreign `typ`.
    UnsupportedHeader,
    /// An algorithm that is not RS256.
    UnsupportedAlgorithm,
    /// A signature that does not fit the key, or is none.
    BadSignature,
    /// A signed payload that is no JSON object.
    MalformedPayload,

    /// No `kid`, or one that is no text of 1 to 128 bytes.
    InvalidKid,
    /// A `kid` that the JWKS has no usable key for.
    UnknownKid(String),

    /// `exp` is past.
    Expired,
    /// No `exp`, `iss` or `aud`.
    MissingClaim,
    /// A claim that stands there twice.
    RepeatedClaim,
    /// A claim of the wrong type.
    MalformedClaim,
    /// `nbf` or `iat` lies ahead.
    NotYetValid,
    /// Another issuer's token.
    WrongIssuer,
    /// A token for another API.
    WrongAudience,
    /// A token bound to a key (`cnf`), which a bearer cannot prove to hold.
    BoundToken,
    /// An ID token (`at_hash`) or a logout token (`events`).
    NotAnAccessToken,

    /// A valid token that lacks one of these scopes.
    InsufficientScope(&'static [&'static str]),

    /// The signing keys cannot be had, and no cached one serves.
    KeysUnavailable,
    /// No such path.
    NotFound,
    /// A path of ours, with a method that it does not have.
    MethodNotAllowed,
    /// A handler could not do its work. For your own handlers: log the cause, then return this.
    Internal,
    /// A handler panicked.
    Panicked,
}

impl ApiError {
    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.row().1.status
    }

    /// The `code` of the answer's body: one of a closed list.
    pub fn code(&self) -> &'static str {
        self.row().1.code
    }

    /// The `description` of the answer's body. It never quotes what the caller sent.
    pub fn description(&self) -> &'static str {
        self.row().1.description
    }

    /// The word for the log that tells this refusal from others with the same code.
    pub fn reason(&self) -> &'static str {
        self.row().0
    }

    /// The one header that goes with the answer beside those that every answer has.
    pub fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let (_, Answer { description, header, .. }) = self.row();
        let (name, value) = match header {
            Header::None => return None,
            Header::Allow => (ALLOW, "GET, HEAD, OPTIONS".to_owned()),
            Header::RetryAfter => (RETRY_AFTER, "10".to_owned()),
            // RFC 6750, section 3.1: a request without credentials gets no error code.
            Header::Challenge => (WWW_AUTHENTICATE, r#"Bearer realm="api""#.to_owned()),
            Header::InvalidToken => (
                WWW_AUTHENTICATE,
                format!(r#"Bearer realm="api", error="invalid_token", error_description="{description}""#),
            ),
            Header::InsufficientScope(scopes) => (
                WWW_AUTHENTICATE,
                format!(
                    r#"Bearer realm="api", error="insufficient_scope", error_description="{description}", scope="{}""#,
                    scopes.join(" ")
                ),
            ),
        };
        HeaderValue::try_from(value).ok().map(|value| (name, value))
    }

    /// The table: reason -> answer.
    #[rustfmt::skip]
    fn row(&self) -> (&'static str, Answer) {
        match self {
            Self::AuthorizationMissing => ("authorization_missing", challenge("authorization_header_missing", "Authorization header is expected")),
            Self::NotBearer            => ("not_bearer", challenge("invalid_header", "Authorization header must start with Bearer")),
            Self::TokenNotFound        => ("token_not_found", challenge("invalid_header", "Token not found")),
            Self::NotOneToken          => ("not_one_token", challenge("invalid_header", "Authorization header must be Bearer token")),

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
            Self::UnknownKid(_)        => ("unknown_kid", NO_KEY),

            Self::Expired              => ("expired", invalid_token("token_expired", "token is expired")),

            Self::MissingClaim         => ("missing_claim", WRONG_CLAIMS),
            Self::RepeatedClaim        => ("repeated_claim", WRONG_CLAIMS),
            Self::MalformedClaim       => ("malformed_claim", WRONG_CLAIMS),
            Self::NotYetValid          => ("not_yet_valid", WRONG_CLAIMS),
            Self::WrongIssuer          => ("wrong_issuer", WRONG_CLAIMS),
            Self::WrongAudience        => ("wrong_audience", WRONG_CLAIMS),
            Self::BoundToken           => ("bound_token", WRONG_CLAIMS),
            Self::NotAnAccessToken     => ("not_an_access_token", WRONG_CLAIMS),

            Self::InsufficientScope(scopes) => ("insufficient_scope", Answer {
                status: StatusCode::FORBIDDEN, code: "Unauthorized",
                description: "You don't have access to this resource", header: Header::InsufficientScope(scopes) }),

            Self::KeysUnavailable      => ("keys_unavailable", Answer {
                status: StatusCode::SERVICE_UNAVAILABLE, code: "jwks_unavailable",
                description: "Signing keys are temporarily unavailable", header: Header::RetryAfter }),
            Self::NotFound             => ("not_found", Answer {
                status: StatusCode::NOT_FOUND, code: "not_found",
                description: "Not found", header: Header::None }),
            Self::MethodNotAllowed     => ("method_not_allowed", Answer {
                status: StatusCode::METHOD_NOT_ALLOWED, code: "method_not_allowed",
                description: "Method not allowed", header: Header::Allow }),
            Self::Internal             => ("internal", DEFECT),
            Self::Panicked             => ("panicked", DEFECT),
        }
    }
}

/// One row of the table of errors in the README.
struct Answer {
    status: StatusCode,
    code: &'static str,
    description: &'static str,
    header: Header,
}

/// RFC 6750, section 3 has three challenges for three questions: who are you, this token is no good, this token is
/// not enough.
enum Header {
    None,
    Challenge,
    InvalidToken,
    InsufficientScope(&'static [&'static str]),
    Allow,
    RetryAfter,
}

const NO_TOKEN_OF_OURS: Answer = invalid_token("invalid_header", "Unable to parse authentication token.");
const NO_KEY: Answer = invalid_token("invalid_header", "Unable to find appropriate key");
// The missing blank is the quickstart's own: callers may compare.
const WRONG_CLAIMS: Answer = invalid_token("invalid_claims", "incorrect claims,please check the audience and issuer");
const DEFECT: Answer = Answer {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    code: "internal_error",
    description: "Internal error",
    header: Header::None,
};

const fn challenge(code: &'static str, description: &'static str) -> Answer {
    Answer { status: StatusCode::UNAUTHORIZED, code, description, header: Header::Challenge }
}

const fn invalid_token(code: &'static str, description: &'static str) -> Answer {
    Answer { status: StatusCode::UNAUTHORIZED, code, description, header: Header::InvalidToken }
}
