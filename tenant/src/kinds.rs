//! Turns the name of a kind into a token of that kind: what `GET /token?kind=` hands out.

use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use crate::key::Key;
use crate::token::{Token, now};

/// Each kind by name, and how to make such a token of a good one.
pub(crate) const KINDS: [(&str, Mint); 14] = [
    ("valid", |token| token.sign()),
    ("scoped", |token| token.scope("openid profile email read:messages").sign()),
    ("expired", |token| token.at(now() - 2 * 86_400).sign()),
    ("wrong-audience", |token| token.claim("aud", "https://another-api.example/").sign()),
    ("wrong-issuer", |token| token.claim("iss", "https://another-tenant.example/").sign()),
    ("bad-signature", |token| flip_a_bit(&token.sign())),
    ("unknown-key", |token| token.signed_by(&STRANGER).sign()),
    ("algorithm-none", |token| unsigned(&token.header("alg", "none").sign())),
    ("tampered-payload", |token| tamper(&token)),
    // As Auth0 may issue it with role-based access control: the permission is not in `scope`.
    ("permissions", |token| token.claim("permissions", json!(["read:messages"])).sign()),
    ("organization", |token| token.claim("org_id", "org_quickstart").sign()),
    // RFC 8693, section 4.1: the user is still the subject.
    ("delegated", |token| token.claim("act", json!({ "sub": "my_assistant" })).sign()),
    ("anonymous", |token| token.claim("sub", "anon@5f7c8ec7c33c6c004bbafe82").sign()),
    // Some issuers sign refresh tokens with the same key, for the same audience.
    ("refresh", |token| token.claim("typ", "Refresh").sign()),
];

type Mint = fn(Token) -> String;

/// A key that no tenant publishes. One for the whole process: while a key is made, the tenant answers nobody.
static STRANGER: LazyLock<Key> = LazyLock::new(Key::generate_random);

/// RFC 7519, section 6: an unsecured JWT has an empty signature.
fn unsigned(token: &str) -> String {
    let (input, _) = token.rsplit_once('.').expect("a JWS has dots");
    format!("{input}.")
}

/// A scope is added after the token was signed.
fn tamper(token: &Token) -> String {
    let greedy = token.clone().scope("openid profile email read:messages").sign();
    let (input, _) = greedy.rsplit_once('.').expect("a JWS has dots");
    let signed = token.sign();
    let (_, signature) = signed.rsplit_once('.').expect("a JWS has dots");
    format!("{input}.{signature}")
}

/// Flips a bit of the decoded signature. In its base64url, some bits of the last character do not count.
fn flip_a_bit(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').expect("a JWS has dots");
    let mut signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
    signature[0] ^= 1;
    format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}
