//! A verified payload -> [`Claims`]: what the token says, by name and by type.

use std::slice;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// What a verified access token says. Only `validate` makes one, so whoever holds it may rely on it:
///
/// ```compile_fail
/// let forged = api_authorization::token::Claims { ..todo!() };
/// ```
pub struct Claims {
    issuer: String,
    audience: String,
    scope: Scope,
    all: Map<String, Value>,
}

impl Claims {
    /// `sub`: the user, or the client where a machine calls for itself. Auth0 always sends it.
    pub fn subject(&self) -> Option<&str> {
        self.string("sub")
    }

    /// `iss`: who issued the token. A subject is known by both: two issuers may call two users by one name.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Which of this API's identifiers the token was issued for: the first of `API_AUDIENCE` that its `aud` holds.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The client that got the token: `azp`, or `client_id` (RFC 9068, section 2.2).
    pub fn client_id(&self) -> Option<&str> {
        self.string("azp").or_else(|| self.string("client_id"))
    }

    /// `org_id`: the organisation that the user logged in to.
    pub fn organization(&self) -> Option<&str> {
        self.string("org_id")
    }

    /// Whether a machine calls for itself, as Auth0 says it: no user is behind the token.
    pub fn is_machine(&self) -> bool {
        self.subject().is_some_and(|subject| subject.ends_with("@clients"))
            || self.string("gty") == Some("client-credentials")
    }

    /// `permissions`: what Auth0's role-based access control gives the user. Nothing, unless it is a list of strings.
    pub fn permissions(&self) -> Vec<&str> {
        let permissions = self.get("permissions").and_then(Value::as_array);
        permissions.and_then(|list| list.iter().map(Value::as_str).collect()).unwrap_or_default()
    }

    /// `scope`: what was granted.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// `act.sub` (RFC 8693, section 4.1): who acts for the subject, if anybody does.
    pub fn actor(&self) -> Option<&str> {
        self.get("act")?.get("sub")?.as_str()
    }

    /// Any claim by its name, a custom one too: `claims.get("https://example.com/roles")`. `None` if it is absent or
    /// `null`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.all.get(name).filter(|value| !value.is_null())
    }

    /// The same as a type of yours: `claims.read::<Vec<String>>("https://example.com/roles")`. `None` if it is absent or
    /// of another type.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        T::deserialize(self.get(name)?).ok()
    }

    fn string(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// The claims of a payload that every rule has accepted.
    pub(super) fn new(read: Read, issuer: String, audience: String) -> Self {
        let Read { registered: Registered { scope, scp, .. }, all } = read;
        // Entra and Okta call the scope `scp`.
        let scope = Scope(scope.or(scp).map(Strings::words).unwrap_or_default());
        Self { issuer, audience, scope, all }
    }
}

/// The `scope` claim: what the token's holder was granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(Vec<String>);

impl Scope {
    /// The scopes one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether `scope` was granted: a whole word, case-sensitively.
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|word| word == scope)
    }
}

/// A payload of the right types. None of it has been judged yet.
pub(super) struct Read {
    pub registered: Registered,
    pub all: Map<String, Value>,
}

/// The claims that this API knows. serde refuses a claim of another type, and a repeated name, which two readers could
/// understand in two ways (RFC 7519, section 4). A `null` counts as absent.
#[derive(Deserialize)]
pub(super) struct Registered {
    pub exp: Option<f64>,
    pub nbf: Option<f64>,
    pub iat: Option<f64>,
    pub iss: Option<String>,
    pub aud: Option<Strings>,
    sub: Option<String>,
    #[serde(rename = "jti")]
    _jti: Option<String>,
    scope: Option<Strings>,
    scp: Option<Strings>,
    act: Option<Value>,
    pub cnf: Option<IgnoredAny>,
    at_hash: Option<IgnoredAny>,
    c_hash: Option<IgnoredAny>,
    s_hash: Option<IgnoredAny>,
    events: Option<IgnoredAny>,
    nonce: Option<IgnoredAny>,
    token_use: Option<Value>,
    typ: Option<Value>,
}

/// One string, or a list of strings.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Strings {
    One(String),
    Several(Vec<String>),
}

impl Read {
    /// Reads a payload.
    pub fn parse(payload: &[u8]) -> Result<Self, ApiError> {
        let registered: Registered = serde_json::from_slice(payload).map_err(|_| {
            // Was it the type of a claim, or is this no object at all?
            let object = serde_json::from_slice::<std::collections::HashMap<String, &RawValue>>(payload);
            if object.is_ok() { ApiError::MalformedClaim } else { ApiError::MalformedPayload }
        })?;
        // Read once more, as an object: serde takes a list for a struct, too, and skips strings that no field asks for.
        let all = serde_json::from_slice(payload).map_err(|_| ApiError::MalformedPayload)?;
        let mut times = [registered.exp, registered.nbf, registered.iat].into_iter().flatten();
        // Up to 2^53, an f64 holds each second exactly.
        let too_far = times.any(|time| time.abs() >= 9_007_199_254_740_992.0);
        if too_far || registered.act.as_ref().is_some_and(|act| !is_chain(act, MAX_ACTORS)) {
            return Err(ApiError::MalformedClaim);
        }
        Ok(Self { registered, all })
    }
}

impl Registered {
    /// Whether the token is meant for an API. Issuers sign others with the same key, some for the same audience: ID tokens
    /// (OpenID Connect Core, sections 2 and 3.1.3.6), logout tokens (Back-Channel Logout, section 2.4), refresh tokens.
    pub fn is_access_token(&self) -> bool {
        let says = |claim: &Option<Value>, word: &str| {
            claim.as_ref().and_then(Value::as_str).is_some_and(|claim| claim.eq_ignore_ascii_case(word))
        };
        let hash = [&self.at_hash, &self.c_hash, &self.s_hash].into_iter().any(Option::is_some);
        // Keycloak writes a nonce into access tokens, too, and then says what they are.
        let id_token = hash || self.nonce.is_some() && !says(&self.typ, "Bearer");
        let another = ["ID", "Refresh", "Offline", "Logout"].iter().any(|kind| says(&self.typ, kind));
        let use_of_another = self.token_use.as_ref().is_some_and(|token_use| token_use != "access");
        !(id_token || another || use_of_another || self.events.is_some())
    }

    /// Whether the token belongs to one of Auth0's anonymous sessions.
    pub fn is_anonymous(&self) -> bool {
        self.sub.as_deref().is_some_and(|subject| subject.starts_with("anon@"))
    }
}

impl Strings {
    /// The strings as they are.
    pub fn list(&self) -> &[String] {
        match self {
            Self::One(one) => slice::from_ref(one),
            Self::Several(list) => list,
        }
    }

    /// The words of a string, or the strings of a list. Only 0x20 separates words (RFC 6749, section 3.3): with
    /// Unicode's blanks, one scope could be read as two.
    fn words(self) -> Vec<String> {
        match self {
            Self::One(one) => one.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            Self::Several(list) => list,
        }
    }
}

/// Whether this is a chain of that many actors at most, each with the one before it (RFC 8693, section 4.1).
fn is_chain(act: &Value, at_most: usize) -> bool {
    let member = |name: &str| act.get(name).filter(|value| !value.is_null());
    act.is_object()
        && at_most > 0
        && member("sub").is_none_or(Value::is_string)
        && member("act").is_none_or(|before| is_chain(before, at_most - 1))
}

/// Each actor is a service that called the next one; real chains are shorter.
const MAX_ACTORS: usize = 5;
