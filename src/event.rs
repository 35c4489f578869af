//! An event's JSON -> a request, and the handler's response -> the answer's JSON.
//!
//! lambda_http does both, for every kind of event. What HTTP APIs and Function URLs send, which is what `template.yaml`
//! deploys, has a shorter way here: it is read once, the values of all headers into one buffer in place of two or three
//! allocations for each, and goes through no URL parser.

use std::collections::HashMap;
use std::convert::Infallible;
use std::task::{self, Poll};
use std::{fmt, future, mem};

use bytes::BytesMut;
use futures_util::TryFutureExt;
use futures_util::future::{Either, MapOk, TryFuture};
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequestContext, ApiGatewayV2httpResponse};
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::http::Extensions;
use lambda_http::http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use lambda_http::http::uri::{PathAndQuery, Uri};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::tower::{Service, ServiceExt};
use lambda_http::{
    Adapter, Body, BoxFuture, Context, IntoResponse, LambdaEvent, Request, RequestExt, Response, TransformResponse,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::json::Text;

/// An event of an HTTP API, a REST API, a load balancer or a Function URL, read.
pub struct Event(Kind);

/// lambda_http tries one kind of event after the other, and a REST API's first.
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        match serde_json::from_str::<HttpEvent>(json.get()) {
            Ok(event) if event.raw_query_string.is_some() || event.query_string_parameters.is_none() => {
                Ok(Self(Kind::Http(event)))
            }
            _ => LambdaRequest::deserialize(json).map(|event| Self(Kind::Other(event))).map_err(D::Error::custom),
        }
    }
}

/// What the Lambda runtime calls for each event, around what answers requests.
///
/// A request of an HTTP API or a Function URL has path and query alone as its URI, or `/` where they are too long for one
/// or the path has no slash in front. The URIs of all others are lambda_http's, with the caller's Host. `raw_http_path` is
/// the path as the event has it. A header's value that you keep keeps those of all others: copy it.
pub fn service<S>(
    ours: S,
) -> impl Service<LambdaEvent<Event>, Response: Serialize + Send + Sync, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static
where
    S: Service<Request, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    Answers(ours)
}

#[derive(Clone)]
struct Answers<S>(S);

impl<S> Service<LambdaEvent<Event>> for Answers<S>
where
    S: Service<Request, Response = Response<Body>, Error = Infallible, Future: Send + 'static> + Clone,
{
    type Response = Answer<<Theirs as TryFuture>::Ok>;
    type Error = Infallible;
    type Future = Either<
        MapOk<S::Future, fn(Response<Body>) -> Self::Response>,
        MapOk<Theirs, fn(<Theirs as TryFuture>::Ok) -> Self::Response>,
    >;

    fn poll_ready(&mut self, task: &mut task::Context) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(task)
    }

    fn call(&mut self, LambdaEvent { payload: Event(kind), context }: LambdaEvent<Event>) -> Self::Future {
        match kind {
            Kind::Http(event) => {
                Either::Left(self.0.call(request(event, context)).map_ok(|response| Answer::Ours(answer(response))))
            }
            Kind::Other(event) => {
                // A clone has not been asked whether it is ready.
                let next = self.0.clone();
                let ready = mem::replace(&mut self.0, next).map_response(Plain);
                Either::Right(Adapter::from(ready).call(LambdaEvent::new(event, context)).map_ok(Answer::Theirs))
            }
        }
    }
}

/// lambda_http's way from a request to the answer.
type Theirs = TransformResponse<'static, Plain, Infallible>;

#[allow(clippy::large_enum_variant)] // a box would be one allocation more
enum Kind {
    Http(HttpEvent),
    Other(LambdaRequest),
}

/// What HTTP APIs and Function URLs send, which say that it is of version 2.0: the members that make a request. Where one
/// that is no `Option` is missing, the event is lambda_http's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpEvent {
    #[serde(rename = "version")]
    _version: Version,
    raw_path: String,
    /// `cargo lambda watch` has none where there is no query.
    raw_query_string: Option<String>,
    /// The gateway's reading of the query. An event that has nothing else of it is lambda_http's.
    query_string_parameters: Option<IgnoredAny>,
    cookies: Option<Vec<String>>,
    #[serde(deserialize_with = "headers")]
    headers: HeaderMap,
    path_parameters: Option<HashMap<String, String>>,
    stage_variables: Option<HashMap<String, String>>,
    request_context: ApiGatewayV2httpRequestContext,
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
enum Version {
    #[serde(rename = "2.0")]
    Two,
}

