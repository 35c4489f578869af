//! The claims (RFC 7519, section 4): each one missing, of each wrong type, at each of its edges, and repeated.

use serde_json::{Value, json};
use tenant::{AUDIENCE, Algorithm, Tenant};

use super::{Row, Verdict, Verdict::*, sign};

pub fn rows(tenant: &Tenant, now: i64) -> Vec<Row> {
    let token = || tenant.token().at(now);
    let values = times(now).into_iter().chain(texts(tenant)).chain(wrong_types()).chain(foreign());
    let mut rows: Vec<Row> = values
        .map(|(name, value, verdict)| Row::new(format!("{name}: {value}"), token().claim(name, value).sign(), verdict))
        .collect();
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
    rows.push(Row::new("an ID token", token().claim("aud", "my_client_id").claim("nonce", "n").sign(), WrongClaims));
    let header = token().header_json();
    for (payload, verdict) in texts_of_payloads(tenant, now) {
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
        ("iat", json!(now + 5), Accepted),
        ("iat", json!(half + 5.0), WrongClaims),
        ("iat", json!(now + 6), WrongClaims),
        ("iat", json!(now + 3_600), WrongClaims),
        ("iat", json!(0), Accepted),
        ("iat", json!(-1), Accepted),
        ("iat", json!(u64::MAX), WrongClaims),
    ]
}

/// `iss` and `aud`, byte for byte.
fn texts(tenant: &Tenant) -> Vec<Claim> {
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
        ("scope", json!(null), Accepted),
    ]);
    let mut crowd: Vec<_> = (0..400).map(|n| n.to_string()).collect();
    crowd.push(AUDIENCE.to_owned());
    rows.push(("aud", json!(crowd), Accepted));
    rows
}

/// Each claim that is looked at, with each type that it must not have.
fn wrong_types() -> Vec<Claim> {
    let values = [json!(null), json!(true), json!(false), json!([]), json!({}), json!("x"), json!(5), json!(0.5)];
    let mut rows = Vec::new();
    for (names, right) in [(&["exp", "nbf", "iat"][..], &values[6..]), (&["iss", "aud", "sub", "jti"], &values[5..6])] {
        for name in names {
            let wrong = values.iter().filter(|value| !right.contains(value));
            rows.extend(wrong.map(|value| (*name, value.clone(), WrongClaims)));
        }
    }
    for value in [json!(true), json!(false), json!([]), json!({}), json!(5), json!(["read:messages"])] {
        rows.push(("scope", value, WrongClaims));
    }
    for name in ["exp", "nbf", "iat"] {
        for value in [json!("9999999999"), json!("1"), json!(""), json!([9_999_999_999_i64]), json!({ name: 1 })] {
            rows.push((name, value, WrongClaims));
        }
    }
    rows
}

/// What is made for something else than an API, and what means nothing here.
fn foreign() -> Vec<Claim> {
    let logout = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    vec![
        ("cnf", json!({ "jkt": "x" }), WrongClaims),
        ("cnf", json!({ "x5t#S256": "x" }), WrongClaims),
        ("cnf", json!({}), WrongClaims),
        ("cnf", json!(null), WrongClaims),
        ("at_hash", json!("x"), WrongClaims),
        ("at_hash", json!(null), WrongClaims),
        ("events", logout, WrongClaims),
        ("events", json!(null), WrongClaims),
        ("gty", json!("client-credentials"), Accepted),
        ("nonce", json!("n"), Accepted),
        ("EXP", json!(0), Accepted),
        ("Iss", json!(5), Accepted),
        ("iss\0", json!("x"), Accepted),
        (" exp", json!("x"), Accepted),
        ("CNF", json!({}), Accepted),
        ("__proto__", json!({ "exp": 0 }), Accepted),
        ("constructor", json!(null), Accepted),
        ("", json!("x"), Accepted),
        ("https://example.com/roles", json!(["admin"]), Accepted),
    ]
}

/// Payloads by their text, where a value alone would not say it.
fn texts_of_payloads(tenant: &Tenant, now: i64) -> Vec<(String, Verdict)> {
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
        (format!(r#"{{{good},"exp":{later},"x":{}}}"#, nested(2_000)), Accepted),
        (format!(r#"{{{good},"exp":{later},{}}}"#, members.join(",")), Accepted),
        (format!(r#"{{{good},"exp":{later},"x":1e400}}"#), Accepted),
        (format!(r#"{{{good},"exp":{later},"x":"\ud83d\ude00"}}"#), Accepted),
        (format!(r#"{{{good},"exp":{later},"x":{{"exp":1,"exp":2}}}}"#), Accepted),
        (format!(r#"{{{good},"exp":1e400}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":-1e400}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":18446744073709551616}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{}}}"#, "9".repeat(40)), WrongClaims),
        (format!(r#"{{{good},"exp":-0.0}}"#), Expired),
        (format!(r#"{{{good},"exp":1e-400}}"#), Expired),
        (format!(r#"{{{good},"exp":{later},"nbf":1e400}}"#), WrongClaims),
        // Names that repeat.
        (format!(r#"{{{good},"exp":{later},"exp":{later}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"exp":{later}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"exp":{past}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{past},"\u0065xp":{later}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"iss":"{iss}"}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"aud":"{aud}"}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"iat":{now}}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"sub":"a","sub":"b"}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"scope":"a","scope":"read:messages"}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"scope":"a","scop\u0065":null}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"x":1,"x":1}}"#), WrongClaims),
        (format!(r#"{{{good},"exp":{later},"":1,"":1}}"#), WrongClaims),
        // The first rule that is broken decides.
        (format!(r#"{{{good},"exp":{past},"x":1,"x":1}}"#), Expired),
        (format!(r#"{{"iss":"x","aud":"y","exp":{past},"nbf":{later},"iat":"z"}}"#), Expired),
        (format!(r#"{{{good},"exp":{past},"cnf":{{}},"scope":5}}"#), Expired),
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
        (format!(r#"{{{good},"exp":{later}/**/}}"#), NoObject),
        (format!("{{{good},\"exp\":{later},\"x\":\"\n\"}}"), NoObject),
        (format!("\u{feff}{{{good},\"exp\":{later}}}"), NoObject),
        (format!("{{{good},\"exp\":{later}}}\0"), NoObject),
        (format!(r#"{{{good},"exp":{later},"x":"\ud800"}}"#), NoObject),
        (format!(r#"{{{good},"exp":{later},"\udc00":1}}"#), NoObject),
    ];
    rows.extend(["null", "5", "\"text\"", "[]", "true", " ", "{", "\"{}\""].map(|text| (text.to_owned(), NoObject)));
    rows.push(("{}".to_owned(), WrongClaims));
    rows
}
