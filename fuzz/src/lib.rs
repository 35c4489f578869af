//! Any bytes -> what must hold of them: one function a target. The fuzzers call them, and `tests/corpus.rs` once more, on
//! stable Rust, for the inputs that are kept in `seeds/`. A broken rule is a panic.

#[path = "../../tests/front_door/another_verifier.rs"]
mod another_verifier;
mod bearer;
#[path = "../../tests/front_door/caught.rs"]
mod caught;
mod event;
mod jwks;
#[path = "../../tests/reading/mod.rs"]
mod reading;
mod token;

pub use bearer::bearer;
pub use event::event;
pub use jwks::jwks;
pub use token::token;

use api_authorization::config::Config;
use serde_json::Value;

/// A configuration with these keys pinned. Nobody listens where others could be fetched, so that is refused at once.
fn config(pinned: Option<&Value>) -> Config {
    let config = Config::read(|name| match name {
        "AUTH0_DOMAIN" => Some("a.example".to_owned()),
        "API_AUDIENCE" => Some("api".to_owned()),
        "JWKS_URI" => Some("http://127.0.0.1:1/".to_owned()),
        "PINNED_JWKS" => pinned.map(Value::to_string),
        _ => None,
    });
    config.expect("a good configuration")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
