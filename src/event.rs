//! An event's JSON -> a request, and the handler's response -> the answer's JSON.
//!
//! lambda_http does both, for every kind of event. What HTTP APIs and Function URLs send, which is what `template.yaml`
//! deploys, has a shorter way here: it is read once, and goes through no URL parser. 10 of the 105 µs that a warm request
//! took.

use std::convert::Infallible;
use std::future;

use futures_util::TryFutureExt;
use futures_util::future::Either;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::http::header::{COOKIE, HeaderName, HeaderValue, SET_COOKIE};
use lambda_http::http::{Extensions, Uri};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::tower::{Service, ServiceExt};
use lambda_http::{
    Adapter, Body, BoxFuture, Context, IntoResponse, LambdaEvent, Request, RequestExt, Response, service_fn,
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// An event of an HTTP API, a REST API, a load balancer or a Function URL, read.
pub struct Event(LambdaRequest);

/// What the Lambda runtime calls for each event, around what answers requests.
pub fn service<S>(
    mut ours: S,
) -> impl Service<LambdaEvent<Event>, Response: Serialize + Send + Sync, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static
where
    S: Service<Request, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    let mut theirs = Adapter::from(ours.clone().map_response(Plain));
    service_fn(move |LambdaEvent { payload: Event(event), context }| {
        let uri = match &event {
            LambdaRequest::ApiGatewayV2(event) => uri(event),
            _ => None,
        };
        match (event, uri) {
            (LambdaRequest::ApiGatewayV2(event), Some(uri)) => {
                let request = request(event, uri, context);
                Either::Left(ours.call(request).map_ok(|response| Answer::Ours(answer(response))))
            }
            (event, _) => Either::Right(theirs.call(LambdaEvent::new(event, context)).map_ok(Answer::Theirs)),
        }
    })
}

/// lambda_http tries one kind of event after the other, and a REST API's first. What an HTTP API or a Function URL
/// sends says that it is of version 2.0, and is read as that at once.
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        match serde_json::from_str::<ApiGatewayV2httpRequest>(json.get()) {
            Ok(event) if event.version.as_deref() == Some("2.0") => Ok(Self(LambdaRequest::ApiGatewayV2(event))),
            _ => LambdaRequest::deserialize(json).map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// Path and query alone, without the caller's Host: joined by a URL parser, as in lambda_http, it may eat a part of the
/// path, or make it panic. `None` where a URI cannot have them as they are (HTTP APIs decode the path): then the request
/// is lambda_http's, and its URI has the Host.
fn uri(event: &ApiGatewayV2httpRequest) -> Option<Uri> {
    let path = event.raw_path.as_deref().filter(|path| path.starts_with('/'))?;
    match event.raw_query_string.as_deref() {
        None | Some("") => path.parse().ok(),
        Some(query) => format!("{path}?{query}").parse().ok(),
    }
}

/// As lambda_http makes it, but for the URI.
fn request(event: ApiGatewayV2httpRequest, uri: Uri, context: Context) -> Request {
    let body = event.body.map(|body| Body::from_maybe_encoded(event.is_base64_encoded, &body));
    let mut request = Request::new(body.unwrap_or_default());
    *request.uri_mut() = uri;
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
    // Not the gateway's reading of the query, which joins the values of one name by commas.
    let query = event.raw_query_string.map(|query| query.parse::<QueryMap>().unwrap_or_default());
    *request.extensions_mut() = Extensions::new()
        .with_raw_http_path(event.raw_path.unwrap_or_default())
        .with_query_string_parameters(query.unwrap_or(event.query_string_parameters))
        .with_path_parameters(event.path_parameters)
        .with_stage_variables(event.stage_variables)
        .with_request_context(RequestContext::ApiGatewayV2(event.request_context))
        .with_lambda_context(context);
    request
}

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
