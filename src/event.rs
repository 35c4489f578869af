//! An event's JSON -> the request that lambda_http makes of it, and the handler's response -> the answer's JSON.

use std::convert::Infallible;
use std::future;
use std::sync::Arc;

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::request::LambdaRequest;
use lambda_http::tower::{Service, ServiceExt};
use lambda_http::{Adapter, Body, BoxFuture, IntoResponse, LambdaEvent, Request, Response};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::handler::{self, Api};

/// An event of an HTTP API, a REST API, a load balancer or a Function URL, read.
pub struct Event(LambdaRequest);

/// The whole function: what the Lambda runtime calls for each event.
pub fn service(
    api: Arc<Api>,
) -> impl Service<LambdaEvent<Event>, Response: Serialize + Send + Sync, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let events = |event: LambdaEvent<Event>| LambdaEvent::new(event.payload.0, event.context);
    Adapter::from(handler::service(api).map_response(Answer)).map_request(events)
}

/// A response whose body is known to be text or nothing. From any other, lambda_http collects the body and guesses what
/// it is.
struct Answer(Response<Body>);

impl IntoResponse for Answer {
    fn into_response(self) -> BoxFuture<'static, Response<Body>> {
        Box::pin(future::ready(self.0))
    }
}

impl From<Event> for Request {
    fn from(Event(event): Event) -> Self {
        event.into()
    }
}

/// lambda_http tries one kind of event after the other, and a REST API's first. What an HTTP API or a Function URL
/// sends says that it is of version 2.0, and is read as that at once: 7 of the 105 µs that a warm request took.
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        match serde_json::from_str::<ApiGatewayV2httpRequest>(json.get()) {
            Ok(event) if event.version.as_deref() == Some("2.0") => Ok(Self(LambdaRequest::ApiGatewayV2(event))),
            _ => LambdaRequest::deserialize(json).map(Self).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn ours(event: &Value) -> String {
        format!("{:?}", serde_json::from_str::<Event>(&event.to_string()).map(|Event(event)| event))
    }

    fn theirs(event: &Value) -> String {
        format!("{:?}", serde_json::from_str::<LambdaRequest>(&event.to_string()))
    }

    #[test]
    fn every_kind_of_event_is_read_as_lambda_http_reads_it() {
        let mut kinds = std::collections::BTreeSet::new();
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/events")).expect("a folder") {
            let file = file.expect("a file").path();
            let event: Value = serde_json::from_slice(&std::fs::read(&file).expect("its bytes")).expect("JSON");
            assert_eq!(ours(&event), theirs(&event), "{}", file.display());
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
