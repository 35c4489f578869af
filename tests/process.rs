//! The built binary behind a Lambda Runtime API, with a tenant over https: what Lambda does with it.

mod catalogue;
mod front_door;
mod lambda;

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use api_authorization::call::Call;
use api_authorization::clock::Clock;
use api_authorization::config::Config;
use api_authorization::error::ApiError;
use api_authorization::grant::Grant::Anyone;
use api_authorization::issuers::Issuers;
use api_authorization::reply::Reply;
use api_authorization::route::Access::{Protected, Public};
use api_authorization::route::{Route, handler};
use api_authorization::token::Claims;
use api_authorization::{log, serve};
use front_door::*;
use futures_util::future::{join, join_all};
use lambda::{Lambda, TRACE, function, sandbox};
use lambda_http::http::Method;
use serde_json::{Value, json};
use tenant::{AUDIENCE, Algorithm, Certificate, Key, Step, Tenant, Wire};
use tokio::time::sleep;

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
        assert_eq!(fields["protected"], path.starts_with("/api/private"), "{line}");
        assert!(fields["latency_ms"].is_f64() && fields["keys_age_s"].is_u64(), "{line}");
        assert!(fields["api_request_id"].is_string() && line["span"]["requestId"].is_string(), "{line}");
        assert_eq!(line["span"]["xrayTraceId"], TRACE, "{line}");
    }
    let cold: Vec<_> = lambda.requests().iter().map(|line| line["fields"]["cold_start"].clone()).collect();
    assert_eq!(cold.iter().filter(|cold| **cold == true).count(), 1, "one cold start, and that the first");
    assert_eq!((cold.len(), &cold[0]), (8, &json!(true)), "one line a request");
    let latencies = lambda.requests().into_iter().filter_map(|line| line["fields"]["latency_ms"].as_f64());
    let shortest = latencies.fold(f64::MAX, f64::min);
    assert!((0.001..1_000.0).contains(&shortest), "{shortest} are no milliseconds");

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
    assert!(preflight.header("access-control-allow-headers").is_some_and(|names| names.starts_with("authorization,")));
    assert_eq!(lambda.requests().len(), 13, "a preflight leaves no line");
    assert_eq!(tenant.fetches(), 2, "one fetch in the init phase, and one for the unknown key");

    let log = lambda.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let fetched: Vec<_> = lines.filter(|line| line["fields"]["message"] == "JWKS fetched").collect();
    assert_eq!(fetched.iter().map(|line| &line["fields"]["keys"]).collect::<Vec<_>>(), [2, 2]);
    for token in [&plain, &scoped, &expired, &forged, &line_break] {
        for part in token.split('.') {
            assert!(!log.contains(part), "the log holds a part of a token");
        }
    }
    assert!(!log.contains("Bearer") && !log.contains("auth0|"), "the log holds what a caller sent");
    assert!(log.lines().count() > 20, "the most verbose level was on");
}

