//! Turns a caller's deviations into a signed token that is good in all else.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::key::{Algorithm, Key};

/// The `aud` of a token, unless another one is asked for.
pub const AUDIENCE: &str = "https://quickstarts/api";

/// A token in the making. A tenant's `token` begins one as Auth0 issues it to a user, the caller names what is to differ,
/// and [`Token::sign`] ends it. The signature is always RS256, whatever `alg` says.
#[derive(Clone, Debug)]
#[must_use = "a token in the making is nothing until it is signed"]
pub struct Token {
    key: Key,
    issuer: String,
    audience: String,
    now: i64,
    header: Deviations,
    claims: Deviations,
}

/// Members to set, or with `None` to leave out, in this order.
type Deviations = Vec<(String, Option<Value>)>;

impl Token {
    /// Issued at `now`, in seconds since 1970, for a day. By default, `now` is the system clock's.
    pub fn at(mut self, now: i64) -> Token {
        self.now = now;
        self
    }

    /// Sets a claim. This wins over the default and over [`Token::at`], whatever the order of the calls.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Token {
        self.claims.push((name.to_owned(), Some(value.into())));
        self
    }

    /// Leaves a claim out.
    pub fn without_claim(mut self, name: &str) -> Token {
        self.claims.push((name.to_owned(), None));
        self
    }

    /// Sets the claim `scope`, in place of the default one.
    pub fn scope(self, scope: &str) -> Token {
        self.claim("scope", scope)
    }

    /// Sets a member of the header. This wins over the default and over [`Token::signed_by`], whatever the order.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Token {
        self.header.push((name.to_owned(), Some(value.into())));
        self
    }

    /// Leaves a member of the header out.
    pub fn without_header(mut self, name: &str) -> Token {
        self.header.push((name.to_owned(), None));
        self
    }

    /// Signs with this key and names its `kid`.
    pub fn signed_by(mut self, key: &Key) -> Token {
        self.key = key.clone();
        self
    }

    /// The header that [`Token::sign`] signs.
    pub fn header_json(&self) -> String {
        with(json!({ "alg": "RS256", "typ": "JWT", "kid": self.key.kid() }), &self.header)
    }

    /// The payload that [`Token::sign`] signs.
    pub fn payload_json(&self) -> String {
        let defaults = json!({
            "iss": self.issuer,
            "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
            "aud": [self.audience, format!("{}userinfo", self.issuer)],
            "iat": self.now,
            "exp": self.now + 86_400,
            "azp": "my_client_id",
            "scope": "openid profile email",
        });
        with(defaults, &self.claims)
    }

    /// The compact JWS.
    pub fn sign(&self) -> String {
        self.key.sign(Algorithm::Rs256, &self.header_json(), &self.payload_json())
    }

    pub(crate) fn new(key: Key, issuer: String, audience: String) -> Token {
        Token { key, issuer, audience, now: now(), header: Vec::new(), claims: Vec::new() }
    }
}

/// Seconds since 1970 by the system clock.
pub(crate) fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    since_1970.as_secs().cast_signed()
}

fn with(mut members: Value, deviations: &[(String, Option<Value>)]) -> String {
    let object = members.as_object_mut().expect("both parts of a token are objects");
    for (name, value) in deviations {
        match value {
            Some(value) => object.insert(name.clone(), value.clone()),
            None => object.remove(name),
        };
    }
    members.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_user_token_of_auth0() {
        assert_eq!(parse(&token().header_json()), json!({ "alg": "RS256", "typ": "JWT", "kid": "k" }));
        assert_eq!(
            parse(&token().at(1_000).payload_json()),
            json!({
                "iss": "https://tenant.example/",
                "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
                "aud": [AUDIENCE, "https://tenant.example/userinfo"],
                "iat": 1_000,
                "exp": 87_400,
                "azp": "my_client_id",
                "scope": "openid profile email",
            })
        );
    }

    #[test]
    fn a_deviation_wins_whatever_the_order_and_alone_is_changed() {
        let other = Key::generate("other");
        let token = token().claim("exp", 5).header("kid", Value::Null).without_claim("azp").without_header("typ");
        let token = token.signed_by(&other).at(1_000).scope("a b");
        assert_eq!(parse(&token.header_json()), json!({ "alg": "RS256", "kid": null }));
        let claims = parse(&token.payload_json());
        assert_eq!((&claims["iat"], &claims["exp"], &claims["scope"]), (&json!(1_000), &json!(5), &json!("a b")));
        assert!(claims.get("azp").is_none());
        assert_eq!(claims["sub"], "auth0|5f7c8ec7c33c6c004bbafe82");
    }

    fn token() -> Token {
        Token::new(Key::generate("k"), "https://tenant.example/".to_owned(), AUDIENCE.to_owned())
    }

    fn parse(json: &str) -> Value {
        serde_json::from_str(json).expect("a token's parts are JSON")
    }
}
