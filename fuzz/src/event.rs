//! Any bytes as an event of one of the four fronts: each is answered, and a protected route never without a token.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use api_authorization::clock::Clock;
use api_authorization::event::{self, Event};
use api_authorization::handler::{self, Api};
use api_authorization::issuers::Issuers;
use api_authorization::routes::ROUTES;
use lambda_http::tower::{Service, ServiceExt};
use lambda_http::{Body, Context, LambdaEvent, Request, RequestExt, Response, service_fn};
use tokio::runtime::Runtime;

struct World {
    runtime: Runtime,
    api: Arc<Api>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let config = super::config(None);
    let issuers = Issuers::new(&config, &Clock::system()).expect("a client");
    // The fuzzer's own hook ends the process, also where the panic is caught.
    super::caught::quietly();
    World { runtime: super::runtime(), api: Api::new(ROUTES, config, issuers, ()) }
});

pub fn event(bytes: &[u8]) {
    let world = &*WORLD;
    let Ok(event) = serde_json::from_slice::<Event>(bytes) else { return };
    let mut service = event::service(service_fn(answer));
    let Ok(_) = world.runtime.block_on(service.call(LambdaEvent::new(event, Context::default())));
}

async fn answer(request: Request) -> Result<Response<Body>, Infallible> {
    let (path, method) = (request.raw_http_path().to_owned(), request.method().clone());
    let malformed = event::malformed(&request);
    let answer = handler::service(WORLD.api.clone()).oneshot(request).await?;
    let fine = match answer.status().as_u16() {
        200 => method == "OPTIONS" || path.ends_with("/api/public"),
        400 => malformed,
        401 | 404 | 405 | 503 => !malformed,
        _ => false, // 500 is a panic in the function
    };
    assert!(fine, "{method} {path}: {}", answer.status());
    Ok(answer)
}