/// All that a gateway would let through of the catalogue, at the most verbose level. The log shows an issuer or an audience
/// that was refused, and nothing else.
#[tokio::test]
async fn no_log_holds_a_token() {
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
    for word in ["Bearer", "bearer ", "auth0|", "read:messages"] {
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
        ("token_too_long", "x".repeat(16_385)),
        ("opaque_token", "x7tN2hFkM0pQ9sVbYcJd4gLr6wZaEeUi".to_owned()),
        ("encrypted_token", "e30..aXY.Y2lwaGVy.dGFn".to_owned()),
        ("malformed_token", "x.y".to_owned()),
        ("malformed_token", "x.y.z.".to_owned()),
        ("malformed_header", "bnVsbA.e30.AAAA".to_owned()),
        ("malformed_header", token().header("jku", 5).sign()),
        ("malformed_header", token().header("kid", 5).sign()),
        ("unsupported_algorithm", token().header("alg", "HS256").sign()),
        ("unsupported_header", token().header("crit", json!([])).sign()),
        ("unsupported_header", token().header("typ", "dpop+jwt").sign()),
        ("invalid_kid", token().without_header("kid").sign()),
        ("invalid_kid", token().header("kid", "").sign()),
        ("invalid_kid", token().header("kid", "k".repeat(257)).sign()),
        ("unknown_kid", token().header("kid", "another").sign()),
        ("bad_signature", token().signed_by(&forger).sign()),
        ("malformed_payload", signed("null")),
        ("expired", token().claim("exp", 1).sign()),
        ("missing_claim", token().without_claim("exp").sign()),
        ("missing_claim", token().without_claim("iss").sign()),
        ("missing_claim", token().without_claim("aud").sign()),
        ("malformed_claim", token().claim("sub", 5).sign()),
        ("malformed_claim", token().claim("act", "x").sign()),
        ("malformed_claim", signed(&format!(r#"{{"exp":{far},"exp":{far}}}"#))),
        ("not_yet_valid", token().claim("nbf", far).sign()),
        ("not_yet_valid", token().claim("iat", far).sign()),
        ("wrong_issuer", token().claim("iss", "https://evil.example/").sign()),
        ("wrong_audience", token().claim("aud", "another").sign()),
        ("bound_token", token().claim("cnf", json!({})).sign()),
        ("not_an_access_token", token().claim("at_hash", "x").sign()),
        ("not_an_access_token", token().claim("events", json!({})).sign()),
        ("not_an_access_token", token().claim("nonce", "x").sign()),
        ("not_an_access_token", token().claim("token_use", "id").sign()),
        ("not_an_access_token", token().claim("typ", "Refresh").sign()),
        ("anonymous_session", token().claim("sub", "anon@5f7c8ec7c33c6c004bbafe82").sign()),
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

/// Nobody can mend a mistake that he cannot see.
#[tokio::test]
async fn the_log_shows_what_was_expected_and_what_came() {
    let tenant = Tenant::https().await;
    let lambda = Lambda::start(&tenant, &[]).await;
    let issuer = format!("https://{}/", tenant.domain());
    let (long, cut) = ("x".repeat(200), "x".repeat(128));
    let (wide, cut_wide) = ("\u{202e}".repeat(20), "\\u{202e}".repeat(16));
    let claim = |name: &str, value: Value| tenant.token().claim(name, value).sign();
    for (name, value, expected, received) in [
        ("aud", json!("http://quickstarts/api"), AUDIENCE, "http://quickstarts/api"),
        ("aud", json!(["https://quickstarts/api/", "b"]), AUDIENCE, "https://quickstarts/api/ b"),
        ("aud", json!([]), AUDIENCE, ""),
        ("aud", json!("two\nlines\"\u{202e}"), AUDIENCE, "two\\nlines\\\"\\u{202e}"),
        ("aud", json!(long), AUDIENCE, &cut),
        ("aud", json!([long, long]), AUDIENCE, &cut),
        ("aud", json!(wide), AUDIENCE, &cut_wide),
        ("iss", json!(issuer.trim_end_matches('/')), &issuer, issuer.trim_end_matches('/')),
        ("iss", json!("a\u{0}b"), &issuer, "a\\u{0}b"),
        ("iss", json!(long), &issuer, &cut),
    ] {
        lambda.get("/api/private", &claim(name, value)).await;
        let line = lambda.requests().pop().expect("a line");
        let fields = &line["fields"];
        let reason = if name == "aud" { "wrong_audience" } else { "wrong_issuer" };
        let shown = [&fields["reason"], &fields["expected"], &fields["received"], &fields["seconds_ahead"]];
        assert_eq!(shown, [&json!(reason), &json!(expected), &json!(received), &Value::Null]);
    }
    lambda.send(&event("GET", "/api/public", &[("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793")])).await;
    let trace_id = &lambda.requests().pop().expect("a line")["fields"]["trace_id"];
    assert_eq!(trace_id, "1-5bef4de7-ad49b0e87f6ef6c87fc2e700", "where Lambda gives one, that one");
    lambda.get("/api/private", &tenant.token().header("kid", &*long).sign()).await;
    let fields = lambda.requests().pop().expect("a line")["fields"].clone();
    assert_eq!((&fields["kid"], &fields["received"]), (&json!(cut), &Value::Null));
    // A token of another tenant, whose key is unknown here.
    lambda.get("/api/private", &tenant.token().claim("iss", "https://b.example/").header("kid", "b").sign()).await;
    let fields = lambda.requests().pop().expect("a line")["fields"].clone();
    let shown = [&fields["reason"], &fields["kid"], &fields["expected"], &fields["received"]];
    assert_eq!(shown, [&json!("unknown_kid"), &json!("b"), &json!(issuer), &json!("https://b.example/")]);
    for name in ["nbf", "iat"] {
        let in_an_hour = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970").as_secs() + 3_600;
        lambda.get("/api/private", &claim(name, json!(in_an_hour))).await;
        let line = lambda.requests().pop().expect("a line");
        let ahead = line["fields"]["seconds_ahead"].as_u64();
        assert!(ahead.is_some_and(|seconds| (3_480..=3_600).contains(&seconds)), "{name}: {line}");
        assert_eq!((&line["fields"]["expected"], &line["fields"]["received"]), (&Value::Null, &Value::Null), "{line}");
    }
}

/// Whoever reads the log sees why there are no keys, and nothing of what the issuer sent.
#[tokio::test]
async fn each_failed_fetch_has_its_reason_in_the_log() {
    let shows = |certificate| vec![Step::Tls(certificate), Step::Request, Step::Silence];
    let sends = |answer: String| vec![Step::Tls(Certificate::Good), Step::Request, Step::Send(answer.into_bytes())];
    let answer = |status: &str, body: &str| {
        sends(format!("HTTP/1.1 {status} SECRET\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    };
    let many = json!({ "keys": vec!["SECRET"; 501] }).to_string();
    let long_name = format!("https://{}.invalid/", "x".repeat(64)); // no name, so that nobody's name server is asked
    let played = [
        ("certificate_unknown_issuer", None, shows(Certificate::SelfSigned)),
        ("certificate_expired", None, shows(Certificate::Expired)),
        ("certificate_wrong_name", None, shows(Certificate::OtherName)),
        ("tls", None, shows(Certificate::NotYetValid)),
        ("tls", None, shows(Certificate::Authority)),
        ("tls", None, vec![Step::Send(b"SECRET".repeat(10)), Step::Silence]),
        ("connection_broke", None, vec![]),
        ("connection_broke", None, vec![Step::Tls(Certificate::Good), Step::Request, Step::Reset]),
        ("connection_broke", None, sends("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nSECRET".to_owned())),
        ("connect_timeout", None, vec![Step::Silence]),
        ("timeout", None, vec![Step::Tls(Certificate::Good), Step::Request, Step::Silence]),
        ("status", Some(302), answer("302", "")),
        ("status", Some(404), answer("404", "SECRET")),
        ("status", Some(429), answer("429", "SECRET")),
        ("status", Some(503), answer("503", "SECRET")),
        ("too_large", None, answer("200", &"SECRET".repeat(88_000))),
        ("no_jwks", None, answer("200", "SECRET")),
        ("no_jwks", None, answer("200", r#"{"SECRET":1}"#)),
        ("no_usable_key", None, answer("200", r#"{"keys":[{"kty":"SECRET"}]}"#)),
        ("no_usable_key", None, answer("200", r#"{"keys":[]}"#)),
        ("too_many_keys", None, answer("200", &many)),
    ];
    let tenant = &Tenant::https().await;
    let played = played.map(|(reason, status, script)| async move {
        let wire = Wire::https();
        wire.play([script]);
        let roots = wire.ca_file().expect("over https");
        let environment = [("JWKS_URI", &*wire.jwks_uri()), ("SSL_CERT_FILE", roots.to_str().expect("UTF-8"))];
        fails_to_fetch(tenant, reason, status, &environment).await;
    });
    let nowhere = [
        ("name_not_found", &*long_name),
        ("refused", "https://127.0.0.1:1/"),
        // A broadcast address, which TCP cannot connect to.
        #[cfg(target_os = "linux")]
        ("unreachable", "https://127.255.255.255/"),
    ];
    let nowhere = nowhere.map(async |(reason, uri)| fails_to_fetch(tenant, reason, None, &[("JWKS_URI", uri)]).await);
    join(join_all(played), join_all(nowhere)).await;
}

/// The same where keys are found by discovery.
#[tokio::test]
async fn metadata_that_are_of_no_use_have_their_reason_in_the_log() {
    let tenant = &Tenant::https().await;
    let played = [
        ("no_metadata", Value::Null, json!({ "SECRET": 1 })),
        (
            "another_issuer",
            json!("https://another.example/\\n"),
            json!({ "issuer": "https://another.example/\n", "jwks_uri": "SECRET" }),
        ),
    ];
    let played = played.map(|(reason, received, metadata)| async move {
        let wire = Wire::https();
        let metadata = metadata.to_string();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{metadata}", metadata.len());
        wire.play([vec![Step::Tls(Certificate::Good), Step::Request, Step::Send(answer.into_bytes())]]);
        let (roots, issuer) =
            (wire.ca_file().expect("over https"), wire.jwks_uri().replace("/.well-known/jwks.json", ""));
        let environment = [
            ("AUTH0_DOMAIN", ""),
            ("JWKS_URI", ""),
            ("ISSUERS", &*issuer),
            ("SSL_CERT_FILE", roots.to_str().expect("UTF-8")),
        ];
        let lambda = Lambda::start(tenant, &environment).await;
        lambda.get("/api/public", "none").await;
        let fields = &lambda.lines("JWKS not fetched")[0]["fields"];
        let shown = [&fields["issuer"], &fields["reason"], &fields["received"], &fields["status"]];
        assert_eq!(shown, [&json!(issuer), &json!(reason), &received, &Value::Null]);
        assert!(!lambda.log().contains("SECRET"), "the log quotes the issuer: {}", lambda.log());
    });
    join_all(played).await;
}

#[tokio::test]
async fn what_the_log_says_of_several_issuers() {
    let tenant = Tenant::https().await;
    let domains = format!("{},another.example", tenant.domain());
    let lambda = Lambda::start(
        &tenant,
        &[("AUTH0_DOMAIN", &*domains), ("JWKS_URI", &*tenant.jwks_uri()), ("EXPECTED_CLAIMS", r#"{"org_id":"org_a"}"#)],
    )
    .await;
    let names = format!("{} https://another.example/", tenant.issuer());
    let good = || tenant.token().claim("org_id", "org_a");
    let (issuer, none) = (json!(tenant.issuer()), Value::Null);
    for (token, reason, claim, expected, received, issuer) in [
        (good(), none.clone(), &none, none.clone(), none.clone(), &issuer),
        (
            good().claim("iss", "https://another.example/"),
            none.clone(),
            &none,
            none.clone(),
            none.clone(),
            &json!("https://another.example/"),
        ),
        (
            good().claim("org_id", "SECRET"),
            json!("unexpected_claim"),
            &json!("org_id"),
            none.clone(),
            none.clone(),
            &none,
        ),
        (
            good().claim("iss", "https://c.example"),
            json!("wrong_issuer"),
            &none,
            json!(names),
            json!("https://c.example"),
            &none,
        ),
    ] {
        lambda.get("/api/private", &token.sign()).await;
        let fields = lambda.requests().pop().expect("a line")["fields"].clone();
        let shown = ["reason", "claim", "expected", "received", "issuer"].map(|name| fields[name].clone());
        assert_eq!(shown, [reason, claim.clone(), expected, received, issuer.clone()], "{fields}");
        assert_eq!(fields["keys_age_s"].is_u64(), !issuer.is_null(), "the age of that issuer's keys: {fields}");
    }
    assert!(!lambda.log().contains("SECRET"), "a claim's value");
}

/// The first request is answered with a pinned key, and the fetch that it starts has little time.
async fn fails_to_fetch(tenant: &Tenant, reason: &str, status: Option<u16>, environment: &[(&str, &str)]) {
    let pinned = tenant.jwks().to_string();
    let lambda = Lambda::start(tenant, &[&[("PINNED_JWKS", &*pinned)], environment].concat()).await;
    lambda.leave(Duration::from_secs(3));
    assert_eq!(lambda.get("/api/private", &tenant.token().sign()).await.0, 200, "{reason}");
    let deadline = Instant::now() + Duration::from_secs(60);
    while lambda.lines("JWKS not fetched").is_empty() {
        assert!(Instant::now() < deadline, "{reason}: {}", lambda.log());
        sleep(Duration::from_millis(50)).await;
    }
    let fields = &lambda.lines("JWKS not fetched")[0]["fields"];
    assert_eq!((&fields["reason"], &fields["status"]), (&json!(reason), &json!(status)), "{fields}");
    assert!(!lambda.log().contains("SECRET"), "the log quotes the issuer: {}", lambda.log());
}

#[tokio::test]
async fn an_event_of_no_front_costs_one_invocation() {
    const SENTENCE: &str =
        "no event of an HTTP API, a REST API, a Function URL or a load balancer: nothing else is answered";
    let tenant = Tenant::https().await;
    let lambda = Lambda::start(&tenant, &[]).await;
    let token = tenant.token().sign();
    let with_header = |name: &str, value: &str| event("GET", "/api/private", &[(name, value)]).to_string();
    let mut header_of_a_wrong_type = event("GET", "/api/private", &[]);
    header_of_a_wrong_type["headers"] = json!({ "authorization": 5, "x": "SECRET" });
    for event in [
        "{}".to_owned(),
        "null".to_owned(),
        "5".to_owned(),
        r#"["SECRET"]"#.to_owned(),
        r#""SECRET""#.to_owned(),
        r#"{"key1":"SECRET","key2":"value2"}"#.to_owned(),
        r#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{"SECRET":1}}"#.to_owned(),
        r#"{"Records":[{"eventSource":"aws:sqs","body":"SECRET"}]}"#.to_owned(),
    ] {
        let error = lambda.invoke(event.clone()).await.expect_err(&event);
        assert!(error["errorMessage"].as_str().is_some_and(|error| error.contains(SENTENCE)), "{event}: {error}");
        let log = lambda.log();
        let line = log.lines().rfind(|line| line.contains("\"ERROR\"")).expect("a line");
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert!(line["fields"]["error"].as_str().is_some_and(|error| error.contains(SENTENCE)), "{event}: {line}");
        assert!(line["span"]["requestId"].is_string(), "{event}: {line}");
        assert!(!format!("{log}{error}").contains("SECRET"), "{event} is quoted: {log}{error}");
        assert_eq!(lambda.get("/api/private", &token).await.0, 200, "after {event}");
    }
    // An event of a front that makes no HTTP request is answered.
    for event in [
        with_header("authorization", &format!("Bearer {token}\r\nx: y")),
        with_header("authorization", &format!("Bearer {token}\0")),
        with_header("a SECRET", "x"),
        with_header("", "SECRET"),
        header_of_a_wrong_type.to_string(),
    ] {
        let answer = lambda.invoke(event.clone()).await.unwrap_or_else(|error| panic!("{event}: {error}"));
        front_door::Answer::read(answer).refuses(&BAD_REQUEST, &event);
        let line = lambda.requests().pop().expect("a line in the access log");
        assert_eq!(
            (&line["fields"]["reason"], &line["fields"]["route"]),
            (&json!("bad_request"), &json!("-")),
            "{line}"
        );
        assert!(!lambda.log().contains("SECRET"), "{event} is quoted");
        assert_eq!(lambda.get("/api/private", &token).await.0, 200, "after {event}");
    }
    assert_eq!(tenant.fetches(), 1, "the process and its keys have lived on");
    let log = lambda.log();
    assert!(!log.contains(&token), "the log holds a token");
    assert!(lambda.threads().is_none_or(|threads| threads == 1), "one event at a time needs one thread");
}

/// The function with a table of one's own, in a process of its own: this very test, once more.
#[test]
fn what_a_handler_logs_bears_the_id_of_its_request() {
    const CHILD: &str = "PROCESS_WITH_A_TABLE_OF_ITS_OWN";
    async fn tells(call: Call<'_, u64>, _claims: &Claims) -> Result<Reply, ApiError> {
        tracing::info!(made = call.state, "told by a handler");
        Ok(Reply::no_content())
    }
    async fn breaks(_call: Call<'_, u64>) -> Result<Reply, ApiError> {
        panic!("SECRET")
    }
    static TABLE: &[Route<u64>] = &[
        Route { method: Method::POST, path: "/tells", access: Protected(Anyone, handler!(tells)) },
        Route { method: Method::GET, path: "/breaks", access: Public(handler!(breaks)) },
    ];
    if std::env::var_os(CHILD).is_some() {
        log::init();
        let config = Config::from_env().expect("a good configuration");
        let end = api_authorization::runtime().expect("a thread").block_on(async {
            let issuers = Issuers::new(&config, &Clock::system()).expect("a client");
            serve(TABLE, config, issuers, async { Ok(7) }).await
        });
        panic!("it ended: {end:?}");
    }
    let mut child = sandbox(std::env::current_exe().expect("this test"));
    child.args(["--exact", "what_a_handler_logs_bears_the_id_of_its_request", "--nocapture"]).env(CHILD, "1");

    tokio::runtime::Runtime::new().expect("threads").block_on(async {
        let tenant = Tenant::https().await;
        let lambda = Lambda::run(child, &tenant, &[]).await;
        let id = |message: &str| {
            let line = lambda.lines(message).pop().expect("a line");
            assert!(line["span"]["requestId"].is_string(), "{line}");
            line["span"]["requestId"].clone()
        };
        let authorization = format!("Bearer {}", tenant.token().sign());
        let told = lambda.send(&event("POST", "/tells", &[("authorization", &authorization)])).await;
        assert_eq!((told.status, told.body), (204, None));
        assert_eq!(lambda.lines("told by a handler")[0]["fields"]["made"], 7, "the state of all calls");
        assert_eq!(id("told by a handler"), id("request"));

        lambda.send(&event("GET", "/breaks", &[])).await.refuses(&INTERNAL_ERROR, "a panic");
        assert_eq!(id("panic"), id("request"));
        assert_eq!(lambda.requests().pop().expect("a line")["fields"]["reason"], "panicked");
        let place = lambda.lines("panic").pop().expect("a line")["fields"]["location"].clone();
        assert!(place.as_str().is_some_and(|place| place.starts_with("tests/process.rs:")), "{place}");
        assert!(!lambda.log().contains("SECRET"), "a panic's own words may quote the caller");

        let told = lambda.send(&event("POST", "/tells", &[("authorization", &authorization)])).await;
        assert_eq!(told.status, 204, "the process has lived on");
    });
}

#[tokio::test]
async fn several_events_at_a_time() {
    let tenant = Tenant::https().await;
    let lambda = Lambda::start(&tenant, &[("AWS_LAMBDA_MAX_CONCURRENCY", "8")]).await;
    let token = tenant.token().sign();
    let answers = join_all((0..64).map(|_| lambda.get("/api/private", &token))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert_eq!(tenant.fetches(), 1);
    assert!(lambda.threads().is_none_or(|threads| threads > 1), "several events at a time are worth several threads");
    let lines = lambda.requests();
    let ids: BTreeSet<_> = lines.iter().map(|line| line["span"]["requestId"].to_string()).collect();
    assert_eq!((lines.len(), ids.len()), (64, 64), "each line bears the id of its own request");
    assert!(lines.iter().all(|line| line["spans"].is_null()), "one span, and no list of them: {lines:?}");
}

/// Most of eight are refused at first, and ask again until the tenant grants them a request. `make fleet` has a hundred.
#[tokio::test]
async fn a_small_fleet_and_a_tenant_with_a_limit() {
    let tenant = Tenant::https().await;
    tenant.limit(2, 4);
    let fleet = join_all((0..8).map(|_| Lambda::start(&tenant, &[]))).await;
    let token = tenant.token().sign();
    let answers = join_all(fleet.iter().map(|process| process.get("/api/private", &token))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert_eq!(tenant.granted(), 8, "one for each");
    for process in &fleet {
        assert_eq!((process.lines("JWKS fetched").len(), process.lines("JWKS not fetched").len()), (1, 0));
    }
}

#[test]
fn a_wrong_configuration_stops_the_start() {
    for (environment, sentence) in [
        (
            vec![],
            "AUTH0_DOMAIN is not set: set it to your tenant's domain, as example.eu.auth0.com. (Or set ISSUERS to the URLs of issuers that are no domains of Auth0.)",
        ),
        (
            vec![("AUTH0_DOMAIN", "example.eu.auth0.com")],
            "API_AUDIENCE is not set: set it to your API's identifier, as https://quickstarts/api.",
        ),
        (
            vec![("AUTH0_DOMAIN", "YOUR_DOMAIN"), ("API_AUDIENCE", "a")],
            "AUTH0_DOMAIN is still a tutorial's \"YOUR_DOMAIN\": set it to your tenant's domain, which the Auth0 dashboard shows under Settings, as example.eu.auth0.com.",
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
