//! What an attacker sends, through the front door. Forged tokens are signed for real, by whoever would sign them.

mod front_door;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use front_door::*;
use issuer::{Algorithm, Answer, Key, Tenant, hs256};
use serde_json::{Value, json};

/// The public key as a secret, in each form that a careless verifier might have at hand (CVE-2015-9235 and many since).
#[tokio::test]
async fn the_public_key_as_an_hmac_secret() {
    let api = FrontDoor::open().await;
    let key = api.tenant.key();
    let payload = api.token().scope("read:messages").payload_json();
    let pem = key.public_pem();
    let spki = key.public_der();
    let secrets: [(&str, Vec<u8>); 9] = [
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last newline", pem.trim_end().as_bytes().to_vec()),
        ("PEM with CR LF", pem.replace('\n', "\r\n").into_bytes()),
        ("SubjectPublicKeyInfo", spki.clone()),
        ("SubjectPublicKeyInfo in base64", STANDARD.encode(&spki).into_bytes()),
        ("RSAPublicKey", key.pkcs1_der()),
        ("n in base64url", key.n().into_bytes()),
        ("n", BASE64URL.decode(key.n()).expect("base64url")),
        ("the JWK", key.jwk().to_string().into_bytes()),
    ];
    for (row, secret) in secrets {
        for alg in ["HS256", "RS256"] {
            let header = json!({ "alg": alg, "typ": "JWT", "kid": key.kid() }).to_string();
            let token = hs256(&secret, &header, &payload);
            api.get("/api/private", &token).await.refuses(&UNPARSABLE, &format!("{row}, alg {alg}"));
        }
    }
    assert_eq!(api.tenant.fetches(), 1, "one for those that claim RS256");
}

#[tokio::test]
async fn no_signature_at_all() {
    let api = FrontDoor::open().await;
    let good = api.token().sign();
    let (unsigned, signature) = good.rsplit_once('.').expect("three segments");
    let payload = unsigned.split_once('.').expect("two segments").1;
    for alg in ["none", "None", "NONE", "nOnE", "", "RS256\0", "RS256,none"] {
        let header = BASE64URL.encode(json!({ "alg": alg, "kid": api.tenant.key().kid() }).to_string());
        for signature in ["", signature, "AA", "null"] {
            let token = format!("{header}.{payload}.{signature}");
            api.get("/api/private", &token).await.refuses(&UNPARSABLE, &format!("{alg:?}, {signature:.4}"));
        }
    }
    assert_eq!(api.tenant.fetches(), 0);
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
        ("RS384", key.sign(Algorithm::Rs384, &header("RS384"), &payload)),
        ("RS512", key.sign(Algorithm::Rs512, &header("RS512"), &payload)),
        ("PS256", key.sign(Algorithm::Ps256, &header("PS256"), &payload)),
        ("PS384", key.sign(Algorithm::Ps384, &header("PS384"), &payload)),
        ("ES256", compact("ES256", &ec_signature("ES256"))),
        ("EdDSA", compact("EdDSA", ed.sign(input("EdDSA").as_bytes()).as_ref())),
        ("HS256", hs256(b"secret", &header("HS256"), &payload)),
        ("RS512, but says RS256", key.sign(Algorithm::Rs512, &header("RS256"), &payload)),
        ("PSS, but says RS256", key.sign(Algorithm::Ps256, &header("RS256"), &payload)),
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
async fn kids_that_mean_something_elsewhere() {
    let api = FrontDoor::open().await;
    let good = api.tenant.key().kid().to_owned();
    api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
    for kid in [
        "../../../../dev/null",
        "' OR 1=1--",
        "%00",
        "\0",
        "http://169.254.169.254/latest/meta-data/",
        "${jndi:ldap://x}",
        "a\nb",
        "a\r\nb",
        "\u{1b}[2J",
        "\u{202e}",
        &format!("{good} "),
        &format!(" {good}"),
        &good.to_uppercase(),
        &good[..good.len() - 1],
        "constructor",
        "__proto__",
    ] {
        api.get("/api/private", &api.token().header("kid", kid).sign()).await.refuses(&NO_KEY, kid);
    }
    let longest = "k".repeat(128);
    api.get("/api/private", &api.token().header("kid", longest).sign()).await.refuses(&NO_KEY, "128 bytes");
    assert_eq!(api.tenant.fetches(), 1);
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
    assert_eq!(api.tenant.fetches(), 1);
}

/// RFC 8017, section 8.2.2: a signature is a number below the modulus, in exactly its length.
#[tokio::test]
async fn signatures_that_are_other_numbers() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    let (input, signature) = token.rsplit_once('.').expect("three segments");
    let signature = BASE64URL.decode(signature).expect("base64url");
    let modulus = BASE64URL.decode(api.tenant.key().n()).expect("base64url");
    let mut one = vec![0; 256];
    one[255] = 1;
    let rows: [(&str, Vec<u8>); 11] = [
        ("plus n", sum(&signature, &modulus)),
        ("a zero before it", [&[0], &signature[..]].concat()),
        ("a zero behind it", [&signature[..], &[0]].concat()),
        ("without its first byte", signature[1..].to_vec()),
        ("without its last byte", signature[..255].to_vec()),
        ("twice", signature.repeat(2)),
        ("backwards", signature.iter().rev().copied().collect()),
        ("0", vec![0; 256]),
        ("1", one),
        ("all ones", vec![0xff; 256]),
        ("n itself", modulus),
    ];
    for (row, number) in rows {
        api.get("/api/private", &format!("{input}.{}", BASE64URL.encode(number))).await.refuses(&UNPARSABLE, row);
    }
}

