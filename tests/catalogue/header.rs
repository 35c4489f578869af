//! The token's own header: algorithm, key, and what it asks for (RFC 7515, section 4; RFC 8725, section 3).

use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::json;
use tenant::{Algorithm, Key, Tenant, hs256};

use super::{Row, Verdict, Verdict::*, sign};

pub fn rows(tenant: &Tenant, now: i64) -> Vec<Row> {
    let payload = tenant.token().at(now).payload_json();
    let mut rows: Vec<Row> = ROWS
        .iter()
        .map(|(header, verdict)| {
            Row::new(*header, sign(tenant, &header.replace("KID", tenant.key().kid()), &payload), *verdict)
        })
        .collect();
    let binary = tenant.key().sign_bytes(Algorithm::Rs256, b"{\"alg\":\"RS256\",\"kid\":\"\xff\"}", payload.as_bytes());
    rows.push(Row::new("a header that is no UTF-8", binary, Malformed));
    rows.extend(no_algorithm(tenant, &payload));
    rows.extend(public_key_as_secret(tenant, &payload));
    rows.extend(other_algorithms(tenant, &payload));
    rows.extend(kids(tenant, now));
    rows.extend(large(tenant, &payload));
    rows
}

const ROWS: &[(&str, Verdict)] = &[
    (r#"{"alg":"RS256","kid":"KID"}"#, Accepted),
    (r#" {"kid" : "KID", "alg":"RS256"} "#, Accepted),
    (r#"{"alg":"\u0052S256","kid":"KID"}"#, Accepted),
    (r#"{"\u0061lg":"RS256","kid":"KID"}"#, Accepted),
    (r#"{"kid":"KID"}"#, Malformed),
    (r#"{"alg":null,"kid":"KID"}"#, Malformed),
    (r#"{"alg":5,"kid":"KID"}"#, Malformed),
    (r#"{"alg":true,"kid":"KID"}"#, Malformed),
    (r#"{"alg":["RS256"],"kid":"KID"}"#, Malformed),
    (r#"{"alg":{"RS256":null},"kid":"KID"}"#, Malformed),
    (r#"{"alg":"rs256","kid":"KID"}"#, Malformed),
    (r#"{"alg":"RS256 ","kid":"KID"}"#, Malformed),
    (r#"{"alg":"RS256\u0000","kid":"KID"}"#, Malformed),
    (r#"{"alg":"RS2567","kid":"KID"}"#, Malformed),
    (r#"{"ALG":"RS256","kid":"KID"}"#, Malformed),
    (r#"{"alg":"HS256","kid":"no such"}"#, Malformed),
    (r#"{"alg":"HS256"}"#, Malformed),
    // Which key.
    (r#"{"alg":"RS256"}"#, Keyless),
    (r#"{"alg":"RS256","KID":"KID"}"#, Keyless),
    (r#"{"alg":"RS256","kid":null}"#, Keyless),
    (r#"{"alg":"RS256","kid":""}"#, Keyless),
    (r#"{"alg":"RS256","kid":5}"#, Malformed),
    (r#"{"alg":"RS256","kid":true}"#, Malformed),
    (r#"{"alg":"RS256","kid":[]}"#, Malformed),
    (r#"{"alg":"RS256","kid":["KID"]}"#, Malformed),
    (r#"{"alg":"RS256","kid":{}}"#, Malformed),
    (r#"{"alg":"RS256","kid":{"KID":null}}"#, Malformed),
    // Keys from elsewhere are not even looked at.
    (r#"{"alg":"RS256","kid":"KID","jku":"http://127.0.0.1:9/"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","x5u":"http://127.0.0.1:9/"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","x5t":"AAAA"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","jku":null}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","x5c":null}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","jku":5}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","x5c":"AAAA"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"no such","jku":5}"#, Malformed),
    (r#"{"alg":"RS256","kid":"","jku":5}"#, Malformed),
    (r#"{"alg":"RS256","jku":5}"#, Malformed),
    // What it asks for.
    (r#"{"alg":"RS256","kid":"KID","crit":["exp"]}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","crit":["b64"]}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","crit":["unknown"],"unknown":1}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","crit":["exp","exp"],"exp":1}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","crit":[]}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","crit":null}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","crit":"exp"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","crit":[1]}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","crit":{}}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","\u0063rit":["exp"]}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","Crit":["exp"]}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","b64":false,"crit":["b64"]}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","b64":false}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","b64":true}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","b64":5}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","b64":null}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","enc":"A256GCM"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","enc":"x"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","enc":null}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","zip":"DEF"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","zip":"x"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","zip":null}"#, Accepted),
    // What it is.
    (r#"{"alg":"RS256","kid":"KID","typ":"JWT"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","typ":"jwt"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","typ":"at+jwt"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","typ":"AT+JWT"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","typ":"application/at+jwt"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","typ":"Application/AT+JWT"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","typ":"application/jwt"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","typ":"APPLICATION/JWT"}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","typ":null}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","typ":"JOSE"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"JOSE+JSON"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"dpop+jwt"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"logout+jwt"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"secevent+jwt"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"application/dpop+jwt"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"application/"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"JWT "}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"JWE"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":""}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":5}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":["JWT"]}"#, Malformed),
    // Names that are known and repeated: two readers could see two headers.
    (r#"{"alg":"RS256","alg":"RS256","kid":"KID"}"#, Malformed),
    (r#"{"alg":"none","alg":"RS256","kid":"KID"}"#, Malformed),
    (r#"{"alg":"RS256","\u0061lg":"none","kid":"KID"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","kid":"KID"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","\u006bid":"another"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"JWT","typ":"JWT"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"JWT","\u0074yp":"dpop+jwt"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","typ":"JWT","typ":null}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","crit":null,"crit":null}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","enc":null,"enc":null}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","zip":null,"zip":null}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","b64":false,"b64":null}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","jku":"a","jku":"a"}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","x":1,"x":2}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","":1,"":1}"#, Accepted),
    (r#"{"alg":"RS256","kid":"KID","x":{"y":1,"y":2}}"#, Accepted),
    // One JSON object, and nothing beside it.
    (r#"["RS256","KID"]"#, Malformed),
    (r#""RS256""#, Malformed),
    ("null", Malformed),
    ("5", Malformed),
    (" ", Malformed),
    ("{", Malformed),
    ("{}", Malformed),
    (r#"{"alg":"RS256","kid":"KID"}{}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID"} x"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID",}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","x":NaN}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","x":1e400}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID","x":01}"#, Malformed),
    (r#"{"alg":"RS256","kid":"KID"/**/}"#, Malformed),
    ("{'alg':'RS256','kid':'KID'}", Malformed),
    (r#"{"alg":"RS256","kid":"KID","x":"\ud800"}"#, Malformed),
    ("{\"alg\":\"RS256\",\"kid\":\"KID\",\"x\":\"\n\"}", Malformed),
    ("\u{feff}{\"alg\":\"RS256\",\"kid\":\"KID\"}", Malformed),
    ("{\"alg\":\"RS256\",\"kid\":\"KID\"}\0", Malformed),
];

/// CVE-2015-9235 and many since: the token says that it needs no signature.
fn no_algorithm<'a>(tenant: &'a Tenant, payload: &'a str) -> impl Iterator<Item = Row> + 'a {
    let signed = sign(tenant, r#"{"alg":"RS256"}"#, payload);
    let signature = signed.rsplit('.').next().expect("three segments").to_owned();
    let names = ["none", "None", "NONE", "nOnE", "", "RS256\0", "RS256,none"];
    names.into_iter().flat_map(move |alg| {
        let header = BASE64URL.encode(json!({ "alg": alg, "kid": tenant.key().kid() }).to_string());
        let body = BASE64URL.encode(payload);
        ["", &signature, "AA", "null"].map(|signature| {
            Row::new(format!("alg {alg:?}, {signature:.4}"), format!("{header}.{body}.{signature}"), Malformed)
        })
    })
}

/// The public key as a secret, in each form that a careless verifier might have at hand.
fn public_key_as_secret<'a>(tenant: &Tenant, payload: &'a str) -> impl Iterator<Item = Row> + 'a {
    let key = tenant.key();
    let (pem, spki) = (key.public_pem(), key.public_der());
    let secrets: [(&str, Vec<u8>); 10] = [
        ("nothing", Vec::new()),
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last newline", pem.trim_end().as_bytes().to_vec()),
        ("PEM with CR LF", pem.replace('\n', "\r\n").into_bytes()),
        ("SubjectPublicKeyInfo", spki.clone()),
        ("SubjectPublicKeyInfo in base64", STANDARD.encode(&spki).into_bytes()),
        ("RSAPublicKey", key.pkcs1_der()),
        ("n in base64url", key.n().into_bytes()),
        ("n", BASE64URL.decode(key.n()).expect("base64url")),
        ("the JWK", key.jwk().to_string().into_bytes()),
    ];
    secrets.into_iter().flat_map(move |(name, secret)| {
        [("HS256", Malformed), ("RS256", Forged)].map(|(alg, verdict)| {
            let header = json!({ "alg": alg, "typ": "JWT", "kid": key.kid() }).to_string();
            Row::new(format!("{alg} with {name}"), hs256(&secret, &header, payload), verdict)
        })
    })
}

/// Good signatures of the right key, by other algorithms: said so, or not.
fn other_algorithms(tenant: &Tenant, payload: &str) -> Vec<Row> {
    let key = tenant.key();
    let header = |alg: &str| json!({ "alg": alg, "kid": key.kid() }).to_string();
    let mut rows = Vec::new();
    for (name, algorithm) in [
        ("RS384", Algorithm::Rs384),
        ("RS512", Algorithm::Rs512),
        ("PS256", Algorithm::Ps256),
        ("PS384", Algorithm::Ps384),
    ] {
        rows.push(Row::new(name, key.sign(algorithm, &header(name), payload), Malformed));
        rows.push(Row::new(format!("{name} that says RS256"), key.sign(algorithm, &header("RS256"), payload), Forged));
    }
    for name in ["HS384", "HS512", "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "RSA1_5", "dir"] {
        rows.push(Row::new(format!("{name} in name alone"), sign(tenant, &header(name), payload), Malformed));
    }
    rows
}

/// RFC 8725, section 3.10: a `kid` is a name, no path, no query and no address.
fn kids(tenant: &Tenant, now: i64) -> Vec<Row> {
    let good = tenant.key().kid().to_owned();
    let longest = "k".repeat(256);
    let two_bytes_each = "\u{e9}".repeat(128);
    let mut rows: Vec<Row> = [
        "../../../../dev/null",
        "' OR 1=1--",
        "%00",
        "\0",
        "http://169.254.169.254/latest/meta-data/",
        "${jndi:ldap://x}",
        "a\nb",
        "a\r\nb",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{2028}",
        &format!("{good} "),
        &format!(" {good}"),
        &format!("{good}\0"),
        &good.to_uppercase(),
        &good[..good.len() - 1],
        "constructor",
        "__proto__",
        " ",
        "0",
        &longest,
        &two_bytes_each,
    ]
    .into_iter()
    .map(|kid| Row::new(format!("kid {kid:?}"), tenant.token().at(now).header("kid", kid).sign(), UnknownKey))
    .collect();
    for kid in ["k".repeat(257), "\u{e9}".repeat(129), "k".repeat(3_000)] {
        let token = tenant.token().at(now).header("kid", kid.as_str()).sign();
        rows.push(Row::new(format!("a kid of {} bytes", kid.len()), token, Keyless));
    }
    let stranger = Key::generate("stranger");
    let token = tenant.token().at(now).signed_by(&stranger);
    rows.push(Row::new("a stranger's key under its own name", token.sign(), UnknownKey));
    rows.push(Row::new("a stranger's key under ours", token.header("kid", good).sign(), Forged));
    rows
}

fn large(tenant: &Tenant, payload: &str) -> Vec<Row> {
    let header = |more: &str| format!(r#"{{"alg":"RS256","kid":"{}","x":{more}}}"#, tenant.key().kid());
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let members = |count: usize| {
        let members: Vec<_> = (0..count).map(|n| format!("\"{n:x}\":0")).collect();
        format!("0,{}", members.join(","))
    };
    [
        ("a header nested 120 deep", nested(120), Accepted),
        ("a header nested 2,000 deep", nested(2_000), Malformed),
        ("a header nested 10,000 deep", nested(10_000), Malformed),
        ("a header of 600 members", members(600), Accepted),
        ("a header of 60,000 members", members(60_000), Malformed),
    ]
    .map(|(name, more, verdict)| Row::new(name, sign(tenant, &header(&more), payload), verdict))
    .into()
}
