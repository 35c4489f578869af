//! Any bytes as the lines of an `Authorization` header: a token of one word, or a refusal.

#![no_main]

use api_authorization::bearer;
use lambda_http::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    // 0x00 is no byte of a header: it parts the lines here.
    for line in bytes.split(|byte| *byte == 0) {
        let Ok(line) = HeaderValue::from_bytes(line) else { return };
        headers.append(AUTHORIZATION, line);
    }
    match bearer::token(&headers) {
        Ok(token) => {
            let token = token.unverified();
            assert_eq!(headers.len(), 1);
            assert!(!token.is_empty() && !token.iter().any(|byte| b" \t,".contains(byte)));
            assert!(bytes.len() >= "bearer ".len() + token.len());
        }
        Err(refusal) => assert_eq!(refusal.status(), 401),
    }
});
