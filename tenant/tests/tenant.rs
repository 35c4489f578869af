//! The tenant by its front door: what it serves, counts and signs.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tenant::{Answer, Key, Tenant};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

#[test]
fn its_tokens_verify_against_the_jwks_it_serves() {
    let tenant = Tenant::blocking_http();
    let served = get_jwks(&tenant);
    assert_eq!(served, tenant.jwks());
    assert!(verifies(&tenant.token().sign(), &served));
    assert!(!verifies(&tenant.token().signed_by(&Key::generate("stranger")).sign(), &served));
}

#[test]
fn rotate_publish_and_withdraw_change_the_jwks() {
    let tenant = Tenant::blocking_http();
    let first = tenant.key();
    let before = tenant.token().sign();

    let second = tenant.rotate();
    assert_eq!(tenant.key().kid(), second.kid());
    assert!(verifies(&before, &get_jwks(&tenant)), "the old key stays published");
    assert!(verifies(&tenant.token().sign(), &get_jwks(&tenant)));

    let spare = Key::generate("spare");
    tenant.publish(&spare);
    assert_eq!(tenant.key().kid(), second.kid(), "a published key is not signed with");
    assert_eq!(get_jwks(&tenant)["keys"], json!([first.jwk(), second.jwk(), spare.jwk()]));

    tenant.withdraw(first.kid());
    assert_eq!(get_jwks(&tenant)["keys"], json!([second.jwk(), spare.jwk()]));
    assert!(!verifies(&before, &get_jwks(&tenant)));
}

#[test]
fn fetches_count_however_they_are_answered() {
    let tenant = Tenant::blocking_http();
    assert_eq!(get(&tenant, "/.well-known/openid-configuration").0, 200);
    assert_eq!(tenant.fetches(), 0);

    let busy = Answer::Body { status: 503, content_type: "text/plain".to_owned(), body: b"busy".to_vec() };
    tenant.serve(busy.clone());
    assert_eq!(get(&tenant, JWKS), (503, "busy".to_owned()));

    let pause = Duration::from_millis(50);
    tenant.serve(Answer::After(pause, Box::new(busy)));
    let asked = Instant::now();
    assert_eq!(get(&tenant, JWKS), (503, "busy".to_owned()));
    assert!(asked.elapsed() >= pause);

    tenant.serve(Answer::Never);
    let silent = connect(&tenant);
    silent.set_read_timeout(Some(pause)).expect("a socket can time out");
    let nothing = exchange(silent, JWKS).expect_err("nothing comes, and the connection stays");
    assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);

    tenant.serve(Answer::Jwks);
    assert_eq!(get_jwks(&tenant), tenant.jwks());
    assert_eq!(tenant.fetches(), 4);
}

#[test]
fn a_limit_refuses_whatever_the_answer_is() {
    let tenant = Tenant::blocking_http();
    get_jwks(&tenant);
    assert_eq!(tenant.granted(), 1, "without a limit, all are granted");

    tenant.limit(2, 0);
    get_jwks(&tenant);
    tenant.serve(Answer::Body { status: 503, content_type: "text/plain".to_owned(), body: b"down".to_vec() });
    assert_eq!(get(&tenant, JWKS), (503, "down".to_owned()));
    assert_eq!(get(&tenant, JWKS), (429, "too many".to_owned()));
    tenant.serve(Answer::Never);
    assert_eq!(get(&tenant, JWKS), (429, "too many".to_owned()));
    assert_eq!((tenant.fetches(), tenant.granted()), (5, 3));
}

#[test]
fn https_serves_whoever_trusts_its_ca_and_nobody_else() {
    let tenant = Tenant::blocking_https();
    let other = Tenant::blocking_https();
    // A client that never shakes hands keeps nobody waiting.
    let _stalled = connect(&tenant);

    for name in ["127.0.0.1", "localhost"] {
        let (status, body) = get_over_tls(&tenant, name, &tenant).expect("its own CA vouches for it");
        assert_eq!((status, body), (200, tenant.jwks().to_string()), "{name}");
    }
    for (name, trusted) in [("127.0.0.1", &other), ("example.com", &tenant)] {
        let refusal = get_over_tls(&tenant, name, trusted).expect_err("the client refuses the certificate");
        assert!(refusal.to_string().contains("invalid peer certificate"), "{name}: {refusal}");
    }
    assert_eq!(tenant.fetches(), 2);
}

#[test]
fn dropping_it_closes_its_port_and_removes_its_file() {
    let tenant = Tenant::blocking_https();
    let (domain, file) = (tenant.domain(), tenant.ca_file().expect("https has a CA"));
    assert_eq!(fs::read_to_string(&file).ok().as_deref(), tenant.ca_pem());
    drop(tenant);
    assert!(TcpStream::connect(domain).is_err());
    assert!(!file.exists());
}

