//! An event's JSON -> a request, and the handler's response -> the answer's JSON.
//!
//! lambda_http does both, for every kind of event. What HTTP APIs and Function URLs send, which is what `template.yaml`
//! deploys, has a shorter way here: 10 of the 105 µs that a warm request took.

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
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

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
            let name =
                file.expect("a file").path().file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
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

    fn pairs(map: &QueryMap) -> BTreeSet<(&str, &str)> {
        map.iter().collect()
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
            assert!(ours["headers"]["x-seen"].as_str().is_some_and(|seen| seen.contains("Root=1-1-1")), "{ours}");
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
        for event in [
            json!({ "secret": "x" }),
            json!("secret"),
            json!(["secret"]),
            json!({ "version": "2.0", "headers": "secret" }),
        ] {
            let error = ours(&event);
            assert!(error.starts_with("Err(") && !error.contains("secret"), "{error}");
        }
    }
}
