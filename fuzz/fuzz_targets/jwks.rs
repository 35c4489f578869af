//! Any bytes as what an issuer serves: keys, one to a hundred, or a reason why not.

#![no_main]

use api_authorization::jwks::Keys;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Keys::parse(bytes) {
        Ok(keys) => assert!((1..=100).contains(&keys.len())),
        Err(reason) => assert!(!reason.is_empty()),
    }
});
