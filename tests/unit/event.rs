//! What `event.rs` makes of events and responses, beside what lambda_http makes of them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use futures_util::FutureExt;
use lambda_http::service_fn;
use serde_json::{Value, json};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/events");

fn event_file(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(format!("{EVENTS}/{name}.json")).expect("a file")).expect("JSON")
}

/// Where it is read here, its kind alone.
fn ours(event: &Value) -> String {
    match serde_json::from_str(&event.to_string()) {
        Ok(Event(Kind::Http(_))) => "Http".to_owned(),
        Ok(Event(Kind::Other(event))) => format!("{event:?}"),
        Err(error) => format!("{error:?}"),
    }
}

fn theirs(event: &Value) -> String {
    format!("{:?}", serde_json::from_str::<LambdaRequest>(&event.to_string()))
}

#[test]
fn every_kind_of_event_becomes_the_request_that_lambda_http_makes_of_it() {
    let mut kinds = BTreeSet::new();
    for file in std::fs::read_dir(EVENTS).expect("a folder") {
        let name = file.expect("a file").path().file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let event = event_file(&name);
        let [ours, theirs] = seen_and_answered(&event, &Body::Empty);
        assert_eq!(ours, theirs, "{name}");
        kinds.extend(self::ours(&event).split('(').next().map(str::to_owned));
    }
    assert_eq!(kinds.iter().collect::<Vec<_>>(), ["Alb", "ApiGatewayV1", "Http"]);
}

