//! See `src/event.rs`.

#![no_main]

use std::panic;

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    // The fuzzer's own hook ends the process at every panic, those of lambda_http among them.
    init: panic::set_hook(Box::new(|panic| {
        if panic.location().is_some_and(|at| !at.file().contains("lambda_http")) {
            eprintln!("{panic}");
        }
    })),
    |bytes: &[u8]| fuzz::event(bytes)
);