#[tokio::test]
async fn the_async_constructors_start_the_same() {
    let tenant = Tenant::http().await;
    assert_eq!(tenant.jwks_uri(), format!("http://{}/.well-known/jwks.json", tenant.domain()));
    assert_eq!(tenant.issuer(), format!("https://{}/", tenant.domain()));
    assert!(Tenant::https().await.jwks_uri().starts_with("https://127.0.0.1:"));

    let address = tenant.domain().parse().expect("a domain of ours is an address");
    let taken = Tenant::bind(address).await.err().expect("two cannot have one port");
    assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn a_kind_of_token_differs_from_a_valid_one_in_what_its_name_says() {
    let tenant = Tenant::blocking_http();
    // Each with the claims that differ, times aside, and whether it verifies against the JWKS.
    let rows = [
        ("valid", json!({}), true),
        ("scoped", json!({ "scope": "openid profile email read:messages" }), true),
        ("expired", json!({}), true),
        ("wrong-audience", json!({ "aud": "https://another-api.example/" }), true),
        ("wrong-issuer", json!({ "iss": "https://another-tenant.example/" }), true),
        ("bad-signature", json!({}), false),
        ("unknown-key", json!({}), false),
        ("algorithm-none", json!({}), false),
        ("tampered-payload", json!({ "scope": "openid profile email read:messages" }), false),
        ("permissions", json!({ "permissions": ["read:messages"] }), true),
        ("organization", json!({ "org_id": "org_quickstart" }), true),
        ("delegated", json!({ "act": { "sub": "my_assistant" } }), true),
        ("anonymous", json!({ "sub": "anon@5f7c8ec7c33c6c004bbafe82" }), true),
        ("refresh", json!({ "typ": "Refresh" }), true),
    ];
    for path in ["/token", "/token?kind=", "/token?kind=Valid"] {
        let kinds = rows.each_ref().map(|(kind, ..)| *kind).join(", ");
        assert_eq!(get(&tenant, path), (400, format!("Ask for /token?kind=KIND, where KIND is one of {kinds}.")));
    }

    let now = parts(&tenant.token().sign())[1]["iat"].as_i64().expect("a time");
    for (kind, deviation, is_ours) in rows {
        let (status, token) = get(&tenant, &format!("/token?kind={kind}"));
        assert_eq!(status, 200, "{kind}");
        assert_eq!(verifies(&token, &tenant.jwks()), is_ours, "{kind}");

        let [header, claims] = parts(&token);
        assert_eq!(header["kid"] == tenant.key().kid(), kind != "unknown-key", "{kind}");
        assert_eq!(header["alg"], if kind == "algorithm-none" { "none" } else { "RS256" }, "{kind}");
        assert_eq!(token.ends_with('.'), kind == "algorithm-none", "{kind}");
        let iat = claims["iat"].as_i64().expect("a time");
        assert_eq!(iat < now - 86_400, kind == "expired", "{kind}");

        let mut expected = parts(&tenant.token().at(iat).sign())[1].clone();
        for (name, value) in deviation.as_object().expect("claims are an object") {
            expected[name] = value.clone();
        }
        assert_eq!(claims, expected, "{kind}");
    }

    let (_, token) = get(&tenant, "/token?kind=valid&sub=alice&scope=read:messages+write:messages");
    let [_, claims] = parts(&token);
    assert_eq!((&claims["sub"], &claims["scope"]), (&json!("alice"), &json!("read:messages write:messages")));
}

const JWKS: &str = "/.well-known/jwks.json";

/// The status and the body of a GET over plain http.
fn get(tenant: &Tenant, path: &str) -> (u16, String) {
    exchange(connect(tenant), path).expect("the tenant answers")
}

/// Whether the JWKS has a key of the token's `kid` that its signature stands by.
fn verifies(token: &str, jwks: &Value) -> bool {
    let [header, _] = parts(token);
    let (input, signature) = token.rsplit_once('.').expect("a JWS has dots");
    let keys = jwks["keys"].as_array().expect("a JWKS has keys");
    keys.iter().filter(|key| key["kid"] == header["kid"]).any(|key| {
        let [n, e] = ["n", "e"].map(|name| decode(key[name].as_str().expect(name)));
        RsaPublicKeyComponents { n, e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &decode(signature))
            .is_ok()
    })
}

fn get_jwks(tenant: &Tenant) -> Value {
    serde_json::from_str(&get(tenant, JWKS).1).expect("a JWKS is JSON")
}

/// A GET of the JWKS from a client that knows the tenant by this name and trusts the CA of `trusted`.
fn get_over_tls(tenant: &Tenant, name: &'static str, trusted: &Tenant) -> io::Result<(u16, String)> {
    let pem = trusted.ca_pem().expect("https has a CA");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("it is PEM")).expect("it is a CA");
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(name).expect("it is a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("the configuration is whole");
    exchange(StreamOwned::new(client, connect(tenant)), JWKS)
}

fn connect(tenant: &Tenant) -> TcpStream {
    TcpStream::connect(tenant.domain()).expect("the tenant accepts connections")
}

fn exchange(mut stream: impl Read + Write, path: &str) -> io::Result<(u16, String)> {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a blank line ends the head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Ok((status, body.to_owned()))
}

/// The header and the claims.
fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(decode);
    [(); 2].map(|()| serde_json::from_slice(&parts.next().expect("a JWS has three parts")).expect("they are JSON"))
}

fn decode(part: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(part).expect("it is base64url")
}
