//! A token whose header and payload are made of any bytes, signed for real: past the signature, into the parsers. What is
//! accepted must be acceptable to a reader who knows nothing of ours. What is not signed is never accepted.

use std::sync::LazyLock;
use std::time::Duration;

use api_authorization::bearer;
use api_authorization::clock::{Clock, Now};
use api_authorization::config::Config;
use api_authorization::keys::KeyStore;
use api_authorization::token::{self, Claims};
use lambda_http::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use serde_json::{Value, json};
use tenant::{Algorithm, Key};
use tokio::runtime::Runtime;

const NOW: u64 = 1_900_000_000;

struct World {
    runtime: Runtime,
    config: Config,
    keys: KeyStore,
    key: Key,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let key = Key::generate("k");
    let config = super::config(Some(&json!({ "keys": [key.jwk()] })));
    let now = Now { monotonic: Duration::ZERO, wall: Duration::from_secs(NOW) };
    let keys = KeyStore::new(config.key_source(), Clock::new(move || now)).expect("a client");
    World { runtime: super::runtime(), config, keys, key }
});

/// The first byte says what the others are.
pub fn token(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let world = &*WORLD;
    let compact = match kind % 4 {
        0 => bytes.to_vec(),
        1 => sign(world, HEADER, bytes),
        2 => {
            let (header, payload) = split(bytes);
            sign(world, header, payload)
        }
        // Good in all but a few members: no chance would put the others right.
        _ => {
            let (header, payload) = split(bytes);
            sign(world, &with(&GOOD_HEADER, header), &with(&GOOD_CLAIMS, payload))
        }
    };
    let Ok(value) = HeaderValue::from_bytes(&[b"Bearer ", &compact[..]].concat()) else { return };
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let Ok(bearer) = bearer::token(&headers) else { return };
    match world.runtime.block_on(token::validate(&bearer, &world.keys, &world.config, None)) {
        Ok(claims) => {
            assert!(kind % 4 != 0, "accepted without a signature");
            assert!(compact.len() <= 8_192);
            acceptable(&claims);
            super::another_verifier::accepts(&compact, &world.key.n(), "https://a.example/", "api");
        }
        Err(refusal) => assert!(refusal.status() == 401 || refusal.status() == 503, "{refusal:?}"),
    }
}

/// The rules for claims, read once more.
fn acceptable(claims: &Claims) {
    let claim = |name: &str| claims.get(name).cloned();
    assert_eq!(claim("iss"), Some(json!("https://a.example/")));
    let audience = claim("aud").expect("an audience");
    assert!(audience == "api" || audience.as_array().is_some_and(|list| list.contains(&json!("api"))));
    let now = Duration::from_secs(NOW).as_secs_f64();
    assert!(claim("exp").and_then(|time| time.as_f64()).is_some_and(|time| time >= now - 5.0));
    for name in ["nbf", "iat"] {
        assert!(claim(name).is_none_or(|time| time.as_f64().is_some_and(|time| time <= now + 5.0)));
    }
    assert_eq!(claim("sub").as_ref().and_then(Value::as_str), claims.subject());
    assert!(claim("jti").is_none_or(|id| id.is_string()));
    let granted = claim("scope").unwrap_or_default();
    assert!(granted.is_null() || granted.is_string());
    let words = granted.as_str().unwrap_or_default().split(' ').filter(|word| !word.is_empty());
    assert!(words.eq(claims.scope().iter()));
    assert!(["cnf", "at_hash", "events"].iter().all(|name| claim(name).is_none()));
}

const HEADER: &[u8] = br#"{"alg":"RS256","kid":"k"}"#;

type Member = (&'static str, &'static str);

const GOOD_HEADER: [Member; 3] = [("alg", "\"RS256\""), ("kid", "\"k\""), ("typ", "\"JWT\"")];

const GOOD_CLAIMS: [Member; 7] = [
    ("iss", "\"https://a.example/\""),
    ("aud", "[\"api\",\"x\"]"),
    ("exp", "1900000060"),
    ("iat", "1900000000"),
    ("nbf", "1900000000"),
    ("sub", "\"s\""),
    ("scope", "\"read:messages\""),
];

/// These members, changed line by line: the first byte of a line names the one whose value the rest replaces; beyond
/// them all, the line is a member of its own.
fn with(good: &[Member], changes: &[u8]) -> Vec<u8> {
    let mut members: Vec<Vec<u8>> = good.iter().map(|(name, value)| format!("\"{name}\":{value}").into()).collect();
    for line in changes.split(|byte| *byte == b'\n') {
        let Some((which, value)) = line.split_first() else { continue };
        let at = usize::from(*which) % (good.len() + 1);
        match good.get(at) {
            Some((name, _)) => members[at] = [format!("\"{name}\":").as_bytes(), value].concat(),
            None => members.push(value.to_vec()),
        }
    }
    [&b"{"[..], &members.join(&b','), b"}"].concat()
}

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (before, behind) = bytes.split_at(at);
    (before, behind.strip_prefix(&[0]).unwrap_or(behind))
}

fn sign(world: &World, header: &[u8], payload: &[u8]) -> Vec<u8> {
    world.key.sign_bytes(Algorithm::Rs256, header, payload).into_bytes()
}
