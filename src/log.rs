//! Environment -> what is logged: each line is a JSON object, and metrics are made of them.

use std::{env, io, panic};

use lambda_http::tracing::Subscriber;
use lambda_http::tracing::subscriber::filter::{LevelFilter, Targets};
use lambda_http::tracing::subscriber::fmt::{self as lines, MakeWriter};
use lambda_http::tracing::subscriber::prelude::*;
use lambda_http::tracing::subscriber::registry;

/// Sets the log up, once a process, by the variables that Rust functions know: `AWS_LAMBDA_LOG_LEVEL` (by default
/// `INFO`), and `RUST_LOG`, a list of `target=level` with commas between. Lambda's level goes before a bare one in
/// `RUST_LOG`.
///
/// Each line that is written for a request stands in the runtime's span, which has Lambda's `requestId` and X-Ray's
/// `xrayTraceId`.
pub fn init() {
    let (subscriber, understood) = subscriber(|name| env::var(name).ok(), io::stdout);
    subscriber.init();
    if !understood {
        tracing::warn!("RUST_LOG is ignored: set it to a level, or to target=level, with commas between.");
    }
    // A panic's own message may quote what a caller sent; where it happened is enough to find it.
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panic");
    }));
}

/// What the log shows of a string that came from outside: escaped, so that it can neither break the line nor control the reader's
/// terminal, and 128 characters at most.
pub fn shown(string: &str) -> String {
    string.escape_default().take(128).collect()
}

/// What writes the log, and whether `RUST_LOG` was understood.
fn subscriber(
    variable: impl Fn(&str) -> Option<String>,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> (impl Subscriber + Send + Sync, bool) {
    // An empty item would mean `error`.
    let list = variable("RUST_LOG").unwrap_or_default();
    let items: Vec<_> = list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    let targets = if items.is_empty() { Ok(Targets::new()) } else { items.join(",").parse() };
    let understood = targets.is_ok();
    let targets = targets.unwrap_or_default();
    let level = variable("AWS_LAMBDA_LOG_LEVEL").filter(|level| !level.is_empty()).and_then(|level| level.parse().ok());
    let level = level.or(targets.default_level()).unwrap_or(LevelFilter::INFO);
    // The runtime logs warnings alone, unless RUST_LOG names it. Its span stays on at any level, for it has the ids.
    let filter = Targets::new()
        .with_default(level)
        .with_target("lambda_runtime", level.min(LevelFilter::WARN))
        .with_target("lambda_runtime::layers::trace", LevelFilter::INFO)
        // An invocation that fails is the authorizer's refusal, and has its line.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
        .with_targets(targets);
    let lines = lines::layer().json().without_time().with_target(false).with_span_list(false).with_writer(writer);
    (registry().with(lines).with(filter), understood)
}

#[cfg(test)]
#[path = "../tests/unit/log.rs"]
mod tests;
