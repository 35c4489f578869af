//! Cold start: environment -> [`Config`] -> static JWKS -> [`serve`].

// What a caller or an issuer sends must not be able to stop the process.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

use std::env;
use std::process::ExitCode;

use api_authorization::clock::Clock;
use api_authorization::config::Config;
use api_authorization::issuers::Issuers;
use api_authorization::routes::ROUTES;
use api_authorization::{log, runtime, serve, template};
use lambda_runtime::Error;
use once_cell::sync::OnceCell;

/// Outlives warm invocations. The cell holds the issuers' key stores, never the keys: keys rotate, a cell does not.
static JWKS: OnceCell<Issuers> = OnceCell::new();

fn main() -> ExitCode {
    // `make routes`: the lines of template.yaml that follow from the table.
    if env::args().nth(1).as_deref() == Some("routes") {
        print!("# CorsConfiguration: {}\n{}", template::methods(ROUTES), template::events(ROUTES));
        return ExitCode::SUCCESS;
    }
    log::init();
    if let Err(error) = start() {
        tracing::error!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn start() -> Result<(), Error> {
    let config = Config::from_env()?;
    runtime()?.block_on(async {
        let issuers = JWKS.get_or_try_init(|| Issuers::new(&config, &Clock::system()))?.clone();
        // If your endpoints share something, such as the client of a database, make it here.
        serve(ROUTES, config, issuers, async { Ok(()) }).await
    })
}
