//! A payload -> what the rules for claims say of it, read once more: the scopes, or the code of the refusal.
//!
//! Properties and fuzz targets expect what this reading says. It shares no line with the function.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The members of a JSON object in their order, the repeated ones too.
pub struct Members(pub Vec<(String, Value)>);

/// What a token must say.
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    /// In seconds since 1970.
    pub now: f64,
}

/// The claims that a rule asks for.
const KNOWN: [&str; 18] = [
    "exp",
    "nbf",
    "iat",
    "iss",
    "aud",
    "sub",
    "jti",
    "scope",
    "scp",
    "act",
    "cnf",
    "at_hash",
    "c_hash",
    "s_hash",
    "events",
    "nonce",
    "token_use",
    "typ",
];

impl Members {
    /// The scopes that a token with these claims has, or the code of the refusal.
    pub fn judge(&self, expected: &Expected) -> Result<Vec<String>, &'static str> {
        if !self.is_typed() {
            return Err("invalid_claims");
        }
        let expiry = self.time("exp");
        if expiry.is_some_and(|expiry| expiry < expected.now - 5.0) {
            return Err("token_expired");
        }
        let begun = ["nbf", "iat"].iter().all(|name| self.time(name).is_none_or(|time| time <= expected.now + 5.0));
        let ours = self.string("iss") == Some(expected.issuer) && self.list("aud").contains(&expected.audience);
        let anonymous = self.string("sub").is_some_and(|subject| subject.starts_with("anon@"));
        if expiry.is_none() || !begun || !ours || anonymous || self.claim("cnf").is_some() || !self.is_for_an_api() {
            return Err("invalid_claims");
        }
        let name = if self.claim("scope").is_some() { "scope" } else { "scp" };
        let words = match self.string(name) {
            Some(string) => string.split(' ').filter(|word| !word.is_empty()).collect(),
            None => self.list(name),
        };
        Ok(words.into_iter().map(str::to_owned).collect())
    }

    /// Whether each known claim stands there once at most, and is of its type.
    fn is_typed(&self) -> bool {
        let once = |name: &&str| self.0.iter().filter(|(known, _)| known == name).count() <= 1;
        let all = |names: &[&str], is: fn(&Value) -> bool| names.iter().all(|name| self.claim(name).is_none_or(is));
        let strings =
            |value: &Value| value.is_string() || value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        KNOWN.iter().all(once)
            && all(&["exp", "nbf", "iat"], |time| {
                time.as_f64().is_some_and(|time| time.abs() < 9_007_199_254_740_992.0)
            })
            && all(&["iss", "sub", "jti"], Value::is_string)
            && all(&["aud", "scope", "scp"], strings)
            && all(&["act"], |act| is_actor(act, 5))
    }

    fn is_for_an_api(&self) -> bool {
        let typ = self.string("typ").unwrap_or_default().to_lowercase();
        let hashed = ["at_hash", "c_hash", "s_hash", "events"].iter().any(|name| self.claim(name).is_some());
        let of_a_login = self.claim("nonce").is_some() && typ != "bearer";
        let used = self.claim("token_use").is_none_or(|token_use| token_use == "access");
        !hashed && !of_a_login && used && !["id", "refresh", "offline", "logout"].contains(&&*typ)
    }

    /// `null` is as good as absent.
    fn claim(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    fn time(&self, name: &str) -> Option<f64> {
        self.claim(name)?.as_f64()
    }

    fn string(&self, name: &str) -> Option<&str> {
        self.claim(name)?.as_str()
    }

    /// A string is a list of one.
    fn list(&self, name: &str) -> Vec<&str> {
        match self.claim(name) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            _ => Vec::new(),
        }
    }
}

/// An object, whose `sub` is a string, and whose `act` is another of at most `left - 1` in a chain.
fn is_actor(act: &Value, left: u32) -> bool {
    let member = |name: &str| act.get(name).filter(|value| !value.is_null());
    left > 0
        && act.is_object()
        && member("sub").is_none_or(Value::is_string)
        && member("act").is_none_or(|act| is_actor(act, left - 1))
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
