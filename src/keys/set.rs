//! The JSON of a JWKS -> [`JwkSet`]: the keys that may verify an access token, by their `kid`.

use std::collections::HashMap;
use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// Usable keys, by `kid`; one at least.
#[derive(Clone, Default)]
pub struct JwkSet(HashMap<String, Arc<DecodingKey>>);

impl JwkSet {
    /// Reads a JWKS (RFC 7517, section 5). A key that cannot be used is skipped with a warning and costs no other.
    ///
    /// # Errors
    /// Why it gives none.
    pub fn parse(jwks: &[u8]) -> Result<Self, NoSet> {
        let Document { keys: list } = object(jwks).ok_or(NoSet::NoJwks)?;
        if list.len() > MAX_KEYS {
            return Err(NoSet::TooManyKeys);
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
        if keys.is_empty() { Err(NoSet::NoUsableKey) } else { Ok(Self(keys)) }
    }

    /// The key of this `kid`, exactly.
    pub fn get(&self, kid: &str) -> Option<Arc<DecodingKey>> {
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

/// Why a JSON gives no set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSet {
    /// It is no object with one list of keys.
    NoJwks,
    /// It has more than 500 keys.
    TooManyKeys,
    /// None of its keys can verify an access token. The warnings before say why, for each.
    NoUsableKey,
}

/// Auth0 publishes two or three. Each costs memory that lives as long as the process.
const MAX_KEYS: usize = 500;

/// RFC 7518, section 3.3 asks for 2048 bits at least; beyond 8192, aws-lc takes none.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// How long a `kid` is, in a JWK and in a token's header. The bound keeps log lines and comparisons small.
pub const KID_BYTES: std::ops::RangeInclusive<usize> = 1..=256;

#[derive(Deserialize)]
struct Document<'a> {
    /// Each is parsed by itself, so that an odd one does not cost the others.
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// A JWK (RFC 7517, section 4). A `null` counts as absent, and a name that is repeated is refused.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    intended_use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    // What is private of an RSA key, and of a symmetric one (RFC 7518, sections 6.3.2 and 6.4.1).
    d: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    dp: Option<IgnoredAny>,
    dq: Option<IgnoredAny>,
    qi: Option<IgnoredAny>,
    oth: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
}

/// Reads an object. serde alone would also take a list for a struct.
pub(super) fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    serde_json::from_slice(json).ok().filter(|_| json.trim_ascii_start().starts_with(b"{"))
}

/// `kid` and key, or why the key cannot be used. jsonwebtoken's type checks nothing, so everything is checked here: a
/// bad signature must mean a bad token, never a bad key.
fn usable(jwk: &RawValue) -> Result<(String, DecodingKey), &'static str> {
    let jwk: Jwk = object(jwk.get().as_bytes()).ok_or("no JWK: a member is missing, repeated or of a wrong type")?;
    if jwk.kty != "RSA" {
        return Err("kty is not RSA");
    }
    if jwk.intended_use.is_some_and(|intended_use| intended_use != "sig") {
        return Err("use is not sig");
    }
    if jwk.key_ops.is_some_and(|operations| !operations.iter().any(|operation| operation == "verify")) {
        return Err("key_ops does not contain verify");
    }
    if jwk.alg.is_some_and(|alg| alg != "RS256") {
        return Err("alg is not RS256");
    }
    // Whoever could read this set can sign tokens with that key.
    if [jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi, jwk.oth, jwk.k].iter().any(Option::is_some) {
        return Err("it has private members");
    }
    let kid = jwk.kid.filter(|kid| KID_BYTES.contains(&kid.len())).ok_or("kid is no string of 1 to 256 bytes")?;
    let modulus = unsigned(jwk.n).ok_or("n is no base64url")?;
    let bits = (modulus.len() * 8).saturating_sub(modulus.first().map_or(0, |first| first.leading_zeros() as usize));
    if !MODULUS_BITS.contains(&bits) {
        return Err("n has not 2048 to 8192 bits");
    }
    if !is_odd(&modulus) {
        return Err("n is even");
    }
    let exponent = unsigned(jwk.e).ok_or("e is no base64url")?;
    // What aws-lc takes: from 3 to below 2^33.
    let value = exponent.iter().try_fold(0_u64, |value, byte| Some(value.checked_mul(256)? + u64::from(*byte)));
    if !value.is_some_and(|value| (3..1 << 33).contains(&value)) || !is_odd(&exponent) {
        return Err("e is no odd number from 3 to below 2^33");
    }
    Ok((kid, DecodingKey::from_rsa_raw_components(&modulus, &exponent)))
}

/// A Base64urlUInt (RFC 7518, section 2) without leading zero bytes. The RFC forbids them, and aws-lc refuses them, but
/// real issuers send them.
fn unsigned(number: Option<String>) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(number?).ok()?;
    bytes.drain(..bytes.iter().take_while(|byte| **byte == 0).count());
    Some(bytes)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| !last.is_multiple_of(2))
}
