//! The built binary behind a Lambda Runtime API, with a tenant over https: what Lambda does with it.

mod catalogue;
mod front_door;
mod lambda;

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use front_door::*;
use lambda::{Lambda, function};
use serde_json::{Value, json};
use tenant::{Algorithm, Answer, Key, Tenant};

#[tokio::test]
async fn real_tokens() {
    let tenant = Tenant::https().await;
    tenant.rotate();
    let lambda =
        Lambda::start(&tenant, &[("RUST_LOG", "trace,lambda_runtime=trace"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")]).await;
    let (plain, scoped) = (tenant.token().sign(), tenant.token().scope("read:messages").sign());
    let expired = tenant.token().claim("exp", 1_000_000_000).sign();
    let forged = tenant.token().signed_by(&Key::generate("forger")).header("kid", tenant.key().kid()).sign();
    let line_break = tenant.token().header("kid", "two\nlines\u{202e}").sign();
    let greeting = |message: &str| json!({ "message": message }).to_string();
    let refusal =
        |refusal: &Refusal| format!(r#"{{"code":"{}","description":"{}"}}"#, refusal.code, refusal.description);

    for (path, token, status, body, reason) in [
        ("/api/public", &expired, 200, greeting(PUBLIC), None),
        ("/api/private", &plain, 200, greeting(PRIVATE), None),
        ("/api/private-scoped", &scoped, 200, greeting(SCOPED), None),
        ("/api/private-scoped", &plain, 403, refusal(&NO_SCOPE), Some("insufficient_scope")),
        ("/api/private", &expired, 401, refusal(&EXPIRED), Some("expired")),
        ("/api/private", &forged, 401, refusal(&UNPARSABLE), Some("bad_signature")),
        ("/api/private", &line_break, 401, refusal(&NO_KEY), Some("unknown_kid")),
        ("/api/nowhere", &plain, 404, refusal(&NOT_FOUND), Some("not_found")),
    ] {
        assert_eq!(lambda.get(path, token).await, (status, body), "{path}");
        let line = lambda.requests().pop().expect("a line in the access log");
        let fields = &line["fields"];
        assert_eq!(fields["status"], status, "{line}");
        assert_eq!(fields["reason"], json!(reason), "{line}");
        assert_eq!(fields["route"], if path == "/api/nowhere" { "-" } else { path }, "{line}");
        assert_eq!(fields["method"], "GET", "{line}");
        assert_eq!(fields["kid"], json!((reason == Some("unknown_kid")).then_some("two\\nlines\\u{202e}")), "{line}");
        assert!(fields["latency_ms"].is_f64() && fields["keys_age_s"].is_u64(), "{line}");
        assert!(fields["api_request_id"].is_string() && line["requestId"].is_string(), "{line}");
    }
    let cold: Vec<_> = lambda.requests().iter().map(|line| line["fields"]["cold_start"].clone()).collect();
    assert_eq!(cold.iter().filter(|cold| **cold == true).count(), 1, "one cold start, and that the first");
    assert_eq!((cold.len(), &cold[0]), (8, &json!(true)), "one line a request");

    let unauthorized = lambda.send(&event("GET", "/api/private", &[])).await;
    unauthorized.refuses(&HEADER_MISSING, "no header");
    assert_eq!(unauthorized.header("access-control-allow-origin"), Some("*"));
    let head = lambda.send(&event("HEAD", "/api/private", &[("authorization", &format!("Bearer {plain}"))])).await;
    assert_eq!((head.status, head.body), (200, None));
    for (file, id) in [
        ("private", json!("JKJaXmPLvHcESHA=")),
        ("rest-private", json!("c6af9ac6-7b61-11e6-9a41-93e812345678")),
        ("alb-private", Value::Null), // it has none
    ] {
        lambda.send(&event_file(file)).await.refuses(&HEADER_MISSING, file);
        let line = lambda.requests().pop().expect("a line in the access log");
        assert_eq!(line["fields"]["api_request_id"], id, "{file}: {line}");
    }
    assert_eq!(lambda.requests().len(), 13);
    let preflight = lambda.send(&event_file("preflight")).await;
    assert_eq!((preflight.status, preflight.body.as_deref()), (200, None));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("authorization,content-type"));
    assert_eq!(lambda.requests().len(), 13, "a preflight leaves no line");
    assert_eq!(tenant.fetches(), 1, "one fetch, and that in the init phase");

    let log = lambda.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let fetched: Vec<_> = lines.filter(|line| line["fields"]["message"] == "JWKS fetched").collect();
    assert_eq!(fetched.iter().map(|line| &line["fields"]["keys"]).collect::<Vec<_>>(), [2]);
    for token in [&plain, &scoped, &expired, &forged, &line_break] {
        for part in token.split('.') {
            assert!(!log.contains(part), "the log holds a part of a token");
        }
    }
    assert!(!log.contains("Bearer") && !log.contains("auth0|"), "the log holds what a caller sent");
    assert!(log.lines().count() > 20, "the most verbose level was on");
}

/// All that a gateway would let through of the catalogue, at the most verbose level, and no trace of it in the log.
#[tokio::test]
async fn no_log_holds_what_a_caller_sent() {
    let tenant = Tenant::https().await;
    let lambda =
        Lambda::start(&tenant, &[("RUST_LOG", "trace,lambda_runtime=trace"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")]).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970").as_secs();
    let rows = catalogue::rows(&tenant, now.cast_signed());
    let sent: Vec<_> = rows.iter().filter(|row| row.authorization.len() <= 10_240).collect();
    for row in &sent {
        let answer = lambda.send(&event("GET", row.path, &[("authorization", &row.authorization)])).await;
        assert!([200, 401, 403].contains(&answer.status), "{} for {}", answer.status, row.name);
    }
    assert_eq!(lambda.requests().len(), sent.len(), "one line a request");

    let log = lambda.log();
    for row in sent {
        let parts = row.authorization.split(['.', ' ', '\t', ',']).filter(|part| part.len() >= 8);
        for part in parts.chain([row.authorization.as_str()].into_iter().filter(|value| value.len() >= 8)) {
            assert!(!log.contains(part), "the log holds {part:.20} of {}", row.name);
        }
    }
    for word in ["Bearer", "bearer ", "auth0|", "read:messages", tenant::AUDIENCE] {
        assert!(!log.contains(word), "the log holds {word}");
    }
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "a line that is no JSON");
}

/// Callers see few words; whoever reads the log sees which check it was.
#[tokio::test]
async fn each_refusal_has_its_reason_in_the_log() {
    let tenant = Tenant::https().await;
    let lambda = Lambda::start(&tenant, &[]).await;
    let token = || tenant.token();
    let signed = |payload: &str| tenant.key().sign(Algorithm::Rs256, &token().header_json(), payload);
    let forger = Key::generate(tenant.key().kid());
    let far = 9_000_000_000_i64;
    for (reason, sent) in [
        ("token_too_long", "x".repeat(8_193)),
        ("opaque_token", "x7tN2hFkM0pQ9sVbYcJd4gLr6wZaEeUi".to_owned()),
        ("encrypted_token", "e30..aXY.Y2lwaGVy.dGFn".to_owned()),
        ("malformed_token", "x.y".to_owned()),
        ("malformed_token", "x.y.z.".to_owned()),
        ("malformed_header", "bnVsbA.e30.AAAA".to_owned()),
        ("malformed_header", token().header("jku", 5).sign()),
        ("unsupported_algorithm", token().header("alg", "HS256").sign()),
        ("unsupported_header", token().header("crit", json!([])).sign()),
        ("unsupported_header", token().header("typ", "dpop+jwt").sign()),
        ("invalid_kid", token().without_header("kid").sign()),
        ("invalid_kid", token().header("kid", 5).sign()),
        ("unknown_kid", token().header("kid", "another").sign()),
        ("bad_signature", token().signed_by(&forger).sign()),
        ("malformed_payload", signed("null")),
        ("expired", token().claim("exp", 1).sign()),
        ("repeated_claim", signed(&format!(r#"{{"exp":{far},"exp":{far}}}"#))),
        ("missing_claim", token().without_claim("exp").sign()),
        ("missing_claim", token().without_claim("iss").sign()),
        ("missing_claim", token().without_claim("aud").sign()),
        ("malformed_claim", token().claim("sub", 5).sign()),
        ("not_yet_valid", token().claim("nbf", far).sign()),
        ("not_yet_valid", token().claim("iat", far).sign()),
        ("wrong_issuer", token().claim("iss", "https://evil.example/").sign()),
        ("wrong_audience", token().claim("aud", "another").sign()),
        ("bound_token", token().claim("cnf", json!({})).sign()),
        ("not_an_access_token", token().claim("at_hash", "x").sign()),
        ("not_an_access_token", token().claim("events", json!({})).sign()),
        ("insufficient_scope", token().sign()),
    ] {
        lambda.get("/api/private-scoped", &sent).await;
        assert_eq!(lambda.requests().pop().expect("a line")["fields"]["reason"], reason);
    }
    for (reason, method, path, authorization) in [
        ("authorization_missing", "GET", "/api/private", ""),
        ("not_bearer", "GET", "/api/private", "Basic x"),
        ("token_not_found", "GET", "/api/private", "Bearer"),
        ("not_one_token", "GET", "/api/private", "Bearer x y"),
        ("method_not_allowed", "POST", "/api/private", ""),
        ("not_found", "GET", "/nowhere", ""),
    ] {
        lambda.send(&event(method, path, &[("authorization", authorization)])).await;
        assert_eq!(lambda.requests().pop().expect("a line")["fields"]["reason"], reason);
    }
}

/// Whoever reads the log sees why there are no keys, and nothing of what the issuer sent.
#[tokio::test]
async fn each_failed_fetch_has_its_reason_in_the_log() {
    let body = |status: u16, body: &str| Answer::Body {
        status,
        content_type: "text/html".to_owned(),
        body: body.as_bytes().to_vec(),
    };
    let closed = "https://127.0.0.1:1/jwks";
    for (reason, answer, jwks_uri) in [
        ("no connection, or one that broke", Answer::Jwks, Some(closed)),
        ("a status that is not 200", body(503, "SECRET"), None),
        ("no JSON object", body(200, "SECRET"), None),
        ("no list of keys", body(200, r#"{"SECRET":1}"#), None),
        ("no usable key", body(200, r#"{"keys":[{"kty":"SECRET"}]}"#), None),
        ("more than 100 keys", body(200, &json!({ "keys": vec!["SECRET"; 101] }).to_string()), None),
        ("a body of more than 64 KiB", body(200, &"SECRET".repeat(11_000)), None),
    ] {
        let tenant = Tenant::https().await;
        tenant.serve(answer);
        let environment = jwks_uri.map(|uri| ("JWKS_URI", uri));
        let lambda = Lambda::start(&tenant, environment.as_slice()).await;
        assert_eq!(lambda.get("/api/public", "").await.0, 200, "the init phase is over");
        let log = lambda.log();
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let failed = lines.iter().find(|line| line["fields"]["message"] == "JWKS not fetched");
        assert_eq!(failed.expect("a line")["fields"]["reason"], reason);
        assert!(!log.contains("SECRET"), "the log quotes the issuer: {log}");
    }
}

#[tokio::test]
async fn events_that_cannot_be_read_cost_one_invocation() {
    let tenant = Tenant::https().await;
    let lambda = Lambda::start(&tenant, &[]).await;
    let token = tenant.token().sign();
    let with_header = |name: &str, value: &str| event("GET", "/api/private", &[(name, value)]).to_string();
    let with_rest_header = |name: &str, value: &str| {
        let mut event = event_file("rest-private");
        event["headers"][name] = json!(value);
        event["multiValueHeaders"][name] = json!([value]);
        event.to_string()
    };
    let with = |member: &str, value: Value| {
        let mut event = event("GET", "/api/private", &[]);
        event[member] = value;
        event.to_string()
    };
    let mut base64 = event("GET", "/api/private", &[]);
    base64["isBase64Encoded"] = json!(true);
    base64["body"] = json!("no base64!");
    for event in [
        "{}".to_owned(),
        "null".to_owned(),
        "\"text\"".to_owned(),
        r#"{"source":"aws.events","detail-type":"Scheduled Event"}"#.to_owned(),
        with_rest_header("host", "evil host"),
        with_rest_header("host", "[::1"),
        with_rest_header("host", " "),
        with_rest_header("x-forwarded-proto", ""),
        with_rest_header("x-forwarded-proto", "1bad"),
        with_rest_header("x-forwarded-proto", "https,http"),
        with_header("authorization", &format!("Bearer {token}\r\nx: y")),
        with_header("authorization", &format!("Bearer {token}\0")),
        with_header("a name", "x"),
        with_header("", "x"),
        with("headers", json!({ "authorization": 5 })),
        base64.to_string(),
    ] {
        let outcome = lambda.invoke(event.clone()).await;
        assert!(outcome.is_err(), "{event}: {outcome:?}");
        let log = lambda.log();
        let error = log.lines().rfind(|line| line.contains("\"ERROR\"")).expect("a line");
        assert!(error.contains(r#""requestId":"8476a536-"#), "{event}: {error}");
        assert_eq!(lambda.get("/api/private", &token).await.0, 200, "after {event}");
    }
    assert_eq!(tenant.fetches(), 1, "the process and its keys have lived on");
    let log = lambda.log();
    assert!(!log.contains(&token), "the log holds a token");
    assert!(
        log.contains(r#""message":"panic""#) && !log.contains("unwrap()"),
        "a panic's own words may quote the caller"
    );
    assert!(lambda.threads().is_none_or(|threads| threads == 1), "one event at a time needs one thread");
}

#[tokio::test]
async fn several_events_at_a_time() {
    let tenant = Tenant::https().await;
    let lambda = Lambda::start(&tenant, &[("AWS_LAMBDA_MAX_CONCURRENCY", "8")]).await;
    let token = tenant.token().sign();
    let answers = futures_util::future::join_all((0..64).map(|_| lambda.get("/api/private", &token))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert_eq!(tenant.fetches(), 1);
    assert!(lambda.threads().is_none_or(|threads| threads > 1), "several events at a time are worth several threads");
    let lines = lambda.requests();
    let ids: BTreeSet<_> = lines.iter().map(|line| line["requestId"].to_string()).collect();
    assert_eq!((lines.len(), ids.len()), (64, 64), "each line bears the id of its own request");
    assert!(lines.iter().all(|line| line["span"].is_null()), "{lines:?}");
}

#[test]
fn a_wrong_configuration_stops_the_start() {
    for (environment, sentence) in [
        (vec![], "AUTH0_DOMAIN is not set: set it to your tenant's domain, as example.eu.auth0.com."),
        (
            vec![("AUTH0_DOMAIN", "example.eu.auth0.com")],
            "API_AUDIENCE is not set: set it to your API's identifier, as https://quickstarts/api.",
        ),
        (
            vec![("AUTH0_DOMAIN", "YOUR_DOMAIN"), ("API_AUDIENCE", "a")],
            "AUTH0_DOMAIN is still the tutorial's YOUR_DOMAIN: set it to your tenant's domain, which the Auth0 dashboard shows under Settings, as example.eu.auth0.com.",
        ),
    ] {
        let output = function().envs(environment).output().expect("the function");
        assert_eq!(output.status.code(), Some(1));
        let log = String::from_utf8(output.stdout).expect("UTF-8");
        let line: Value =
            serde_json::from_str(&log).unwrap_or_else(|error| panic!("not one line of JSON: {log}: {error}"));
        assert_eq!((&line["level"], &line["fields"]["message"]), (&json!("ERROR"), &json!(sentence)));
        assert_eq!(output.stderr, b"");
    }
}
