//! An event of one of the four fronts -> lambda_http's request; one that makes no HTTP request -> 400.
//!
//! lambda_http reads events and writes answers. This file adds two things: an event cannot stop the function, and two
//! readers of one event cannot see two tokens.

use std::convert::Infallible;
use std::future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;
use lambda_http::aws_lambda_events::alb::AlbTargetGroupRequest;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use lambda_http::http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue, VARY};
use lambda_http::request::LambdaRequest;
use lambda_http::tower::{Service, ServiceExt};
use lambda_http::{Adapter, Body, BoxFuture, IntoResponse, LambdaEvent, Request, Response, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::Url;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// An event of an HTTP API, a REST API, a Function URL or a load balancer, read.
pub struct Event {
    event: LambdaRequest,
    /// Whether that stands for one which cannot be read.
    malformed: bool,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        // The types of headers may panic at what no front sends, and the runtime reads events outside its own guard.
        if let Ok(Some(event)) = catch_unwind(|| read(json)) {
            return Ok(Self { event: mended(event), malformed: false });
        }
        let event = serde_json::from_str(json).ok().and_then(|event| empty_event(&event)).ok_or_else(|| {
            D::Error::custom(
                "no event of an HTTP API, a REST API, a Function URL or a load balancer: nothing else is answered",
            )
        })?;
        Ok(Self { event, malformed: true })
    }
}

fn read(json: &str) -> Option<LambdaRequest> {
    // lambda_http tries a REST API's form first. Here it is the HTTP API's, which template.yaml deploys.
    if let Ok(event) = serde_json::from_str::<ApiGatewayV2httpRequest>(json)
        && event.version.as_deref() == Some("2.0")
    {
        return Some(LambdaRequest::ApiGatewayV2(event));
    }
    serde_json::from_str(json).ok().or_else(|| completed(json))
}

/// Reads an event that somebody wrote by hand: with `null` for what is absent, or without the method that a REST API
/// repeats in its context. lambda_http reads neither.
fn completed(json: &str) -> Option<LambdaRequest> {
    let mut event: Value = serde_json::from_str(json).ok()?;
    event.as_object_mut()?.retain(|_, value| !value.is_null());
    let method = event.get("httpMethod").cloned();
    if let (Some(method), Some(context)) = (method, event.get_mut("requestContext").and_then(Value::as_object_mut))
        && !context.contains_key("elb")
    {
        context.entry("httpMethod").or_insert(method);
    }
    serde_json::from_str(&event.to_string()).ok()
}

/// For an event of a front that cannot be read, such as one with a header that no HTTP has: one of the same front.
fn empty_event(event: &Value) -> Option<LambdaRequest> {
    let context = event.get("requestContext")?;
    if context.get("http").is_some() {
        return Some(LambdaRequest::ApiGatewayV2(ApiGatewayV2httpRequest::default()));
    }
    event.get("httpMethod")?;
    Some(match context.get("elb") {
        Some(_) => LambdaRequest::Alb(AlbTargetGroupRequest::default()),
        None => LambdaRequest::ApiGatewayV1(ApiGatewayProxyRequest::default()),
    })
}

/// Mends what lambda_http would make too little of.
fn mended(mut event: LambdaRequest) -> LambdaRequest {
    match &mut event {
        LambdaRequest::ApiGatewayV1(rest) => {
            make_url(&mut rest.headers, rest.request_context.domain_name.as_deref());
            // All headers of one name are in `multiValueHeaders`, and the last one in `headers`; lambda_http takes the last
            // alone, and nobody could see that there were several.
            if rest.multi_value_headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
                rest.headers.remove(AUTHORIZATION);
            }
        }
        LambdaRequest::ApiGatewayV2(http) => {
            make_url(&mut http.headers, http.request_context.domain_name.as_deref());
            // An HTTP API hands on what a caller did not encode.
            if let Some(query) = &mut http.raw_query_string {
                *query = utf8_percent_encode(query, NOT_IN_QUERIES).to_string();
            }
        }
        LambdaRequest::Alb(event) => make_url(&mut event.headers, None),
        _ => {}
    }
    event
}

