//! The scopes of a token that is valid, `scope` or `scp`: words between single blanks (RFC 6749, section 3.3), or a list.

use serde_json::{Value, json};
use tenant::Tenant;

use super::{Row, Verdict, Verdict::*};

pub fn rows(tenant: &Tenant, now: i64) -> Vec<Row> {
    let row = |(claims, verdict): (Value, Verdict)| {
        let token = tenant.token().at(now).without_claim("scope");
        let claims = claims.as_object().expect("an object");
        let token = claims.iter().fold(token, |token, (name, value)| token.claim(name, value.clone()));
        Row { path: "/api/private-scoped", ..Row::new(json!(claims).to_string(), token.sign(), verdict) }
    };
    let words = |name: &'static str| SCOPES.iter().map(move |(scope, verdict)| (json!({ name: scope }), *verdict));
    let lists = |name: &'static str| lists().into_iter().map(move |(list, verdict)| (json!({ name: list }), verdict));
    let both = ["scope", "scp"].into_iter().flat_map(|name| words(name).chain(lists(name)));
    both.chain(names()).map(row).collect()
}

/// Each member of a list is one word.
fn lists() -> Vec<(Value, Verdict)> {
    vec![
        (json!(["read:messages"]), Accepted),
        (json!(["openid", "read:messages"]), Accepted),
        (json!(["", "read:messages"]), Accepted),
        (json!([]), NotGranted),
        (json!(["openid"]), NotGranted),
        (json!(["openid read:messages"]), NotGranted),
        (json!(["read:messages "]), NotGranted),
        (json!(["READ:MESSAGES"]), NotGranted),
        (json!(["read:messages", 5]), WrongClaims),
        (json!(["read:messages", null]), WrongClaims),
        (json!([["read:messages"]]), WrongClaims),
        (json!({ "read:messages": true }), WrongClaims),
        (json!(true), WrongClaims),
        (json!(5), WrongClaims),
        (json!(null), NotGranted),
    ]
}

/// Where the words are looked for.
fn names() -> Vec<(Value, Verdict)> {
    let right = "read:messages";
    let mut rows = vec![
        (json!({}), NotGranted),
        (json!({ "scope": null, "scp": right }), Accepted),
        (json!({ "scope": right, "scp": "" }), Accepted),
        (json!({ "scope": "", "scp": right }), NotGranted),
        (json!({ "scope": [], "scp": right }), NotGranted),
        (json!({ "scope": right, "scp": 5 }), WrongClaims),
    ];
    for name in ["scopes", "permissions", "Scope", "SCP", "roles", "https://example.com/scope"] {
        rows.extend([(json!({ name: right }), NotGranted), (json!({ name: [right] }), NotGranted)]);
    }
    rows
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
