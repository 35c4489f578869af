//! Cold start of the authorizer: environment -> [`Authorizer`] -> answers, until Lambda ends the process.

// What a caller or an issuer sends must not be able to stop the process.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

use std::process::ExitCode;
use std::sync::Arc;

use api_authorization::authorizer::{Authorizer, Rules};
use api_authorization::clock::Clock;
use api_authorization::config::Config;
use api_authorization::issuers::Issuers;
use api_authorization::{log, runtime};
use lambda_runtime::{Error, LambdaEvent, run_concurrent, service_fn};
use serde_json::value::RawValue;

fn main() -> ExitCode {
    log::init();
    if let Err(error) = start() {
        tracing::error!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn start() -> Result<(), Error> {
    let (config, rules) = (Config::from_env()?, Rules::from_env()?);
    runtime()?.block_on(async {
        let issuers = Issuers::new(&config, &Clock::system())?;
        issuers.warm_up().await;
        let authorizer = Arc::new(Authorizer::new(rules, config, issuers));
        run_concurrent(service_fn(move |LambdaEvent { payload, context }: LambdaEvent<Box<RawValue>>| {
            let authorizer = Arc::clone(&authorizer);
            async move { authorizer.answer(&payload, &context).await }
        }))
        .await
    })
}
