//! What holds for whatever is sent: found by chance, shrunk to the smallest case.

mod front_door;

use front_door::*;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use tenant::{Algorithm, Answer};
use tokio::runtime::Runtime;

/// Runs `property` on `cases` of `strategy`, each through one front door.
fn holds<S: Strategy>(
    cases: u32,
    strategy: &S,
    property: &impl AsyncFn(&FrontDoor, S::Value) -> Result<(), TestCaseError>,
) {
    let runtime = Runtime::new().expect("a runtime");
    let api = runtime.block_on(FrontDoor::open());
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
    holds(4_000, &(method, path, header), &async |api, (method, path, header)| {
        let headers: Vec<_> = header.iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = api.send(&event(method, &path, &headers)).await;
        let known = ["/api/public", "/api/private", "/api/private-scoped"].contains(&path.as_str());
        let readable = ["GET", "HEAD"].contains(&method);
        prop_assert_eq!(
            answer.status,
            match path.as_str() {
                _ if !known => 404,
                _ if !readable => 405,
                "/api/public" => 200,
                _ => 401,
            }
        );
        prop_assert!(answer.header("content-type").is_some() && answer.header("access-control-allow-origin").is_some());
        Ok(())
    });
}

#[test]
fn no_token_is_a_defect() {
    // Well-formed and signed, with anything for header and payload: past the first gates, into the parsers.
    let json = prop_oneof!["\\PC{0,60}", "\\{(\"[a-z]{1,4}\":([0-9eE.+-]{1,8}|\"\\PC{0,8}\"|null|\\[\\]),?){0,6}\\}"];
    let header = prop_oneof![4 => Just(None), 1 => json.clone().prop_map(Some)];
    holds(2_000, &(header, json), &async |api, (header, payload)| {
        let header = header.unwrap_or_else(|| api.token().header_json());
        let token = api.tenant.key().sign(Algorithm::Rs256, &header, &payload);
        prop_assert_eq!(api.get("/api/private", &token).await.status, 401);
        Ok(())
    });
}

#[test]
fn no_jwks_is_a_defect() {
    let value = prop_oneof![
        "\\PC{0,10}".prop_map(|text| json!(text)),
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
    holds(1_000, &document, &async |api, document| {
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
        let body = body.unwrap_or_else(|text| text);
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
    holds(500, &(claims(), any::<Vec<Index>>(), blank), &async |api, (claims, order, blank)| {
        let plain = Value::Object(at_home(api, &claims)).to_string();
        let mut members: Vec<_> = at_home(api, &claims).into_iter().collect();
        for (at, other) in order.iter().enumerate().take(members.len()) {
            let other = other.index(members.len());
            members.swap(at, other);
        }
        let members: Vec<_> =
            members.iter().map(|(name, value)| format!("{}{blank}:{blank}{value}", json!(name))).collect();
        let spaced = format!("{blank}{{{blank}{}{blank}}}{blank}", members.join(&format!("{blank},{blank}")));
        let sign = |payload: &str| api.tenant.key().sign(Algorithm::Rs256, &api.token().header_json(), payload);
        let (plain, spaced) = (sign(&plain), sign(&spaced));
        let (plain, spaced) =
            (api.get("/api/private-scoped", &plain).await, api.get("/api/private-scoped", &spaced).await);
        prop_assert_eq!((plain.status, plain.body), (spaced.status, spaced.body));
        Ok(())
    });
}

#[test]
fn claims_are_judged_as_the_rules_say() {
    holds(4_000, &claims(), &async |api, claims| {
        let claims = at_home(api, &claims);
        let payload = Value::Object(claims.clone()).to_string();
        let token = api.tenant.key().sign(Algorithm::Rs256, &api.token().header_json(), &payload);
        let answer = api.get("/api/private-scoped", &token).await;
        let code = answer.body.as_deref().and_then(|body| serde_json::from_str::<Value>(body).ok());
        let code = code.and_then(|body| body["code"].as_str().map(str::to_owned));
        prop_assert_eq!(code.as_deref(), judge(&claims, &api.tenant.issuer()), "{}", payload);
        Ok(())
    });
}

/// The rules, read once more and for themselves: the code of the refusal, or none.
fn judge(claims: &Map<String, Value>, issuer: &str) -> Option<&'static str> {
    let now = 1_900_000_000.0;
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().filter(|time| time.abs() < 9_007_199_254_740_992.0).map(Some).ok_or(()),
    };
    let text = |name: &str| claims.get(name).is_none_or(Value::is_string);
    let Ok(Some(expiry)) = time("exp") else { return Some("invalid_claims") };
    if expiry < now - 5.0 {
        return Some("token_expired");
    }
    let begun = |name| matches!(time(name), Ok(None)) || matches!(time(name), Ok(Some(time)) if time <= now + 5.0);
    let audience = match claims.get("aud") {
        Some(Value::String(audience)) => audience == tenant::AUDIENCE,
        Some(Value::Array(list)) => list.iter().all(Value::is_string) && list.contains(&json!(tenant::AUDIENCE)),
        _ => false,
    };
    let foreign = ["cnf", "at_hash", "events"].iter().any(|name| claims.contains_key(*name));
    let scope = claims.get("scope").filter(|scope| !scope.is_null());
    let typed = text("sub") && text("jti") && scope.is_none_or(Value::is_string);
    if !(begun("nbf") && begun("iat") && audience && claims.get("iss") == Some(&json!(issuer)) && typed && !foreign) {
        return Some("invalid_claims");
    }
    let granted =
        scope.and_then(Value::as_str).is_some_and(|scope| scope.split(' ').any(|word| word == "read:messages"));
    (!granted).then_some("Unauthorized")
}

/// Good claims with a few deviations. ISS stands for the issuer, whose port is not known yet.
fn claims() -> impl Strategy<Value = Map<String, Value>> {
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
        json!("a read:messages b"),
        json!("a\tread:messages"),
        json!("read:messages2"),
    ]);
    let name =
        select(vec!["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "scope", "cnf", "at_hash", "events", "azp", "x"]);
    let deviation = (name, proptest::option::weighted(0.85, odd));
    proptest::collection::vec(deviation, 0..4).prop_map(|deviations| {
        let mut claims = json!({
            "iss": "ISS", "aud": [tenant::AUDIENCE, "x"], "sub": "s", "iat": NOW, "exp": NOW + 60, "scope": "read:messages"
        });
        let claims = claims.as_object_mut().expect("an object");
        for (name, value) in deviations {
            claims.remove(name);
            claims.extend(value.map(|value| (name.to_owned(), value)));
        }
        claims.clone()
    })
}

fn at_home(api: &FrontDoor, claims: &Map<String, Value>) -> Map<String, Value> {
    let text = Value::Object(claims.clone()).to_string().replace("\"ISS\"", &json!(api.tenant.issuer()).to_string());
    serde_json::from_str(&text).expect("an object")
}
