//! What a caller sees, row by row, through the front door.

mod front_door;

use front_door::*;
use issuer::{Algorithm, Key, Tenant, hs256};
use serde_json::{Value, json};

const ROUTES: [&str; 3] = ["/api/public", "/api/private", "/api/private-scoped"];

#[tokio::test]
async fn three_endpoints() {
    let api = FrontDoor::open().await;
    let (plain, scoped) = (api.token().sign(), api.token().scope("openid read:messages").sign());

    api.send(&event("GET", "/api/public", &[])).await.greets(PUBLIC);
    api.get("/api/public", "nonsense").await.greets(PUBLIC);
    assert_eq!(api.tenant.fetches(), 0, "a public route needs no keys");
    api.get("/api/private", &plain).await.greets(PRIVATE);
    api.get("/api/private", &scoped).await.greets(PRIVATE);
    api.get("/api/private-scoped", &scoped).await.greets(SCOPED);
    api.get("/api/private-scoped", &plain).await.refuses(&NO_SCOPE, "no scope");
    assert_eq!(api.tenant.fetches(), 1, "one fetch serves them all");
}

#[tokio::test]
async fn every_protected_route_refuses_a_stranger() {
    let api = FrontDoor::open().await;
    for route in api_authorization::routes::ROUTES {
        let answer = api.send(&event("GET", route.path, &[])).await;
        match route.endpoint {
            api_authorization::routes::Endpoint::Public(_) => assert_eq!(answer.status, 200, "{}", route.path),
            api_authorization::routes::Endpoint::Protected(..) => answer.refuses(&HEADER_MISSING, route.path),
        }
    }
}

#[tokio::test]
async fn the_words_of_the_authorization_header() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    for (header, refusal) in [
        ("", &HEADER_MISSING),
        (" ", &HEADER_MISSING),
        ("Basic dXNlcjpwYXNz", &NOT_BEARER),
        ("DPoP TOKEN", &NOT_BEARER),
        ("TOKEN", &NOT_BEARER),
        ("Bearer\u{a0}TOKEN", &NOT_BEARER),
        ("Bearer", &TOKEN_NOT_FOUND),
        ("Bearer ", &TOKEN_NOT_FOUND),
        ("Bearer TOKEN extra", &NOT_BEARER_TOKEN),
        ("Bearer TOKEN, Bearer TOKEN", &NOT_BEARER_TOKEN),
        ("Bearer TOKEN,TOKEN", &NOT_BEARER_TOKEN),
        ("Bearer \"TOKEN\"", &UNPARSABLE),
        ("Bearer token=TOKEN", &UNPARSABLE),
        ("Bearer TOKEN\u{a0}", &UNPARSABLE),
        ("Bearer \u{e9}", &UNPARSABLE),
    ] {
        let event = event("GET", "/api/private", &[("authorization", &header.replace("TOKEN", &token))]);
        api.send(&event).await.refuses(refusal, header);
    }
    assert_eq!(api.tenant.fetches(), 0);
    for header in ["Bearer TOKEN", "bearer TOKEN", "BEARER TOKEN", "  Bearer   TOKEN  ", "Bearer\tTOKEN"] {
        let event = event("GET", "/api/private", &[("authorization", &header.replace("TOKEN", &token))]);
        api.send(&event).await.greets(PRIVATE);
    }
    for (name, value) in [("x-authorization", "Bearer TOKEN"), ("cookie", "access_token=TOKEN")] {
        let event = event("GET", "/api/private", &[(name, &value.replace("TOKEN", &token))]);
        api.send(&event).await.refuses(&HEADER_MISSING, name);
    }
    let mut query = event("GET", "/api/private", &[]);
    query["rawQueryString"] = json!(format!("access_token={token}"));
    api.send(&query).await.refuses(&HEADER_MISSING, "query");
}

