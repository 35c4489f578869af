//! A browser's requests -> the page, and what its buttons do to the tenant; and whose requests it refuses.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tenant::{Function, Step, Tenant, Wire};

#[tokio::test]
async fn the_page_is_one_file_that_may_talk_to_the_tenant_and_the_function_alone() {
    let playground = playground("http://127.0.0.1:9000").await;
    let (head, page) = send(&playground, "GET", "/", &[]);
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("content-type: text/html"), "{head}");
    let policy = head.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).expect("a policy");
    let directives: Vec<_> =
        policy.split("; ").map(|directive| directive.split_once(' ').expect("two parts")).collect();
    assert_eq!(directives[0], ("default-src", "'none'"));
    assert!(directives.contains(&("connect-src", "'self' http://127.0.0.1:9000")), "{policy}");
    assert!(directives.contains(&("frame-ancestors", "'none'")), "{policy}");
    for name in ["script-src", "style-src"] {
        let (_, sources) = directives.iter().find(|(directive, _)| *directive == name).expect(name);
        assert!(sources.starts_with("'sha256-") && !sources.contains(' '), "{policy}");
    }
    for outside in ["src=", "@import", "url(", "<link rel=\"stylesheet", "style=\"", "onclick="] {
        assert!(!page.contains(outside), "the page has {outside}");
    }
    let kinds = send(&playground, "GET", "/token", &[]).1;
    let (_, kinds) = kinds.trim_end_matches('.').split_once("one of ").expect("the kinds");
    for kind in kinds.split(", ") {
        assert!(page.contains(&format!("mint: \"{kind}\"")), "the page offers no token of the kind {kind}");
    }
}

#[tokio::test]
async fn it_is_there_only_where_it_is_asked_for() {
    let tenant = Tenant::http().await;
    for (method, path) in [("GET", "/"), ("GET", "/playground/tenant"), ("POST", "/playground/rotate")] {
        assert_eq!(status(&send(&tenant, method, path, &[])), 404, "{path}");
    }
}

#[tokio::test]
async fn its_buttons_turn_the_tenant() {
    let playground = playground("http://127.0.0.1:9000/stage/").await;
    let first = playground.key();
    let mut described = ask(&playground, "GET", "tenant");
    assert!(described["second"].take().is_object());
    assert_eq!(
        described,
        json!({
            "function": "http://127.0.0.1:9000/stage",
            "settings": {},
            "issuers": [playground.issuer()],
            "issuer": format!("https://{}/", playground.domain()),
            "audience": tenant::AUDIENCE,
            "jwks": "ok",
            "fetches": 0,
            "signs": first.kid(),
            "keys": [first.jwk()],
            "second": null,
        })
    );

    let rotated = ask(&playground, "POST", "rotate");
    let second = playground.key();
    assert_ne!(first.kid(), second.kid());
    assert_eq!((&rotated["signs"], &rotated["keys"]), (&json!(second.kid()), &json!([first.jwk(), second.jwk()])));
    let withdrawn = ask(&playground, "POST", "withdraw");
    assert_eq!((&withdrawn["signs"], &withdrawn["keys"]), (&json!(second.kid()), &json!([second.jwk()])));

    let jwks = || send(&playground, "GET", "/.well-known/jwks.json", &[]);
    let good = jwks().1;
    for (mode, expected) in [("down", 503), ("garbage", 200), ("ok", 200)] {
        assert_eq!(ask(&playground, "POST", &format!("jwks/{mode}"))["jwks"], mode);
        let answer = jwks();
        assert_eq!((status(&answer), answer.1 == good), (expected, mode == "ok"), "{mode}: {}", answer.1);
    }
    assert_eq!(ask(&playground, "POST", "jwks/slow")["jwks"], "slow");
    let mut waiting = connect(&playground);
    waiting.set_read_timeout(Some(Duration::from_millis(50))).expect("a socket can time out");
    write!(waiting, "GET /.well-known/jwks.json HTTP/1.1\r\nHost: tenant\r\n\r\n").expect("it reads");
    let nothing = waiting.read(&mut [0]).expect_err("nothing comes so soon");
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);

    let (head, body) = send(&playground, "POST", "/playground/jwks/late", &[]);
    assert!(head.starts_with("HTTP/1.1 404") && body.contains("ok, slow, down, garbage"), "{head} {body}");
    assert_eq!(ask(&playground, "GET", "tenant")["fetches"], 5);
}

