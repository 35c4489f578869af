//! A stand-in for DynamoDB in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// It has one table, and ends when it is dropped.
pub struct Dynalite {
    process: Child,
    pub url: String,
}

impl Dynalite {
    /// Starts it at a free port.
    pub fn start() -> Self {
        let mut process = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dynalite/server.js"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js");
        let mut url = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut url).expect("a line");
        assert!(!url.is_empty(), "there is no dynalite: `scripts/examples test` installs it, and runs these tests");
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Dynalite {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
