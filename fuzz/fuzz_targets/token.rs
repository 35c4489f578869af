//! A token whose header and payload are made of any bytes, signed for real: past the signature, into the parsers. What is
//! accepted must be acceptable to a reader who knows nothing of ours. What is not signed is never accepted.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use api_authorization::clock::{Clock, Now};
use api_authorization::config::Config;
use api_authorization::jwks::Jwks;
use api_authorization::{bearer, token};
use issuer::{Algorithm, Key};
use lambda_http::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

const NOW: u64 = 1_900_000_000;

struct World {
    runtime: Runtime,
    config: Config,
    jwks: Jwks,
    key: Key,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let key = Key::generate("k");
    let pinned = json!({ "keys": [key.jwk()] }).to_string();
    let config = Config::read(|name| match name {
        "AUTH0_DOMAIN" => Some("a.example".to_owned()),
        "API_AUDIENCE" => Some("api".to_owned()),
        "PINNED_JWKS" => Some(pinned.clone()),
        // Nobody listens there: an unknown key is refused at once.
        "JWKS_URI" => Some("http://127.0.0.1:1/".to_owned()),
        _ => None,
    });
    let config = config.expect("a good configuration");
    let now = Now { monotonic: Duration::ZERO, wall: Duration::from_secs(NOW) };
    let jwks = Jwks::new(&config, Clock::new(move || now)).expect("a client");
    World { runtime: Builder::new_current_thread().enable_all().build().expect("a runtime"), config, jwks, key }
});

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let world = &*WORLD;
    let (compact, signed) = match kind % 4 {
        0 => (bytes.to_vec(), false),
        // A good header, and any payload: where most of the rules are.
        1 | 2 => (sign(world, br#"{"alg":"RS256","kid":"k"}"#, bytes), true),
        _ => {
            let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            let (header, payload) = bytes.split_at(at);
            (sign(world, header, payload.strip_prefix(&[0]).unwrap_or(payload)), true)
        }
    };
    let Ok(value) = HeaderValue::from_bytes(&[b"Bearer ", &compact[..]].concat()) else { return };
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let Ok(bearer) = bearer::token(&headers) else { return };
    match world.runtime.block_on(token::validate(&bearer, &world.jwks, &world.config, None)) {
        Ok(claims) => {
            assert!(signed, "accepted without a signature");
            assert!(compact.len() <= 8_192);
            let claim = |name: &str| claims.get(name);
            assert_eq!(claim("iss"), Some(json!("https://a.example/")));
            let audience = claim("aud").expect("an audience");
            assert!(audience == "api" || audience.as_array().is_some_and(|list| list.contains(&json!("api"))));
            assert!(claim("exp").and_then(|time| time.as_f64()).is_some_and(|time| time >= NOW as f64 - 5.0));
            for name in ["nbf", "iat"] {
                assert!(claim(name).is_none_or(|time| time.as_f64().is_some_and(|time| time <= NOW as f64 + 5.0)));
            }
            assert_eq!(claim("sub").as_ref().and_then(Value::as_str), claims.subject());
            assert!(["cnf", "at_hash", "events"].iter().all(|name| claim(name).is_none()));
        }
        Err(refusal) => assert!(refusal.status() == 401 || refusal.status() == 503, "{refusal:?}"),
    }
});

fn sign(world: &World, header: &[u8], payload: &[u8]) -> Vec<u8> {
    world.key.sign_bytes(Algorithm::Rs256, header, payload).into_bytes()
}
