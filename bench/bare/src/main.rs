//! Any event -> one fixed answer: what a function in Rust costs before it does anything.

#![forbid(unsafe_code)]

use std::env;

use lambda_http::{Error, Request, run_concurrent, service_fn};
use serde_json::{Value, json};
use tokio::runtime::Builder;

fn main() -> Result<(), Error> {
    // As many threads as the function itself would take.
    let concurrency = env::var("AWS_LAMBDA_MAX_CONCURRENCY").ok().and_then(|value| value.parse::<u32>().ok());
    let mut builder = match concurrency {
        Some(2..) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    builder.enable_all().build()?.block_on(run_concurrent(service_fn(answer)))
}

async fn answer(_request: Request) -> Result<Value, Error> {
    Ok(json!({ "message": "Hello from a private endpoint! You need to be authenticated to see this." }))
}
