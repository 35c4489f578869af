//! The compact form: three segments of base64url in their one spelling (RFC 7515, sections 2 and 7.1).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::json;
use tenant::Tenant;

use super::{Row, Verdict::*};

pub fn rows(tenant: &Tenant, now: i64) -> Vec<Row> {
    let token = tenant.token().at(now).sign();
    let mut rows = shapes(&token);
    rows.extend(spellings(tenant, &token));
    rows.extend(signatures(tenant, now, &token));
    rows.extend(lengths(tenant, now));
    rows
}

fn shapes(token: &str) -> Vec<Row> {
    let [header, payload, signature] = segments(token);
    let flattened = json!({ "protected": header, "payload": payload, "signature": signature }).to_string();
    let general = json!({ "payload": payload, "signatures": [{ "protected": header, "signature": signature }] });
    let encrypted = json!({ "alg": "RSA-OAEP", "enc": "A256GCM" }).to_string();
    let encrypted = BASE64URL.encode(encrypted);
    [
        ("what Auth0 issues where no audience was asked for", "x7tN2hFkM0pQ9sVbYcJd4gLr6wZaEeUi".to_owned()),
        ("what Auth0 issues where its audience is its own", format!("{encrypted}..aXY.Y2lwaGVy.dGFn")),
        ("a JWE", format!("{encrypted}.a2V5.aXY.Y2lwaGVy.dGFn")),
        (".", ".".to_owned()),
        ("..", "..".to_owned()),
        ("...", "...".to_owned()),
        ("one segment", header.to_owned()),
        ("two segments", format!("{header}.{payload}")),
        ("four segments", format!("{token}.{signature}")),
        ("five segments", format!("{token}.x.y")),
        ("six segments", format!("{token}.x.y.z")),
        ("something before", format!("x.{token}")),
        ("something behind", format!("{token}.x")),
        ("a dot before", format!(".{token}")),
        ("a dot behind", format!("{token}.")),
        ("no header", format!(".{payload}.{signature}")),
        ("no payload", format!("{header}..{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        ("the segments backwards", format!("{signature}.{payload}.{header}")),
        ("flattened JSON", flattened.replace(',', ";")),
        ("general JSON", general.to_string().replace(',', ";")),
        ("quoted", format!("\"{token}\"")),
    ]
    .map(|(name, token)| Row::new(name, token, Malformed))
    .into()
}

fn spellings(tenant: &Tenant, token: &str) -> Vec<Row> {
    let segments = segments(token);
    let mut rows = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        let mut put = |name: &str, spelling: String| {
            let mut changed = segments.map(str::to_owned);
            changed[at] = spelling;
            rows.push(Row::new(format!("segment {at}: {name}"), changed.join("."), Malformed));
        };
        put("=", format!("{segment}="));
        put("==", format!("{segment}=="));
        put("%3D", format!("{segment}%3D"));
        put("+", format!("+{}", &segment[1..]));
        put("/", format!("/{}", &segment[1..]));
        put("~", format!("{segment}~"));
        for blank in ["\u{a0}", "\u{200b}", "\u{2028}", "\u{feff}", "\u{ff0e}"] {
            put(&format!("{blank:?} before"), format!("{blank}{segment}"));
            put(&format!("{blank:?} inside"), format!("{}{blank}{}", &segment[..4], &segment[4..]));
            put(&format!("{blank:?} behind"), format!("{segment}{blank}"));
        }
    }
    // Signed over, so that the spelling alone stands in the way: the last character has bits that do not count.
    let padded = |json: &str| BASE64URL.encode(format!("{json}{}", " ".repeat((4 - json.len() % 3) % 3)));
    let (header, payload) = (padded(&token_json(segments[0])), padded(&token_json(segments[1])));
    let key = tenant.key();
    let [_, _, signature] = segments;
    for (name, token, verdict) in [
        ("each spelling in order", key.sign_encoded(&format!("{header}.{payload}")), Accepted),
        ("an uncanonical header", key.sign_encoded(&format!("{}.{payload}", uncanonical(&header))), Malformed),
        ("an uncanonical payload", key.sign_encoded(&format!("{header}.{}", uncanonical(&payload))), Malformed),
        ("a header with padding", key.sign_encoded(&format!("{header}==.{payload}")), Malformed),
        ("a payload with padding", key.sign_encoded(&format!("{header}.{payload}==")), Malformed),
        ("an uncanonical signature", format!("{}.{}.{}", segments[0], segments[1], uncanonical(signature)), Malformed),
    ] {
        rows.push(Row::new(name, token, verdict));
    }
    rows
}

/// RFC 8017, section 8.2.2: a signature is a number below the modulus, in exactly its length.
fn signatures(tenant: &Tenant, now: i64, token: &str) -> Vec<Row> {
    let [header, payload, signature] = segments(token);
    let number = BASE64URL.decode(signature).expect("base64url");
    let modulus = BASE64URL.decode(tenant.key().n()).expect("base64url");
    let mut one = vec![0; 256];
    one[255] = 1;
    let mut rows: Vec<Row> = [
        ("plus n", sum(&number, &modulus)),
        ("a zero before it", [&[0], &number[..]].concat()),
        ("a zero behind it", [&number[..], &[0]].concat()),
        ("without its first byte", number[1..].to_vec()),
        ("without its last byte", number[..255].to_vec()),
        ("of one byte", vec![1]),
        ("twice", number.repeat(2)),
        ("backwards", number.iter().rev().copied().collect()),
        ("0", vec![0; 256]),
        ("1", one),
        ("all ones", vec![0xff; 256]),
        ("n itself", modulus),
    ]
    .into_iter()
    .map(|(name, number)| {
        let token = format!("{header}.{payload}.{}", BASE64URL.encode(number));
        Row::new(format!("a signature: {name}"), token, Forged)
    })
    .collect();
    let scoped = tenant.token().at(now).scope("read:messages").sign();
    let expired = tenant.token().at(now).claim("exp", 1).sign();
    let under_it = |token: &str| format!("{header}.{}.{signature}", segments(token)[1]);
    let other = BASE64URL.encode(format!(r#"{{"kid":"{}","alg":"RS256"}}"#, tenant.key().kid()));
    rows.extend([
        Row::new("another payload's signature", under_it(&scoped), Forged),
        Row::new("an expired payload under a good signature", under_it(&expired), ForgedAndExpired),
        Row::new("another header's signature", format!("{other}.{payload}.{signature}"), Forged),
    ]);
    rows
}

fn lengths(tenant: &Tenant, now: i64) -> Vec<Row> {
    let token = |filler: usize| tenant.token().at(now).claim("x", "x".repeat(filler)).sign();
    // Each byte of the filler is a third more in base64.
    let least = (16_384 - token(0).len()) * 3 / 4 - 3;
    let mut lengths = (least..least + 10).map(token).collect::<Vec<_>>();
    let too_long = lengths.split_off(lengths.partition_point(|token| token.len() <= 16_384)).swap_remove(0);
    let fitting = lengths.pop().expect("one that fits");
    assert!(fitting.len() >= 16_383 && too_long.len() <= 16_386, "{} and {}", fitting.len(), too_long.len());
    vec![
        Row::new("as long as may be", &fitting, Accepted),
        Row::new("too long", &too_long, Malformed),
        Row::new("16,385 letters", "A".repeat(16_385), Malformed),
        Row::new("two dots in 16,385 letters", format!("{0}.{0}.{0}A", "A".repeat(5_460)), Malformed),
        Row::new("sixteen thousand dots", ".".repeat(16_000), Malformed),
        Row::new("a megabyte", "A".repeat(1 << 20), Malformed),
    ]
}

fn segments(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().expect("three segments")
}

fn token_json(segment: &str) -> String {
    String::from_utf8(BASE64URL.decode(segment).expect("base64url")).expect("UTF-8")
}

/// A canonical last character has its unused bits zero: the next one in the alphabet has not.
fn uncanonical(segment: &str) -> String {
    let (rest, last) = segment.split_at(segment.len() - 1);
    format!("{rest}{}", char::from(last.as_bytes()[0] + 1))
}

/// The sum of two numbers, big-endian; one byte longer where it must be.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = Vec::new();
    for (a, b) in a.iter().rev().zip(b.iter().rev()) {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        sum.push(digit.to_le_bytes()[0]);
        carry = digit >> 8;
    }
    sum.extend((carry > 0).then_some(1));
    sum.reverse();
    sum
}
