//! What holds for whatever is sent: found by chance, shrunk to the smallest case.

mod front_door;
mod reading;

use std::sync::Once;

use front_door::*;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use reading::{Expected, Members};
use serde_json::{Value, json};
use tenant::{Algorithm, Answer};
use tokio::runtime::Runtime;

/// Runs `property` on `cases` of `strategy`, each through one front door that has its keys.
fn holds<S: Strategy>(
    cases: u32,
    strategy: &S,
    property: &impl AsyncFn(&FrontDoor, S::Value) -> Result<(), TestCaseError>,
) {
    static QUIET: Once = Once::new();
    QUIET.call_once(caught::quietly);
    let runtime = Runtime::new().expect("a runtime");
    let api = runtime.block_on(FrontDoor::open());
    runtime.block_on(api.keys.warm_up());
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(strategy, |value| runtime.block_on(property(&api, value)));
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn no_method_path_or_header_is_a_defect() {
    let method = select(vec!["GET", "HEAD", "POST", "get", "TRACE", "PROPFIND"]).boxed();
    let path = prop_oneof![
        "/api/(public|private|private-scoped)",
        "/(api|API|%61pi|\\.\\.|.)?/{0,2}(public|private|private-scoped|.{0,8})[/;?#]?.{0,4}",
        "\\PC{0,40}",
    ];
    let header = proptest::option::of(prop_oneof![
        "[Bb]earer [A-Za-z0-9_-]{0,80}(\\.[A-Za-z0-9_-]{0,80}){0,5}",
        "[ \t]{0,3}(Bearer|bearer|Basic|DPoP|\\PC{0,6})[ \t,]{0,3}\\PC{0,60}",
        "\\PC{0,100}",
    ]);
    holds(500, &(method, path, header), &async |api, (method, path, header)| {
        let headers: Vec<_> = header.iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = api.send(&event(method, &path, &headers)).await;
        let known = ["/api/public", "/api/private", "/api/private-scoped"].contains(&path.as_str());
        let readable = ["GET", "HEAD"].contains(&method);
        let expected = match path.as_str() {
            _ if !known => 404,
            _ if !readable => 405,
            "/api/public" => 200,
            _ => 401,
        };
        prop_assert!(answer.status == expected || answer.status == 400 && !is_uri_path(&path), "{}", answer.status);
        prop_assert!(answer.header("content-type").is_some() && answer.header("access-control-allow-origin").is_some());
        Ok(())
    });
}

/// RFC 3986, section 3.3, for a path behind a host.
fn is_uri_path(path: &str) -> bool {
    path.is_empty()
        || path.starts_with('/') && path.chars().all(|c| c.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@%".contains(c))
}

#[test]
fn no_token_is_a_defect() {
    // Well-formed and signed, with anything for header and payload: past the first gates, into the parsers.
    let json = prop_oneof!["\\PC{0,60}", "\\{(\"[a-z]{1,4}\":([0-9eE.+-]{1,8}|\"\\PC{0,8}\"|null|\\[\\]),?){0,6}\\}"];
    let header = prop_oneof![4 => Just(None), 1 => json.clone().prop_map(Some)];
    holds(300, &(header, json), &async |api, (header, payload)| {
        let header = header.unwrap_or_else(|| api.token().header_json());
        let token = api.tenant.key().sign(Algorithm::Rs256, &header, &payload);
        prop_assert_eq!(api.get("/api/private", &token).await.status, 401);
        Ok(())
    });
}

#[test]
fn no_jwks_is_a_defect() {
    let value = prop_oneof![
        "\\PC{0,10}".prop_map(|string| json!(string)),
        select(vec![
            json!(null),
            json!(5),
            json!([]),
            json!({}),
            json!("RSA"),
            json!("sig"),
            json!("AQAB"),
            json!("verify")
        ]),
    ];
    let name = select(vec!["kty", "use", "alg", "kid", "n", "e", "key_ops", "d", "x5c", "other"]);
    let change = proptest::option::weighted(0.8, (name, proptest::option::of(value)));
    let document =
        prop_oneof![3 => proptest::collection::vec(change, 0..4).prop_map(Ok), 1 => "\\PC{0,60}".prop_map(Err)];
    holds(500, &document, &async |api, document| {
        let good = api.tenant.key().jwk();
        let body = document.map(|changes| {
            let keys = changes.into_iter().map(|change| {
                let mut key = good.as_object().expect("an object").clone();
                if let Some((name, value)) = change {
                    key.remove(name);
                    key.extend(value.map(|value| (name.to_owned(), value)));
                }
                Value::Object(key)
            });
            json!({ "keys": keys.collect::<Vec<_>>() }).to_string()
        });
        let body = body.unwrap_or_else(|no_json| no_json);
        api.tenant.serve(Answer::Body {
            status: 200,
            content_type: "application/json".to_owned(),
            body: body.into_bytes(),
        });
        api.advance(90_000);
        let token = api.token().sign();
        let status = api.get("/api/private", &token).await.status;
        prop_assert!(matches!(status, 200 | 401 | 503), "{}", status);
        Ok(())
    });
}

#[test]
fn order_and_blanks_change_no_decision() {
    let blank = "[ \t\r\n]{0,3}";
    holds(250, &(claims(), any::<Vec<Index>>(), blank), &async |api, (claims, order, blank)| {
        let plain = payload(api, &claims, "");
        let mut claims = claims;
        for (at, other) in order.iter().enumerate().take(claims.len()) {
            let other = other.index(claims.len());
            claims.swap(at, other);
        }
        let (plain, changed) = (ask(api, &plain).await, ask(api, &payload(api, &claims, &blank)).await);
        prop_assert_eq!((plain.status, plain.body), (changed.status, changed.body));
        Ok(())
    });
}

#[test]
fn claims_are_judged_as_the_rules_say() {
    holds(500, &claims(), &async |api, claims| {
        let payload = payload(api, &claims, "");
        let answer = ask(api, &payload).await;
        let code = answer.body.as_deref().and_then(|body| serde_json::from_str::<Value>(body).ok());
        let code = code.and_then(|body| body["code"].as_str().map(str::to_owned));
        let issuer = api.tenant.issuer();
        let expected = Expected { issuer: &issuer, audience: tenant::AUDIENCE, now: 1_900_000_000.0 };
        let members: Members = serde_json::from_str(&payload).expect("an object");
        let expected = match members.judge(&expected) {
            Ok(scopes) if scopes.iter().any(|scope| scope == "read:messages") => None,
            Ok(_) => Some("Unauthorized"),
            Err(code) => Some(code),
        };
        prop_assert_eq!(code.as_deref(), expected, "{}", payload);
        Ok(())
    });
}

/// Asks for the scoped route with a token of this payload.
async fn ask(api: &FrontDoor, payload: &str) -> front_door::Answer {
    let token = api.tenant.key().sign(Algorithm::Rs256, &api.token().header_json(), payload);
    api.get("/api/private-scoped", &token).await
}

/// As JSON, with this between any two of its tokens.
fn payload(api: &FrontDoor, claims: &[(&str, Value)], blank: &str) -> String {
    let issuer = json!(api.tenant.issuer()).to_string();
    let members = claims.iter().map(|(name, value)| {
        let value = value.to_string().replace("\"ISS\"", &issuer);
        format!("{}{blank}:{blank}{value}", json!(name))
    });
    let members: Vec<_> = members.collect();
    format!("{blank}{{{blank}{}{blank}}}{blank}", members.join(&format!("{blank},{blank}")))
}

/// Good claims with a few deviations. ISS stands for the issuer, whose port is not known yet.
fn claims() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let odd = select(vec![
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!(""),
        json!("x"),
        json!(0),
        json!(-1),
        json!(0.5),
        json!(1_899_999_994),
        json!(1_899_999_995),
        json!(1_899_999_994.5),
        json!(1_900_000_005),
        json!(1_900_000_005.5),
        json!(1_900_000_006),
        json!(9_007_199_254_740_991_i64),
        json!(9_007_199_254_740_992_i64),
        json!(u64::MAX),
        json!(1e300),
        json!("1900000000"),
        json!("ISS"),
        json!(["ISS"]),
        json!("iss"),
        json!(tenant::AUDIENCE),
        json!([tenant::AUDIENCE]),
        json!([tenant::AUDIENCE, "x"]),
        json!([tenant::AUDIENCE, 5]),
        json!(["x"]),
        json!("read:messages"),
        json!(["a", "read:messages"]),
        json!("a read:messages b"),
        json!("a\tread:messages"),
        json!("read:messages2"),
        json!("anon@x"),
        json!({ "sub": "x" }),
        json!({ "sub": 5 }),
        json!({ "act": { "act": { "act": { "act": {} } } } }),
        json!({ "act": { "act": { "act": { "act": { "act": {} } } } } }),
        json!("access"),
        json!("Bearer"),
        json!("ID"),
        json!("refresh"),
    ]);
    let name = prop_oneof![
        4 => select(vec!["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "scope", "scp"]),
        2 => select(vec!["act", "cnf", "at_hash", "c_hash", "s_hash", "events", "nonce", "token_use", "typ"]),
        1 => select(vec!["azp", "x"]),
    ];
    let how = prop_oneof![8 => Just(How::Set), 1 => Just(How::Drop), 1 => Just(How::Repeat)];
    proptest::collection::vec((name, odd, how), 0..4).prop_map(|deviations| {
        let mut claims = vec![
            ("iss", json!("ISS")),
            ("aud", json!([tenant::AUDIENCE, "x"])),
            ("sub", json!("s")),
            ("iat", json!(NOW)),
            ("exp", json!(NOW + 60)),
            ("scope", json!("read:messages")),
        ];
        for (name, value, how) in deviations {
            if how != How::Repeat {
                claims.retain(|(known, _)| *known != name);
            }
            if how != How::Drop {
                claims.push((name, value));
            }
        }
        claims
    })
}

/// What a deviation does to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Set,
    Drop,
    Repeat,
}