const NOT_IN_QUERIES: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// lambda_http makes a URL of a host and a scheme, which are the caller's, or a placeholder of a test event. Nobody reads that
/// URL here: where they make none, others stand in their place.
fn make_url(headers: &mut HeaderMap, domain_name: Option<&str>) {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let scheme = header(X_FORWARDED_PROTO).unwrap_or("https");
    let host = header(HOST).or(domain_name).unwrap_or("localhost");
    if Url::parse(&format!("{scheme}://{host}/")).is_err() {
        headers.remove(X_FORWARDED_PROTO);
        headers.insert(HOST, HeaderValue::from_static("localhost"));
    }
}

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What the Lambda runtime calls for each event. `answers` gets the requests.
///
/// `answers` must be cheap to clone. It answers 400 to a request that is [`malformed`].
pub fn service<S>(
    answers: S,
) -> impl Service<LambdaEvent<Event>, Response: Serialize + Send, Error = Infallible, Future: Send> + Clone + Send + 'static
where
    S: Service<Request, Response = Response<Body>, Error = Infallible, Future: Send + 'static> + Clone + Send + 'static,
{
    service_fn(move |LambdaEvent { payload: Event { event, malformed }, context }: LambdaEvent<Event>| {
        let answers = answers.clone().map_response(AsItIs);
        async move {
            let instead = LambdaEvent::new(nothing_but_headers(&event), context.clone());
            if !malformed {
                let answer = Adapter::from(answers.clone()).oneshot(LambdaEvent::new(event, context));
                // lambda_http makes a URL of path and Host, and panics where they make none.
                if let Ok(answer) = AssertUnwindSafe(answer).catch_unwind().await {
                    return answer;
                }
            }
            Adapter::from(answers.map_request(mark)).oneshot(instead).await
        }
    })
}

/// Whether this stands for an event that makes no HTTP request.
pub fn malformed(request: &Request) -> bool {
    request.extensions().get::<Malformed>().is_some()
}

#[derive(Clone)]
struct Malformed;

fn mark(mut request: Request) -> Request {
    request.extensions_mut().insert(Malformed);
    request
}

/// The same event with its method and headers alone, less `Host`: nothing in it can be malformed.
fn nothing_but_headers(event: &LambdaRequest) -> LambdaRequest {
    let kept = |headers: &HeaderMap| {
        let mut headers = headers.clone();
        headers.remove(HOST);
        headers
    };
    match event {
        LambdaRequest::ApiGatewayV1(event) => {
            let mut same = ApiGatewayProxyRequest::default();
            (same.headers, same.multi_value_headers) = (kept(&event.headers), kept(&event.multi_value_headers));
            same.http_method = event.http_method.clone();
            LambdaRequest::ApiGatewayV1(same)
        }
        LambdaRequest::Alb(event) => {
            let mut same = AlbTargetGroupRequest::default();
            (same.headers, same.multi_value_headers) = (kept(&event.headers), kept(&event.multi_value_headers));
            same.http_method = event.http_method.clone();
            LambdaRequest::Alb(same)
        }
        LambdaRequest::ApiGatewayV2(event) => {
            let mut same = ApiGatewayV2httpRequest::default();
            same.headers = kept(&event.headers);
            same.request_context.http.method = event.request_context.http.method.clone();
            LambdaRequest::ApiGatewayV2(same)
        }
        // No other front is compiled in.
        _ => LambdaRequest::ApiGatewayV2(ApiGatewayV2httpRequest::default()),
    }
}

/// A response that is handed on as it is: its body is a string, or empty. From a response of another type, lambda_http
/// collects the body and guesses its charset.
struct AsItIs(Response<Body>);

impl IntoResponse for AsItIs {
    fn into_response(mut self) -> BoxFuture<'static, Response<Body>> {
        // Where several headers have one name, lambda_http hands only the first to an HTTP API.
        let varies: Vec<_> = self.0.headers().get_all(VARY).iter().filter_map(|value| value.to_str().ok()).collect();
        if varies.len() > 1
            && let Ok(vary) = HeaderValue::try_from(varies.join(", "))
        {
            self.0.headers_mut().insert(VARY, vary);
        }
        Box::pin(future::ready(self.0))
    }
}

#[cfg(test)]
#[path = "../tests/unit/event.rs"]
mod tests;
