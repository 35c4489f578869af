//! Any bytes as what an issuer serves: keys, one to five hundred, or a reason why not.

use api_authorization::keys::{JwkSet, NoSet};
use serde_json::Value;

pub fn jwks(bytes: &[u8]) {
    match JwkSet::parse(bytes) {
        Ok(keys) => {
            assert!((1..=500).contains(&keys.len()));
            assert!(!keys.is_empty() && JwkSet::default().is_empty());
            // Whoever reads it more loosely finds at least as many of them.
            let Ok(document) = serde_json::from_slice::<Value>(bytes) else { return };
            assert!(document["keys"].as_array().is_some_and(|list| list.len() >= keys.len()));
        }
        Err(NoSet::TooManyKeys) => {
            let document: Value = serde_json::from_slice(bytes).expect("JSON");
            assert!(document["keys"].as_array().is_some_and(|list| list.len() > 500));
        }
        Err(NoSet::NoJwks | NoSet::NoUsableKey) => {}
    }
}
