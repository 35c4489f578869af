//! Any bytes as an event: what lambda_http can read is answered, and a protected route never without a token.

#![no_main]

use std::panic::{self, AssertUnwindSafe};
use std::sync::LazyLock;

use api_authorization::clock::Clock;
use api_authorization::config::Config;
use api_authorization::handler::{self, Api};
use api_authorization::jwks::Jwks;
use lambda_http::request::LambdaRequest;
use lambda_http::tower::ServiceExt;
use lambda_http::{Request, RequestExt};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

struct World {
    runtime: Runtime,
    api: std::sync::Arc<Api>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    // lambda_http panics on some events, before they reach the function, and the runtime catches that. So it is no finding,
    // and the fuzzer's own hook, which would end the process, is taken out.
    panic::set_hook(Box::new(|_| {}));
    let config = Config::read(|name| match name {
        "AUTH0_DOMAIN" => Some("a.example".to_owned()),
        "API_AUDIENCE" => Some("api".to_owned()),
        "JWKS_URI" => Some("http://127.0.0.1:1/".to_owned()),
        _ => None,
    });
    let config = config.expect("a good configuration");
    let jwks = Jwks::new(&config, Clock::system()).expect("a client");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    World { runtime, api: Api::new(config, jwks) }
});

fuzz_target!(|bytes: &[u8]| {
    let world = &*WORLD;
    let Ok(event) = serde_json::from_slice::<LambdaRequest>(bytes) else { return };
    let Ok(request) = panic::catch_unwind(AssertUnwindSafe(|| Request::from(event))) else { return };
    let (path, method) = (request.raw_http_path().to_owned(), request.method().clone());
    let answered = panic::catch_unwind(AssertUnwindSafe(|| {
        world.runtime.block_on(handler::service(world.api.clone()).oneshot(request))
    }));
    let Ok(Ok(answer)) = answered else {
        eprintln!("a panic in the function");
        std::process::abort();
    };
    let fine = match answer.status().as_u16() {
        200 => method == "OPTIONS" || path.ends_with("/api/public"),
        401 | 404 | 405 | 503 => true,
        _ => false,
    };
    if !fine {
        eprintln!("{method} {path}: {}", answer.status());
        std::process::abort();
    }
});
