//! A token whose header and payload are made of any bytes, signed for real: past the signature, into the parsers. The
//! claims are judged as another reading of the rules says. What is not signed is never accepted.

use std::sync::LazyLock;
use std::time::Duration;

use api_authorization::bearer;
use api_authorization::clock::{Clock, Now};
use api_authorization::config::Config;
use api_authorization::error::ApiError;
use api_authorization::issuers::Issuers;
use api_authorization::token::{self, Claims};
use lambda_http::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use serde_json::json;
use tenant::{Algorithm, Key};
use tokio::runtime::Runtime;

use super::reading::{Expected, Members};

const NOW: u64 = 1_900_000_000;

struct World {
    runtime: Runtime,
    config: Config,
    issuers: Issuers,
    key: Key,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let key = Key::generate("k");
    let config = super::config(Some(&json!({ "keys": [key.jwk()] })));
    let now = Now { monotonic: Duration::ZERO, wall: Duration::from_secs(NOW) };
    let issuers = Issuers::new(&config, &Clock::new(move || now)).expect("a client");
    World { runtime: super::runtime(), config, issuers, key }
});

/// The first byte says what the others are.
pub fn token(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let world = &*WORLD;
    let (before, behind) = split(bytes);
    let (header, payload) = match kind % 4 {
        0 => {
            assert!(validate(world, bytes).is_none_or(|result| result.is_err()), "accepted without a signature");
            return;
        }
        1 => (HEADER.to_vec(), bytes.to_vec()),
        2 => (before.to_vec(), behind.to_vec()),
        // Good in all but a few members: no chance would put the others right.
        _ => (with(&GOOD_HEADER, before), with(&GOOD_CLAIMS, behind)),
    };
    let compact = world.key.sign_bytes(Algorithm::Rs256, &header, &payload).into_bytes();
    let result = validate(world, &compact).expect("a header's bytes");
    let expected = Expected { issuer: "https://a.example/", audience: "api", now: 1_900_000_000.0 };
    let members = serde_json::from_slice::<Members>(&payload).ok();
    match (result, members.map(|members| members.judge(&expected))) {
        (Ok(claims), Some(Ok(scopes))) => {
            assert!(compact.len() <= 16_384);
            assert!(claims.scope().iter().eq(&scopes));
            super::another_verifier::accepts(&compact, &world.key.jwk(), expected.issuer, expected.audience);
        }
        // Length, header, or a key that is not there: the claims were not asked.
        (Err(refusal), judged) if ["invalid_header", "jwks_unavailable"].contains(&refusal.code()) => {
            let good = header == HEADER && compact.len() <= 16_384;
            assert!(judged.is_none() || !good, "{refusal:?} for a good header");
        }
        (Err(refusal), Some(Err(code))) => assert_eq!(refusal.code(), code, "{refusal:?}"),
        // In a claim that has a type, what that reader cannot read is of the wrong one.
        (Err(refusal), None) => assert_eq!(refusal.code(), "invalid_claims", "{refusal:?}"),
        (Ok(_), judged) => panic!("accepted, where the rules say {judged:?}"),
        (Err(refusal), judged) => panic!("{refusal:?}, where the rules say {judged:?}"),
    }
}

/// What the function says of a bearer token. `None` where it is not even one word of a header.
fn validate(world: &World, token: &[u8]) -> Option<Result<Claims, ApiError>> {
    let value = HeaderValue::from_bytes(&[b"Bearer ", token].concat()).ok()?;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let bearer = bearer::token(&headers).ok()?;
    let result = world.runtime.block_on(token::validate(&bearer, &world.issuers, &world.config, None));
    if let Err(refusal) = &result {
        assert!(refusal.status() == 401 || refusal.status() == 503, "{refusal:?}");
    }
    Some(result)
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