#[tokio::test]
async fn several_authorization_headers() {
    let api = FrontDoor::open().await;
    let bearer = format!("Bearer {}", api.token().sign());
    let mut alb = event_file("alb-private");
    alb["headers"] = json!(null);
    alb["multiValueHeaders"] = json!({ "host": ["api.example.com"], "authorization": [bearer, bearer] });
    api.send(&alb).await.refuses(&NOT_BEARER_TOKEN, "an ALB shows both");
    alb["multiValueHeaders"]["authorization"] = json!([bearer]);
    api.send(&alb).await.greets(PRIVATE);
}

#[tokio::test]
async fn tokens_that_are_none() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    let [header, payload, signature] = segments(&token);
    // A canonical last character has its unused bits zero: the next one in the alphabet has not.
    let uncanonical = |segment: &str| {
        let (rest, last) = segment.split_at(segment.len() - 1);
        format!("{rest}{}", char::from(last.as_bytes()[0] + 1))
    };
    for (row, token) in [
        ("opaque", "x7tN2hFkM0pQ9sVbYcJd4gLr6wZaEeUi".to_owned()),
        ("dots", "..".to_owned()),
        ("two segments", format!("{header}.{payload}")),
        ("four segments", format!("{token}.x")),
        ("five segments", format!("{token}.x.y")),
        ("no header", format!(".{payload}.{signature}")),
        ("no payload", format!("{header}..{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        ("padding", format!("{token}==")),
        ("another alphabet", format!("{header}.{payload}.+{}", &signature[1..])),
        ("an uncanonical signature", format!("{header}.{payload}.{}", uncanonical(&signature))),
        ("over 8 KiB", format!("{token}{}", "A".repeat(8_193 - token.len()))),
        ("no JSON", api.tenant.key().sign(Algorithm::Rs256, "{", "{}")),
        ("a JSON serialisation", format!(r#"{{"payload":"{payload}"}}"#)),
    ] {
        api.get("/api/private", &token).await.refuses(&UNPARSABLE, row);
    }
    assert_eq!(api.tenant.fetches(), 0, "nothing malformed makes a fetch");
}

#[tokio::test]
async fn the_longest_token() {
    let api = FrontDoor::open().await;
    let with_padding = |length: usize| api.token().claim("https://example.com/x", "x".repeat(length)).sign();
    let fitting =
        (5_000..6_500).map(with_padding).take_while(|token| token.len() <= 8_192).last().expect("one that fits");
    assert!(fitting.len() > 8_190, "{}", fitting.len());
    api.get("/api/private", &fitting).await.greets(PRIVATE);
    let too_long = (5_000..6_500).map(with_padding).find(|token| token.len() > 8_192).expect("one that is too long");
    api.get("/api/private", &too_long).await.refuses(&UNPARSABLE, "too long");
}

#[tokio::test]
async fn headers_of_tokens() {
    let api = FrontDoor::open().await;
    let key = api.tenant.key();
    let payload = api.token().payload_json();
    let sign = |header: &str| key.sign(Algorithm::Rs256, &header.replace("KID", key.kid()), &payload);
    for (header, refusal) in [
        (r#"{"alg":"RS256","kid":"KID"}"#, None),
        (r#"{"alg":"\u0052S256","kid":"KID","typ":"JWT"}"#, None),
        (r#"{"alg":"RS256","kid":"KID","typ":"jwt"}"#, None),
        (r#"{"alg":"RS256","kid":"KID","typ":"at+jwt"}"#, None),
        (r#"{"alg":"RS256","kid":"KID","typ":"application/AT+JWT"}"#, None),
        (r#"{"alg":"RS256","kid":"KID","jku":"http://127.0.0.1:9/","other":[1e400]}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","jku":"http://127.0.0.1:9/","other":{"a":1}}"#, None),
        (r#"{"alg":"none","kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"None","kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"","kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"rs256","kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256 ","kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":null,"kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":5,"kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":["RS256"],"kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":{"RS256":null},"kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS384","kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"HS256","kid":"no such"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","crit":["exp"]}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","crit":[]}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","\u0063rit":null}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","b64":false}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","b64":true}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","enc":"A256GCM"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","zip":"DEF"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","typ":"dpop+jwt"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","typ":"logout+jwt"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","typ":""}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","typ":null}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","typ":5}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","jku":5}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"no such","jku":5}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"","jku":5}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","jku":5}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","alg":"RS256","kid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","\u006bid":"KID"}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID","x":1,"x":2}"#, Some(&UNPARSABLE)),
        (r#"["RS256","KID"]"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256","kid":"KID"}{}"#, Some(&UNPARSABLE)),
        (r#"{"alg":"RS256"}"#, Some(&NO_KEY)),
        (r#"{"alg":"RS256","kid":null}"#, Some(&NO_KEY)),
        (r#"{"alg":"RS256","kid":5}"#, Some(&NO_KEY)),
        (r#"{"alg":"RS256","kid":["KID"]}"#, Some(&NO_KEY)),
        (r#"{"alg":"RS256","kid":""}"#, Some(&NO_KEY)),
    ] {
        api.get("/api/private", &sign(header)).await.decides(refusal, header);
    }
    let kid = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(129));
    api.get("/api/private", &sign(&kid)).await.refuses(&NO_KEY, "a kid of 129 bytes");
    assert_eq!(api.tenant.fetches(), 1, "none of these is worth a fetch but the first good one");
}

#[tokio::test]
async fn signatures() {
    let api = FrontDoor::open().await;
    let key = api.tenant.key();
    let (header, payload) = (api.token().header_json(), api.token().payload_json());
    let [h, p, s] = segments(&api.token().sign());
    let [_, other, _] = segments(&api.token().scope("read:messages").sign());
    let confused = header.replace("RS256", "HS256");
    for (row, token) in [
        ("another key's", api.token().signed_by(&Key::generate("another")).header("kid", key.kid()).sign()),
        ("RS512", key.sign(Algorithm::Rs512, &header, &payload)),
        ("PSS", key.sign(Algorithm::Ps256, &header, &payload)),
        ("PS256, and said so", key.sign(Algorithm::Ps256, &header.replace("RS256", "PS256"), &payload)),
        ("another payload's", format!("{h}.{other}.{s}")),
        ("cut", format!("{h}.{p}.{}", &s[..s.len() - 4])),
        ("zeros", format!("{h}.{p}.{}", "A".repeat(s.len() - 2) + "AA")),
        ("one bit off", format!("{h}.{p}.{}{}", if s.starts_with('A') { "B" } else { "A" }, &s[1..])),
        ("the public key's PEM as a secret", hs256(key.public_pem().as_bytes(), &confused, &payload)),
        ("the public key's DER as a secret", hs256(&key.public_der(), &confused, &payload)),
        ("an expired token's", format!("{h}.{}.{s}", segments(&api.token().claim("exp", 1).sign())[1])),
    ] {
        api.get("/api/private", &token).await.refuses(&UNPARSABLE, row);
    }
}

#[tokio::test]
async fn claims() {
    let api = FrontDoor::open().await;
    let rows: Vec<(&str, Value, Option<&Refusal>)> = vec![
        ("exp", json!(NOW - 6), Some(&EXPIRED)),
        ("exp", json!(NOW - 5), None),
        ("exp", json!(1_899_999_994.5), Some(&EXPIRED)),
        ("exp", json!(1_900_000_000.5), None),
        ("exp", json!(NOW * 1000), None),
        ("exp", json!(9_007_199_254_740_991_i64), None),
        ("exp", json!(0), Some(&EXPIRED)),
        ("exp", json!(-1), Some(&EXPIRED)),
        ("exp", json!(-0.4), Some(&EXPIRED)),
        ("exp", json!(9_007_199_254_740_992_i64), Some(&INVALID_CLAIMS)),
        ("exp", json!(-9_007_199_254_740_992_i64), Some(&INVALID_CLAIMS)),
        ("exp", json!(u64::MAX), Some(&INVALID_CLAIMS)),
        ("exp", json!(1e19), Some(&INVALID_CLAIMS)),
        ("exp", json!("9999999999"), Some(&INVALID_CLAIMS)),
        ("exp", json!(null), Some(&INVALID_CLAIMS)),
        ("exp", json!(true), Some(&INVALID_CLAIMS)),
        ("exp", json!([NOW + 60]), Some(&INVALID_CLAIMS)),
        ("exp", json!({ "exp": NOW + 60 }), Some(&INVALID_CLAIMS)),
        ("nbf", json!(NOW + 5), None),
        ("nbf", json!(NOW + 6), Some(&INVALID_CLAIMS)),
        ("nbf", json!(-1), None),
        ("nbf", json!("1"), Some(&INVALID_CLAIMS)),
        ("nbf", json!(null), Some(&INVALID_CLAIMS)),
        ("nbf", json!([]), Some(&INVALID_CLAIMS)),
        ("iat", json!(NOW + 5), None),
        ("iat", json!(1_900_000_005.5), Some(&INVALID_CLAIMS)),
        ("iat", json!(-1), None),
        ("iat", json!("x"), Some(&INVALID_CLAIMS)),
        ("iat", json!(null), Some(&INVALID_CLAIMS)),
        ("iss", json!(api.tenant.issuer().trim_end_matches('/')), Some(&INVALID_CLAIMS)),
        ("iss", json!(api.tenant.issuer() + "/"), Some(&INVALID_CLAIMS)),
        ("iss", json!(api.tenant.issuer().replace("https", "http")), Some(&INVALID_CLAIMS)),
        ("iss", json!(api.tenant.issuer().replace("https", "HTTPS")), Some(&INVALID_CLAIMS)),
        ("iss", json!("https://evil.example/"), Some(&INVALID_CLAIMS)),
        ("iss", json!([api.tenant.issuer()]), Some(&INVALID_CLAIMS)),
        ("iss", json!(["https://evil.example/", api.tenant.issuer()]), Some(&INVALID_CLAIMS)),
        ("iss", json!(""), Some(&INVALID_CLAIMS)),
        ("iss", json!(5), Some(&INVALID_CLAIMS)),
        ("iss", json!(null), Some(&INVALID_CLAIMS)),
        ("aud", json!(issuer::AUDIENCE), None),
        ("aud", json!([issuer::AUDIENCE]), None),
        ("aud", json!(["https://other.example", issuer::AUDIENCE]), None),
        ("aud", json!("https://quickstarts/api/"), Some(&INVALID_CLAIMS)),
        ("aud", json!("https://quickstarts/ap"), Some(&INVALID_CLAIMS)),
        ("aud", json!("HTTPS://quickstarts/api"), Some(&INVALID_CLAIMS)),
        ("aud", json!("https://quickstarts/api https://other.example"), Some(&INVALID_CLAIMS)),
        ("aud", json!([]), Some(&INVALID_CLAIMS)),
        ("aud", json!([issuer::AUDIENCE, 5]), Some(&INVALID_CLAIMS)),
        ("aud", json!([issuer::AUDIENCE, null]), Some(&INVALID_CLAIMS)),
        ("aud", json!([[issuer::AUDIENCE]]), Some(&INVALID_CLAIMS)),
        ("aud", json!({ "0": issuer::AUDIENCE }), Some(&INVALID_CLAIMS)),
        ("aud", json!(5), Some(&INVALID_CLAIMS)),
        ("aud", json!(null), Some(&INVALID_CLAIMS)),
        ("sub", json!(""), None),
        ("sub", json!(5), Some(&INVALID_CLAIMS)),
        ("sub", json!(null), Some(&INVALID_CLAIMS)),
        ("sub", json!({}), Some(&INVALID_CLAIMS)),
        ("jti", json!("id"), None),
        ("jti", json!(5), Some(&INVALID_CLAIMS)),
        ("jti", json!(null), Some(&INVALID_CLAIMS)),
        ("scope", json!(null), None),
        ("scope", json!(["read:messages"]), Some(&INVALID_CLAIMS)),
        ("scope", json!(5), Some(&INVALID_CLAIMS)),
        ("scope", json!(false), Some(&INVALID_CLAIMS)),
        ("cnf", json!({ "jkt": "x" }), Some(&INVALID_CLAIMS)),
        ("cnf", json!(null), Some(&INVALID_CLAIMS)),
        ("at_hash", json!("x"), Some(&INVALID_CLAIMS)),
        ("events", json!({}), Some(&INVALID_CLAIMS)),
        ("gty", json!("client-credentials"), None),
        ("Iss", json!(5), None),
        ("https://example.com/roles", json!(["admin"]), None),
    ];
    for (name, value, refusal) in rows {
        api.get("/api/private", &api.token().claim(name, value.clone()).sign())
            .await
            .decides(refusal, &format!("{name}: {value}"));
    }
    for (name, refusal) in [
        ("exp", Some(&INVALID_CLAIMS)),
        ("iss", Some(&INVALID_CLAIMS)),
        ("aud", Some(&INVALID_CLAIMS)),
        ("iat", None),
        ("sub", None),
        ("scope", None),
    ] {
        api.get("/api/private", &api.token().without_claim(name).sign())
            .await
            .decides(refusal, &format!("without {name}"));
    }
}

#[tokio::test]
async fn payloads() {
    let api = FrontDoor::open().await;
    let (iss, aud) = (api.tenant.issuer(), issuer::AUDIENCE);
    let good = format!(r#""iss":"{iss}","aud":"{aud}","iat":{NOW}"#);
    let (later, past) = (NOW + 60, NOW - 60);
    let rows: Vec<(String, Option<&Refusal>)> = vec![
        (format!(r#"{{{good},"exp":{later}}}"#), None),
        (format!(r#" {{ {good}, "\u0065xp" : {later} }} "#), None),
        (format!(r#"{{{good},"exp":{later},"x":{}}}"#, "[".repeat(1_000) + &"]".repeat(1_000)), None),
        (format!(r#"{{{good},"exp":{later},"x":1e400}}"#), None),
        (format!(r#"{{{good},"exp":1e400}}"#), Some(&INVALID_CLAIMS)),
        (format!(r#"{{{good},"exp":{}}}"#, "9".repeat(40)), Some(&INVALID_CLAIMS)),
        (format!(r#"{{{good},"exp":-0.0}}"#), Some(&EXPIRED)),
        (format!(r#"{{{good},"exp":{later},"exp":{later}}}"#), Some(&INVALID_CLAIMS)),
        (format!(r#"{{{good},"exp":{past},"\u0065xp":{later}}}"#), Some(&INVALID_CLAIMS)),
        (format!(r#"{{{good},"exp":{later},"scope":"a","scope":"read:messages"}}"#), Some(&INVALID_CLAIMS)),
        (format!(r#"{{{good},"exp":{later},"x":1,"x":1}}"#), Some(&INVALID_CLAIMS)),
        (format!(r#"{{{good},"exp":{past},"x":1,"x":1}}"#), Some(&EXPIRED)),
        (format!(r#"{{"iss":"x","aud":"y","exp":{past},"nbf":{later},"iat":"z"}}"#), Some(&EXPIRED)),
        (format!(r#"[{later},{past},"sub","{iss}","{aud}"]"#), Some(&UNPARSABLE)),
        (format!(r#"{{{good},"exp":{later}}}{{}}"#), Some(&UNPARSABLE)),
        (format!("\u{feff}{{{good},\"exp\":{later}}}"), Some(&UNPARSABLE)),
        (format!(r#"{{{good},"exp":{later},"x":"\ud800"}}"#), Some(&UNPARSABLE)),
        ("null".to_owned(), Some(&UNPARSABLE)),
        ("\"text\"".to_owned(), Some(&UNPARSABLE)),
        ("5".to_owned(), Some(&UNPARSABLE)),
        ("{".to_owned(), Some(&UNPARSABLE)),
    ];
    for (payload, refusal) in rows {
        let token = api.tenant.key().sign(Algorithm::Rs256, &api.token().header_json(), &payload);
        api.get("/api/private", &token).await.decides(refusal, &payload);
    }
    let binary =
        api.tenant.key().sign_bytes(Algorithm::Rs256, api.token().header_json().as_bytes(), b"{\"x\":\"\xff\"}");
    api.get("/api/private", &binary).await.refuses(&UNPARSABLE, "no UTF-8");
}

#[tokio::test]
async fn scopes() {
    let api = FrontDoor::open().await;
    for (scope, granted) in [
        (json!("read:messages"), true),
        (json!("openid  read:messages "), true),
        (json!(""), false),
        (json!(null), false),
        (json!("read:messages2"), false),
        (json!("READ:messages"), false),
        (json!("openid\tread:messages"), false),
        (json!("openid\u{a0}read:messages"), false),
    ] {
        let answer = api.get("/api/private-scoped", &api.token().claim("scope", scope.clone()).sign()).await;
        if granted { answer.greets(SCOPED) } else { answer.refuses(&NO_SCOPE, &scope.to_string()) }
    }
    let permissions = api.token().without_claim("scope").claim("permissions", json!(["read:messages"]));
    api.get("/api/private-scoped", &permissions.sign()).await.refuses(&NO_SCOPE, "permissions are no scope");
    let expired = api.token().claim("exp", NOW - 60).sign();
    api.get("/api/private-scoped", &expired).await.refuses(&EXPIRED, "claims come before scopes");
}

#[tokio::test]
async fn methods() {
    let api = FrontDoor::open().await;
    let bearer = format!("Bearer {}", api.token().scope("read:messages").sign());
    for path in ROUTES {
        for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FOO", "get", "Head"] {
            api.send(&event(method, path, &[("x-http-method-override", "GET")]))
                .await
                .refuses(&METHOD_NOT_ALLOWED, method);
        }
        let [get, head] = ["GET", "HEAD"].map(|method| event(method, path, &[("authorization", &bearer)]));
        let (get, head) = (api.send(&get).await, api.send(&head).await);
        assert_eq!((get.status, head.status, head.body), (200, 200, None), "{path}");
        assert_eq!(get.headers, head.headers, "{path}");
    }
    let head = api.send(&event("HEAD", "/api/private", &[])).await;
    assert_eq!(
        (head.status, head.body.as_deref(), head.header("www-authenticate")),
        (401, None, HEADER_MISSING.challenge)
    );
    assert_eq!(api.send(&event("HEAD", "/nowhere", &[])).await.status, 404);
    assert_eq!(api.send(&event("POST", "/nowhere", &[])).await.status, 404);
}

#[tokio::test]
async fn paths() {
    let api = FrontDoor::open().await;
    for path in [
        "",
        "/",
        "/api",
        "/api/",
        "/api/public/",
        "/api/private/",
        "//api/private",
        "/api//private",
        "/API/private",
        "/api/Private",
        "/api%2Fprivate",
        "/%61pi/private",
        "/api/private;x",
        "/api/private?x",
        "/api/private#f",
        "/api/./private",
        "/api/public/../private",
        "/api/private%00",
        "/api/private\\",
        "/api/private\n",
        "/api/private ",
        "api/private",
        "/api/private-scope",
        "/api/private-scoped2",
        "/prod/api/private",
        "/v1/api/private",
    ] {
        api.send(&event("GET", path, &[])).await.refuses(&NOT_FOUND, path);
    }
    // The Host header has no say in where a request goes.
    let lying = event("GET", "/api/private", &[("host", "a/api/public?")]);
    api.send(&lying).await.refuses(&HEADER_MISSING, "a lying host");
}

#[tokio::test]
async fn stages_and_base_paths() {
    let at_stage = |stage: &str, path: &str| {
        let mut event = event("GET", path, &[]);
        event["requestContext"]["stage"] = json!(stage);
        event
    };
    let api = FrontDoor::open().await;
    for (stage, path, found) in [
        ("prod", "/prod/api/private", true),
        ("prod", "/api/private", true),
        ("api", "/api/private", true),
        ("api", "/api/api/private", true),
        ("prod", "/prod/prod/api/private", false),
        ("prod", "/production/api/private", false),
        ("pro", "/prod/api/private", false),
        ("prod", "/prodapi/private", false),
        ("prod", "//prod/api/private", false),
        ("$default", "/$default/api/private", false),
        ("$default", "/$default/x/api/private", false),
        ("", "//api/private", false),
    ] {
        let refusal = if found { &HEADER_MISSING } else { &NOT_FOUND };
        api.send(&at_stage(stage, path)).await.refuses(refusal, path);
    }
    let api = FrontDoor::with(&[("BASE_PATH", "/v1")]).await;
    for (stage, path, found) in [
        ("$default", "/v1/api/private", true),
        ("$default", "/api/private", true),
        ("prod", "/prod/v1/api/private", true),
        ("$default", "/v1/v1/api/private", false),
        ("$default", "/v10/api/private", false),
        ("$default", "/v1api/private", false),
        ("$default", "/V1/api/private", false),
    ] {
        let refusal = if found { &HEADER_MISSING } else { &NOT_FOUND };
        api.send(&at_stage(stage, path)).await.refuses(refusal, path);
    }
    let mut rest = event_file("rest-private");
    rest["path"] = json!("/v1/api/private");
    api.send(&rest).await.refuses(&HEADER_MISSING, "a REST API behind a custom domain");
}

#[tokio::test]
async fn headers_on_every_answer() {
    for (allowed, origin, echoed, vary) in [
        ("*", Some("https://page.example"), Some("*"), None),
        ("*", None, Some("*"), None),
        (
            "https://page.example,http://localhost:3000",
            Some("https://page.example"),
            Some("https://page.example"),
            Some("origin"),
        ),
        (
            "https://page.example,http://localhost:3000",
            Some("http://localhost:3000"),
            Some("http://localhost:3000"),
            Some("origin"),
        ),
        ("https://page.example", Some("https://page.example.evil.com"), None, Some("origin")),
        ("https://page.example", Some("https://evil-page.example"), None, Some("origin")),
        ("https://page.example", Some("http://page.example"), None, Some("origin")),
        ("https://page.example", Some("null"), None, Some("origin")),
        ("https://page.example", None, None, Some("origin")),
    ] {
        let api = FrontDoor::with(&[("ALLOWED_ORIGINS", allowed)]).await;
        let scoped = format!("Bearer {}", api.token().scope("read:messages").sign());
        let plain = format!("Bearer {}", api.token().sign());
        let origin = origin.map(|origin| ("origin", origin));
        let headers = |more: &[(&'static str, &str)], method: &str, path: &str| {
            let headers: Vec<_> = origin.iter().copied().chain(more.iter().copied()).collect();
            event(method, path, &headers)
        };
        for (event, status) in [
            (headers(&[], "GET", "/api/public"), 200),
            (headers(&[("authorization", &scoped)], "GET", "/api/private-scoped"), 200),
            (headers(&[], "GET", "/api/private"), 401),
            (headers(&[("authorization", "Bearer x")], "GET", "/api/private"), 401),
            (headers(&[("authorization", &plain)], "GET", "/api/private-scoped"), 403),
            (headers(&[], "GET", "/nowhere"), 404),
            (headers(&[], "POST", "/api/private"), 405),
        ] {
            let answer = api.send(&event).await;
            assert_eq!(answer.status, status);
            for (name, value) in [
                ("content-type", Some("application/json")),
                ("cache-control", Some("no-store")),
                ("x-content-type-options", Some("nosniff")),
                ("access-control-allow-origin", echoed),
                (
                    "access-control-expose-headers",
                    Some("www-authenticate,x-amzn-remapped-www-authenticate,retry-after"),
                ),
                ("access-control-allow-credentials", None),
                ("access-control-allow-methods", None),
                ("vary", vary),
            ] {
                assert_eq!(answer.header(name), value, "{name} of {status} for {origin:?} with {allowed}");
            }
        }
        for path in ["/api/private", "/nowhere"] {
            let asked = [("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")];
            let answer = api.send(&headers(&asked, "OPTIONS", path)).await;
            assert_eq!((answer.status, answer.body.as_deref()), (200, None));
            let mut expected = vec![
                ("access-control-allow-headers", "authorization,content-type"),
                ("access-control-allow-methods", "GET,HEAD"),
                ("access-control-max-age", "600"),
            ];
            expected.extend(echoed.map(|origin| ("access-control-allow-origin", origin)));
            expected.extend(vary.map(|vary| ("vary", vary)));
            let headers: Vec<_> = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            expected.sort_unstable();
            assert_eq!(headers, expected, "a preflight for {origin:?} with {allowed}");
        }
    }
}

#[tokio::test]
async fn the_answer_in_each_front_s_own_shape() {
    let api = FrontDoor::open().await;
    let body = json!({ "code": "authorization_header_missing", "description": "Authorization header is expected" })
        .to_string();
    let headers = json!({
        "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff",
        "www-authenticate": "Bearer realm=\"api\"", "access-control-allow-origin": "*",
        "access-control-expose-headers": "www-authenticate,x-amzn-remapped-www-authenticate,retry-after"
    });
    let lists: Value =
        headers.as_object().expect("an object").iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    for (file, expected) in [
        (
            "private",
            json!({ "statusCode": 401, "headers": headers, "multiValueHeaders": {}, "body": body,
                            "isBase64Encoded": false, "cookies": [] }),
        ),
        (
            "rest-private",
            json!({ "statusCode": 401, "headers": {}, "multiValueHeaders": lists, "body": body,
                                 "isBase64Encoded": false }),
        ),
        (
            "alb-private",
            json!({ "statusCode": 401, "statusDescription": "401 Unauthorized", "headers": headers,
                                "multiValueHeaders": lists, "body": body, "isBase64Encoded": false }),
        ),
    ] {
        assert_eq!(api.send(&event_file(file)).await.raw, expected, "{file}");
    }
}

#[tokio::test]
async fn every_event_file() {
    let api = FrontDoor::open().await;
    let mut seen = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/events")).expect("events/") {
        let file = entry.expect("a file").file_name().into_string().expect("a name");
        let name = file.strip_suffix(".json").expect("JSON files alone");
        let answer = api.send(&event_file(name)).await;
        seen += 1;
        match name {
            "preflight" => assert_eq!((answer.status, answer.body), (200, None)),
            // A placeholder stands where the token belongs.
            _ if name.contains("public") => answer.greets(PUBLIC),
            _ if name.ends_with("-bearer") => answer.refuses(&UNPARSABLE, name),
            _ => answer.refuses(&HEADER_MISSING, name),
        }
        let token = api.token().scope("read:messages").sign();
        let filled = serde_json::from_str(&event_file(name).to_string().replace("TOKEN", &token)).expect("JSON");
        let answer = api.send(&filled).await;
        match name {
            "private-bearer" => answer.greets(PRIVATE),
            "private-scoped-bearer" => answer.greets(SCOPED),
            _ => {}
        }
    }
    assert!(seen >= 9, "one for each route and front");
    for route in api_authorization::routes::ROUTES {
        let name = route.path.trim_start_matches("/api/");
        assert_eq!(event_file(name)["rawPath"], route.path, "events/{name}.json");
        let template =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml")).expect("a template");
        assert!(template.contains(&format!("Path: {}\n", route.path)), "{} is not in template.yaml", route.path);
    }
}

#[tokio::test]
async fn a_defect_of_ours() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    api.get("/api/private", &token).await.greets(PRIVATE);
    // At each place where the time is asked for, the locked cache among them.
    for readings in 0..3 {
        api.break_after(readings);
        let answer = api.get("/api/private", &token).await;
        answer.refuses(&INTERNAL_ERROR, &format!("a panic after {readings} readings"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "a browser may read this, too");
        api.break_after(-1);
        api.get("/api/private", &token).await.greets(PRIVATE);
    }
    assert_eq!(api.tenant.fetches(), 1, "the keys have lived on");
}

#[tokio::test]
async fn another_tenant_s_token() {
    let (api, other) = (FrontDoor::open().await, Tenant::http().await);
    let stolen_kid = other.token().at(NOW).header("kid", api.tenant.key().kid()).sign();
    api.get("/api/private", &stolen_kid).await.refuses(&UNPARSABLE, "its own key under our kid");
    let own = api.token().claim("iss", other.issuer()).sign();
    api.get("/api/private", &own).await.refuses(&INVALID_CLAIMS, "our key, its issuer");
}

fn segments(token: &str) -> [String; 3] {
    let segments: Vec<_> = token.split('.').map(str::to_owned).collect();
    segments.try_into().expect("three segments")
}
