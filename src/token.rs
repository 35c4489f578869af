//! [`BearerToken`] -> [`Claims`]: shape, header, key, signature, then the rules for claims in the contract's order.
//!
//! jsonwebtoken reads the header and verifies the signature. The rules that it leaves to its caller stand here:
//! members of the header that ask for more, the one algorithm, times by a clock that is handed in, what a token is for.

mod claims;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Header, crypto};
use serde::Deserialize;
use serde::de::IgnoredAny;

use self::claims::Read;
pub use self::claims::{Claims, Scope};
use crate::bearer::BearerToken;
use crate::clock::Now;
use crate::config::{Config, ExpectedClaim};
use crate::error::{ApiError, Mismatch};
use crate::issuers::{Issuer, Issuers};
use crate::keys::{KID_BYTES, NoKey};

/// Verifies a bearer token as an access token for this API.
///
/// `left` is the time that this invocation has left, where that is known: no key fetch takes longer.
///
/// This does NOT ask the issuer whether the token was revoked, and does NOT keep it from being used again.
///
/// # Errors
/// The first check that fails, in the order: shape, header, key, signature, types of the claims, `exp`, the other claims. Where
/// several issuers are trusted, `iss` comes before the key, too.
pub async fn validate(
    token: &BearerToken<'_>,
    issuers: &Issuers,
    config: &Config,
    left: Option<Duration>,
) -> Result<Claims, ApiError> {
    // Cheap checks first: a malformed token causes no fetch.
    let unverified = Unverified::parse(token.unverified())?;
    let issuer = issuer(&unverified.payload, issuers)?;
    // Judged before the signature, and told after it: a token that no key could save is no reason for a fetch.
    let judged = judge(&unverified.payload, issuer, config, issuer.keys.now());
    let key = issuer.keys.key(&unverified.kid, judged.is_err(), left).await.map_err(|missing| match missing {
        NoKey::Unknown => ApiError::UnknownKid(unverified.kid.clone(), another_issuer(&judged)),
        NoKey::Unavailable(seconds) => ApiError::KeysUnavailable(seconds),
    })?;
    // The algorithm is ours, not the token's (RFC 8725, section 3.1).
    match crypto::verify(unverified.signature, unverified.signed, &key, Algorithm::RS256) {
        Ok(true) => judged,
        _ => Err(ApiError::BadSignature),
    }
}

/// A key of another issuer is unknown here. Of the two mistakes, the log has to show the one that can be mended.
fn another_issuer(judged: &Result<Claims, ApiError>) -> Option<Mismatch> {
    match judged {
        Err(ApiError::WrongIssuer(mismatch)) => Some(mismatch.clone()),
        _ => None,
    }
}

/// No front takes a longer header: an ALB takes 16 KiB, API Gateway less. Checked before anything is parsed.
const MAX_TOKEN: usize = 16 * 1024;

/// How far the issuer's clock and ours may be apart, in seconds.
const LEEWAY: f64 = 5.0;

/// A token of the right shape, with a header that we can work with. Nothing in it is to be believed yet.
struct Unverified<'a> {
    /// Header and payload, encoded: what was signed.
    signed: &'a [u8],
    /// Encoded, too.
    signature: &'a str,
    payload: Vec<u8>,
    kid: String,
}

impl<'a> Unverified<'a> {
    fn parse(token: &'a [u8]) -> Result<Self, ApiError> {
        if token.len() > MAX_TOKEN {
            return Err(ApiError::TokenTooLong);
        }
        let token = std::str::from_utf8(token).map_err(|_| ApiError::MalformedToken)?;
        let (signed, signature) = token.rsplit_once('.').ok_or(ApiError::OpaqueToken)?;
        let mut segments = signed.splitn(5, '.');
        let mut next = || segments.next();
        let (header, payload) = match (next(), next(), next(), next(), next()) {
            (Some(header), Some(payload), None, ..) => (header, payload),
            (.., Some(_), None) => return Err(ApiError::EncryptedToken), // five: RFC 7516, section 7.1
            _ => return Err(ApiError::MalformedToken),
        };
        let (header, payload) = (decode(header)?, decode(payload)?);
        decode(signature)?;
        Ok(Self { signed: signed.as_bytes(), signature, payload, kid: kid(&header)? })
    }
}

/// Base64url without padding, in its one canonical form (RFC 7515, section 2): else a token would have many spellings.
fn decode(segment: &str) -> Result<Vec<u8>, ApiError> {
    match URL_SAFE_NO_PAD.decode(segment) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(ApiError::MalformedToken),
    }
}

