use super::*;

use std::task::{self, Poll};

use lambda_http::http::HeaderValue;
use lambda_http::{Context, RequestExt};
use serde_json::json;

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/events");

fn event_file(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(format!("{EVENTS}/{name}.json")).expect("a file")).expect("JSON")
}

fn read(event: &Value) -> Event {
    serde_json::from_str(&event.to_string()).expect("an event")
}

/// Stands in for a conversion that panics: it does so before there is a future, as lambda_http's does.
#[derive(Clone)]
struct Panics;

impl Service<Request> for Panics {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut task::Context) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        assert!(malformed(&request), "a defect, made by a test");
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = lambda_http::http::StatusCode::BAD_REQUEST;
        // What the front sent along is there still, but for what may have been the cause.
        let origin = request.headers().get("origin").cloned();
        let host = request.headers().get(HOST).cloned();
        let method = HeaderValue::from_str(request.method().as_str()).expect("a method");
        let seen = [("x-origin", origin), ("x-host", host), ("x-method", Some(method))];
        for (name, value) in seen.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            response.headers_mut().insert(name, value);
        }
        assert_eq!(request.raw_http_path(), "");
        future::ready(Ok(response))
    }
}

#[test]
fn what_makes_no_request_is_answered_in_the_front_s_own_form() {
    for (name, headers) in [
        ("private", "headers"),
        ("function-url-private", "headers"),
        ("rest-private", "multiValueHeaders"),
        ("alb-private", "multiValueHeaders"),
    ] {
        let mut event = event_file(name);
        for (member, listed) in [("headers", false), ("multiValueHeaders", true)] {
            let value = |value: &str| if listed { json!([value]) } else { json!(value) };
            if event[member].is_object() {
                event[member] = json!({ "origin": value("https://page.example"), "host": value("a") });
            }
        }
        let http = event["requestContext"].get_mut("http");
        match http {
            Some(http) => http["method"] = json!("PATCH"),
            None => event["httpMethod"] = json!("PATCH"),
        }
        let call = service(Panics).call(LambdaEvent::new(read(&event), Context::default()));
        let answer = call.now_or_never().expect("an answer at once").expect("no failure");
        let answer = serde_json::to_value(answer).expect("JSON");
        assert_eq!(answer["statusCode"], 400, "{name}");
        let value = |value: &str| if headers == "multiValueHeaders" { json!([value]) } else { json!(value) };
        let seen = json!({ "x-origin": value("https://page.example"), "x-method": value("PATCH") });
        assert_eq!(answer[headers], seen, "{name}");
    }
}

#[test]
fn version_two_is_read_as_what_an_http_api_sends() {
    // A REST API's form would fit, too.
    let mut event = event_file("private");
    event["httpMethod"] = json!("GET");
    event["requestContext"]["httpMethod"] = json!("GET");
    assert!(matches!(read(&event).event, LambdaRequest::ApiGatewayV2(_)));
    for version in [json!("1.0"), json!(null)] {
        event["version"] = version.clone();
        assert!(matches!(read(&event).event, LambdaRequest::ApiGatewayV1(_)), "{version}");
    }
}

#[test]
fn a_null_query_of_a_load_balancer_is_none() {
    let mut event = event_file("alb-private");
    for member in ["queryStringParameters", "multiValueQueryStringParameters"] {
        event[member] = json!(null);
        assert!(matches!(read(&event).event, LambdaRequest::Alb(_)), "{member}");
    }
}

/// A placeholder of the fronts' own documentation, what callers forge, and a query that nobody has encoded.
#[test]
fn neither_host_nor_query_keeps_an_event_from_being_a_request() {
    let seen = lambda_http::service_fn(|request: Request| {
        let mut response = Response::new(Body::Empty);
        let query = request.uri().query().unwrap_or_default().to_owned();
        let [path, query] = [request.raw_http_path(), &query].map(|value| HeaderValue::from_str(value).expect("ASCII"));
        response
            .headers_mut()
            .extend([("x-path", path), ("x-query", query)].map(|(name, value)| (HeaderName::from_static(name), value)));
        future::ready(Ok::<_, Infallible>(response))
    });
    for name in ["private", "function-url-private", "rest-private", "alb-private"] {
        for (header, value) in [("host", "<url-id>.lambda-url.eu-west-1.on.aws"), ("x-forwarded-proto", "https,http")] {
            let mut event = event_file(name);
            if event["headers"].is_object() {
                event["headers"][header] = json!(value);
            } else {
                event["headers"] = json!({ header: value });
            }
            let http = event["version"] == "2.0";
            if http {
                event["rawQueryString"] = json!("a=\"<b>\"");
            }
            let call = service(seen).call(LambdaEvent::new(read(&event), Context::default()));
            let answer = call.now_or_never().expect("an answer at once").expect("no failure");
            let answer = serde_json::to_value(answer).expect("JSON").to_string();
            assert!(answer.contains("/api/private"), "{name}, {header}: {answer}");
            assert_eq!(answer.contains("a=%22%3Cb%3E%22"), http, "{name}, {header}: {answer}");
        }
    }
}

#[test]
fn an_event_of_a_front_that_cannot_be_read_stands_for_itself() {
    for name in ["private", "function-url-private", "rest-private", "alb-private"] {
        let expected = std::mem::discriminant(&read(&event_file(name)).event);
        for (member, value) in [("headers", json!({ "x y": "z" })), ("headers", json!({ "x": "\u{1}" }))] {
            let mut event = event_file(name);
            event[member] = value.clone();
            let event = read(&event);
            assert!(event.malformed && std::mem::discriminant(&event.event) == expected, "{name}: {member} {value}");
        }
    }
}

#[test]
fn a_method_that_the_context_does_not_repeat_is_read() {
    let mut event = event_file("rest-private");
    event["requestContext"].as_object_mut().expect("an object").remove("httpMethod");
    assert!(matches!(read(&event).event, LambdaRequest::ApiGatewayV1(_)) && !read(&event).malformed);
}

#[test]
fn any_other_event_is_told_the_four_fronts() {
    for event in ["{}", "null", "5", "[]", r#"{"source":"aws.events"}"#, r#"{"Records":[]}"#] {
        let error = serde_json::from_str::<Event>(event).map(|_| ()).expect_err(event).to_string();
        assert!(error.starts_with("no event of an HTTP API, a REST API, a Function URL or a load balancer"), "{error}");
    }
}
