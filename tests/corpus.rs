//! The inputs that fuzzing has kept, once more, on stable Rust.

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::Path;

#[test]
fn bearer() {
    replay("fuzz/seeds/bearer", fuzz::bearer);
}

#[test]
fn token() {
    replay("fuzz/seeds/token", fuzz::token);
}

#[test]
fn jwks() {
    replay("fuzz/seeds/jwks", fuzz::jwks);
}

#[test]
fn event() {
    replay("fuzz/seeds/event", fuzz::event);
    replay("events", fuzz::event);
}

fn replay(folder: &str, holds: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut replayed = 0;
    for file in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let file = file.expect("a file").path();
        println!("{}", file.display()); // shown where the test fails
        holds(&fs::read(&file).expect("its bytes"));
        replayed += 1;
    }
    assert!(replayed > 10, "{replayed} inputs in {}", folder.display());
}