/// One value for each name, as these senders have it. There is room for what a browser and a gateway send, and for a token.
fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderMap, D::Error> {
    deserializer.deserialize_map(Headers)
}

struct Headers;

impl<'de> Visitor<'de> for Headers {
    type Value = HeaderMap;

    fn expecting(&self, words: &mut fmt::Formatter) -> fmt::Result {
        words.write_str("headers")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut entries: M) -> Result<HeaderMap, M::Error> {
        let mut headers = HeaderMap::with_capacity(24);
        let mut values = BytesMut::with_capacity(2048);
        while let Some((Text(name), Text(value))) = entries.next_entry()? {
            values.extend_from_slice(value.as_bytes());
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(M::Error::custom)?;
            let value = HeaderValue::from_maybe_shared(values.split().freeze()).map_err(M::Error::custom)?;
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

/// As lambda_http makes it, but for the URI.
fn request(event: HttpEvent, context: Context) -> Request {
    let query = event.raw_query_string.unwrap_or_default();
    let body = event
        .body
        .map(|body| if event.is_base64_encoded { Body::from_maybe_encoded(true, &body) } else { Body::Text(body) });
    let mut request = Request::new(body.unwrap_or_default());
    *request.uri_mut() = uri(&event.raw_path, &query);
    *request.method_mut() = event.request_context.http.method.clone();
    let mut headers = event.headers;
    if let Some(cookies) = event.cookies.and_then(|cookies| HeaderValue::from_str(&cookies.join("; ")).ok()) {
        headers.insert(COOKIE, cookies);
    }
    // The gateway's own is of another part of the trace.
    if let Some(id) = context.xray_trace_id.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert(X_AMZN_TRACE_ID, id);
    }
    *request.headers_mut() = headers;
    let mut extensions = Extensions::new()
        .with_raw_http_path(event.raw_path)
        .with_request_context(RequestContext::ApiGatewayV2(event.request_context))
        .with_lambda_context(context);
    // Not the gateway's reading of the query, which joins the values of one name by commas.
    if !query.is_empty() {
        extensions = extensions.with_query_string_parameters(query.parse::<QueryMap>().unwrap_or_default());
    }
    if let Some(parameters) = event.path_parameters {
        extensions = extensions.with_path_parameters(parameters);
    }
    if let Some(variables) = event.stage_variables {
        extensions = extensions.with_stage_variables(variables);
    }
    *request.extensions_mut() = extensions;
    request
}

/// HTTP APIs decode the path, so that some of it must be encoded again. No URL parser joins it with the caller's Host, as
/// in lambda_http: either might lose a part to a `?` in the other, and it panics at a malformed Host.
fn uri(path: &str, query: &str) -> Uri {
    let mut uri = utf8_percent_encode(path, NOT_IN_PATHS).to_string();
    if !query.is_empty() {
        uri.push('?');
        uri.extend(utf8_percent_encode(query, NOT_IN_QUERIES));
    }
    PathAndQuery::try_from(uri).map(Uri::from).unwrap_or_default()
}

// As the url crate encodes them, which lambda_http uses. What is encoded already stays as it is.
const NOT_IN_QUERIES: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');
const NOT_IN_PATHS: &AsciiSet = &NOT_IN_QUERIES.add(b'?').add(b'`').add(b'{').add(b'}');

const X_AMZN_TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// The answer, in the words of what sent the event.
#[derive(Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant)] // a box would be one allocation more
enum Answer<T> {
    Ours(ApiGatewayV2httpResponse),
    Theirs(T),
}

fn answer(response: Response<Body>) -> ApiGatewayV2httpResponse {
    let (mut parts, body) = response.into_parts();
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = parts.status.as_u16().into();
    answer.is_base64_encoded = matches!(body, Body::Binary(_));
    answer.body = Some(body).filter(|body| !matches!(body, Body::Empty));
    let cookies = parts.headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    answer.cookies = cookies.map(str::to_owned).collect();
    parts.headers.remove(SET_COOKIE);
    answer.headers = parts.headers;
    answer
}

/// A response whose body is known to be text or nothing. From any other, lambda_http collects the body and guesses what
/// it is.
struct Plain(Response<Body>);

impl IntoResponse for Plain {
    fn into_response(self) -> BoxFuture<'static, Response<Body>> {
        Box::pin(future::ready(self.0))
    }
}

#[cfg(test)]
#[path = "../tests/unit/event.rs"]
mod tests;