#[tokio::test]
async fn spellings_of_a_token() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    let segments: Vec<&str> = token.split('.').collect();
    let join = |changed: usize, segment: String| {
        let segments = segments
            .iter()
            .enumerate()
            .map(|(at, kept)| if at == changed { segment.clone() } else { (*kept).to_owned() });
        segments.collect::<Vec<_>>().join(".")
    };
    for (at, segment) in segments.iter().enumerate() {
        for (row, spelling) in [
            ("=", format!("{segment}=")),
            ("==", format!("{segment}==")),
            ("%3D", format!("{segment}%3D")),
            ("+", format!("+{}", &segment[1..])),
            ("/", format!("/{}", &segment[1..])),
            ("a zero-width blank", format!("{segment}\u{200b}")),
            ("a no-break blank", format!("\u{a0}{segment}")),
            ("one character more", format!("{segment}A")),
            ("empty", String::new()),
        ] {
            api.get("/api/private", &join(at, spelling)).await.refuses(&UNPARSABLE, &format!("segment {at}: {row}"));
        }
    }
    for (row, token) in [
        ("a dot before", format!(".{token}")),
        ("a dot behind", format!("{token}.")),
        ("quoted", format!("\"{token}\"")),
        (
            "flattened JSON",
            json!({ "protected": segments[0], "payload": segments[1], "signature": segments[2] })
                .to_string()
                .replace(',', ";"),
        ),
        ("another's segments", format!("{}.{}.{}", segments[2], segments[1], segments[0])),
        ("a megabyte", format!("{token}{}", "A".repeat(1 << 20))),
        ("a megabyte of dots", ".".repeat(1 << 20)),
    ] {
        api.get("/api/private", &token).await.refuses(&UNPARSABLE, row);
    }
    assert!(api.tenant.fetches() <= 1, "one character more may be well-formed, and is worth a fetch");
}

#[tokio::test]
async fn much_in_little_room() {
    let api = FrontDoor::open().await;
    let key = api.tenant.key();
    let members = |json: &str, count: usize| {
        let more: Vec<_> = (0..count).map(|n| format!(",\"{n:x}\":0")).collect();
        format!("{}{}}}", json.trim_end_matches('}'), more.concat())
    };
    let header = api.token().header_json();
    let payload = api.token().payload_json();
    let many = key.sign(Algorithm::Rs256, &header, &members(&payload, 600));
    assert!(many.len() <= 8_192);
    api.get("/api/private", &many).await.greets(PRIVATE);
    let many = key.sign(Algorithm::Rs256, &members(&header, 600), &payload);
    assert!(many.len() <= 8_192);
    api.get("/api/private", &many).await.greets(PRIVATE);
    let deep = format!("{}1{}", "[".repeat(2_000), "]".repeat(2_000));
    let nested = |json: &str| format!("{},\"x\":{deep}}}", json.trim_end_matches('}'));
    api.get("/api/private", &key.sign(Algorithm::Rs256, &header, &nested(&payload))).await.greets(PRIVATE);
    let nested_header = key.sign(Algorithm::Rs256, &nested(&header), &payload);
    api.get("/api/private", &nested_header).await.refuses(&UNPARSABLE, "a header nested 2,000 deep");
    let audiences: Vec<_> = (0..400).map(|n| json!(format!("{n}"))).chain([json!(issuer::AUDIENCE)]).collect();
    api.get("/api/private", &api.token().claim("aud", audiences.clone()).sign()).await.greets(PRIVATE);
    let without = api.token().claim("aud", &audiences[..400]).sign();
    api.get("/api/private", &without).await.refuses(&INVALID_CLAIMS, "400 audiences, none ours");
}

#[tokio::test]
async fn tokens_made_for_something_else() {
    let api = FrontDoor::open().await;
    for (row, token, refusal) in [
        (
            "an ID token",
            api.token().claim("aud", "my_client_id").claim("nonce", "n").claim("sid", "s"),
            Some(&INVALID_CLAIMS),
        ),
        (
            "an ID token of a client that is named like the API",
            api.token().claim("at_hash", "x"),
            Some(&INVALID_CLAIMS),
        ),
        (
            "a logout token",
            api.token().claim("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
            Some(&INVALID_CLAIMS),
        ),
        ("bound to a DPoP key", api.token().claim("cnf", json!({ "jkt": "x" })), Some(&INVALID_CLAIMS)),
        ("bound to a certificate", api.token().claim("cnf", json!({ "x5t#S256": "x" })), Some(&INVALID_CLAIMS)),
        ("a machine's", api.token().claim("gty", "client-credentials").claim("sub", "id@clients"), None),
        ("with names of another case", api.token().claim("EXP", 0).claim("Iss", "x").claim("iss\0", "x"), None),
        ("with names of prototypes", api.token().claim("__proto__", json!({})).claim("constructor", "x"), None),
    ] {
        api.get("/api/private", &token.sign()).await.decides(refusal, row);
    }
    for claim in ["scp", "scopes", "permissions", "Scope", "https://example.com/scope"] {
        let token = api.token().without_claim("scope").claim(claim, "read:messages").sign();
        api.get("/api/private-scoped", &token).await.refuses(&NO_SCOPE, claim);
    }
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

/// The sum of two numbers, big-endian; one byte longer where it must be.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = Vec::new();
    for (a, b) in a.iter().rev().zip(b.iter().rev()) {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        sum.push(digit.to_le_bytes()[0]);
        carry = digit >> 8;
    }
    sum.extend((carry > 0).then_some(1));
    sum.reverse();
    sum
}