#[tokio::test]
async fn a_second_tenant_is_found_by_discovery_and_signs_with_keys_of_its_own() {
    let settings = [("ISSUERS", "http://a.example/, http://b.example/"), ("GRANTS", "permissions")];
    let playground = playground_of("http://127.0.0.1:9000", &settings).await;
    playground.set_audience("https://mine.example/api");
    let described = ask(&playground, "GET", "tenant");
    let url = format!("http://{}/", playground.domain());
    assert_eq!(described["issuers"], json!(["http://a.example/", "http://b.example/"]), "whom the function trusts");
    assert_eq!(described["settings"], json!(settings.into_iter().collect::<BTreeMap<_, _>>()));
    assert_eq!((described["issuer"].as_str(), playground.issuer()), (Some(url.as_str()), url.clone()));

    let second = format!("{url}second/");
    let get = |path: &str| send(&playground, "GET", path, &[]).1;
    let json = |path: &str| serde_json::from_str::<Value>(&get(path)).expect("JSON");
    for (path, issuer) in [("", &url), ("/second", &second)] {
        let metadata = json(&format!("{path}/.well-known/openid-configuration"));
        assert_eq!(metadata["issuer"].as_str(), Some(issuer.as_str()));
        assert_eq!(metadata["jwks_uri"].as_str(), Some(format!("{issuer}.well-known/jwks.json").as_str()));
    }
    let keys = json("/second/.well-known/jwks.json")["keys"].clone();
    assert_eq!(described["second"], json!({ "issuer": second, "signs": keys[0]["kid"], "keys": keys }));
    assert_ne!(described["second"]["keys"], described["keys"]);
    let token = get("/second/token?kind=valid");
    let part = |index| BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(index).expect("a part")).expect("base64url");
    let [header, claims] = [0, 1].map(|index| serde_json::from_slice::<Value>(&part(index)).expect("JSON"));
    assert_eq!((&header["kid"], claims["iss"].as_str()), (&keys[0]["kid"], Some(second.as_str())));
    assert_eq!(claims["aud"][0], "https://mine.example/api", "both are for one API");

    // What is done to the tenant leaves the second alone.
    ask(&playground, "POST", "jwks/down");
    assert_eq!(json("/second/.well-known/jwks.json")["keys"], keys);
    assert_eq!(ask(&playground, "GET", "tenant")["fetches"], 0);
}

