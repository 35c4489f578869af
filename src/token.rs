//! [`BearerToken`] -> [`Claims`]: shape, header, key, signature, times, issuer, audience.
//!
//! What jsonwebtoken would let through (header members that ask for more, other types, repeated names, arrays) is
//! refused here, and all that it would refuse, too: tests ask it about what was accepted. It would make a key ready
//! for each signature and read header and claims again: 12 of the 105 µs that a warm request took.

use std::borrow::Cow;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::bearer::BearerToken;
use crate::clock::Now;
use crate::config::Config;
use crate::error::ApiError;
use crate::json::{self, Members, Text};
use crate::jwks::{self, Jwks, NoKey};
use crate::scope::Scope;

/// What a verified access token says. Only [`validate`] makes one, so whoever holds it may rely on it:
///
/// ```compile_fail
/// let forged = api_authorization::token::Claims { ..todo!() };
/// ```
pub struct Claims {
    payload: Vec<u8>,
    subject: Option<String>,
    scope: Scope,
}

impl Claims {
    /// `sub`: the user, or the client where a machine calls for itself. Auth0 always sends it.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `scope`: what was granted.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Any claim by its name, a custom one too: `claims.get("https://example.com/roles")`. `None` if it is not there.
    pub fn get(&self, name: &str) -> Option<Value> {
        serde_json::from_str(Members::parse(&self.payload)?.get(name)?.get()).ok()
    }
}

/// Verifies a bearer token as an access token for this API.
///
/// `left` is the time that this invocation has left, where that is known: no key fetch takes longer.
///
/// This does NOT ask the issuer whether the token was revoked, and does NOT keep it from being used again.
///
/// # Errors
/// The first check that fails, in the order: shape, header, key, signature, `exp`, the other claims.
pub async fn validate(
    token: &BearerToken<'_>,
    jwks: &Jwks,
    config: &Config,
    left: Option<Duration>,
) -> Result<Claims, ApiError> {
    // Cheap checks first: nothing malformed gets as far as a key fetch.
    let unverified = Unverified::parse(token.unverified())?;
    let key = jwks.key(&unverified.kid, left).await.map_err(|missing| match missing {
        NoKey::Unknown => ApiError::UnknownKid(unverified.kid.clone()),
        NoKey::Unavailable => ApiError::KeysUnavailable,
    })?;
    if !key.verifies(unverified.signed, &unverified.signature) {
        return Err(ApiError::BadSignature);
    }
    let (subject, scope) = accept(&unverified.payload, config, jwks.now())?;
    Ok(Claims { payload: unverified.payload, subject, scope })
}

/// API Gateway stops at 10 KB of headers; parsing costs time, and this comes before any.
const MAX_TOKEN: usize = 8 * 1024;

/// How far the issuer's clock and ours may be apart, in seconds.
const LEEWAY: f64 = 5.0;

/// A token of the right shape, with a header that we can work with. Nothing in it is to be believed yet.
struct Unverified<'a> {
    /// Header and payload, encoded: what the signature is of.
    signed: &'a [u8],
    signature: Vec<u8>,
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
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        Ok(Self { signed: signed.as_bytes(), signature, payload, kid: kid(&header)? })
    }
}

/// Base64url without padding, in its one canonical form (RFC 7515, section 2): else one token had many spellings.
fn decode(segment: &str) -> Result<Vec<u8>, ApiError> {
    match URL_SAFE_NO_PAD.decode(segment) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(ApiError::MalformedToken),
    }
}

