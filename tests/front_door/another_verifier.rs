//! A token -> the word of jsonwebtoken's own `decode` on it: issuer, audience, and the types of what it knows.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::IgnoredAny;
use serde_json::Value;

/// What was accepted must be good for it, too. `jwk` is the public key that the token names.
///
/// The function takes the signature alone from jsonwebtoken; the rules for claims, which are asked here, it has itself.
pub fn accepts(token: impl AsRef<[u8]>, jwk: &Value, issuer: &str, audience: &str) {
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_required_spec_claims(&["exp", "iss", "aud"]);
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[audience]);
    // It would ask the machine for the time.
    (rules.validate_exp, rules.validate_nbf) = (false, false);
    let member = |name: &str| jwk[name].as_str().expect("a member of an RSA key");
    let key = DecodingKey::from_rsa_components(member("n"), member("e")).expect("a key");
    let decoded = jsonwebtoken::decode::<IgnoredAny>(token, &key, &rules);
    assert!(decoded.is_ok(), "jsonwebtoken says {:?}", decoded.err());
}