#[tokio::test]
async fn no_other_page_can_ask_or_turn_anything() {
    let playground = playground("http://127.0.0.1:9000").await;
    let here = playground.domain();
    let port = here.rsplit_once(':').expect("a port").1;
    let (origin, localhost) = (format!("http://{here}"), format!("localhost:{port}"));
    let rebound = format!("rebound.example:{port}");
    // Host, and headers beside it; whether the page itself and what is behind its buttons are there.
    let rows: &[(&str, &[(&str, &str)], bool, bool)] = &[
        (&here, &[], true, true), // a terminal
        (&here, &[("Origin", &origin), ("Sec-Fetch-Site", "same-origin")], true, true),
        (&here, &[("Sec-Fetch-Site", "same-origin")], true, true),
        (&here, &[("Origin", &origin)], true, true),
        (&localhost, &[("Origin", &format!("http://{localhost}"))], true, true),
        // A link to the page may be followed, or its address be typed.
        (&here, &[("Sec-Fetch-Site", "none")], true, false),
        (&here, &[("Sec-Fetch-Site", "cross-site")], true, false),
        // Another page of this machine: of one site, but not of one origin.
        (&here, &[("Sec-Fetch-Site", "same-site"), ("Origin", "http://127.0.0.1:3000")], true, false),
        (&here, &[("Origin", "http://127.0.0.1:3000")], true, false),
        (&here, &[("Origin", &format!("http://{localhost}"))], true, false),
        (&here, &[("Origin", &format!("https://{here}"))], true, false),
        // Anybody's page, in browsers that do and do not say of which site it is.
        (&here, &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")], true, false),
        (&here, &[("Origin", "https://evil.example")], true, false),
        (&here, &[("Origin", "null")], true, false),
        (&here, &[("Origin", "")], true, false),
        // A name of somebody's that leads here (DNS rebinding): to the browser, all is of one origin.
        (&rebound, &[("Origin", &format!("http://{rebound}")), ("Sec-Fetch-Site", "same-origin")], false, false),
        (&rebound, &[], false, false),
        ("127.0.0.1.evil.example", &[], false, false),
        ("localhost.evil.example", &[], false, false),
        ("evil host", &[], false, false),
        ("", &[], false, false),
    ];
    let kid = playground.key().kid().to_owned();
    for (host, headers, page, buttons) in rows {
        let headers: Vec<_> = [("Host", *host)].into_iter().chain(headers.iter().copied()).collect();
        for (path, there) in [
            ("/", page),
            ("/token?kind=valid", page),
            ("/second/token?kind=valid", page),
            ("/playground/tenant", buttons),
            ("/playground/preflight", buttons),
        ] {
            assert_eq!(
                status(&send(&playground, "GET", path, &headers)),
                if *there { 200 } else { 403 },
                "{path} {headers:?}"
            );
        }
        // All but the one that takes its time.
        for path in ["/playground/withdraw", "/playground/jwks/ok", "/playground/jwks/down"] {
            assert_eq!(
                status(&send(&playground, "POST", path, &headers)),
                if *buttons { 200 } else { 403 },
                "{path} {headers:?}"
            );
            let (head, _) = send(&playground, "GET", path, &headers);
            assert!(!head.starts_with("HTTP/1.1 2"), "a GET must turn nothing: {path} {headers:?}");
            let (head, _) = send(&playground, "OPTIONS", path, &headers);
            assert!(!head.contains("access-control-"), "no other origin is let in: {path} {headers:?}");
        }
        if !buttons {
            assert_eq!(status(&send(&playground, "POST", "/playground/rotate", &headers)), 403, "{headers:?}");
            assert_eq!(playground.key().kid(), kid, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn it_tells_what_a_preflight_is_answered() {
    let wire = Wire::http();
    let function = wire.jwks_uri().replace("/.well-known/jwks.json", "");
    let playground = playground(&function).await;
    let answer =
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nAccess-Control-Allow-Origin: *\r\nX-Other: no\r\nVary: Origin\r\n\r\n";
    wire.play([vec![Step::Request, Step::Send(answer.into())]]);
    let headers = json!([["access-control-allow-origin", "*"], ["vary", "Origin"]]);
    assert_eq!(ask(&playground, "GET", "preflight"), json!({ "answers": true, "status": 200, "headers": headers }));
    let request = wire.requests().pop().expect("it asked").to_lowercase();
    for part in [
        "options /api/private http/1.1\r\n".to_owned(),
        format!("origin: http://{}\r\n", playground.domain()),
        "access-control-request-method: get\r\n".to_owned(),
        "access-control-request-headers: authorization\r\n".to_owned(),
    ] {
        assert!(request.contains(&part), "{part} is not in {request}");
    }

    wire.close();
    assert_eq!(ask(&playground, "GET", "preflight"), json!({ "answers": false }));
}

/// The other half of the function's test that its binary has none of it: the tenant's has.
#[test]
fn the_page_is_found_in_a_binary_that_has_it() {
    let binary = fs::read(env!("CARGO_BIN_EXE_tenant")).expect("the binary");
    assert!(String::from_utf8_lossy(&binary).contains("<title>Playground of api-authorization</title>"));
}

async fn playground(function: &str) -> Tenant {
    playground_of(function, &[]).await
}

/// The same for a function with settings.
async fn playground_of(function: &str, settings: &[(&str, &str)]) -> Tenant {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let function = Function { url: function.parse().expect("a URL"), settings };
    let tenant = Tenant::bind_with_playground(address, function).await;
    tenant.expect("this machine has a free port")
}

/// A request of a terminal's, and the JSON that it gets.
fn ask(playground: &Tenant, method: &str, path: &str) -> Value {
    let (head, body) = send(playground, method, &format!("/playground/{path}"), &[]);
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{path}: {head}");
    serde_json::from_str(&body).expect("JSON")
}

fn status((head, _): &(String, String)) -> u16 {
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

fn connect(tenant: &Tenant) -> TcpStream {
    TcpStream::connect(tenant.domain()).expect("the tenant accepts connections")
}

/// The head and the body of the answer. The Host is the tenant's, unless another is among the headers.
fn send(tenant: &Tenant, method: &str, path: &str, headers: &[(&str, &str)]) -> (String, String) {
    let mut stream = connect(tenant);
    let domain = tenant.domain();
    let host = headers.iter().all(|(name, _)| *name != "Host").then_some(("Host", domain.as_str()));
    let headers = headers.iter().copied().chain(host).map(|(name, value)| [name, ": ", value, "\r\n"].concat());
    let headers = headers.collect::<String>();
    write!(stream, "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n{headers}\r\n")
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a blank line ends the head");
    (head.to_owned(), body.to_owned())
}
