//! What an attacker sends, through the front door. Forged tokens are signed for real, by whoever would sign them.

mod catalogue;
mod front_door;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api_authorization::clock::{Clock, Now};
use api_authorization::{bearer, token};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use front_door::*;
use lambda_http::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use serde_json::{Value, json};
use tenant::{Answer, Key, Tenant, hs256};

#[tokio::test]
async fn the_catalogue() {
    let api = FrontDoor::open().await;
    api.keys.warm_up().await;
    let rows = catalogue::rows(&api.tenant, NOW);
    assert!(rows.len() > 800, "{}", rows.len());
    for row in rows {
        decides(&api, &row, row.refusal()).await;
    }
    assert_eq!(api.tenant.fetches(), 3, "the first, and two for all the names of keys that there are not");
}

/// Each row with no keys at hand, so that a fetch shows which is thought worth one.
#[tokio::test]
async fn the_catalogue_without_keys() {
    let days = Arc::new(AtomicU64::new(0));
    let reading = Arc::clone(&days);
    // The clock on the wall stands still, so that the tokens stay what they are; the other one ages the keys.
    let clock = Clock::new(move || Now {
        monotonic: Duration::from_secs(90_000 * reading.load(Ordering::SeqCst)),
        wall: Duration::from_secs(NOW.unsigned_abs()),
    });
    let api = FrontDoor::by_clock(Tenant::http().await, &[], &clock);
    for row in catalogue::rows(&api.tenant, NOW) {
        days.fetch_add(1, Ordering::SeqCst);
        let before = api.tenant.fetches();
        decides(&api, &row, row.refusal_without_keys()).await;
        assert_eq!(api.tenant.fetches() - before, row.verdict.fetches(), "fetches for {}", row.name);
    }
}

async fn decides(api: &FrontDoor, row: &catalogue::Row, refusal: Option<Refusal>) {
    let answer = api.send(&event("GET", row.path, &[("authorization", &row.authorization)])).await;
    match refusal {
        None if row.path == "/api/private-scoped" => answer.greets_at(SCOPED, &row.name),
        refusal => answer.decides(refusal.as_ref(), &row.name),
    }
}

/// The set holds the attacker's favourite key under the right `kid`: the algorithm alone stands in the way.
#[tokio::test]
async fn other_algorithms_validly_signed() {
    let api = FrontDoor::open().await;
    let key = api.tenant.key();
    let payload = api.token().payload_json();
    let header = |alg: &str| json!({ "alg": alg, "kid": key.kid() }).to_string();
    let input = |alg: &str| format!("{}.{}", BASE64URL.encode(header(alg)), BASE64URL.encode(&payload));

    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let ed = Ed25519KeyPair::generate().expect("a key");
    let ec_signature =
        |alg: &str| ec.sign(&SystemRandom::new(), input(alg).as_bytes()).expect("a signature").as_ref().to_vec();
    let point = ec.public_key().as_ref();
    let jwks = json!({ "keys": [
        key.jwk(),
        { "kty": "EC", "crv": "P-256", "kid": key.kid(), "alg": "ES256", "x": BASE64URL.encode(&point[1..33]), "y": BASE64URL.encode(&point[33..]) },
        { "kty": "EC", "crv": "P-256", "kid": "ec", "x": BASE64URL.encode(&point[1..33]), "y": BASE64URL.encode(&point[33..]) },
        { "kty": "OKP", "crv": "Ed25519", "kid": key.kid(), "x": BASE64URL.encode(ed.public_key().as_ref()) },
        { "kty": "oct", "kid": key.kid(), "k": BASE64URL.encode("secret") },
        { "kty": "oct", "kid": "oct", "k": BASE64URL.encode("secret") },
    ] });
    api.tenant.serve(Answer::Body {
        status: 200,
        content_type: "application/json".to_owned(),
        body: jwks.to_string().into_bytes(),
    });

    let compact = |alg: &str, signature: &[u8]| format!("{}.{}", input(alg), BASE64URL.encode(signature));
    for (row, token) in [
        ("ES256", compact("ES256", &ec_signature("ES256"))),
        ("EdDSA", compact("EdDSA", ed.sign(input("EdDSA").as_bytes()).as_ref())),
        ("HS256", hs256(b"secret", &header("HS256"), &payload)),
        ("ECDSA, but says RS256", compact("RS256", &ec_signature("RS256"))),
        ("HMAC, but says RS256", hs256(b"secret", &header("RS256"), &payload)),
    ] {
        api.get("/api/private", &token).await.refuses(&UNPARSABLE, row);
    }
    for kid in ["ec", "oct"] {
        api.get("/api/private", &api.token().header("kid", kid).sign()).await.refuses(&NO_KEY, kid);
    }
    api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
}

