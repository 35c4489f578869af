//! The text of a JWKS -> [`Keys`]: the ones that may verify an access token, by their `kid`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::value::RawValue;

use crate::json::{Members, Text};

/// Usable keys, by `kid`; one at least.
#[derive(Clone, Default)]
pub struct Keys(HashMap<String, Arc<VerifyingKey>>);

impl Keys {
    /// Reads a JWKS (RFC 7517, section 5). A key that cannot be used is skipped with a warning and costs no other.
    ///
    /// # Errors
    /// Why it gives none: words for the log.
    pub fn parse(jwks: &[u8]) -> Result<Self, &'static str> {
        // Not `Members::parse`, which would let what is odd in one key cost them all.
        let set: Members = serde_json::from_slice(jwks).map_err(|_| "no JSON object")?;
        let list = set.get("keys").map(RawValue::get).ok_or("no list of keys")?;
        let list: Vec<&RawValue> = serde_json::from_str(list).map_err(|_| "no list of keys")?;
        if list.len() > MAX_KEYS {
            return Err("more than 100 keys");
        }
        let mut keys = HashMap::new();
        for (index, jwk) in list.into_iter().enumerate() {
            match usable(jwk) {
                Ok((kid, key)) => {
                    // The last one counts, as in the quickstart.
                    if keys.insert(kid, Arc::new(key)).is_some() {
                        tracing::warn!(index, reason = "a kid seen before", "JWKS: key replaced");
                    }
                }
                Err(reason) => tracing::warn!(index, reason, "JWKS: key skipped"),
            }
        }
        if keys.is_empty() { Err("no usable key") } else { Ok(Self(keys)) }
    }

    /// Keys of these names, for tests that never verify with them.
    #[cfg(test)]
    pub(super) fn of(kids: impl Iterator<Item = String>) -> Self {
        let key = Arc::new(VerifyingKey::new(&[0xFF; 256]).expect("an odd number"));
        Self(kids.map(|kid| (kid, Arc::clone(&key))).collect())
    }

    /// The key of this `kid`, exactly.
    pub fn get(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        self.0.get(kid).cloned()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none: only before the first fetch.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An RSA public key, made ready once for all the signatures that it will verify.
pub struct VerifyingKey(ParsedPublicKey);

impl VerifyingKey {
    /// `modulus` has no leading zero.
    fn new(modulus: &[u8]) -> Option<Self> {
        let key = PublicKeyComponents { n: modulus, e: EXPONENT };
        key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok().map(Self)
    }

    /// Whether `signature` is this key's RS256 signature of `message` (RFC 7518, section 3.3).
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// The `kid` of a JWK or of a token's header: a text of 1 to 128 bytes. The bound keeps logs and comparisons small.
pub fn kid<'a>(members: &Members<'a>) -> Option<Cow<'a, str>> {
    members.text("kid").filter(|kid| (1..=128).contains(&kid.len()))
}

/// Auth0 publishes two or three. Each costs an allocation that lives as long as the process.
const MAX_KEYS: usize = 100;

/// RFC 7518, section 3.3 asks for 2048 bits at least; beyond 4096 a verification costs too much.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// 65537, as a Base64urlUInt holds it.
const EXPONENT: &[u8] = &[1, 0, 1];

/// `kid` and key, or why it cannot be used. All of it is looked at now, so that later a bad signature always means a bad
/// token, and never a bad key.
fn usable(jwk: &RawValue) -> Result<(String, VerifyingKey), &'static str> {
    let jwk = Members::parse(jwk.get().as_bytes()).ok_or("no JSON object")?;
    if jwk.any_repeated() {
        return Err("a member stands there twice");
    }
    if jwk.text("kty").as_deref() != Some("RSA") {
        return Err("kty is not RSA");
    }
    if jwk.contains("use") && jwk.text("use").as_deref() != Some("sig") {
        return Err("use is not sig");
    }
    if jwk.contains("key_ops") && !allows_verify(&jwk) {
        return Err("key_ops does not contain verify");
    }
    if jwk.contains("alg") && jwk.text("alg").as_deref() != Some("RS256") {
        return Err("alg is not RS256");
    }
    // Whoever could read this set can sign tokens with that key.
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.contains(name)) {
        return Err("it has private members");
    }
    let kid = kid(&jwk).ok_or("kid is no text of 1 to 128 bytes")?;
    let modulus = unsigned(&jwk, "n").ok_or("n is no base64url")?;
    let bits = (modulus.len() * 8).saturating_sub(modulus.first().map_or(0, |first| first.leading_zeros() as usize));
    if !MODULUS_BITS.contains(&bits) {
        return Err("n has not 2048 to 4096 bits");
    }
    if modulus.last().is_none_or(|last| last.is_multiple_of(2)) {
        return Err("n is even");
    }
    if unsigned(&jwk, "e").as_deref() != Some(EXPONENT) {
        return Err("e is not 65537");
    }
    VerifyingKey::new(&modulus).map(|key| (kid.into_owned(), key)).ok_or("aws-lc does not take it")
}

fn allows_verify(jwk: &Members) -> bool {
    let operations = jwk.get("key_ops").and_then(|list| serde_json::from_str::<Vec<Text>>(list.get()).ok());
    operations.is_some_and(|operations| operations.iter().any(|Text(operation)| operation == "verify"))
}

/// A Base64urlUInt (RFC 7518, section 2), less one leading zero byte: forbidden, but sent by real issuers. aws-lc takes none.
fn unsigned(jwk: &Members, name: &str) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(jwk.text(name)?.as_bytes()).ok()?;
    if bytes.first() == Some(&0) {
        bytes.remove(0);
    }
    Some(bytes).filter(|bytes| bytes.first() != Some(&0))
}
