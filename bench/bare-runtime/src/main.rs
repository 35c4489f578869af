//! Any JSON event -> one fixed JSON answer, without HTTP: the least that a function in Rust costs.

#![forbid(unsafe_code)]

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};
use tokio::runtime::Builder;

fn main() -> Result<(), Error> {
    Builder::new_current_thread().enable_all().build()?.block_on(run(service_fn(answer)))
}

async fn answer(_event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(json!({ "message": "Hello from a private endpoint! You need to be authenticated to see this." }))
}
