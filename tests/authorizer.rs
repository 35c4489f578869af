//! The Lambda authorizer: each form of event with each outcome, in process; then the built binary and its log.

mod catalogue;
mod front_door;
mod lambda;

use std::time::{SystemTime, UNIX_EPOCH};

use api_authorization::authorizer::{Authorizer, Rules};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use front_door::{FrontDoor, NOW, config, event_file};
use lambda::{Lambda, sandbox};
use lambda_http::Context;
use lambda_runtime::Diagnostic;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tenant::{Answer, Key, Tenant, Token};

const REST: &str = "arn:aws:execute-api:eu-central-1:123456789012:k1l2m3n4o5/prod/GET/pets/7";
const HTTP: &str = "arn:aws:execute-api:eu-central-1:123456789012:p6q7r8s9t0/$default/GET/pets/7";

/// Each form: the file of its event, `RESPONSE_FORMAT`, and the ARN that its policy names, or where there is none, the member
/// that holds the context.
const FORMS: [(&str, &str, Result<&str, &str>); 6] = [
    ("token", "simple", Ok(REST)),
    ("request", "simple", Ok(REST)),
    ("http-1", "simple", Ok(HTTP)),
    ("http-2", "iam", Ok(HTTP)),
    ("http-2", "simple", Err("context")),
    ("appsync", "iam", Err("resolverContext")),
];

const SUBJECT: &str = "auth0|5f7c8ec7c33c6c004bbafe82";

/// What the events of `events/authorizer` must bring.
const SCOPES: &str = r#"{"GET /pets/{id}":["read:pets"],"*":["read:pets"]}"#;

// --- Each form, each outcome

