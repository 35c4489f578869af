//! What `event.rs` makes of events and responses, beside what lambda_http makes of them.

use std::collections::BTreeSet;

use super::*;
use futures_util::FutureExt;
use serde_json::{Value, json};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/events");

fn event_file(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(format!("{EVENTS}/{name}.json")).expect("a file")).expect("JSON")
}

fn ours(event: &Value) -> String {
    format!("{:?}", serde_json::from_str::<Event>(&event.to_string()).map(|Event(event)| event))
}

fn theirs(event: &Value) -> String {
    format!("{:?}", serde_json::from_str::<LambdaRequest>(&event.to_string()))
}

#[test]
fn every_kind_of_event_is_read_as_lambda_http_reads_it() {
    let mut kinds = BTreeSet::new();
    for file in std::fs::read_dir(EVENTS).expect("a folder") {
        let name = file.expect("a file").path().file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let event = event_file(&name);
        assert_eq!(ours(&event), theirs(&event), "{name}");
        kinds.insert(ours(&event).split_once('(').map(|(_, event)| event.split('(').next().map(str::to_owned)));
    }
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}

#[test]
fn version_two_is_read_as_such_and_all_else_as_lambda_http_would() {
    let http = json!({ "method": "GET", "path": "/api/public" });
    let event = json!({
        "rawPath": "/api/public", "httpMethod": "GET", "headers": {},
        "requestContext": { "stage": "$default", "http": http, "httpMethod": "GET" },
    });
    for (version, kind) in [
        (json!("2.0"), "Ok(ApiGatewayV2("),
        (json!("1.0"), "Ok(ApiGatewayV1("),
        (json!("2"), "Ok(ApiGatewayV1("),
        (json!(null), "Ok(ApiGatewayV1("),
    ] {
        let mut event = event.clone();
        event["version"] = version.clone();
        assert!(ours(&event).starts_with(kind), "{version}: {}", ours(&event));
        assert!(theirs(&event).starts_with("Ok(ApiGatewayV1("), "{version}: lambda_http tells them apart now");
    }
}

/// By their names, which have no order; the values of one name do.
fn pairs(map: &QueryMap) -> Vec<(&str, &str)> {
    let mut pairs: Vec<_> = map.iter().collect();
    pairs.sort_by_key(|(name, _)| *name);
    pairs
}

/// What a service sees of an event, and what becomes of its response: here, and by lambda_http.
fn seen_and_answered(event: &Value, body: &Body) -> [Value; 2] {
    let body = body.clone();
    let probe = service_fn(move |request: Request| {
        let seen = format!(
            "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            request.method(),
            request.uri().path_and_query(),
            request.headers(),
            request.body(),
            request.raw_http_path(),
            request.query_string_parameters_ref().map(pairs),
            request.path_parameters_ref().map(pairs),
            request.stage_variables_ref().map(pairs),
            request.request_context(),
            request.lambda_context(),
        );
        let response = Response::builder().status(418).header("x-seen", seen).header("x-seen", "twice");
        let response = response.header("set-cookie", "a=1; Secure").header("set-cookie", "b=2");
        future::ready(Ok::<_, Infallible>(response.body(body.clone()).expect("a response")))
    });
    let mut context = Context::default();
    context.xray_trace_id = Some("Root=1-1-1;Parent=1".to_owned());
    let ours: Event = serde_json::from_str(&event.to_string()).expect("an event");
    let theirs: LambdaRequest = serde_json::from_str(&event.to_string()).expect("an event");
    let ours = service(probe.clone()).call(LambdaEvent::new(ours, context.clone())).now_or_never();
    let theirs = Adapter::from(probe.map_response(Plain)).call(LambdaEvent::new(theirs, context)).now_or_never();
    let ours = ours.expect("an answer at once").expect("no failure");
    let theirs = theirs.expect("an answer at once").expect("no failure");
    [serde_json::to_value(ours).expect("JSON"), serde_json::to_value(theirs).expect("JSON")]
}

#[test]
fn requests_and_answers_are_those_of_lambda_http() {
    let base = event_file("private");
    let base64 = json!({ "body": "AAH/", "isBase64Encoded": true });
    for (more, body) in [
        (json!({}), Body::Empty),
        (json!({}), Body::Text("{}".to_owned())),
        (json!({}), Body::Binary(vec![0, 255])),
        (json!({ "rawQueryString": "a=1&a=2&b=%20+", "queryStringParameters": { "a": "1,2" } }), Body::Empty),
        (json!({ "rawQueryString": null, "queryStringParameters": { "a": "1,2" } }), Body::Empty),
        (json!({ "cookies": ["a=1", "b=2"] }), Body::Empty),
        (json!({ "cookies": ["\n"] }), Body::Empty),
        (json!({ "cookies": [] }), Body::Empty),
        (json!({ "body": "text" }), Body::Empty),
        (base64, Body::Empty),
        (json!({ "pathParameters": { "id": "1" } }), Body::Empty),
        (json!({ "stageVariables": { "v": "1" } }), Body::Empty),
        (json!({ "rawPath": "/a b/ä" }), Body::Empty),
        (json!({ "rawPath": "/a%20b" }), Body::Empty),
        (json!({ "rawPath": "/a?b", "rawQueryString": "c" }), Body::Empty),
        (json!({ "rawPath": "/a#b" }), Body::Empty),
        (json!({ "rawPath": "a" }), Body::Empty),
        (json!({ "rawPath": "" }), Body::Empty),
        (json!({ "rawPath": null }), Body::Empty),
    ] {
        let mut event = base.clone();
        for (name, value) in more.as_object().expect("an object") {
            event[name] = value.clone();
        }
        let [ours, theirs] = seen_and_answered(&event, &body);
        assert_eq!(ours, theirs, "{more}");
        let trace_id = r#""x-amzn-trace-id": "Root=1-1-1;Parent=1""#;
        assert!(ours["headers"]["x-seen"].as_str().is_some_and(|seen| seen.contains(trace_id)), "{ours}");
    }
}

#[test]
fn the_caller_s_host_is_no_part_of_the_uri() {
    for host in ["a/b?", "a b", "[::1", "", "a"] {
        let mut event = event_file("private");
        event["headers"]["host"] = json!(host);
        event["rawQueryString"] = json!("x");
        let LambdaRequest::ApiGatewayV2(event) = serde_json::from_str(&event.to_string()).expect("an event") else {
            panic!("another kind of event");
        };
        assert_eq!(uri(&event).map(|uri| uri.to_string()).as_deref(), Some("/api/private?x"), "{host}");
    }
}

#[test]
fn what_is_no_event_is_not_quoted() {
    for event in
        [json!({ "secret": "x" }), json!("secret"), json!(["secret"]), json!({ "version": "2.0", "headers": "secret" })]
    {
        let error = ours(&event);
        assert!(error.starts_with("Err(") && !error.contains("secret"), "{error}");
    }
}
