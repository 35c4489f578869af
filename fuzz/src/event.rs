//! Any bytes as an event: what can be made a request is answered, and a protected route never without a token.

use std::cell::Cell;
use std::convert::Infallible;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, LazyLock};

use api_authorization::clock::Clock;
use api_authorization::event::{self, Event};
use api_authorization::handler::{self, Api};
use api_authorization::keys::KeyStore;
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
    let keys = KeyStore::new(config.key_source(), Clock::system()).expect("a client");
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let file = panic.location().map_or("", |at| at.file());
        let theirs = file.contains("lambda_http") || file.contains("aws_lambda_events");
        THEIRS.set(theirs);
        // The fuzzer's own hook ends the process.
        if !theirs {
            report(panic);
        }
    }));
    World { runtime: super::runtime(), api: Api::new(ROUTES, config, keys, ()) }
});

thread_local! {
    /// Whether the last panic was in a library that makes requests of events.
    static THEIRS: Cell<bool> = const { Cell::new(false) };
}

pub fn event(bytes: &[u8]) {
    let world = &*WORLD;
    let Ok(event) = serde_json::from_slice::<Event>(bytes) else { return };
    let mut service = event::service(service_fn(answer));
    let call = || world.runtime.block_on(service.call(LambdaEvent::new(event, Context::default())));
    match panic::catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(_)) => {}
        // lambda_http panics on some events, and aws_lambda_events at a body that is no base64, before they reach the
        // function; the runtime catches that: no finding.
        Err(_) if THEIRS.get() => {}
        Err(panic) => panic::resume_unwind(panic),
    }
}

async fn answer(request: Request) -> Result<Response<Body>, Infallible> {
    let (path, method) = (request.raw_http_path().to_owned(), request.method().clone());
    let answer = handler::service(WORLD.api.clone()).oneshot(request).await?;
    let fine = match answer.status().as_u16() {
        200 => method == "OPTIONS" || path.ends_with("/api/public"),
        401 | 404 | 405 | 503 => true,
        _ => false, // 500 is a panic in the function
    };
    assert!(fine, "{method} {path}: {}", answer.status());
    Ok(answer)
}
