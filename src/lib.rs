//! The Auth0 "API: Authorization" quickstart as one AWS Lambda function.
//!
//! A request meets these files in this order:
//!
//! - [`config`]: environment variables -> `Config`, or a sentence that tells how to fix them
//! - [`event`]: an event of one of the four fronts -> a request; one that makes no HTTP request -> 400
//! - [`handler`]: a request -> its response
//! - [`access_log`]: what was asked, and what was decided -> one line in the access log
//! - [`routes`]: the table of this API's routes, and its endpoints
//! - [`route`]: the types of that table, and how a request finds its row
//! - [`call`]: a request and its route -> the `Call` that the handler gets
//! - [`reply`]: what an endpoint answers
//! - [`bearer`]: the `Authorization` header -> a bearer token
//! - [`token`]: a bearer token -> verified claims
//! - [`issuers`]: a token's `iss` -> the issuer, with its key store
//! - [`keys`]: a `kid` -> the issuer's signing key
//! - [`grant`]: what a route requires, against the claims -> go on, or 403
//! - [`metadata`]: what clients that discover their authorization server may read of this API
//! - [`error`]: a refusal -> status, code, description, challenge
//!
//! [`authorizer`] is a second front, with a binary of its own: a Lambda authorizer's event -> allow, deny or a failed invocation,
//! by the same steps from `bearer` to `grant`.
//!
//! Three small files serve these: [`clock`], [`log`] and [`template`].

// What a caller or an issuer sends must not be able to stop the process.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

use std::future::Future;
use std::{env, io};

use lambda_runtime::Error;
use tokio::runtime::{self, Builder};

use crate::config::Config;
use crate::handler::Api;
use crate::issuers::Issuers;
use crate::route::Route;

pub mod config;

pub mod event;

pub mod handler;

pub mod access_log;

pub mod routes;

pub mod route;

pub mod call;

pub mod reply;

pub mod bearer;

pub mod token;

pub mod issuers;

pub mod keys;

pub mod grant;

pub mod metadata;

pub mod error;

pub mod authorizer;

pub mod clock;

pub mod log;

pub mod template;

/// Answers events by a table of routes until Lambda ends the process.
///
/// `state` is what all calls share, such as the client of a database. It is made once, in the init phase, side by side
/// with the first fetch of the signing keys.
///
/// # Errors
/// Where `state` cannot be made, or the Runtime API cannot be reached.
pub async fn serve<S: Send + Sync + 'static>(
    routes: &'static [Route<S>],
    config: Config,
    issuers: Issuers,
    state: impl Future<Output = Result<S, Error>>,
) -> Result<(), Error> {
    let (state, ()) = futures_util::future::join(state, issuers.warm_up()).await;
    let api = Api::new(routes, config, issuers, state?);
    lambda_runtime::run_concurrent(event::service(handler::service(api))).await
}

/// The threads that [`serve`] runs on: one where Lambda sends one event at a time, as many as there are cores where it
/// sends several at once (Managed Instances).
///
/// # Errors
/// Where no thread can be started.
pub fn runtime() -> io::Result<runtime::Runtime> {
    let concurrency = env::var("AWS_LAMBDA_MAX_CONCURRENCY").ok().and_then(|value| value.parse::<u32>().ok());
    match concurrency {
        Some(2..) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    }
    .enable_all()
    .build()
}
