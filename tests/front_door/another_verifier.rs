//! A token -> jsonwebtoken's word on it: signature, issuer, audience, and the types of what it knows.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::IgnoredAny;

/// What was accepted must be good for it, too. `modulus` is the `n` of the key's JWK.
pub fn accepts(token: impl AsRef<[u8]>, modulus: &str, issuer: &str, audience: &str) {
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_required_spec_claims(&["exp", "iss", "aud"]);
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[audience]);
    // It would ask the machine for the time.
    (rules.validate_exp, rules.validate_nbf) = (false, false);
    let key = DecodingKey::from_rsa_components(modulus, "AQAB").expect("a key");
    let decoded = jsonwebtoken::decode::<IgnoredAny>(token, &key, &rules);
    assert!(decoded.is_ok(), "jsonwebtoken says {:?}", decoded.err());
}
