//! The claims (RFC 7519, section 4): each one missing, of each wrong type, at each of its edges, and repeated; and what a
//! token is for.

use serde_json::{Value, json};
use tenant::{AUDIENCE, Algorithm, Tenant};

use super::{Row, Verdict, Verdict::*, sign};

pub fn rows(tenant: &Tenant, now: i64) -> Vec<Row> {
    let token = || tenant.token().at(now);
    let values = times(now).into_iter().chain(strings(tenant)).chain(types()).chain(actors()).chain(unknown());
    let mut rows: Vec<Row> = values
        .map(|(name, value, verdict)| Row::new(format!("{name}: {value}"), token().claim(name, value).sign(), verdict))
        .collect();
    rows.extend(kinds().into_iter().map(|(claims, verdict)| {
        let claims = claims.as_object().expect("an object");
        let kind = claims.iter().fold(token(), |token, (name, value)| token.claim(name, value.clone()));
        Row::new(json!(claims).to_string(), kind.sign(), verdict)
    }));
    for (name, verdict) in [
        ("exp", WrongClaims),
        ("iss", WrongClaims),
        ("aud", WrongClaims),
        ("iat", Accepted),
        ("sub", Accepted),
        ("azp", Accepted),
        ("scope", Accepted),
    ] {
        rows.push(Row::new(format!("without {name}"), token().without_claim(name).sign(), verdict));
    }
    let header = token().header_json();
    for (payload, verdict) in payloads(tenant, now) {
        rows.push(Row::new(payload.as_str(), sign(tenant, &header, &payload), verdict));
    }
    let binary = tenant.key().sign_bytes(Algorithm::Rs256, header.as_bytes(), b"{\"x\":\"\xff\"}");
    rows.push(Row::new("a payload that is no UTF-8", binary, NoObject));
    rows
}

