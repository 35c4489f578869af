//! What an issuer can do wrong below its JWKS, over real sockets: no fault takes longer than the time of a fetch, costs a
//! cached key, or outlives its cause.

mod front_door;

use std::fmt::Display;
use std::io::Write;
use std::pin::pin;
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use front_door::*;
use futures_util::future::{Either, join_all, select};
use serde_json::{Value, json};
use tenant::{Certificate, Key, Step, Tenant, Wire};
use tokio::time::{sleep, timeout};

/// The key that tokens are signed with, and the one that it is replaced by. Shared, for making a key takes its time.
static KEY: LazyLock<Key> = LazyLock::new(|| Key::generate("key"));
static NEXT: LazyLock<Key> = LazyLock::new(|| Key::generate("next"));

/// One defect of an issuer.
struct Fault {
    name: &'static str,
    script: Vec<Step>,
    /// What one fetch costs: one connection, or two where it is tried once more. None: the port is closed.
    connections: usize,
    /// Whether nothing but the time of a fetch ends it.
    hangs: bool,
}

const REFUSED: Fault = Fault { name: "refused", script: vec![], connections: 0, hangs: false };

/// An answer was begun, so that there is nothing to try again.
fn answered<const N: usize>(name: &'static str, answer: [Step; N]) -> Fault {
    Fault { name, script: after_request(answer), connections: 1, hangs: false }
}

/// Broke before the head of an answer was there: tried once more, at once.
fn broke<const N: usize>(name: &'static str, script: [Step; N]) -> Fault {
    Fault { name, script: script.into(), connections: 2, hangs: false }
}

