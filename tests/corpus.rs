//! The inputs that fuzzing has kept, once more, on stable Rust.

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;

#[test]
fn bearer() {
    replay("bearer", fuzz::bearer);
}

#[test]
fn token() {
    replay("token", fuzz::token);
}

#[test]
fn jwks() {
    replay("jwks", fuzz::jwks);
}

#[test]
fn event() {
    replay("event", fuzz::event);
}

/// Each line is a JSON string, in which a byte is the character of its number.
fn replay(target: &str, holds: fn(&[u8])) {
    let path = format!("{}/fuzz/seeds/{target}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let seeds = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(seeds.lines().count() > 10, "{path} holds next to nothing");
    for (line, seed) in seeds.lines().enumerate() {
        println!("{path}:{}", line + 1); // shown where the test fails
        let seed: String = serde_json::from_str(seed).expect("a JSON string");
        let bytes: Vec<u8> = seed.chars().map(|byte| u8::try_from(byte).expect("a byte")).collect();
        holds(&bytes);
    }
}