type Claim = (&'static str, Value, Verdict);

/// `exp`, `nbf` and `iat`, with 5 s for the clocks.
fn times(now: i64) -> Vec<Claim> {
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century are exact")]
    let half = now as f64 + 0.5;
    vec![
        ("exp", json!(now - 6), Expired),
        ("exp", json!(half - 6.0), Expired),
        ("exp", json!(now - 5), Accepted),
        ("exp", json!(now - 4), Accepted),
        ("exp", json!(half + 600.0), Accepted),
        ("exp", json!(9_999_999_999.5), Accepted),
        ("exp", json!(now * 1000), Accepted), // milliseconds: the issuer says so
        ("exp", json!(9_007_199_254_740_991_i64), Accepted),
        ("exp", json!(1), Expired),
        ("exp", json!(0), Expired),
        ("exp", json!(-0.4), Expired),
        ("exp", json!(-1), Expired),
        ("exp", json!(-9_007_199_254_740_991_i64), Expired),
        ("exp", json!(9_007_199_254_740_992_i64), WrongClaims),
        ("exp", json!(-9_007_199_254_740_992_i64), WrongClaims),
        ("exp", json!(i64::MAX), WrongClaims),
        ("exp", json!(u64::MAX), WrongClaims),
        ("exp", json!(1e19), WrongClaims),
        ("exp", json!(1e300), WrongClaims),
        ("nbf", json!(now + 4), Accepted),
        ("nbf", json!(now + 5), Accepted),
        ("nbf", json!(half + 5.0), WrongClaims),
        ("nbf", json!(now + 6), WrongClaims),
        ("nbf", json!(now + 15), WrongClaims),
        ("nbf", json!(9_999_999_999_i64), WrongClaims),
        ("nbf", json!(0), Accepted),
        ("nbf", json!(-1), Accepted),
        ("nbf", json!(u64::MAX), WrongClaims),
        ("nbf", json!(-9_007_199_254_740_992_i64), WrongClaims),
        ("iat", json!(now + 5), Accepted),
        ("iat", json!(half + 5.0), WrongClaims),
        ("iat", json!(now + 6), WrongClaims),
        ("iat", json!(now + 3_600), WrongClaims),
        ("iat", json!(0), Accepted),
        ("iat", json!(-1), Accepted),
        ("iat", json!(u64::MAX), WrongClaims),
        ("iat", json!(-9_007_199_254_740_992_i64), WrongClaims),
    ]
}

/// `iss` and `aud`, byte for byte.
fn strings(tenant: &Tenant) -> Vec<Claim> {
    let issuer = tenant.issuer();
    let (domain, host) = (tenant.domain(), issuer.trim_end_matches('/'));
    let mut rows: Vec<Claim> = [
        host.to_owned(),
        format!("{host}//"),
        issuer.replace("https", "http"),
        issuer.replace("https", "HTTPS"),
        format!("https://{domain}:443/"),
        format!("https://{domain}./"),
        format!("https://user@{domain}/"),
        format!("https://www.{domain}/"),
        format!("{issuer}path"),
        format!("{issuer}?"),
        format!("{issuer}#"),
        format!(" {issuer}"),
        format!("{issuer} "),
        format!("{issuer}\0"),
        issuer.replace('1', "%31"),
        issuer.replace('1', "\u{ff11}"),
        domain.clone(),
        "https://evil.example/".to_owned(),
        String::new(),
    ]
    .into_iter()
    .map(|wrong| ("iss", json!(wrong), WrongClaims))
    .collect();
    rows.extend([
        ("iss", json!([issuer]), WrongClaims),
        ("iss", json!(["https://evil.example/", issuer]), WrongClaims),
        ("iss", json!([issuer, 5]), WrongClaims),
        ("aud", json!(AUDIENCE), Accepted),
        ("aud", json!([AUDIENCE]), Accepted),
        ("aud", json!([AUDIENCE, format!("{issuer}userinfo")]), Accepted),
        ("aud", json!(["https://other.example", AUDIENCE]), Accepted),
        ("aud", json!([AUDIENCE, AUDIENCE]), Accepted),
        ("aud", json!(["", AUDIENCE]), Accepted),
        ("aud", json!([]), WrongClaims),
        ("aud", json!([AUDIENCE, 5]), WrongClaims),
        ("aud", json!([AUDIENCE, null]), WrongClaims),
        ("aud", json!([null, AUDIENCE]), WrongClaims),
        ("aud", json!([[AUDIENCE]]), WrongClaims),
        ("aud", json!({ "0": AUDIENCE }), WrongClaims),
        ("aud", json!({ AUDIENCE: true }), WrongClaims),
        ("aud", json!(""), WrongClaims),
        ("aud", json!([""]), WrongClaims),
        ("aud", json!(format!("{AUDIENCE}/")), WrongClaims),
        ("aud", json!(AUDIENCE.trim_end_matches('i')), WrongClaims),
        ("aud", json!(AUDIENCE.to_uppercase()), WrongClaims),
        ("aud", json!(format!("{AUDIENCE} ")), WrongClaims),
        ("aud", json!(format!("{AUDIENCE} https://other.example")), WrongClaims),
        ("aud", json!(format!("{AUDIENCE},https://other.example")), WrongClaims),
        ("aud", json!("https://other.example"), WrongClaims),
        ("aud", json!(["https://other.example"]), WrongClaims),
        ("aud", json!((0..400).map(|n| n.to_string()).collect::<Vec<_>>()), WrongClaims),
        ("sub", json!(""), Accepted),
        ("sub", json!("id@clients"), Accepted),
        ("jti", json!("id"), Accepted),
        ("jti", json!(""), Accepted),
    ]);
    let mut crowd: Vec<_> = (0..400).map(|n| n.to_string()).collect();
    crowd.push(AUDIENCE.to_owned());
    rows.push(("aud", json!(crowd), Accepted));
    rows
}

/// Each claim that is looked at, with each type. `null` counts as absent.
fn types() -> Vec<Claim> {
    let values = [json!(true), json!(false), json!([]), json!({}), json!("x"), json!(5), json!(0.5)];
    let mut rows = Vec::new();
    for (names, right) in [(&["exp", "nbf", "iat"][..], &values[5..]), (&["iss", "aud", "sub", "jti"], &values[4..5])] {
        for name in names {
            let wrong = values.iter().filter(|value| !right.contains(value));
            rows.extend(wrong.map(|value| (*name, value.clone(), WrongClaims)));
        }
    }
    for name in ["exp", "nbf", "iat"] {
        for value in [json!("9999999999"), json!("1"), json!(""), json!([9_999_999_999_i64]), json!({ name: 1 })] {
            rows.push((name, value, WrongClaims));
        }
    }
    for name in ["scope", "scp"] {
        for value in [json!(""), json!([]), json!(["read:messages"]), json!([""])] {
            rows.push((name, value, Accepted));
        }
        for value in [json!(true), json!(5), json!({}), json!([5]), json!(["a", null]), json!([["a"]])] {
            rows.push((name, value, WrongClaims));
        }
    }
    for name in ["exp", "iss", "aud"] {
        rows.push((name, json!(null), WrongClaims));
    }
    for name in ["nbf", "iat", "sub", "jti", "scope", "scp", "act", "cnf"] {
        rows.push((name, json!(null), Accepted));
    }
    rows
}

/// `act` (RFC 8693, section 4.1): an object with a `sub`, and one `act` in another, five at most.
fn actors() -> Vec<Claim> {
    let chain = |length: usize| (0..length).fold(json!(null), |act, _| json!({ "sub": "service", "act": act }));
    vec![
        ("act", json!({ "sub": "service" }), Accepted),
        ("act", json!({ "sub": "service", "iss": 5 }), Accepted),
        ("act", json!({ "sub": null, "act": null }), Accepted),
        ("act", json!({}), Accepted),
        ("act", chain(5), Accepted),
        ("act", chain(6), WrongClaims),
        ("act", json!("service"), WrongClaims),
        ("act", json!(5), WrongClaims),
        ("act", json!(true), WrongClaims),
        ("act", json!(["service"]), WrongClaims),
        ("act", json!({ "sub": 5 }), WrongClaims),
        ("act", json!({ "sub": ["service"] }), WrongClaims),
        ("act", json!({ "sub": "service", "act": "another" }), WrongClaims),
        ("act", json!({ "sub": "service", "act": { "sub": 5 } }), WrongClaims),
    ]
}

/// What a token is for, as its claims tell it.
fn kinds() -> Vec<(Value, Verdict)> {
    let logout = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let mut rows = vec![
        // ID tokens. An SPA's has a nonce alone; Keycloak writes one into access tokens, too.
        (json!({ "at_hash": "x" }), WrongClaims),
        (json!({ "c_hash": "x" }), WrongClaims),
        (json!({ "s_hash": "x" }), WrongClaims),
        (json!({ "at_hash": 5 }), WrongClaims),
        (json!({ "c_hash": "" }), WrongClaims),
        (json!({ "s_hash": false }), WrongClaims),
        (json!({ "at_hash": null, "c_hash": null, "s_hash": null }), Accepted),
        (json!({ "at_hash": "x", "typ": "Bearer" }), WrongClaims),
        (json!({ "nonce": "n" }), WrongClaims),
        (json!({ "nonce": "" }), WrongClaims),
        (json!({ "nonce": 5 }), WrongClaims),
        (json!({ "nonce": null }), Accepted),
        (json!({ "nonce": "n", "typ": "Bearer" }), Accepted),
        (json!({ "nonce": "n", "typ": "bearer" }), Accepted),
        (json!({ "nonce": "n", "typ": "JWT" }), WrongClaims),
        (json!({ "nonce": "n", "typ": ["Bearer"] }), WrongClaims),
        (json!({ "nonce": "n", "token_use": "access" }), WrongClaims),
        (json!({ "aud": "my_client_id", "nonce": "n" }), WrongClaims),
        // Logout tokens.
        (json!({ "events": logout }), WrongClaims),
        (json!({ "events": {} }), WrongClaims),
        (json!({ "events": null }), Accepted),
        // What an issuer calls them itself.
        (json!({ "token_use": "access" }), Accepted),
        (json!({ "token_use": null }), Accepted),
        (json!({ "token_use": "id" }), WrongClaims),
        (json!({ "token_use": "refresh" }), WrongClaims),
        (json!({ "token_use": "" }), WrongClaims),
        (json!({ "token_use": 5 }), WrongClaims),
        (json!({ "token_use": ["access"] }), WrongClaims),
        (json!({ "typ": "JWT" }), Accepted),
        (json!({ "typ": "at+jwt" }), Accepted),
        (json!({ "typ": "" }), Accepted),
        (json!({ "typ": 5 }), Accepted),
        (json!({ "typ": ["ID"] }), Accepted),
        (json!({ "typ": null }), Accepted),
        // Bound to a key (RFC 9449, section 7.1; RFC 8705, section 3).
        (json!({ "cnf": { "jkt": "x" } }), WrongClaims),
        (json!({ "cnf": { "x5t#S256": "x" } }), WrongClaims),
        (json!({ "cnf": {} }), WrongClaims),
        (json!({ "cnf": "x" }), WrongClaims),
        // Auth0's anonymous sessions.
        (json!({ "sub": "anon@" }), WrongClaims),
        (json!({ "sub": "anon@5f7c8ec7" }), WrongClaims),
        (json!({ "sub": "Anon@5f7c8ec7" }), Accepted),
        (json!({ "sub": "anon" }), Accepted),
        (json!({ "sub": "auth0|anon@5f7c8ec7" }), Accepted),
        // Machines.
        (json!({ "sub": "id@clients", "gty": "client-credentials" }), Accepted),
    ];
    for kind in ["ID", "Refresh", "Offline", "Logout"] {
        for typ in [kind.to_owned(), kind.to_lowercase(), kind.to_uppercase()] {
            rows.push((json!({ "typ": typ }), WrongClaims));
        }
    }
    rows
}

/// What means nothing here.
fn unknown() -> Vec<Claim> {
    vec![
        ("EXP", json!(0), Accepted),
        ("Iss", json!(5), Accepted),
        ("iss\0", json!("x"), Accepted),
        (" exp", json!("x"), Accepted),
        ("CNF", json!({}), Accepted),
        ("Nonce", json!("n"), Accepted),
        ("azp", json!(5), Accepted),
        ("org_id", json!([]), Accepted),
        ("gty", json!({}), Accepted),
        ("permissions", json!(5), Accepted),
        ("__proto__", json!({ "exp": 0 }), Accepted),
        ("constructor", json!(null), Accepted),
        ("", json!("x"), Accepted),
        ("https://example.com/roles", json!(["admin"]), Accepted),
    ]
}

/// Payloads as they are written, where a value alone would not say it.
fn payloads(tenant: &Tenant, now: i64) -> Vec<(String, Verdict)> {
    let (iss, aud) = (tenant.issuer(), AUDIENCE);
    let (later, past) = (now + 60, now - 60);
    let good = format!(r#""iss":"{iss}","aud":"{aud}","iat":{now}"#);
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let members: Vec<_> = (0..600).map(|n| format!("\"{n:x}\":0")).collect();
    let mut rows = vec![
        (format!(r#"{{{good},"exp":{later}}}"#), Accepted),
        (format!(r#" {{ {good} ,{}"\u0065xp" : {later} }} "#, "\n\t\r "), Accepted),
        (format!(r#"{{{good},"exp":{later}.0}}"#), Accepted),
        (format!(r#"{{{good},"exp":{later}e0}}"#), Accepted),
        (format!(r#"{{{good},"exp":{later}0E-1}}"#), Accepted),
        (format!(r#"{{{good},"exp":{later},"x":{}}}"#, nested(120)), Accepted),
        (format!(r#"{{{good},"exp":{later},{}}}"#, members.join(",")), Accepted),
        (format!(r#"{{{good},"exp":{later},"x":"\ud83d\ude00"}}"#), Accepted),
        (format!(r#"{{{good},"exp":{later},"x":{{"exp":1,"exp":2}}}}"#), Accepted),
        (format!(r#"{{{good},"exp":1e400}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":-1e400}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":18446744073709551616}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{}}}"#, "9".repeat(40)), WrongClaims),
        (format!(r#"{{{good},"exp":-0.0}}"#), Expired),
        (format!(r#"{{{good},"exp":1e-400}}"#), Expired),
        (format!(r#"{{{good},"exp":{later},"nbf":1e400}}"#), WrongClaims),
        // Of a name that we do not know, the last value counts.
        (format!(r#"{{{good},"exp":{later},"x":1,"x":1}}"#), Accepted),
        (format!(r#"{{{good},"exp":{later},"":1,"":1}}"#), Accepted),
        (format!(r#"{{{good},"exp":{later},"azp":"a","azp":"b"}}"#), Accepted),
        // Names that are known and repeated: two readers could see two tokens.
        (format!(r#"{{{good},"exp":{later},"exp":{later}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"exp":{later}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"exp":{past}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"\u0065xp":{later}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":null,"exp":{later}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"scope":"a","scop\u0065":null}}"#), WrongClaims),
        // The first rule that is broken decides: types, then `exp`, then the others.
        (format!(r#"{{"iss":"x","aud":"y","exp":{past},"nbf":{later},"iat":{later}}}"#), Expired),
        (format!(r#"{{"exp":{past}}}"#), Expired),
        (format!(r#"{{{good},"exp":{past},"cnf":{{}}}}"#), Expired),
        (format!(r#"{{{good},"exp":{past},"nonce":"n"}}"#), Expired),
        (format!(r#"{{{good},"exp":{past},"sub":"anon@x"}}"#), Expired),
        (format!(r#"{{{good},"exp":{past},"nbf":"x"}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"nbf":1e400}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"nbf":9007199254740992}}"#), WrongClaims),
        (format!(r#"{{"iss":["{iss}"],"aud":"{aud}","exp":{past}}}"#), WrongClaims),
        (format!(r#"{{"iss":"{iss}","aud":["{aud}",5],"exp":{past}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"sub":5}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"jti":5}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"scope":5}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"scp":5}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"act":5}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"sub":"a","sub":"b"}}"#), WrongClaims),
        // One JSON object, and nothing beside it.
        (format!(r#"[{later},{past},"sub","{iss}","{aud}"]"#), NoObject),
        (format!(r#"[{{{good},"exp":{later}}}]"#), NoObject),
        (format!(r#"{{{good},"exp":{later}}}{{}}"#), NoObject),
        (format!(r#"{{{good},"exp":{later}}} x"#), NoObject),
        (format!(r#"{{{good},"exp":{later},}}"#), NoObject),
        (format!(r#"{{{good},"exp":0{later}}}"#), NoObject),
        (format!(r#"{{{good},"exp":+{later}}}"#), NoObject),
        (format!(r#"{{{good},"exp":{later}.}}"#), NoObject),
        (format!(r#"{{{good},"exp":0x7fffffff}}"#), NoObject),
        (format!(r#"{{{good},"exp":Infinity}}"#), NoObject),
        (format!(r#"{{{good},"exp":{later},"x":NaN}}"#), NoObject),
        (format!(r#"{{{good},"exp":{later},"x":1e400}}"#), NoObject),
        (format!(r#"{{{good},"exp":{later},"x":{}}}"#, nested(2_000)), NoObject),
        (format!(r#"{{{good},"exp":{later}/**/}}"#), NoObject),
        (format!("{{{good},\"exp\":{later},\"x\":\"\n\"}}"), NoObject),
        (format!("\u{feff}{{{good},\"exp\":{later}}}"), NoObject),
        (format!("{{{good},\"exp\":{later}}}\0"), NoObject),
        (format!(r#"{{{good},"exp":{later},"x":"\ud800"}}"#), NoObject),
        (format!(r#"{{{good},"exp":{later},"\udc00":1}}"#), NoObject),
    ];
    for name in KNOWN {
        rows.push((format!(r#"{{{good},"exp":{later},"{name}":null,"{name}":null}}"#), WrongClaims));
    }
    rows.extend(["null", "5", "\"string\"", "[]", "true", " ", "{", "\"{}\""].map(|json| (json.to_owned(), NoObject)));
    rows.push(("{}".to_owned(), WrongClaims));
    rows
}

/// The claims that a rule asks for.
const KNOWN: [&str; 18] = [
    "exp",
    "nbf",
    "iat",
    "iss",
    "aud",
    "sub",
    "jti",
    "scope",
    "scp",
    "act",
    "cnf",
    "at_hash",
    "c_hash",
    "s_hash",
    "events",
    "nonce",
    "token_use",
    "typ",
];
