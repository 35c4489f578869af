//! Any bytes as the lines of an `Authorization` header: a token of one word, or a refusal.

use api_authorization::bearer;
use lambda_http::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

pub fn bearer(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    // 0x00 is no byte of a header: it parts the lines here.
    for line in bytes.split(|byte| *byte == 0) {
        let Ok(line) = HeaderValue::from_bytes(line) else { return };
        headers.append(AUTHORIZATION, line);
    }
    let words: Vec<_> = bytes.split(|byte| b" \t".contains(byte)).filter(|word| !word.is_empty()).collect();
    match bearer::token(&headers) {
        Ok(token) => {
            assert_eq!(headers.len(), 1);
            assert_eq!(words.len(), 2);
            assert!(words[0].eq_ignore_ascii_case(b"bearer"));
            assert_eq!(words[1], token.unverified());
            assert!(!words[1].contains(&b','));
        }
        Err(refusal) => assert_eq!(refusal.status(), 401),
    }
}
