//! A token -> the time that verifying its signature takes, and nothing else: no candidate can be faster.

use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tenant::Key;

/// The mean of many verifications in a row.
pub fn rs256(key: &Key, token: &str) -> Duration {
    verifications(key, token) / TIMES
}

/// Verifications a second by so many threads: what the machine itself makes of more cores, which may share one.
pub fn rate(key: &Key, token: &str, threads: u32) -> f64 {
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..10).for_each(|_| _ = verifications(key, token)));
        }
    });
    f64::from(threads * 10 * TIMES) / started.elapsed().as_secs_f64()
}

fn verifications(key: &Key, token: &str) -> Duration {
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.pkcs1_der()).expect("a key");
    let (input, signature) = token.rsplit_once('.').expect("a JWS has dots");
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let started = Instant::now();
    for _ in 0..TIMES {
        key.verify_sig(input.as_bytes(), &signature).expect("a good signature");
    }
    started.elapsed()
}

const TIMES: u32 = 2_000;
