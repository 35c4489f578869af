//! Turns a test's wishes into a stand-in Auth0 tenant: it signs tokens, serves its keys, and misbehaves on demand.
//!
//! It is a stand-in: it checks nobody's identity, hands tokens to anyone who asks, and makes its keys anew at every start.
//! A [`Tenant`] speaks correct HTTP. Where HTTP itself has to go wrong, a test uses a [`Wire`], which plays a script.
//!
//! ```
//! let tenant = tenant::Tenant::blocking_http();
//! let good = tenant.token().sign();
//! let expired = tenant.token().at(1_000_000_000).sign();
//! let stranger = tenant.token().signed_by(&tenant::Key::generate("stranger")).sign();
//! # let _ = (good, expired, stranger);
//! ```

#![forbid(unsafe_code)]
// Each file imports only from files above it.

// A kid -> a key pair, its JWK, and signatures over any string.
mod key;

// Deviations -> a signed token that is good in all else.
mod token;

// The name of a kind -> a token of that kind.
mod kinds;

// How a tenant is set to answer -> the response to a request for its JWKS.
mod answer;

// The time of a request -> whether a limit grants it.
mod limit;

// What the holder sets -> what the server answers.
mod state;

// A request from elsewhere -> a refusal.
mod guard;

// A GET -> the JWKS, the discovery document, a token.
mod endpoints;

// A browser on this machine -> a page, and what its buttons do to the tenant.
mod playground;

// TCP connections -> TLS connections, under a CA of their own.
mod tls;

// A future that serves -> a thread of its own.
mod server;

// An address -> a running tenant.
mod tenant;

// A script -> one connection, which breaks below HTTP.
mod script;

// Scripts -> a port that plays them.
mod wire;

pub use answer::Answer;
pub use key::{Algorithm, Key, hs256};
pub use playground::Function;
pub use script::Step;
pub use tenant::Tenant;
pub use tls::Certificate;
pub use token::{AUDIENCE, Token};
pub use wire::Wire;
