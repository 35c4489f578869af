//! The `scope` claim of a token that is valid: words between single blanks (RFC 6749, section 3.3).

use serde_json::{Value, json};
use tenant::Tenant;

use super::{Row, Verdict, Verdict::*};

pub fn rows(tenant: &Tenant, now: i64) -> Vec<Row> {
    let row = |(name, value, verdict): (&str, Value, Verdict)| {
        let token = tenant.token().at(now).without_claim("scope").claim(name, value.clone()).sign();
        Row { path: "/api/private-scoped", ..Row::new(format!("{name} {value}"), token, verdict) }
    };
    let scopes = SCOPES.iter().map(|(scope, verdict)| ("scope", json!(scope), *verdict));
    let others = ["scp", "scopes", "permissions", "Scope", "https://example.com/scope"]
        .into_iter()
        .flat_map(|name| [(name, json!("read:messages"), NotGranted), (name, json!(["read:messages"]), NotGranted)]);
    let wrong_types = [json!(["read:messages"]), json!({ "read:messages": true }), json!(true), json!(5)];
    let wrong_types = wrong_types.into_iter().map(|value| ("scope", value, WrongClaims));
    let none = [("scope", json!(null), NotGranted), ("x", json!("no scope at all"), NotGranted)];
    scopes.chain(others).chain(wrong_types).chain(none).map(row).collect()
}

const SCOPES: &[(&str, Verdict)] = &[
    ("read:messages", Accepted),
    ("openid read:messages profile", Accepted),
    ("read:messages read:messages", Accepted),
    ("  openid   read:messages  ", Accepted),
    ("", NotGranted),
    (" ", NotGranted),
    ("openid profile email", NotGranted),
    ("write:messages", NotGranted),
    ("read:messages2", NotGranted),
    ("xread:messages", NotGranted),
    ("read:message", NotGranted),
    ("read", NotGranted),
    ("*", NotGranted),
    ("read:*", NotGranted),
    ("READ:messages", NotGranted),
    ("Read:Messages", NotGranted),
    ("read: messages", NotGranted),
    ("read:messages\0", NotGranted),
    ("\"read:messages\"", NotGranted),
    ("openid\tread:messages", NotGranted),
    ("openid\nread:messages", NotGranted),
    ("read:messages\n", NotGranted),
    ("openid\u{b}read:messages", NotGranted),
    ("openid\u{a0}read:messages", NotGranted),
    ("openid\u{3000}read:messages", NotGranted),
    ("openid,read:messages", NotGranted),
    ("openid+read:messages", NotGranted),
    ("openid%20read:messages", NotGranted),
    ("read:mess\u{430}ges", NotGranted),
    ("read:messa\u{301}ges", NotGranted),
    ("read:messages\u{200b}", NotGranted),
    ("\u{feff}read:messages", NotGranted),
];