#[test]
fn version_two_is_read_here_where_it_is_as_gateways_send_it_and_all_else_by_lambda_http() {
    let http = json!({ "method": "GET", "path": "/api/public" });
    let event = json!({
        "version": "2.0", "rawPath": "/api/public", "rawQueryString": "", "httpMethod": "GET", "headers": {},
        "requestContext": { "stage": "$default", "http": http, "httpMethod": "GET" }, "isBase64Encoded": false,
    });
    assert!(theirs(&event).starts_with("Ok(ApiGatewayV1("), "lambda_http tells them apart now");
    for (member, value, kind) in [
        ("version", json!("2.0"), "Http"),
        ("version", json!("1.0"), "ApiGatewayV1("),
        ("version", json!("2"), "ApiGatewayV1("),
        ("version", json!(null), "ApiGatewayV1("),
        ("rawPath", json!(null), "ApiGatewayV1("),
        ("rawQueryString", json!(null), "Http"),
        ("requestContext", json!({ "stage": "$default", "httpMethod": "GET" }), "ApiGatewayV1("),
        ("isBase64Encoded", json!(null), "ApiGatewayV1("),
        ("headers", json!(null), "ApiGatewayV1("),
        ("headers", json!({ "a": ["b", "c"] }), "ApiGatewayV1("),
        ("cookies", json!(null), "Http"),
        ("pathParameters", json!(null), "Http"),
        ("stageVariables", json!(null), "Http"),
        ("body", json!(null), "Http"),
        ("later", json!({ "member": true }), "Http"),
    ] {
        let mut event = event.clone();
        event[member] = value.clone();
        assert!(ours(&event).starts_with(kind), "{member}: {value}: {}", ours(&event));
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
    let many: BTreeMap<_, _> = (0..40).map(|n| (format!("x-{n}"), n.to_string().repeat(n * 10))).collect();
    for (more, body) in [
        (json!({}), Body::Empty),
        (json!({}), Body::Text("{}".to_owned())),
        (json!({}), Body::Binary(vec![0, 255])),
        (json!({ "rawQueryString": "a=1&a=2&b=%20+", "queryStringParameters": { "a": "1,2" } }), Body::Empty),
        (json!({ "rawQueryString": null }), Body::Empty),
        (json!({ "headers": { "A": "1", "a": "2", "b": "ä\t\"", "c": "" } }), Body::Empty),
        (json!({ "headers": many }), Body::Empty),
        (json!({ "cookies": ["a=1", "b=2"] }), Body::Empty),
        (json!({ "cookies": ["\n"] }), Body::Empty),
        (json!({ "cookies": [] }), Body::Empty),
        (json!({ "body": "text" }), Body::Empty),
        (base64, Body::Empty),
        (json!({ "pathParameters": { "id": "1" } }), Body::Empty),
        (json!({ "stageVariables": { "v": "1" } }), Body::Empty),
        (json!({ "rawPath": "/a b/ä" }), Body::Empty),
        (json!({ "rawPath": "/a%20b" }), Body::Empty),
        (json!({ "rawPath": "/a\"<>`{}^|\u{7f}" }), Body::Empty),
    ] {
        let mut event = base.clone();
        for (name, value) in more.as_object().expect("an object") {
            event[name] = value.clone();
        }
        assert_eq!(self::ours(&event), "Http", "{more}");
        let [ours, theirs] = seen_and_answered(&event, &body);
        assert_eq!(ours, theirs, "{more}");
        let trace_id = r#""x-amzn-trace-id": "Root=1-1-1;Parent=1""#;
        assert!(ours["headers"]["x-seen"].as_str().is_some_and(|seen| seen.contains(trace_id)), "{ours}");
    }
}

#[test]
fn a_query_that_the_gateway_alone_has_read_is_not_lost() {
    let mut event = event_file("private");
    event["rawQueryString"] = json!(null);
    event["queryStringParameters"] = json!({ "a": "1,2" });
    assert!(ours(&event).starts_with("ApiGatewayV2("), "{}", ours(&event));
    let [ours, theirs] = seen_and_answered(&event, &Body::Empty);
    assert_eq!(ours, theirs);
    let seen = r#"Some([("a", "1"), ("a", "2")])"#;
    assert!(ours["headers"]["x-seen"].as_str().is_some_and(|text| text.contains(seen)), "{ours}");
}

/// Where lambda_http resolves, splits, cuts off, puts in front, or panics.
#[test]
fn the_uri_is_path_and_query_alone() {
    for (path, query, expected) in [
        ("/a", "", "/a"),
        ("/a", "b=c?", "/a?b=c?"),
        ("/a?b", "c", "/a%3Fb?c"),
        ("/a#b", "c#d", "/a%23b?c%23d"),
        ("/../a/./b", "", "/../a/./b"),
        ("//evil.example/a", "", "//evil.example/a"),
        ("/a%3fb%", "%zz", "/a%3fb%?%zz"),
        ("/", "a=<b c>&\"ä\u{7f}", "/?a=%3Cb%20c%3E&%22%C3%A4%7F"),
        ("/a", &"b".repeat(70_000), "/"),
        ("", "", "/"),
        ("a", "", "/"),
    ] {
        let uri = uri(path, query);
        assert_eq!(uri.path_and_query().map(ToString::to_string).as_deref(), Some(expected), "{path} {query}");
        assert_eq!(uri.authority(), None, "{path} {query}");
    }
}

/// As tower's own layers are that wait for something: ready for one request when asked, and no clone of it is.
#[derive(Default)]
struct Insisting {
    ready: bool,
}

impl Clone for Insisting {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request> for Insisting {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut task::Context) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        assert!(mem::take(&mut self.ready), "called before it was ready");
        future::ready(Ok(Response::default()))
    }
}

#[test]
fn a_layer_is_asked_whether_it_is_ready() {
    let mut service = service(Insisting::default());
    for name in ["private", "rest-private", "rest-private", "private"] {
        let event: Event = serde_json::from_str(&event_file(name).to_string()).expect("an event");
        assert!(service.ready().now_or_never().is_some_and(|ready| ready.is_ok()), "{name}");
        let answer = service.call(LambdaEvent::new(event, Context::default())).now_or_never();
        assert!(answer.is_some_and(|answer| answer.is_ok()), "{name}");
    }
}

#[test]
fn what_is_no_event_is_not_quoted() {
    for event in
        [json!({ "secret": "x" }), json!("secret"), json!(["secret"]), json!({ "version": "2.0", "headers": "secret" })]
    {
        let error = ours(&event);
        assert!(error.starts_with("Error(") && !error.contains("secret"), "{error}");
    }
}
