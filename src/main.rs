//! Cold start: environment -> [`Config`] -> static JWKS -> the Lambda runtime.

#![forbid(unsafe_code)]
// What a caller or an issuer sends must not be able to stop the process.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

use std::process::ExitCode;
use std::{env, io, panic};

use api_authorization::clock::Clock;
use api_authorization::config::Config;
use api_authorization::event;
use api_authorization::handler::{self, Api};
use api_authorization::jwks::Jwks;
use api_authorization::log::{self, WithRequestId};
use lambda_http::tower::layer::layer_fn;
use lambda_runtime::{LambdaInvocation, Runtime, Service};
use once_cell::sync::OnceCell;
use tokio::runtime::{self, Builder};

/// Outlives warm invocations. The cell holds the cache, never the keys: keys rotate, a cell does not.
static JWKS: OnceCell<Jwks> = OnceCell::new();

fn main() -> ExitCode {
    log::init(|name| env::var(name).ok(), io::stdout);
    // A panic's own message may quote what a caller sent; where it happened is enough to find it.
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panic");
    }));
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_env()?;
    runtime()?.block_on(async {
        let jwks = JWKS.get_or_try_init(|| Jwks::new(&config, Clock::system()))?.clone();
        jwks.warm_up().await;
        let service = event::service(handler::service(Api::new(config, jwks)));
        run(Runtime::new(service).layer(layer_fn(WithRequestId))).await
    })
}

/// As a task: what wakes `block_on`'s own future goes by way of the kernel, two system calls more a request.
async fn run<S>(runtime: Runtime<S>) -> Result<(), lambda_runtime::Error>
where
    S: Service<LambdaInvocation, Response = (), Error = lambda_runtime::Error> + Clone + Send + 'static,
    S::Future: Send,
{
    // Not the panic's own words, which a `JoinError` has.
    tokio::spawn(runtime.run_concurrent()).await.map_err(|_| "the runtime's loop panicked")?
}

/// One thread where Lambda sends one event at a time; as many as there are cores where it sends several
/// (Managed Instances).
fn runtime() -> io::Result<runtime::Runtime> {
    let concurrency = env::var("AWS_LAMBDA_MAX_CONCURRENCY").ok().and_then(|value| value.parse::<u32>().ok());
    match concurrency {
        Some(2..) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    }
    .enable_all()
    .build()
}