enum Outcome {
    Allow(Value),
    Unauthorized,
    Deny,
    Fails(&'static str),
}
use Outcome::{Allow, Deny, Fails, Unauthorized};

impl Outcome {
    /// What a gateway gets in this form.
    fn of(&self, form: Result<&str, &str>, reason: &str) -> Result<Value, String> {
        let refused = json!({ "reason": reason });
        match (self, form) {
            (Fails(message), _) => Err((*message).to_owned()),
            (Unauthorized, Ok(_)) => Err("Unauthorized".to_owned()),
            (Allow(context), Ok(arn)) => Ok(policy("Allow", SUBJECT, arn, context)),
            (Deny, Ok(arn)) => Ok(policy("Deny", "-", arn, &refused)),
            (Allow(context), Err(member)) => Ok(simple(true, member, context)),
            (Unauthorized | Deny, Err(member)) => Ok(simple(false, member, &refused)),
        }
    }
}

fn policy(effect: &str, principal: &str, arn: &str, context: &Value) -> Value {
    let statement = json!({ "Action": "execute-api:Invoke", "Effect": effect, "Resource": arn });
    json!({
        "principalId": principal,
        "policyDocument": { "Version": "2012-10-17", "Statement": [statement] },
        "context": context,
    })
}

fn simple(is_authorized: bool, member: &str, context: &Value) -> Value {
    let mut answer = json!({ "isAuthorized": is_authorized, member: context });
    if member == "resolverContext" {
        answer["ttlOverride"] = json!(0);
    }
    answer
}

#[tokio::test]
async fn each_form_with_each_outcome() {
    for (file, format, form) in FORMS {
        let gate = Gate::with(SCOPES, &[("RESPONSE_FORMAT", format)]).await;
        let token = || gate.token();
        let good = json!({ "sub": SUBJECT, "scope": "read:pets", "client_id": "my_client_id" });
        let forger = Key::generate(gate.door.tenant.key().kid());
        let bearer = |token: Token| format!("Bearer {}", token.sign());
        for (reason, sent, outcome) in [
            ("good", bearer(token()), Allow(good)),
            ("expired", bearer(token().claim("exp", NOW - 60)), Unauthorized),
            ("wrong_audience", bearer(token().claim("aud", "https://other")), Unauthorized),
            ("bad_signature", bearer(token().signed_by(&forger)), Unauthorized),
            ("unknown_kid", bearer(token().header("kid", "another")), Unauthorized),
            ("opaque_token", "Bearer x7tN2hFkM0pQ9sVbYcJd4gLr6wZaEeUi".to_owned(), Unauthorized),
            ("malformed_token", "Bearer a\u{7}b".to_owned(), Unauthorized),
            ("authorization_missing", " ".to_owned(), Unauthorized),
            ("not_bearer", "Basic dXNlcg==".to_owned(), Unauthorized),
            ("token_not_found", "bearer".to_owned(), Unauthorized),
            ("not_one_token", "Bearer a,Bearer b".to_owned(), Unauthorized),
            ("no_subject", bearer(token().without_claim("sub")), Unauthorized),
            ("no_subject", bearer(token().claim("sub", "")), Unauthorized),
            ("insufficient_scope", bearer(token().scope("read:petshop")), Deny),
            ("insufficient_scope", bearer(token().without_claim("scope")), Deny),
        ] {
            let answer = gate.ask(&event(file, &sent)).await;
            assert_eq!(answer, outcome.of(form, reason), "{file}, {format}: {reason}");
        }
    }
}

/// Neither is anybody's refusal, and a gateway would keep a Deny.
#[tokio::test]
async fn an_outage_and_a_defect_fail_the_invocation() {
    for (file, format, form) in FORMS {
        let gate = Gate::with(SCOPES, &[("RESPONSE_FORMAT", format)]).await;
        let good = event(file, &format!("Bearer {}", gate.token().sign()));
        gate.door.break_after(2);
        assert_eq!(gate.ask(&good).await, Fails("Internal error").of(form, ""), "{file}, {format}");
        gate.door.break_after(-1);

        let no_keys = Fails("Signing keys are temporarily unavailable").of(form, "");
        gate.door.tenant.serve(Answer::Body { status: 404, content_type: "text/html".to_owned(), body: vec![] });
        let other = event(file, &format!("Bearer {}", gate.token().header("kid", "new").sign()));
        assert_eq!(gate.ask(&other).await, no_keys, "{file}, {format}: there is no key");
        gate.door.tenant.serve(Answer::Jwks);
        gate.door.advance(60);
        assert!(gate.ask(&good).await.is_ok(), "{file}, {format}: nothing of it is kept");
    }
}

/// What waits longer is cut off by Lambda, and a gateway says 500 of its own.
#[tokio::test]
async fn a_decision_takes_no_longer_than_its_invocation() {
    let gate = Gate::with(SCOPES, &[]).await;
    let good = event("http-2", &format!("Bearer {}", gate.token().sign()));
    let mut invocation = Context::default();
    invocation.deadline = (NOW * 1_000 + 300).unsigned_abs();
    assert_eq!(gate.ask_within(&good, &invocation).await, Err("Signing keys are temporarily unavailable".to_owned()));
    assert_eq!(gate.door.tenant.fetches(), 0, "too little time for a fetch");
    invocation.deadline = (NOW * 1_000 + 10_000).unsigned_abs();
    assert_eq!(gate.ask_within(&good, &invocation).await.expect("an answer")["isAuthorized"], true);
}

#[tokio::test]
async fn appsync_takes_a_token_with_or_without_its_scheme() {
    let gate = Gate::with(SCOPES, &[]).await;
    let token = gate.token().sign();
    for (sent, reason) in [
        (token.clone(), None),
        (format!(" {token} "), None),
        (format!("bearer {token}"), None),
        (format!("Basic {token}"), Some("not_bearer")),
        (format!("{token} {token}"), Some("not_bearer")),
        (format!("{token},{token}"), Some("not_one_token")),
        ("Bearer".to_owned(), Some("token_not_found")),
        ("opaque".to_owned(), Some("opaque_token")),
        (String::new(), Some("authorization_missing")),
    ] {
        let answer = gate.ask(&event("appsync", &sent)).await.expect("an answer");
        assert_eq!(answer["isAuthorized"], reason.is_none(), "{sent:.20}");
        assert_eq!(answer["resolverContext"]["reason"], json!(reason), "{sent:.20}");
    }
    // Nobody else does.
    for (file, format, _) in &FORMS[..5] {
        let gate = Gate::with(SCOPES, &[("RESPONSE_FORMAT", format)]).await;
        let answer = gate.ask(&event(file, &gate.token().sign())).await;
        assert!(
            answer.as_ref().map_or_else(|message| message == "Unauthorized", |answer| answer["isAuthorized"] == false)
        );
    }
}

/// The API's own table of tokens: what it accepts is allowed, its 401 is Unauthorized, its 403 a Deny.
#[tokio::test]
async fn the_catalogue() {
    let scopes = r#"{"GET /api/private":[],"GET /api/private-scoped":["read:messages"]}"#;
    let gate = Gate::with(scopes, &[("RESPONSE_FORMAT", "iam")]).await;
    let mut seen = [0; 3];
    for row in catalogue::rows(&gate.door.tenant, NOW) {
        let mut event = event("http-2", "");
        event["headers"]["authorization"] = json!(row.authorization);
        event["routeKey"] = json!(format!("GET {}", row.path));
        let outcome = match gate.ask(&event).await {
            Ok(policy) => policy["policyDocument"]["Statement"][0]["Effect"].as_str().expect("an effect").to_owned(),
            Err(message) => message,
        };
        let (expected, place) = match row.refusal().map(|refusal| refusal.status) {
            None if has_subject(&row.authorization) => ("Allow", 0),
            None | Some(401) => ("Unauthorized", 1),
            _ => ("Deny", 2),
        };
        assert_eq!(outcome, expected, "{}", row.name);
        seen[place] += 1;
    }
    assert!(seen[0] > 50 && seen[1] > 300 && seen[2] > 10, "{seen:?}");
}

fn has_subject(authorization: &str) -> bool {
    let payload = URL_SAFE_NO_PAD.decode(authorization.split('.').nth(1).expect("a payload")).expect("base64url");
    let claims: Value = serde_json::from_slice(&payload).expect("JSON");
    claims["sub"].as_str().is_some_and(|subject| !subject.is_empty())
}

// --- What the event says

#[tokio::test]
async fn the_one_authorization_header() {
    let gate = Gate::with(SCOPES, &[("RESPONSE_FORMAT", "iam")]).await;
    let good = format!("Bearer {}", gate.token().sign());
    let other = format!("Bearer {}", gate.token().claim("sub", "auth0|other").sign());
    let changes: [(&str, Value, Value, bool); 14] = [
        ("any case", json!({ "AUTHORIZATION": good }), Value::Null, true),
        ("lower case", json!({ "authorization": good }), json!({ "authorization": [good] }), true),
        ("two cases", json!({ "AUTHORIZATION": good }), json!({ "authorization": [good] }), true),
        ("several values alone", Value::Null, json!({ "Authorization": [good] }), true),
        ("none", json!({}), json!({}), false),
        ("null", json!({ "authorization": null }), json!({ "authorization": null }), false),
        ("no headers", Value::Null, Value::Null, false),
        ("odd types", json!({ "authorization": 5 }), json!({ "authorization": [7] }), false),
        ("odd maps", json!([good]), json!("Authorization"), false),
        ("repeated", json!({ "Authorization": good }), json!({ "Authorization": [good, good] }), false),
        ("repeated, others", json!({ "Authorization": other }), json!({ "Authorization": [good, other] }), false),
        ("spelled twice", json!({ "Authorization": good, "authorization": good }), Value::Null, false),
        ("two maps, two tokens", json!({ "Authorization": good }), json!({ "Authorization": [other] }), false),
        ("joined", json!({ "authorization": format!("{good},{other}") }), Value::Null, false),
    ];
    for (name, headers, several, is_allowed) in &changes {
        for file in ["request", "http-1", "http-2"] {
            let mut event = event(file, &good);
            event["headers"] = headers.clone();
            event["multiValueHeaders"] = several.clone();
            let answer = gate.ask(&event).await;
            assert_eq!(answer.is_ok(), *is_allowed, "{file}: {name}");
            assert!(*is_allowed || answer == Err("Unauthorized".to_owned()), "{file}: {name}");
        }
    }
}

/// Forms that aws_lambda_events' types do not take.
#[tokio::test]
async fn what_does_not_count_may_have_any_form() {
    for (file, format, form) in FORMS {
        let gate = Gate::with(SCOPES, &[("RESPONSE_FORMAT", format)]).await;
        let good = event(file, &format!("Bearer {}", gate.token().sign()));
        let expected = gate.ask(&good).await;
        assert!(expected.is_ok(), "{file}, {form:?}");
        for member in ["identitySource", "cookies", "queryStringParameters", "pathParameters", "stageVariables", "path"]
        {
            for value in [json!(["a", "b"]), json!([]), json!("a,b"), json!(5), json!({}), Value::Null] {
                let mut event = good.clone();
                event[member] = value;
                assert_eq!(gate.ask(&event).await, expected, "{file}, {format}: {member}");
            }
            let mut event = good.clone();
            event.as_object_mut().expect("an event").remove(member);
            assert_eq!(gate.ask(&event).await, expected, "{file}, {format}: no {member}");
        }
    }
}

#[tokio::test]
async fn another_event_is_answered_by_nothing() {
    let gate = Gate::with(r#"{"*":[]}"#, &[]).await;
    let good = format!("Bearer {}", gate.token().sign());
    let with = |file: &str, changes: &[(&str, Value)]| {
        let mut event = event(file, &good);
        for (member, value) in changes {
            event[*member] = value.clone();
        }
        event
    };
    for (name, event) in [
        ("null", Value::Null),
        ("a string", json!("event")),
        ("a list", json!([])),
        ("nothing", json!({})),
        ("a test event of the console", json!({ "key1": "value1" })),
        (
            "a schedule",
            json!({ "version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} }),
        ),
        ("a request to an HTTP API", event_file("private-bearer")),
        ("a request to a REST API", event_file("rest-private")),
        ("a WebSocket API's", with("request", &[("resource", Value::Null), ("httpMethod", Value::Null)])),
        ("no type", with("request", &[("type", Value::Null)])),
        ("another type", with("token", &[("type", json!("token"))])),
        ("TOKEN without its token", with("token", &[("authorizationToken", Value::Null)])),
        ("TOKEN without an ARN", with("token", &[("methodArn", Value::Null)])),
        ("TOKEN with another's ARN", with("token", &[("methodArn", Value::Null), ("routeArn", json!(HTTP))])),
        ("an ARN that is none", with("request", &[("methodArn", json!([REST]))])),
        ("both ARNs", with("http-2", &[("methodArn", json!(HTTP))])),
        ("2.0 with the ARN of 1.0", with("http-2", &[("methodArn", json!(HTTP)), ("routeArn", Value::Null)])),
        ("1.0 with the ARN of 2.0", with("http-1", &[("methodArn", Value::Null), ("routeArn", json!(HTTP))])),
        ("1.0 that calls itself 2.0", with("http-1", &[("version", json!("2.0"))])),
        ("TOKEN with both ARNs", with("token", &[("routeArn", json!(HTTP))])),
        ("1.0 with both ARNs", with("http-1", &[("routeArn", json!(HTTP))])),
        ("AppSync with an ARN", with("appsync", &[("methodArn", json!(REST))])),
        ("AppSync with a type", with("appsync", &[("type", json!("TOKEN"))])),
        ("another version", with("http-2", &[("version", json!("3.0"))])),
        ("2.0 without its version", with("http-2", &[("version", Value::Null)])),
        ("2.0 without its route", with("http-2", &[("routeKey", Value::Null)])),
        ("2.0 without its method", with("http-2", &[("requestContext", json!({}))])),
        ("AppSync without its token", with("appsync", &[("authorizationToken", Value::Null)])),
        ("AppSync without its API", with("appsync", &[("requestContext", json!({}))])),
    ] {
        let message = gate.ask(&event).await.expect_err(name);
        assert!(
            message.starts_with("no event of a Lambda authorizer (REST API: TOKEN or REQUEST;"),
            "{name}: {message}"
        );
    }
}

// --- The policy

#[tokio::test]
async fn a_policy_names_the_one_arn_of_its_event() {
    let gate = Gate::with(r#"{"*":[],"GET /denied":["admin"]}"#, &[("RESPONSE_FORMAT", "iam")]).await;
    let long = format!("arn:aws:execute-api:eu-central-1:123456789012:k1l2m3n4o5/prod/GET/{}", "ä".repeat(446));
    assert_eq!(long.chars().count(), 512);
    let begin = "arn:aws:execute-api:eu-central-1:123456789012:k1l2m3n4o5";
    let rows = [
        (format!("{begin}/prod/GET/pets"), true),
        (format!("{begin}/$default/GET/pets"), true),
        (format!("{begin}/$default/GET/"), true),
        (format!("{begin}/prod/GET/a$b{{c}}|d e%2A"), true),
        (long.clone(), true),
        (format!("{long}a"), false),
        (format!("{begin}/*/GET/pets"), false),
        (format!("{begin}/prod/GET/*"), false),
        (format!("{begin}/prod/GET/pet?"), false),
        (format!("{begin}/prod/GET/${{aws:username}}"), false),
        (format!("{begin}/prod/GET/${{"), false),
        (format!("{begin}/prod/GET/a\nb"), false),
        (format!("{begin}/prod/GET/a\u{0}"), false),
        (format!("{begin}/prod/GET/a\u{7f}"), false),
        (format!("{begin}/prod/GET/a\u{85}"), false),
    ];
    for (arn, is_good) in &rows {
        for (file, member) in
            [("token", "methodArn"), ("request", "methodArn"), ("http-1", "methodArn"), ("http-2", "routeArn")]
        {
            for (resource, effect) in [("/pets", "Allow"), ("/denied", "Deny")] {
                let mut event = event(file, &format!("Bearer {}", gate.token().sign()));
                event[member] = json!(arn);
                event["resource"] = json!(resource);
                event["routeKey"] = json!(format!("GET {resource}"));
                let effect = if file == "token" { "Allow" } else { effect };
                let answer = gate.ask(&event).await;
                if !is_good {
                    assert_eq!(answer, Err("Unauthorized".to_owned()), "{file}: {arn:?}");
                    continue;
                }
                let policy = answer.expect("a policy");
                let statement = json!({ "Action": "execute-api:Invoke", "Effect": effect, "Resource": arn });
                assert_eq!(policy["policyDocument"], json!({ "Version": "2012-10-17", "Statement": [statement] }));
                let opened = rows.iter().filter(|(other, _)| opens(&policy, other)).map(|(other, _)| other);
                let expected: Vec<_> = if effect == "Allow" { vec![arn] } else { vec![] };
                assert_eq!(opened.collect::<Vec<_>>(), expected, "{file}: what {arn} opens");
            }
        }
    }
}

/// A boolean answers one request, whatever its path is like.
#[tokio::test]
async fn an_answer_without_a_policy_needs_no_arn() {
    let gate = Gate::with(SCOPES, &[]).await;
    let mut event = event("http-2", &format!("Bearer {}", gate.token().sign()));
    event["routeArn"] = json!(format!("{HTTP}/*?${{a}}\n{}", "a".repeat(512)));
    assert_eq!(gate.ask(&event).await.expect("an answer")["isAuthorized"], true);
}

/// Whether IAM lets a call of this ARN through: some Allow fits, and no Deny does.
fn opens(policy: &Value, arn: &str) -> bool {
    let statements = policy["policyDocument"]["Statement"].as_array().expect("statements");
    let fitting = |effect: &str| {
        statements.iter().any(|statement| {
            let pattern = statement["Resource"].as_str().expect("one resource");
            statement["Effect"] == effect
                && statement["Action"] == "execute-api:Invoke"
                && fits(pattern.as_bytes(), arn.as_bytes())
        })
    };
    fitting("Allow") && !fitting("Deny")
}

fn fits(pattern: &[u8], string: &[u8]) -> bool {
    match (pattern, string) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=string.len()).any(|skipped| fits(rest, &string[skipped..])),
        ([b'?', pattern @ ..], [_, string @ ..]) => fits(pattern, string),
        ([one, pattern @ ..], [other, string @ ..]) => one == other && fits(pattern, string),
        _ => false,
    }
}

// --- Required words by route

#[tokio::test]
async fn what_a_route_requires() {
    let scopes = r#"{
        "GET /pets/{id}": ["read:pets"], "DELETE /pets/{id}": ["write:pets", "admin"], "ANY /pets": ["any:pets"],
        "GET /open": [], "HEAD /open": ["head:open"], "$default": ["default"]
    }"#;
    let rest = |method: &str, resource: &str| {
        let mut event = event_file("authorizer/request");
        (event["httpMethod"], event["resource"]) = (json!(method), json!(resource));
        event
    };
    let http = |key: &str, method: &str| {
        let mut event = event_file("authorizer/http-2");
        event["routeKey"] = json!(key);
        event["requestContext"]["http"]["method"] = json!(method);
        event
    };
    // An event, the scopes of the token, and whether they are enough; then the same where "*" asks for `rest`.
    let rows = [
        (rest("GET", "/pets/{id}"), "read:pets", true, true),
        (rest("GET", "/pets/{id}"), "admin write:pets any:pets", false, false),
        (rest("GET", "/pets/7"), "read:pets", false, false), // the caller's path, were it ever there
        (rest("GET", "/pets/7"), "rest", false, true),
        (rest("DELETE", "/pets/{id}"), "write:pets admin", true, true),
        (rest("DELETE", "/pets/{id}"), "write:pets", false, false), // all of the list
        (rest("DELETE", "/pets/{id}"), "rest", false, false),
        (rest("PUT", "/pets/{id}"), "rest", false, true),
        (rest("get", "/pets/{id}"), "read:pets", false, false),
        (rest("PUT", "/pets"), "any:pets", true, true),
        (rest("GET", "/open"), "", true, true),
        (rest("GET", "/Open"), "", false, false),
        (rest("HEAD", "/open"), "head:open", true, true),
        (rest("HEAD", "/open"), "", false, false), // an entry of its own goes before GET's
        (http("GET /pets/{id}", "GET"), "read:pets", true, true),
        (http("ANY /pets/{id}", "GET"), "read:pets", true, true),
        (http("ANY /pets/{id}", "DELETE"), "read:pets", false, false),
        (http("ANY /pets/{id}", "DELETE"), "write:pets admin", true, true),
        (http("ANY /pets/{id}", "PATCH"), "read:pets write:pets admin", false, false),
        (http("ANY /pets/{id}", "HEAD"), "read:pets", true, true),
        (http("ANY /pets/{id}", "HEAD"), "", false, false),
        (http("ANY /pets", "GET"), "any:pets", true, true),
        (http("GET /open", "GET"), "", true, true),
        (http("$default", "GET"), "default", true, true),
        (http("$default", "GET"), "rest", false, false),
        (http("GET /nowhere", "GET"), "rest", false, true),
        (event_file("authorizer/token"), "rest", false, true), // its ARN has the path, and nobody looks
        (event_file("authorizer/token"), "read:pets", false, false),
        (event_file("authorizer/appsync"), "rest", false, true),
    ];
    for rest in [false, true] {
        let with_rest = scopes.replacen('{', r#"{"*": ["rest"],"#, 1);
        let gate = Gate::with(if rest { &with_rest } else { scopes }, &[("RESPONSE_FORMAT", "iam")]).await;
        for (event, scope, alone, beside_the_rest) in &rows {
            let token = gate.door.token().scope(scope).sign();
            let event: Value = serde_json::from_str(&event.to_string().replace("ACCESS_TOKEN", &token)).expect("JSON");
            let answer = gate.ask(&event).await.expect("an answer");
            let effect = &answer["policyDocument"]["Statement"][0]["Effect"];
            let row = format!("{} {} {} with {scope:?}", event["httpMethod"], event["resource"], event["routeKey"]);
            assert_eq!(
                *effect == "Allow" || answer["isAuthorized"] == true,
                if rest { *beside_the_rest } else { *alone },
                "{row}"
            );
        }
    }
}

/// Whoever reads the log has to see that it is the list which lacks the route.
#[tokio::test]
async fn a_route_that_is_not_listed() {
    let gate = Gate::with(r#"{"GET /pets":[]}"#, &[]).await;
    let answer = gate.ask(&event("http-2", &format!("Bearer {}", gate.token().sign()))).await.expect("an answer");
    assert_eq!(answer, simple(false, "context", &json!({ "reason": "route_not_listed" })));
}

#[tokio::test]
async fn where_the_words_are_looked_up() {
    for (grants, is_granted) in [("scope", false), ("permissions", true), ("scope,permissions", true)] {
        let gate = Gate::with(SCOPES, &[("GRANTS", grants)]).await;
        let token = gate.door.token().claim("permissions", json!(["read:pets"])).sign();
        let answer = gate.ask(&event("http-2", &format!("Bearer {token}"))).await.expect("an answer");
        assert_eq!(answer["isAuthorized"], is_granted, "{grants}");
    }
}

// --- What is handed on

#[tokio::test]
async fn the_context_holds_strings() {
    let gate = Gate::with(r#"{"*":[]}"#, &[]).await;
    let only = |claims: Value| {
        let token = gate.door.token().without_claim("scope").without_claim("azp");
        claims.as_object().expect("claims").iter().fold(token, |token, (name, value)| token.claim(name, value.clone()))
    };
    for (claims, expected) in [
        (json!({}), json!({})),
        (
            json!({ "scope": "a b", "azp": "c", "org_id": "org_1" }),
            json!({ "scope": "a b", "client_id": "c", "org_id": "org_1" }),
        ),
        (json!({ "permissions": ["a", "b"], "client_id": "c" }), json!({ "permissions": "a b", "client_id": "c" })),
        (json!({ "scope": "", "permissions": [] }), json!({})),
        (json!({ "scope": ["a", "b"] }), json!({ "scope": "a b" })),
        // One word must not become two.
        (json!({ "scope": ["a", "read admin"], "permissions": ["read admin", "b\tc"] }), json!({ "scope": "a" })),
        (json!({ "permissions": "a", "azp": 5, "org_id": ["o"] }), json!({})),
        (json!({ "reason": "r", "principalId": "p", "https://example.com/roles": ["admin"] }), json!({})),
    ] {
        let token = only(claims.clone()).sign();
        let mut expected = expected;
        expected["sub"] = json!(SUBJECT);
        for (file, member) in [("http-2", "context"), ("appsync", "resolverContext"), ("request", "context")] {
            let answer = gate.ask(&event(file, &format!("Bearer {token}"))).await.expect("an answer");
            assert_eq!(answer[member], expected, "{file}: {claims}");
        }
    }
}

// --- Settings

#[test]
fn settings_that_stop_the_start() {
    let good = r#"{"*":[]}"#;
    for (scopes, format, sentence) in [
        ("", "", "ROUTE_SCOPES is not set: set it to a JSON object of routes"),
        (" ", "", "ROUTE_SCOPES is not set"),
        ("{}", "", "ROUTE_SCOPES lists no route, and each would be refused: set it to"),
        ("read:pets", "", "ROUTE_SCOPES is no JSON object of lists of strings: set it to"),
        ("[]", "", "ROUTE_SCOPES is no JSON object"),
        (r#"{"*":"read"}"#, "", "ROUTE_SCOPES is no JSON object"),
        (r#"{"*":[5]}"#, "", "ROUTE_SCOPES is no JSON object"),
        (r#"{"*":null}"#, "", "ROUTE_SCOPES is no JSON object"),
        (r#"{"*":[]"#, "", "ROUTE_SCOPES is no JSON object"),
        (r#"{"*":[],"*":["a"]}"#, "", r#"ROUTE_SCOPES names "*" repeatedly: put its scopes into one list."#),
        (r#"{"/pets":[]}"#, "", r#"ROUTE_SCOPES names "/pets", which is no route: set it to"#),
        (r#"{"GET":[]}"#, "", r#"ROUTE_SCOPES names "GET", which"#),
        (r#"{"get /pets":[]}"#, "", r#"ROUTE_SCOPES names "get /pets", which"#),
        (r#"{"GET pets":[]}"#, "", r#"ROUTE_SCOPES names "GET pets", which"#),
        (r#"{"GET pets/7":[]}"#, "", r#"ROUTE_SCOPES names "GET pets/7", which"#),
        (r#"{"GET  /pets":[]}"#, "", r#"ROUTE_SCOPES names "GET  /pets", which"#),
        (r#"{" GET /pets":[]}"#, "", r#"ROUTE_SCOPES names " GET /pets", which"#),
        (r#"{"GET /pets ":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets ", which"#),
        (r#"{"":[]}"#, "", r#"ROUTE_SCOPES names "", which"#),
        (r#"{"*":["read pets"]}"#, "", r#"ROUTE_SCOPES requires "read pets" of "*", which is no scope: set it to"#),
        (r#"{"PSOT /pets":[]}"#, "", r#"ROUTE_SCOPES names "PSOT /pets", which is no route: "#),
        (r#"{"GET /pets/*":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/*", which is no route: "#),
        (r#"{"GET /pets/{id":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/{id", which is no route: "#),
        (r#"{"GET /pets/id}":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/id}", which is no route: "#),
        (r#"{"GET /pets/a{id}":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/a{id}", which is no route: "#),
        (r#"{"GET /pets/{}":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/{}", which is no route: "#),
        (r#"{"GET /pets/{{id}}":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/{{id}}", which is no route: "#),
        (r#"{"GET /*/x":[]}"#, "", r#"ROUTE_SCOPES names "GET /*/x", which is no route: "#),
        (r#"{"GET /pets/é":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/é", which is no route: "#),
        (r#"{"GET /pets#all":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets#all", which is no route: "#),
        (r#"{"GET /pets/<id":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/<id", which is no route: "#),
        (r#"{"GET /pets/id>":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/id>", which is no route: "#),
        (r#"{"GET /pets/$id":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/$id", which is no route: "#),
        (r#"{"GET /pets/\"id":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets/\"id", which is no route: "#),
        (r#"{"GET /pets\\id":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets\\id", which is no route: "#),
        (r#"{"GET /{proxy+}/x":[]}"#, "", r#"ROUTE_SCOPES names "GET /{proxy+}/x", which is no route: "#),
        (r#"{"GET /pets?x=1":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets?x=1", which is no route: "#),
        (r#"{"GET /pets\t":[]}"#, "", r#"ROUTE_SCOPES names "GET /pets\t", which is no route: "#),
        (r#"{"*":[""]}"#, "", r#"ROUTE_SCOPES requires "" of "*", which"#),
        (good, "policy", r#"RESPONSE_FORMAT is "policy": set it to simple or iam, or leave it out."#),
        (good, "IAM", r#"RESPONSE_FORMAT is "IAM""#),
    ] {
        let read = read(&[("ROUTE_SCOPES", scopes), ("RESPONSE_FORMAT", format)]);
        let error = read.err().unwrap_or_else(|| panic!("{scopes} and {format} are taken"));
        assert!(error.starts_with(sentence), "{scopes} and {format}: {error}");
    }
    assert!(read(&[]).is_err_and(|error| error.starts_with("ROUTE_SCOPES is not set")));
    for method in ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"] {
        let scopes = format!(r#"{{"{method} /a-b._~/{{id}}/{{proxy+}}":[]}}"#);
        assert_eq!(read(&[("ROUTE_SCOPES", &scopes)]).err(), None, "{scopes}");
    }
    for format in [" simple ", "iam", ""] {
        assert!(
            read(&[("ROUTE_SCOPES", " {\"$default\":[],\"ANY /{proxy+}\":[\"a\"]} "), ("RESPONSE_FORMAT", format)])
                .is_ok()
        );
    }
}

// --- The binary

#[tokio::test]
async fn one_line_a_decision_and_no_token_in_it() {
    let tenant = Tenant::https().await;
    let environment = [("ROUTE_SCOPES", SCOPES), ("RUST_LOG", "trace"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")];
    let lambda = Lambda::run(sandbox(env!("CARGO_BIN_EXE_authorizer")), &tenant, &environment).await;
    let good = tenant.token().scope("read:pets");
    let line_break = good.clone().header("kid", "two\nlines");
    let far = good.clone().claim("nbf", 9_000_000_000_i64).claim("exp", 9_000_000_100_i64);
    let rows = [
        ("token", &good, 200, None, "-", "-"),
        ("request", &good, 200, None, "GET", "/pets/{id}"),
        ("http-1", &good, 200, None, "GET", "/pets/{id}"),
        ("http-2", &good, 200, None, "GET", "/pets/{id}"),
        ("appsync", &good, 200, None, "-", "-"),
        ("request", &good.clone().scope("a"), 403, Some("insufficient_scope"), "GET", "/pets/{id}"),
        ("token", &good.clone().claim("exp", 5), 401, Some("expired"), "-", "-"),
        ("http-2", &good.clone().claim("iss", "https://a/\n"), 401, Some("wrong_issuer"), "GET", "/pets/{id}"),
        ("http-1", &line_break, 401, Some("unknown_kid"), "GET", "/pets/{id}"),
        ("request", &far, 401, Some("not_yet_valid"), "GET", "/pets/{id}"),
    ];
    for (file, token, status, reason, method, route) in &rows {
        let event = event(file, &format!("Bearer {}", token.sign()));
        let answer = lambda.invoke(event.to_string()).await;
        let is_policy = *file != "appsync" && *file != "http-2";
        assert_eq!(answer.is_err(), *status == 401 && is_policy, "{file}: {answer:?}");
        let line = lambda.requests().pop().expect("a line");
        let fields = &line["fields"];
        if let Err(error) = answer {
            assert_eq!((&error["errorMessage"], &error["errorType"]), (&json!("Unauthorized"), &fields["code"]));
        }
        assert_eq!((&fields["status"], &fields["reason"]), (&json!(status), &json!(reason)), "{line}");
        assert_eq!((&fields["method"], &fields["route"]), (&json!(method), &json!(route)), "{line}");
        assert_eq!(fields["api_request_id"], event["requestContext"]["requestId"], "{line}");
        assert!(
            fields["latency_ms"].is_f64() && fields["keys_age_s"].is_u64() && fields["protected"] == true,
            "{line}"
        );
        assert!(line["span"]["requestId"].is_string() && fields["issuer"].is_null(), "{line}");
        assert_eq!(fields["kid"], json!((*reason == Some("unknown_kid")).then_some("two\\nlines")), "{line}");
        assert_eq!(fields["received"], json!((*reason == Some("wrong_issuer")).then_some("https://a/\\n")), "{line}");
        assert_eq!(fields["expected"].is_string(), *reason == Some("wrong_issuer"), "{line}");
        assert_eq!(fields["seconds_ahead"].is_u64(), *reason == Some("not_yet_valid"), "{line}");
    }
    assert_eq!(lambda.requests().len(), rows.len(), "one line a decision");
    let cold = lambda.requests().iter().filter(|line| line["fields"]["cold_start"] == true).count();
    assert_eq!(cold, 1);
    let latencies = lambda.requests().into_iter().filter_map(|line| line["fields"]["latency_ms"].as_f64());
    let shortest = latencies.fold(f64::MAX, f64::min);
    assert!((0.001..1_000.0).contains(&shortest), "{shortest} are no milliseconds");

    // A method may be any word, and so it may be a token.
    for (method, shown) in [("OPTIONS", "OPTIONS"), ("get", "-"), ("SUBSCRIBE", "-")] {
        let mut event = event("request", "Bearer x");
        event["httpMethod"] = json!(method);
        event["resource"] = json!("/\u{202e}");
        event["requestContext"]["requestId"] = json!("\u{202e}");
        _ = lambda.invoke(event.to_string()).await;
        let fields = lambda.requests().pop().expect("a line")["fields"].clone();
        assert_eq!(fields["method"], shown, "{method}");
        assert_eq!((&fields["route"], &fields["api_request_id"]), (&json!("/\\u{202e}"), &json!("\\u{202e}")));
    }

    let error = lambda.invoke(r#"{"key1":"value1"}"#.to_owned()).await.expect_err("no authorizer's event");
    assert_eq!(error["errorType"], "no_authorizer_event");
    assert!(
        error["errorMessage"].as_str().is_some_and(|message| message.starts_with("no event of a Lambda authorizer"))
    );
    let errors =
        lambda.log().lines().filter(|line| line.contains(r#""level":"ERROR""#)).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("no event of a Lambda authorizer"), "{errors:?}");
}

#[tokio::test]
async fn what_the_log_says_of_several_issuers() {
    const ANOTHER: &str = "https://another.example/";
    let tenant = Tenant::https().await;
    let (domains, jwks_uri) = (format!("{},another.example", tenant.domain()), tenant.jwks_uri());
    let environment = [
        ("AUTH0_DOMAIN", &*domains),
        ("JWKS_URI", &*jwks_uri),
        ("ROUTE_SCOPES", SCOPES),
        ("EXPECTED_CLAIMS", r#"{"org_id":"org_a"}"#),
    ];
    let lambda = Lambda::run(sandbox(env!("CARGO_BIN_EXE_authorizer")), &tenant, &environment).await;
    let good = || tenant.token().scope("read:pets").claim("org_id", "org_a");
    for (token, issuer, reason, claim) in [
        (good(), Some(&*tenant.issuer()), None, None),
        (good().claim("iss", ANOTHER), Some(ANOTHER), None, None),
        (good().claim("org_id", "SECRET"), None, Some("unexpected_claim"), Some("org_id")),
    ] {
        _ = lambda.invoke(event("http-2", &format!("Bearer {}", token.sign())).to_string()).await;
        let fields = lambda.requests().pop().expect("a line")["fields"].clone();
        let shown = ["issuer", "reason", "claim"].map(|name| fields[name].as_str());
        assert_eq!(shown, [issuer, reason, claim], "{fields}");
        assert_eq!(fields["keys_age_s"].is_u64(), issuer.is_some(), "the age of that issuer's keys: {fields}");
    }
    assert!(!lambda.log().contains("SECRET"), "a claim's value");
}

/// A third of what a gateway would let through of the catalogue, in each form, at the most verbose level.
#[tokio::test]
async fn no_log_holds_a_token() {
    let tenant = Tenant::https().await;
    let environment =
        [("ROUTE_SCOPES", r#"{"*":["read:messages"]}"#), ("RUST_LOG", "trace"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")];
    let lambda = Lambda::run(sandbox(env!("CARGO_BIN_EXE_authorizer")), &tenant, &environment).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970").as_secs();
    let rows = catalogue::rows(&tenant, now.cast_signed());
    let sent: Vec<_> = rows.iter().filter(|row| row.authorization.len() <= 10_240).step_by(3).collect();
    for (row, file) in sent.iter().zip(["token", "request", "http-1", "http-2", "appsync"].iter().cycle()) {
        _ = lambda.invoke(event(file, &row.authorization).to_string()).await;
    }
    assert_eq!(lambda.requests().len(), sent.len(), "one line a decision");
    let log = lambda.log();
    for row in sent {
        for part in row.authorization.split(['.', ' ', '\t', ',']).filter(|part| part.len() >= 8) {
            assert!(!log.contains(part), "the log holds {part:.20} of {}", row.name);
        }
    }
    for word in ["Bearer", "bearer ", "auth0|", "read:messages"] {
        assert!(!log.contains(word), "the log holds {word}");
    }
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "a line that is no JSON");
}

// --- What the tests share

struct Gate {
    door: FrontDoor,
    authorizer: Authorizer,
}

impl Gate {
    async fn with(scopes: &str, environment: &[(&str, &str)]) -> Self {
        let environment = [environment, &[("ROUTE_SCOPES", scopes)]].concat();
        let door = FrontDoor::with(&environment).await;
        let rules = Rules::read(|name| value(&environment, name)).expect("good settings");
        let authorizer = Authorizer::new(rules, config(&door.tenant, &environment), door.issuers.clone());
        Self { door, authorizer }
    }

    /// A token that is good for the events of `events/authorizer`.
    fn token(&self) -> Token {
        self.door.token().scope("read:pets")
    }

    /// The answer, or the message of a failed invocation.
    async fn ask(&self, event: &Value) -> Result<Value, String> {
        self.ask_within(event, &Context::default()).await
    }

    /// The same in this invocation.
    async fn ask_within(&self, event: &Value, invocation: &Context) -> Result<Value, String> {
        let event = RawValue::from_string(event.to_string()).expect("JSON");
        self.authorizer.answer(&event, invocation).await.map_err(|Diagnostic { error_message, .. }| error_message)
    }
}

fn read(environment: &[(&str, &str)]) -> Result<Rules, String> {
    Rules::read(|name| value(environment, name)).map_err(|error| error.to_string())
}

fn value(environment: &[(&str, &str)], name: &str) -> Option<String> {
    environment.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned())
}

/// The event of this form, with this in its `Authorization`.
fn event(file: &str, authorization: &str) -> Value {
    let mut event = event_file(&format!("authorizer/{file}"));
    fill(&mut event, authorization);
    event
}

fn fill(value: &mut Value, authorization: &str) {
    match value {
        Value::String(string) if string.ends_with("ACCESS_TOKEN") => authorization.clone_into(string),
        Value::Array(list) => list.iter_mut().for_each(|value| fill(value, authorization)),
        Value::Object(members) => members.values_mut().for_each(|value| fill(value, authorization)),
        _ => {}
    }
}

/// What a caller wrote into an event is skipped unread where it does not count, however deep or odd it is.
#[tokio::test]
async fn what_does_not_count_is_not_read() {
    let gate = Gate::with(r#"{"*":[]}"#, &[]).await;
    let token = gate.token().sign();
    let deep = format!("{}1{}", r#"{"SECRET":"#.repeat(300), "}".repeat(300));
    for variables in [deep.as_str(), r#"{"SECRET":1e999}"#, r#"{"SECRET":"\ud800"}"#] {
        let event = format!(
            r#"{{"authorizationToken":"{token}","requestContext":{{"apiId":"a","requestId":"r","variables":{variables}}}}}"#
        );
        let event = RawValue::from_string(event).expect("JSON");
        let answer = gate.authorizer.answer(&event, &Context::default()).await.expect("an answer");
        assert_eq!(answer["isAuthorized"], true, "{variables:.30}");
    }
    for event in [r#"{"authorizationToken":5}"#, r#"{"SECRET":1}"#, r#"["SECRET"]"#, r#"{"type":{"SECRET":1}}"#] {
        let event = RawValue::from_string(event.to_owned()).expect("JSON");
        let failure = gate.authorizer.answer(&event, &Context::default()).await.expect_err("no event");
        assert!(failure.error_message.starts_with("no event of a Lambda authorizer"), "{}", failure.error_message);
    }
}
