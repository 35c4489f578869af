//! The guard of the warm path: how often it allocates. A count, so that no busy machine can fail it.

mod front_door;

use api_authorization::bearer;
use api_authorization::event::{self, Event};
use api_authorization::handler::{self, Api};
use api_authorization::{log, token};
use front_door::*;
use futures_util::FutureExt;
use tenant::Tenant;
use lambda_http::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use lambda_http::tower::Service;
use lambda_http::{Context, LambdaEvent};
use serde_json::json;

/// Allocations of Rust code, as counted when this was last changed. A warm request may take 5 % more, which a new version
/// of a library may need. Where it takes 5 % less, lower the figure, so that what was won is kept.
const FIGURES: [(&str, u64); 4] = [
    ("validate", 9),
    ("answer an authorised request", 61),
    ("refuse for its scope", 67),
    ("refuse without a header", 56),
];

/// What a browser and the gateway send along.
const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-language", "en-US,en;q=0.9"),
    ("origin", "https://page.example"),
    ("referer", "https://page.example/"),
    ("sec-fetch-mode", "cors"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"),
    ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-port", "443"),
    ("x-forwarded-proto", "https"),
];

#[test]
fn a_warm_request_allocates_no_more_than_it_did() {
    // The log line counts, too.
    log::init(|name| (name == "AWS_LAMBDA_LOG_FORMAT").then(|| "JSON".to_owned()), std::io::sink);
    // All that goes into a request is of the same length in each run.
    let tenant = Tenant::blocking_http();
    let jwks = tenant.jwks().to_string();
    let environment = [("PINNED_JWKS", jwks.as_str()), ("AUTH0_DOMAIN", "example.auth0.com")];
    let door = FrontDoor::before(tenant, &environment);
    let config = config(&door.tenant, &environment);
    let audiences = json!([tenant::AUDIENCE, "https://example.auth0.com/userinfo"]);
    let token = door.token().claim("iss", "https://example.auth0.com/").claim("aud", audiences).sign();
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a header's bytes");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);

    let mut counted = Vec::new();
    let mut validate = || {
        let token = bearer::token(&headers).expect("a token");
        let claims = token::validate(&token, &door.jwks, &config, None).now_or_never();
        assert!(claims.expect("an answer at once").is_ok());
    };
    counted.push(count(&mut validate));

    let mut service =
        event::service(handler::service(Api::new(self::config(&door.tenant, &environment), door.jwks.clone())));
    for (path, authorization, status) in [
        ("/api/private", format!("Bearer {token}"), 200),
        ("/api/private-scoped", format!("Bearer {token}"), 403),
        ("/api/private", String::new(), 401),
    ] {
        let event = event("GET", path, &[&[("authorization", authorization.as_str())], HEADERS].concat()).to_string();
        let mut answer = || {
            let event: Event = serde_json::from_str(&event).expect("an event");
            let answer = service.call(LambdaEvent::new(event, Context::default())).now_or_never();
            let answer = serde_json::to_vec(&answer.expect("an answer at once").expect("no failure")).expect("JSON");
            assert!(answer.starts_with(format!("{{\"statusCode\":{status},").as_bytes()));
        };
        counted.push(count(&mut answer));
    }

    let beyond: Vec<_> = FIGURES
        .into_iter()
        .zip(counted)
        .filter(|((_, figure), counted)| counted.abs_diff(*figure) > figure / 20)
        .map(|((what, figure), counted)| format!("to {what} it allocated {figure} times, and now {counted}"))
        .collect();
    assert!(beyond.is_empty(), "{beyond:#?}: see what allocates, or change the figures");
}

/// Allocations of a call, when all that is made once is there.
fn count(call: &mut dyn FnMut()) -> u64 {
    (0..3).for_each(|_| call());
    allocation_counter::measure(call).count_total
}