/// Goes on until the time is over, and is not tried again.
fn hangs<const N: usize>(name: &'static str, script: [Step; N]) -> Fault {
    Fault { name, script: script.into(), connections: 1, hangs: true }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_another_status() {
    // Each brings the keys, but for those that have no body.
    let statuses = [
        "101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c",
        "201 Created",
        "203 Non-Authoritative Information",
        "204 No Content",
        "206 Partial Content\r\nContent-Range: bytes 0-99/100",
        "300 Multiple Choices",
        "304 Not Modified\r\nETag: \"1\"",
        "401 Unauthorized\r\nWWW-Authenticate: Basic",
        "403 Forbidden",
        "404 Not Found",
        "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic",
        "408 Request Timeout\r\nConnection: close",
        "421 Misdirected Request",
        "425 Too Early",
        "429 Too Many Requests\r\nRetry-After: 1",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable\r\nRetry-After: 0",
        "999 Beyond",
    ];
    let redirects = [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
        "200 OK\r\nRefresh: 0", // and no JWKS
    ];
    let elsewhere = Wire::http();
    elsewhere.play([healthy(&elsewhere, &KEY)]);
    let statuses = statuses.map(|status| answered(status, [answer(status, jwks(&KEY))]));
    let redirects = redirects.map(|status| {
        let body = if status.starts_with("200") { "{}".to_owned() } else { jwks(&KEY) };
        answered(status, [answer(format!("{status}\r\nLocation: {}", elsewhere.jwks_uri()), body)])
    });
    all_endured(Wire::http, statuses.into_iter().chain(redirects)).await;
    assert_eq!(elsewhere.connections(), 0, "no redirect is followed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_no_jwks() {
    // Each brings the keys, too, where it can: it must be the defect that counts.
    let jwks = &jwks(&KEY);
    let ok = |body: &str| answer("200 OK", body);
    let of_length = |length: usize| send(format!("{OK}Content-Length: {length}\r\n\r\n{jwks}"));
    let chunked = |chunks: &str| send(format!("{CHUNKED}{chunks}"));
    let chunk = &chunk(jwks);
    let flood = |bytes: &str| Step::Flood(bytes.repeat(1_000).into_bytes());
    let blanks = || flood(" ");
    let key = |n| json!({ "kty": "RSA", "kid": format!("{n}"), "n": format!("{}w", "_".repeat(1_365)), "e": "AQAB" });
    let most_of_8192_bits = json!({ "keys": (0..499).map(key).chain([KEY.jwk()]).collect::<Vec<_>>() }).to_string();
    let too_many = set_of(501, &KEY.jwk());
    let faults = [
        answered("nothing", [ok("")]),
        answered("HTML", [answer("200 OK\r\nContent-Type: text/html", format!("<html>{jwks}</html>"))]),
        answered("JSON cut short", [ok(&jwks[..jwks.len() - 1])]),
        answered("JSON and more", [ok(&format!("{jwks}{jwks}"))]),
        answered("a byte order mark", [ok(&format!("\u{feff}{jwks}"))]),
        answered("500 keys of 8192 bits", [ok(&most_of_8192_bits)]),
        answered("501 keys", [ok(&too_many)]),
        answered("512 KiB and a byte", [ok(&padded(jwks, 512 * 1024 + 1))]),
        answered("gzip", [answer("200 OK\r\nContent-Encoding: gzip", gzip(jwks))]),
        answered("gzip that says nothing of it", [answer("200 OK", gzip(jwks))]),
        answered("a gzip bomb", [answer("200 OK\r\nContent-Encoding: gzip", bomb(jwks))]),
        answered("longer than its length", [of_length(jwks.len() - 1)]),
        answered("shorter than its length", [of_length(jwks.len() + 1)]),
        answered("a length of 0", [of_length(0)]),
        answered("100 MB", [of_length(100 * 1024 * 1024), blanks()]),
        answered("100 MB that are not there", [of_length(100 * 1024 * 1024)]),
        answered("9 EB", [of_length(usize::MAX / 2), blanks()]),
        answered("without an end", [send(format!("{OK}\r\n{jwks}")), blanks()]),
        answered("chunks without an end", [chunked(chunk), flood("a\r\n          \r\n")]),
        answered("chunks of a byte without an end", [chunked(chunk), flood("1\r\n \r\n")]),
        answered("a chunk without an end", [chunked(&format!("FFFFFFFFFFFF\r\n{jwks}")), blanks()]),
        answered("a chunk's extension without an end", [chunked("1;"), flood("x")]),
        answered("trailers without an end", [chunked(&format!("{chunk}0\r\n")), flood("X: y\r\n")]),
        answered("no last chunk", [chunked(chunk)]),
        answered("a chunk cut short", [chunked(&format!("FFFF\r\n{jwks}"))]),
        answered("a chunk of no length", [chunked(&format!("\r\n{jwks}\r\n0\r\n\r\n"))]),
        answered("a chunk of a length that is no number", [chunked(&format!("keys\r\n{jwks}\r\n0\r\n\r\n"))]),
        answered("a chunk of a length beyond 64 bits", [chunked(&format!("1{:016x}{chunk}0\r\n\r\n", 0))]),
        answered("reset in the middle", [of_length(jwks.len() + 1), Step::Reset]),
        answered("reset in the middle of a chunk", [chunked(&format!("FFFF\r\n{jwks}")), Step::Reset]),
    ];
    all_endured(Wire::http, faults).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_before_an_answer() {
    let jwks = &jwks(&KEY);
    let request = || Step::Request;
    let flood = |bytes: &str| Step::Flood(bytes.repeat(1_000).into_bytes());
    let lengths = |lengths: &str| send(format!("{OK}{lengths}\r\n\r\n{jwks}"));
    let faults = [
        REFUSED,
        broke("closed at once", []),
        broke("reset at once", [Step::Reset]),
        broke("closed after the request", [request()]),
        broke("reset after the request", [request(), Step::Reset]),
        broke("closed in the middle of the head", [request(), send(OK)]),
        broke("reset in the middle of the head", [request(), send(OK), Step::Reset]),
        broke("headers without an end", [request(), send(OK), flood("X: y\r\n")]),
        broke("a header without an end", [request(), send(OK), send("X: "), flood("y")]),
        broke("empty lines without an end", [request(), flood("\r\n")]),
        broke("a header of two lines", [request(), answer("200 OK\r\nX: y\r\n z", jwks)]),
        broke("a header that is none", [request(), answer("200 OK\r\n\0", jwks)]),
        broke("no head", [request(), send(jwks)]),
        broke("another protocol", [request(), send("SSH-2.0-OpenSSH_9.9\r\n")]),
        broke("HTTP/2", [request(), send([0, 0, 0, 4, 0, 0, 0, 0, 0])]),
        broke("HTTP/7.7", [request(), send(format!("HTTP/7.7 200 OK\r\n\r\n{jwks}"))]),
        broke("a status that is no number", [request(), answer("OK", jwks)]),
        broke("a length that is no number", [request(), lengths("Content-Length: many")]),
        broke("a length below 0", [request(), lengths("Content-Length: -1")]),
        broke("a length beyond 64 bits", [request(), lengths("Content-Length: 18446744073709551616")]),
        broke("two lengths", [request(), lengths("Content-Length: 1\r\nContent-Length: 2")]),
    ];
    all_endured(Wire::http, faults).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_take_too_long() {
    let jwks = jwks(&KEY);
    let whole = &format!("{OK}Content-Length: {}\r\n\r\n{jwks}", jwks.len());
    let (head, body) = whole.split_at(whole.len() - jwks.len());
    let request = || Step::Request;
    let slowly = |bytes: &str, pace| Step::Drip(bytes.as_bytes().to_vec(), Duration::from_millis(pace));
    let faults = [
        hangs("accepted, and not even read", [Step::Pause(Duration::from_secs(5))]),
        hangs("accepted, and no answer", [Step::Silence]),
        hangs("no answer to the request", [request(), Step::Silence]),
        hangs("a head of a byte a second", [request(), slowly(head, 1_000)]),
        hangs("a body of a byte a second", [request(), send(head), slowly(body, 1_000)]),
        hangs("a body of a hundred bytes a second", [request(), send(head), slowly(body, 10)]),
        hangs("chunks, one by one", [request(), send(CHUNKED), slowly(&"1\r\n \r\n".repeat(2_000), 5)]),
        hangs("100 Continue, again and again", [request(), slowly(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(400), 5)]),
        hangs("half a head", [request(), send(OK), Step::Silence]),
        hangs("a head and no body", [request(), send(head), Step::Silence]),
        hangs("half a body", [request(), send(head), send(&body[..100]), Step::Silence]),
        hangs("all but a byte", [request(), send(&whole[..whole.len() - 1]), Step::Silence]),
        hangs("a body that would end if it closed", [request(), send(format!("{OK}\r\n{jwks}")), Step::Silence]),
        hangs("no last chunk", [request(), send(CHUNKED), send(chunk(&jwks)), Step::Silence]),
        hangs("whole after 4 s", [request(), Step::Pause(Duration::from_secs(4)), send(whole)]),
    ];
    all_endured(Wire::http, faults).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_that_proves_nothing() {
    let whole = answer("200 OK", jwks(&KEY));
    let shows = |certificate| [Step::Tls(certificate), Step::Request, whole.clone()];
    let shaken = || Step::Tls(Certificate::Good);
    // rustls serves no TLS 1.1, so its ServerHello is written by hand: version, random, session, cipher, compression.
    let server_hello_1_1 = [&[0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2][..], &[7; 32], &[0, 0, 0x2f, 0]].concat();
    let protocol_version_alert = [0x15, 3, 2, 0, 2, 2, 70];
    let faults = [
        REFUSED,
        broke("signed by itself", shows(Certificate::SelfSigned)),
        broke("for another name", shows(Certificate::OtherName)),
        broke("expired", shows(Certificate::Expired)),
        broke("not yet valid", shows(Certificate::NotYetValid)),
        broke("TLS 1.1 chosen", [send(server_hello_1_1), Step::Silence]),
        broke("TLS 1.1 alone understood", [send(protocol_version_alert), Step::Silence]),
        broke("no TLS at all", [whole.clone(), Step::Silence]),
        broke("reset in the handshake", [Step::Reset]),
        broke("closed in the handshake", []),
        broke("closed after the handshake", [shaken(), Step::Request]),
        broke("reset after the handshake", [shaken(), Step::Request, Step::Reset]),
        hangs("no answer in the handshake", [Step::Silence]),
        hangs("half an answer in the handshake", [send([0x16, 3, 3, 0, 100, 2]), Step::Silence]),
        hangs("no answer after the handshake", [shaken(), Step::Request, Step::Silence]),
    ];
    all_endured(Wire::https, faults).await;
}

#[tokio::test]
async fn a_handshake_has_less_time_than_an_answer() {
    let (shaking, answering) = (Wire::https(), Wire::https());
    shaking.play([vec![Step::Silence]]);
    answering.play([vec![Step::Tls(Certificate::Good), Step::Request, Step::Silence]]);
    let ask = async |wire| {
        let api = behind(wire);
        api.get("/api/private", &api.token().sign()).await.refuses(&KEYS_UNAVAILABLE, "no keys");
    };
    // It is begun last, and ends first.
    let (answer, handshake) = (pin!(ask(&answering)), pin!(ask(&shaking)));
    assert!(matches!(select(answer, handshake).await, Either::Right(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_odd_but_good() {
    let jwks = &jwks(&KEY);
    let length = jwks.len();
    let headers = |headers: &str| send(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{jwks}"));
    let whole = &format!("{OK}Content-Length: {length}\r\n\r\n{jwks}");
    let before = |before: &str| send(format!("{before}{whole}"));
    let pause = || Step::Pause(Duration::from_millis(300));
    let mut certified = KEY.jwk();
    certified["x5c"] = json!(["A".repeat(1_500), "A".repeat(1_500)]);
    let bytes = jwks.chars().map(|byte| chunk(&byte.to_string())).collect::<String>();
    let rows = vec![
        ("plain", vec![before("")]),
        ("HTTP/1.0", vec![send(format!("HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n{jwks}"))]),
        ("HTTP/1.0 that ends when it closes", vec![send(format!("HTTP/1.0 200 OK\r\n\r\n{jwks}"))]),
        ("HTTP/1.1 that ends when it closes", vec![headers("Connection: close")]),
        ("left open", vec![before(""), Step::Silence]),
        ("100 before it", vec![before("HTTP/1.1 100 Continue\r\n\r\n")]),
        ("a hundred 100 before it", vec![before(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(100))]),
        ("103 before it", vec![before("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")]),
        ("an empty line before it", vec![before("\r\n")]),
        ("another answer after it", vec![before(whole)]),
        ("no reason", vec![send(whole.replacen(" OK", "", 1))]),
        ("another reason", vec![send(whole.replacen("OK", "404 Not Found", 1))]),
        ("no content type", vec![answer("200 OK", jwks)]),
        ("another content type", vec![answer("200 OK\r\nContent-Type: text/html", jwks)]),
        ("lower case and blanks", vec![headers(&format!("content-length:   {length}  "))]),
        ("the same length twice", vec![headers(&format!("Content-Length: {length}\r\nContent-Length: {length}"))]),
        ("ninety headers", vec![answer(format!("200 OK{}", "\r\nX: y".repeat(89)), jwks)]),
        ("a header that is not ASCII", vec![answer("200 OK\r\nX: \u{e9}", jwks)]),
        ("a chunk a byte", vec![send(format!("{CHUNKED}{bytes}0\r\n\r\n"))]),
        ("an extension and a trailer", vec![send(format!("{CHUNKED}{length:x};a=b\r\n{jwks}\r\n0\r\nX: y\r\n\r\n"))]),
        ("in pieces", vec![send(&whole[..9]), pause(), send(&whole[9..90]), pause(), send(&whole[90..])]),
        ("after a second", vec![Step::Pause(Duration::from_secs(1)), before("")]),
        ("512 KiB to the byte", vec![answer("200 OK", padded(jwks, 512 * 1024))]),
        ("27 keys with their certificates", vec![answer("200 OK", set_of(27, &certified))]),
        ("500 keys", vec![answer("200 OK", set_of(500, &KEY.jwk()))]),
    ];
    let accepted = |answer| async {
        let wire = Wire::http();
        wire.play([after_request(answer)]);
        let api = behind(&wire);
        api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
        assert_eq!(wire.connections(), 1);
    };
    side_by_side(rows.into_iter().map(|(name, answer)| (name, accepted(answer)))).await;
}

#[tokio::test]
async fn what_breaks_once_costs_no_request() {
    for (name, broken) in [
        ("closed at once", vec![]),
        ("reset at once", vec![Step::Reset]),
        ("reset after the request", vec![Step::Request, Step::Reset]),
    ] {
        let wire = Wire::http();
        wire.play([broken, healthy(&wire, &KEY)]);
        let api = behind(&wire);
        let answer = api.get("/api/private", &api.token().sign()).await;
        assert_eq!((answer.status, wire.connections()), (200, 2), "{name}");
    }
}

#[tokio::test]
async fn a_name_that_cannot_be_resolved() {
    // A label of more than 63 bytes is no name, so that nobody's name server is asked.
    let nowhere = format!("https://{}.invalid/", "x".repeat(64));
    let tenant = Tenant::blocking_http_with(&KEY);
    let cold = FrontDoor::before(tenant, &[("JWKS_URI", &nowhere)]);
    cold.get("/api/private", &cold.token().sign()).await.refuses(&KEYS_UNAVAILABLE, "cold");

    let tenant = Tenant::blocking_http_with(&KEY);
    let warm = FrontDoor::before(tenant, &[("JWKS_URI", &nowhere), ("PINNED_JWKS", &jwks(&KEY))]);
    let token = warm.token().sign();
    warm.advance(600);
    warm.get("/api/private", &token).await.greets(PRIVATE);
    warm.get("/api/private", &warm.token().header("kid", "unknown").sign()).await.refuses(&KEYS_UNAVAILABLE, "warm");
}

#[tokio::test]
async fn a_fetch_says_no_more_than_it_must_and_keeps_no_connection() {
    let wire = Wire::http();
    // It would answer again and again, on one connection.
    let again = [Step::Request, answer("200 OK\r\nSet-Cookie: who=you\r\nETag: \"1\"", jwks(&KEY))];
    wire.play([[again.clone(), again.clone(), again].concat()]);
    let api = behind(&wire);
    let token = api.token().sign();
    for n in 1..=3 {
        api.get("/api/private", &token).await.greets(PRIVATE);
        eventually("it is closed", || wire.open_connections() == 0).await;
        assert_eq!((wire.connections(), wire.requests().len()), (n, n), "a fetch has a connection of its own");
        api.advance(600);
    }
    let host = wire.jwks_uri().replace("http://", "").replace("/.well-known/jwks.json", "");
    for request in wire.requests() {
        let mut lines: Vec<_> = request.trim_end().lines().collect();
        lines[1..].sort_unstable();
        assert_eq!(
            lines,
            [
                "GET /.well-known/jwks.json HTTP/1.1",
                "accept: */*",
                &format!("host: {host}"),
                concat!("user-agent: api-authorization/", env!("CARGO_PKG_VERSION")),
            ]
        );
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_the_fetch_to_the_others() {
    let wire = Wire::http();
    wire.play([vec![Step::Request, Step::Pause(Duration::from_secs(2)), answer("200 OK", jwks(&KEY))]]);
    let api = Arc::new(behind(&wire));
    let token = api.token().sign();
    let first = tokio::spawn({
        let (api, token) = (Arc::clone(&api), token.clone());
        async move { api.get("/api/private", &token).await }
    });
    eventually("the fetch has begun", || wire.connections() == 1).await;
    first.abort();
    assert!(first.await.expect_err("it has no answer yet").is_cancelled());
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert_eq!(wire.connections(), 1);
}

#[tokio::test]
async fn an_old_answer_that_arrives_late_changes_nothing() {
    let wire = Wire::http();
    let late = vec![Step::Request, Step::Pause(Duration::from_secs(2)), answer("200 OK", jwks(&KEY))];
    wire.play([late, healthy(&wire, &NEXT)]);
    let api = behind(&wire);
    let (old, new) = (api.token().sign(), api.token().signed_by(&NEXT).sign());
    let mut first = pin!(api.get("/api/private", &old));
    let begun = pin!(eventually("the fetch has begun", || wire.connections() == 1));
    assert!(matches!(select(&mut first, begun).await, Either::Right(_)));

    api.advance(4);
    api.get("/api/private", &new).await.greets(PRIVATE);
    assert_eq!(wire.connections(), 2, "the first is given up, a second made");
    // It waits for the fetch that it has started, and is answered by the newer one.
    first.await.refuses(&NO_KEY, "the newer set counts");
    eventually("the older has arrived", || wire.open_connections() == 0).await;
    api.get("/api/private", &new).await.greets(PRIVATE);
    api.get("/api/private", &old).await.refuses(&NO_KEY, "the newer set stays");
    assert_eq!(wire.connections(), 2);
}

#[tokio::test]
async fn no_proxy_of_the_environment_is_asked() {
    const CHILD: &str = "FAULTS_BEHIND_A_PROXY";
    if std::env::var_os(CHILD).is_some() {
        for wire in [Wire::http(), Wire::https()] {
            wire.play([healthy(&wire, &KEY)]);
            let api = behind(&wire);
            api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
        }
        return;
    }
    // The environment is a process's own, so this very test runs once more in another.
    let proxy = Wire::http();
    let url = proxy.jwks_uri();
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    let child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "no_proxy_of_the_environment_is_asked"])
        .envs(names.map(|name| (name, &url)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env(CHILD, "1")
        .output()
        .expect("this test, once more");
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
    assert_eq!(proxy.connections(), 0);
}

async fn all_endured(wire: fn() -> Wire, faults: impl IntoIterator<Item = Fault>) {
    side_by_side(faults.into_iter().map(|fault| (fault.name, endured(wire(), fault)))).await;
}

/// The whole story of a fault: at a cold start, over, with keys that are ten minutes old, and over again.
async fn endured(wire: Wire, fault: Fault) {
    let api = behind(&wire);
    let (token, next) = (api.token().sign(), api.token().signed_by(&NEXT).sign());

    break_down(&wire, &fault);
    let asked = Instant::now();
    let public = event("GET", "/api/public", &[]);
    let (cold, public) = match select(pin!(api.get("/api/private", &token)), pin!(api.send(&public))).await {
        Either::Right((public, cold)) => (cold.await, public),
        Either::Left((cold, public)) => {
            assert!(!fault.hangs, "the public route must be answered first");
            (cold, public.await)
        }
    };
    public.greets(PUBLIC);
    cold.refuses(&KEYS_UNAVAILABLE, "cold");
    let least = if fault.hangs { CONNECT_TIME } else { Duration::ZERO };
    assert!((least..FETCH_TIME + SLACK).contains(&asked.elapsed()), "it took {:?}", asked.elapsed());
    assert_eq!(wire.connections(), fault.connections, "cold");
    api.get("/api/private", &token).await.refuses(&KEYS_UNAVAILABLE, "in the pause");
    assert_eq!(wire.connections(), fault.connections, "in the pause");

    mend(&wire, &KEY);
    api.advance(10);
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert_eq!(wire.connections(), fault.connections + 1, "over");

    break_down(&wire, &fault);
    api.advance(600);
    let asked = Instant::now();
    api.get("/api/private", &token).await.greets(PRIVATE);
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert!(asked.elapsed() < FETCH_TIME, "it waited for the fetch: {:?}", asked.elapsed());
    eventually("a refresh is tried", || wire.connections() == 2 * fault.connections + 1).await;

    mend(&wire, &NEXT);
    api.advance(10);
    api.get("/api/private", &next).await.greets(PRIVATE);
    api.get("/api/private", &token).await.refuses(&NO_KEY, "replaced");
    assert_eq!(wire.connections(), 2 * fault.connections + 2, "over again");
    eventually("all connections are closed", || wire.open_connections() == 0).await;
    assert!(wire.sent() < wire.connections() * MAX_SENT, "it took {} bytes", wire.sent());
}

fn break_down(wire: &Wire, fault: &Fault) {
    if fault.connections == 0 {
        wire.close();
    } else {
        wire.play([fault.script.clone()]);
    }
}

fn mend(wire: &Wire, key: &Key) {
    wire.open();
    wire.play([healthy(wire, key)]);
}

/// What an issuer should do.
fn healthy(wire: &Wire, key: &Key) -> Vec<Step> {
    let handshake = wire.ca_file().map(|_| Step::Tls(Certificate::Good));
    handshake.into_iter().chain([Step::Request, answer("200 OK", jwks(key))]).collect()
}

/// The function, told to fetch its keys from there.
fn behind(wire: &Wire) -> FrontDoor {
    let roots = wire.ca_file().map(|file| file.to_str().expect("UTF-8").to_owned()).unwrap_or_default();
    let environment = [("JWKS_URI", wire.jwks_uri()), ("SSL_CERT_FILE", roots)];
    FrontDoor::before(
        Tenant::blocking_http_with(&KEY),
        &environment.each_ref().map(|(name, value)| (*name, value.as_str())),
    )
}

fn jwks(key: &Key) -> String {
    json!({ "keys": [key.jwk()] }).to_string()
}

/// So many keys. The last is this one, and the others are, too, but for their names.
fn set_of(keys: usize, key: &Value) -> String {
    let another = |n| {
        let mut another = key.clone();
        another["kid"] = json!(format!("key-{n}"));
        another
    };
    json!({ "keys": (1..keys).map(another).chain([key.clone()]).collect::<Vec<_>>() }).to_string()
}

fn padded(jwks: &str, bytes: usize) -> String {
    jwks.to_owned() + &" ".repeat(bytes - jwks.len())
}

fn after_request(answer: impl IntoIterator<Item = Step>) -> Vec<Step> {
    [Step::Request].into_iter().chain(answer).collect()
}

fn send(bytes: impl AsRef<[u8]>) -> Step {
    Step::Send(bytes.as_ref().to_vec())
}

/// A whole answer: a status, perhaps more headers, and a body of the length that it says.
fn answer(status: impl Display, body: impl AsRef<[u8]>) -> Step {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    send([head.as_bytes(), body].concat())
}

fn chunk(bytes: &str) -> String {
    format!("{:x}\r\n{bytes}\r\n", bytes.len())
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes.as_ref()).and_then(|()| gzip.finish()).expect("memory")
}

/// A set of keys in less than 64 KiB that grows to 50 MB.
fn bomb(jwks: &str) -> Vec<u8> {
    let bomb = [gzip(jwks), gzip(vec![b' '; 1024 * 1024]).repeat(50)].concat();
    assert!(bomb.len() < 64 * 1024);
    bomb
}

/// Runs all rows side by side, each as a task of its own, and names those that fail.
async fn side_by_side<F: Future<Output = ()> + Send + 'static>(rows: impl IntoIterator<Item = (&'static str, F)>) {
    let row = |(name, story)| async move {
        let end = tokio::spawn(timeout(Duration::from_secs(60), story)).await;
        let failure = end.map_err(|panic| panic.to_string()).and_then(|end| end.map_err(|late| late.to_string())).err();
        failure.map(|failure| format!("{name}: {failure}"))
    };
    let failures: Vec<_> = join_all(rows.into_iter().map(row)).await.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

/// For what the other side of a socket notices in its own time.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// The first lines of an answer whose length is still to be said.
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const FETCH_TIME: Duration = Duration::from_secs(3);

/// The handshakes have less.
const CONNECT_TIME: Duration = Duration::from_millis(1500);

/// What a busy machine may add to it.
const SLACK: Duration = Duration::from_secs(2);

/// A fetch reads 512 KiB of a body, and six times that where each byte is a chunk; little more waits in the sockets. Of the
/// 100 MB and more that are offered, next to nothing.
const MAX_SENT: usize = 4 * 1024 * 1024;