/// Checks the header and returns the `kid` that it names.
fn kid(json: &[u8]) -> Result<String, ApiError> {
    let header: Header = serde_json::from_slice(json).map_err(|_| ApiError::MalformedHeader)?;
    let Strict { b64, .. } = serde_json::from_slice(json).map_err(|_| ApiError::MalformedHeader)?;
    if header.alg != Algorithm::RS256 {
        return Err(ApiError::UnsupportedAlgorithm);
    }
    // `crit` lists extensions that must be understood (RFC 7515, section 4.1.11), and we have none; `b64` changes what
    // is signed (RFC 7797); `enc` and `zip` belong to encrypted tokens (RFC 7516).
    if header.crit.is_some() || b64.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(ApiError::UnsupportedHeader);
    }
    let typ = header.typ.as_deref().unwrap_or("JWT");
    if !TYPES.iter().any(|allowed| typ.eq_ignore_ascii_case(allowed)) {
        return Err(ApiError::UnsupportedHeader);
    }
    // Never "try all keys": a token names its key.
    header.kid.filter(|kid| KID_BYTES.contains(&kid.len())).ok_or(ApiError::InvalidKid)
}

/// `JWT` is what Auth0 writes by default, `at+jwt` is from RFC 9068, section 2.1. An issuer may leave `application/` out
/// (RFC 7515, section 4.1.9).
const TYPES: [&str; 4] = ["JWT", "application/jwt", "at+jwt", "application/at+jwt"];

/// Two things that jsonwebtoken's type leaves open. Its `alg` may be an object with one name, such as `{"RS256":null}`.
/// And it does not know `b64`, so a repeated `b64` would go unseen.
#[derive(Deserialize)]
struct Strict {
    #[serde(rename = "alg")]
    _alg: String,
    b64: Option<IgnoredAny>,
}

/// The issuer by whose keys a token is to be verified. Where several are trusted, the token's own word chooses among them, before
/// anything is fetched; and it is compared once more with the other claims.
fn issuer<'a>(payload: &[u8], issuers: &'a Issuers) -> Result<&'a Issuer, ApiError> {
    if let Some(sole) = issuers.sole() {
        return Ok(sole);
    }
    let received = serde_json::from_slice(payload).map(|Iss { iss }| iss).unwrap_or_default();
    issuers
        .named(&received)
        .ok_or_else(|| ApiError::WrongIssuer(Mismatch { expected: issuers.names().join(" "), received }))
}

#[derive(Deserialize)]
struct Iss {
    iss: String,
}

/// Checks the claims of a payload. What comes of it must not be used until the signature is verified.
fn judge(payload: &[u8], trusted: &Issuer, config: &Config, now: Now) -> Result<Claims, ApiError> {
    let read = Read::parse(payload)?;
    let claims = &read.registered;
    let now = now.wall.as_secs_f64().floor();
    if claims.exp.is_some_and(|expiry| expiry < now - LEEWAY) {
        return Err(ApiError::Expired);
    }
    let (Some(_), Some(issuer), Some(audience)) = (claims.exp, &claims.iss, &claims.aud) else {
        return Err(ApiError::MissingClaim);
    };
    // RFC 9449, section 7.1, and RFC 8705, section 3: only the holder of a key may use it, and we ask for no proof.
    if claims.cnf.is_some() {
        return Err(ApiError::BoundToken);
    }
    if !claims.is_access_token() {
        return Err(ApiError::NotAnAccessToken);
    }
    if let Some(time) = [claims.nbf, claims.iat].into_iter().flatten().find(|time| *time > now + LEEWAY) {
        return Err(ApiError::NotYetValid(Duration::from_secs_f64(time - now).as_secs()));
    }
    if *issuer != trusted.name {
        return Err(ApiError::WrongIssuer(Mismatch { expected: trusted.name.clone(), received: issuer.clone() }));
    }
    let Some(ours) = config.audiences.iter().find(|ours| audience.list().contains(ours)).cloned() else {
        let (expected, received) = (config.audiences.join(" "), audience.list().join(" "));
        return Err(ApiError::WrongAudience(Mismatch { expected, received }));
    };
    if claims.is_anonymous() && !config.anonymous_sessions {
        return Err(ApiError::AnonymousSession);
    }
    let has =
        |expected: &ExpectedClaim| read.all.get(&expected.name).is_some_and(|value| expected.values.contains(value));
    if let Some(expected) = config.expected_claims.iter().find(|expected| !has(expected)) {
        return Err(ApiError::UnexpectedClaim(expected.name.clone()));
    }
    Ok(Claims::new(read, trusted.name.clone(), ours))
}