/// Keys come from the configured place, and from no header (CVE-2018-0114).
#[tokio::test]
async fn keys_that_the_token_brings_along() {
    let api = FrontDoor::open().await;
    let attacker = Tenant::http().await;
    let (uri, jwk) = (attacker.jwks_uri(), attacker.key().jwk());
    let certificate = STANDARD.encode(attacker.key().public_der());
    for (name, value) in [
        ("jku", json!(uri)),
        ("x5u", json!(uri)),
        ("jwk", jwk.clone()),
        ("x5c", json!([certificate])),
        ("x5t", json!("AAAA")),
    ] {
        let forged = api.token().header(name, value.clone()).signed_by(&attacker.key());
        let own_kid = forged.sign();
        let our_kid = forged.header("kid", api.tenant.key().kid()).sign();
        api.get("/api/private", &own_kid).await.refuses(&NO_KEY, name);
        api.get("/api/private", &our_kid).await.refuses(&UNPARSABLE, name);
        // Harmless in a token that is good: they are not looked at.
        api.get("/api/private", &api.token().header(name, value).sign()).await.greets(PRIVATE);
    }
    assert_eq!(attacker.fetches(), 0, "the attacker's server saw a request");
}

#[tokio::test]
async fn every_bit_and_every_prefix_of_a_good_token() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    api.get("/api/private", &token).await.greets(PRIVATE);
    for at in 0..token.len() {
        for bit in 0..8 {
            let mut changed: Vec<char> = token.chars().collect();
            changed[at] = char::from(token.as_bytes()[at] ^ (1 << bit));
            let changed: String = changed.into_iter().collect();
            // A control character is no part of a header: the gateway, or the event's reader, stops it.
            if changed.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f) {
                continue;
            }
            let answer = api.get("/api/private", &changed).await;
            assert_eq!(answer.status, 401, "bit {bit} of byte {at}: {answer:?}");
        }
        let answer = api.get("/api/private", &token[..at]).await;
        assert_eq!(answer.status, 401, "the first {at} bytes: {answer:?}");
    }
    assert_eq!(api.tenant.fetches(), 3, "the first, and two for other kids");
}

/// The letters of base64url, and what else has a meaning between them, in each place of a token: a third of them in one
/// place, the next third in the next.
#[tokio::test]
async fn every_other_letter_in_a_good_token() {
    let api = FrontDoor::open().await;
    let config = config(&api.tenant, &[]);
    // Short, for there are many: all that must be there, and no more.
    let token = api.token().without_claim("scope").without_claim("azp").without_claim("sub").without_header("typ");
    let token = token.claim("aud", tenant::AUDIENCE).sign();
    api.get("/api/private", &token).await.greets(PRIVATE);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/~%";
    for (at, right) in token.bytes().enumerate() {
        for letter in letters.iter().skip(at % 3).step_by(3).filter(|letter| **letter != right) {
            let mut changed = b"Bearer ".to_vec();
            changed.extend_from_slice(token.as_bytes());
            changed["Bearer ".len() + at] = *letter;
            let headers =
                HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(&changed).expect("a header's bytes"))]);
            let bearer = bearer::token(&headers).expect("one token");
            let decided = token::validate(&bearer, &api.issuers, &config, None).await;
            let refusal = decided.err().unwrap_or_else(|| panic!("{} in place {at} is taken", char::from(*letter)));
            assert_eq!(refusal.code(), "invalid_header", "{} in place {at}: {refusal:?}", char::from(*letter));
        }
    }
    assert_eq!(api.tenant.fetches(), 3, "the first, and two for other kids");
}

#[tokio::test]
async fn events_with_little_in_them() {
    let api = FrontDoor::open().await;
    let without = |file: &str, name: &str, value: Option<Value>| {
        let mut event = event_file(file);
        let members = event.as_object_mut().expect("an object");
        members.remove(name);
        members.extend(value.map(|value| (name.to_owned(), value)));
        event
    };
    for file in ["private", "rest-private", "alb-private"] {
        for (row, event) in [
            ("no headers", without(file, "headers", None)),
            ("null headers", without(file, "headers", Some(Value::Null))),
            ("empty headers", without(file, "headers", Some(json!({})))),
            ("a body", without(file, "body", Some(json!("x".repeat(100_000))))),
            ("null in multiValueHeaders", without(file, "multiValueHeaders", Some(Value::Null))),
        ] {
            api.send(&event).await.refuses(&HEADER_MISSING, &format!("{file}: {row}"));
        }
    }
}

/// One key, one forger, one issuer: nothing learnt from one tenant's key serves another's.
#[tokio::test]
async fn a_forger_with_a_published_name() {
    let api = FrontDoor::open().await;
    let forger = Key::generate(api.tenant.key().kid());
    api.get("/api/private", &api.token().signed_by(&forger).sign()).await.refuses(&UNPARSABLE, "before the fetch");
    api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
    api.get("/api/private", &api.token().signed_by(&forger).sign()).await.refuses(&UNPARSABLE, "behind it");
    for _ in 0..1_000 {
        api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
    }
    assert_eq!(api.tenant.fetches(), 1);
}