/// Checks the header and returns the `kid` that it names.
fn kid(header: &[u8]) -> Result<String, ApiError> {
    let members = Members::parse(header).ok_or(ApiError::MalformedHeader)?;
    if members.any_repeated() {
        return Err(ApiError::MalformedHeader);
    }
    // The one algorithm, whatever the key: the token does not choose (RFC 8725, section 3.1).
    if members.text("alg").as_deref() != Some("RS256") {
        return Err(ApiError::UnsupportedAlgorithm);
    }
    // `crit` lists extensions that must be understood (RFC 7515, section 4.1.11), and we have none; `b64` changes what
    // is signed (RFC 7797); `enc` and `zip` belong to encrypted tokens (RFC 7516).
    if ["crit", "b64", "enc", "zip"].iter().any(|name| members.contains(name)) {
        return Err(ApiError::UnsupportedHeader);
    }
    // RFC 9068, section 4, and RFC 8725, section 3.11; Auth0 says `JWT` by default.
    if members.contains("typ") {
        let typ = members.text("typ").unwrap_or_default();
        if !["JWT", "at+jwt", "application/at+jwt"].iter().any(|allowed| typ.eq_ignore_ascii_case(allowed)) {
            return Err(ApiError::UnsupportedHeader);
        }
    }
    // One of a wrong type has its own answer, so it is judged before jsonwebtoken, which refuses it, too.
    if members.contains("kid") && members.text("kid").is_none() {
        return Err(ApiError::InvalidKid);
    }
    // Of all other members that are registered (RFC 7515, section 4.1), jsonwebtoken knows the types.
    if members.any_beside(&["alg", "kid", "typ"]) {
        serde_json::from_slice::<jsonwebtoken::Header>(header).map_err(|_| ApiError::MalformedHeader)?;
    }
    // Never "try all keys": a token names its key.
    jwks::kid(&members).map(Cow::into_owned).ok_or(ApiError::InvalidKid)
}

/// Checks the claims of a signed payload. Returns the two that routes ask for: `sub` and `scope`.
fn accept(payload: &[u8], config: &Config, now: Now) -> Result<(Option<String>, Scope), ApiError> {
    let claims = Members::parse(payload).ok_or(ApiError::MalformedPayload)?;
    let now = now.wall.as_secs_f64().floor();

    let expiry = time(&claims, "exp")?;
    if expiry.is_some_and(|expiry| expiry < now - LEEWAY) {
        return Err(ApiError::Expired);
    }
    if claims.any_repeated() {
        return Err(ApiError::RepeatedClaim);
    }
    if expiry.is_none() {
        return Err(ApiError::MissingClaim);
    }
    // RFC 9449, section 7.1, and RFC 8705, section 3: to be used by the holder of a key alone, and we ask for no proof.
    if claims.contains("cnf") {
        return Err(ApiError::BoundToken);
    }
    // OpenID Connect Core, section 3.1.3.6, and Back-Channel Logout, section 2.4: these are not meant for an API.
    if claims.contains("at_hash") || claims.contains("events") {
        return Err(ApiError::NotAnAccessToken);
    }
    for name in ["nbf", "iat"] {
        if time(&claims, name)?.is_some_and(|time| time > now + LEEWAY) {
            return Err(ApiError::NotYetValid);
        }
    }
    if text(&claims, "iss")?.ok_or(ApiError::MissingClaim)? != config.issuer {
        return Err(ApiError::WrongIssuer);
    }
    if !is_meant_for(&config.audience, &claims)? {
        return Err(ApiError::WrongAudience);
    }
    text(&claims, "jti")?;
    let subject = text(&claims, "sub")?;
    let scope = match claims.get("scope") {
        Some(value) if value.get() == "null" => None,
        _ => text(&claims, "scope")?,
    };
    Ok((subject.map(Cow::into_owned), Scope::new(scope.unwrap_or_default().into_owned())))
}

/// A NumericDate (RFC 7519, section 2) in seconds. Up to 2^53 an f64 holds each second exactly.
fn time(claims: &Members, name: &str) -> Result<Option<f64>, ApiError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    if !value.get().starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Err(ApiError::MalformedClaim);
    }
    match value.get().parse::<f64>() {
        Ok(seconds) if seconds.abs() < 9_007_199_254_740_992.0 => Ok(Some(seconds)),
        _ => Err(ApiError::MalformedClaim),
    }
}

/// `aud` is one text or a list of texts (RFC 7519, section 4.1.3).
fn is_meant_for(audience: &str, claims: &Members) -> Result<bool, ApiError> {
    let value = claims.get("aud").ok_or(ApiError::MissingClaim)?;
    if let Some(one) = json::text(value) {
        return Ok(one == audience);
    }
    let list: Vec<Text> = serde_json::from_str(value.get()).map_err(|_| ApiError::MalformedClaim)?;
    Ok(list.iter().any(|Text(one)| one == audience))
}

/// A claim that is a text or not there.
fn text<'a>(claims: &Members<'a>, name: &str) -> Result<Option<Cow<'a, str>>, ApiError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    json::text(value).map(Some).ok_or(ApiError::MalformedClaim)
}
