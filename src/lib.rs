//! The Auth0 "API: Authorization" quickstart as one AWS Lambda function.
//!
//! A request meets these files in this order:
//!
//! - [`config`]: environment variables -> `Config`, or a sentence that tells how to mend them
//! - [`event`]: event's JSON -> request, and back
//! - [`handler`]: request -> response: the whole line of a request, and its line in the log
//! - [`routes`]: path and method -> who may call what, and the endpoints' answers
//! - [`bearer`]: `Authorization` header -> `BearerToken`
//! - [`token`]: `BearerToken` -> `Claims`: shape, header, key, signature, times, issuer, audience
//! - [`jwks`]: `kid` -> key: the cache of signing keys and its policy
//! - [`scope`]: `Claims` and the scopes that a route requires -> go on, or 403
//! - [`error`]: `ApiError` -> status, code, description, challenge
//!
//! Three small ones serve them: [`clock`], [`log`], and `json` for objects whose names are unique.

#![forbid(unsafe_code)]
// What a caller or an issuer sends must not be able to stop the process.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice))]

pub mod config;

pub mod event;

pub mod handler;

pub mod routes;

pub mod bearer;

pub mod token;

pub mod jwks;

pub mod scope;

pub mod error;

pub mod clock;

pub mod log;

mod json;
