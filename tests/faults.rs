//! What an issuer can do wrong below its JWKS, over real sockets: no fault takes longer than the time of a fetch, costs a
//! cached key, or outlives its cause.

mod front_door;

use std::fmt::Display;
use std::io::Write;
use std::iter;
use std::ops::RangeInclusive;
use std::pin::pin;
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use front_door::*;
use futures_util::future::{Either, join, join_all, select};
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
    end: End,
}

/// How a fetch ends that meets it.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// At once, since the port is closed.
    Refused,
    /// At once, since it will not pass by itself.
    Lasting,
    /// When the time is over, after several attempts.
    Passing,
    /// When the time is over, in the midst of the first attempt.
    Hanging,
}

impl End {
    /// What one fetch costs.
    fn connections(self) -> RangeInclusive<usize> {
        match self {
            Self::Refused => 0..=0,
            Self::Lasting | Self::Hanging => 1..=1,
            // One more at least, if the machine has time for that; `what_fails_in_passing` counts them.
            Self::Passing => 1..=4,
        }
    }

    /// How many connections there are after one more fetch. The last attempt of the one before may have begun at the very end of its
    /// time, and be seen late.
    fn one_more(self, before: usize) -> RangeInclusive<usize> {
        before + 1..=before + 1 + usize::from(self == Self::Passing)
    }
}

const REFUSED: Fault = Fault { name: "refused", script: vec![], end: End::Refused };

/// An answer to the request that will not pass by itself.
fn lasts(name: &'static str, answer: impl IntoIterator<Item = Step>) -> Fault {
    Fault { name, script: after_request(answer), end: End::Lasting }
}

/// An answer to the request that may pass by itself.
fn passes(name: &'static str, answer: impl IntoIterator<Item = Step>) -> Fault {
    broke(name, after_request(answer))
}

/// A connection that broke.
fn broke(name: &'static str, script: impl IntoIterator<Item = Step>) -> Fault {
    Fault { name, script: script.into_iter().collect(), end: End::Passing }
}

/// A handshake that proves nothing.
fn proves_nothing(name: &'static str, script: impl IntoIterator<Item = Step>) -> Fault {
    Fault { name, script: script.into_iter().collect(), end: End::Lasting }
}

/// Goes on until the time is over.
fn hangs(name: &'static str, script: impl IntoIterator<Item = Step>) -> Fault {
    Fault { name, script: script.into_iter().collect(), end: End::Hanging }
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
        "501 Not Implemented",
        "505 HTTP Version Not Supported",
        "999 Beyond",
    ];
    let passing = [
        "429 Too Many Requests",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable\r\nRetry-After: 0",
        "504 Gateway Timeout",
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
    let statuses = statuses.map(|status| lasts(status, [answer(status, jwks(&KEY))]));
    let passing = passing.map(|status| passes(status, [answer(status, jwks(&KEY))]));
    let redirects = redirects.map(|status| {
        let body = if status.starts_with("200") { "{}".to_owned() } else { jwks(&KEY) };
        lasts(status, [answer(format!("{status}\r\nLocation: {}", elsewhere.jwks_uri()), body)])
    });
    all_endured(Wire::http, statuses.into_iter().chain(passing).chain(redirects)).await;
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
        lasts("nothing", [ok("")]),
        lasts("HTML", [answer("200 OK\r\nContent-Type: text/html", format!("<html>{jwks}</html>"))]),
        lasts("JSON cut short", [ok(&jwks[..jwks.len() - 1])]),
        lasts("JSON and more", [ok(&format!("{jwks}{jwks}"))]),
        lasts("a byte order mark", [ok(&format!("\u{feff}{jwks}"))]),
        lasts("500 keys of 8192 bits", [ok(&most_of_8192_bits)]),
        lasts("501 keys", [ok(&too_many)]),
        lasts("512 KiB and a byte", [ok(&padded(jwks, 512 * 1024 + 1))]),
        lasts("gzip", [answer("200 OK\r\nContent-Encoding: gzip", gzip(jwks))]),
        lasts("gzip that says nothing of it", [answer("200 OK", gzip(jwks))]),
        lasts("a gzip bomb", [answer("200 OK\r\nContent-Encoding: gzip", bomb(jwks))]),
        lasts("longer than its length", [of_length(jwks.len() - 1)]),
        passes("shorter than its length", [of_length(jwks.len() + 1)]),
        lasts("a length of 0", [of_length(0)]),
        lasts("100 MB", [of_length(100 * 1024 * 1024), blanks()]),
        passes("100 MB that are not there", [of_length(100 * 1024 * 1024)]),
        lasts("9 EB", [of_length(usize::MAX / 2), blanks()]),
        lasts("without an end", [send(format!("{OK}\r\n{jwks}")), blanks()]),
        lasts("chunks without an end", [chunked(chunk), flood("a\r\n          \r\n")]),
        lasts("chunks of a byte without an end", [chunked(chunk), flood("1\r\n \r\n")]),
        lasts("a chunk without an end", [chunked(&format!("FFFFFFFFFFFF\r\n{jwks}")), blanks()]),
        passes("a chunk's extension without an end", [chunked("1;"), flood("x")]),
        passes("trailers without an end", [chunked(&format!("{chunk}0\r\n")), flood("X: y\r\n")]),
        passes("no last chunk", [chunked(chunk)]),
        passes("a chunk cut short", [chunked(&format!("FFFF\r\n{jwks}"))]),
        passes("a chunk of no length", [chunked(&format!("\r\n{jwks}\r\n0\r\n\r\n"))]),
        passes("a chunk of a length that is no number", [chunked(&format!("keys\r\n{jwks}\r\n0\r\n\r\n"))]),
        passes("a chunk of a length beyond 64 bits", [chunked(&format!("1{:016x}{chunk}0\r\n\r\n", 0))]),
        passes("reset in the middle", [of_length(jwks.len() + 1), Step::Reset]),
        passes("reset in the middle of a chunk", [chunked(&format!("FFFF\r\n{jwks}")), Step::Reset]),
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
        proves_nothing("signed by itself", shows(Certificate::SelfSigned)),
        proves_nothing("for another name", shows(Certificate::OtherName)),
        proves_nothing("expired", shows(Certificate::Expired)),
        proves_nothing("not yet valid", shows(Certificate::NotYetValid)),
        proves_nothing("TLS 1.1 chosen", [send(server_hello_1_1), Step::Silence]),
        proves_nothing("TLS 1.1 alone understood", [send(protocol_version_alert), Step::Silence]),
        proves_nothing("no TLS at all", [whole.clone(), Step::Silence]),
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

/// A handshake has 1.5 s, an answer has 5.
#[tokio::test]
async fn an_attempt_that_times_out_is_followed_by_another() {
    let handshake = async {
        let wire = Wire::https();
        wire.play([vec![Step::Silence], healthy(&wire, &KEY)]);
        let api = behind(&wire);
        let asked = Instant::now();
        api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
        assert!((1_600..5_000).contains(&asked.elapsed().as_millis()), "{:?}", asked.elapsed());
        assert_eq!(wire.connections(), 2);
    };
    let answer = async {
        let wire = Wire::http();
        wire.play([healthy(&wire, &KEY), after_request([Step::Silence]), healthy(&wire, &NEXT)]);
        let api = behind(&wire);
        let (token, next) = (api.token().sign(), api.token().signed_by(&NEXT).sign());
        api.get("/api/private", &token).await.greets(PRIVATE);
        // With keys of more than an hour, a request waits for the whole of a fetch.
        api.advance(3_601);
        let asked = Instant::now();
        api.get("/api/private", &token).await.refuses(&NO_KEY, "replaced");
        assert!((5_100..7_900).contains(&asked.elapsed().as_millis()), "{:?}", asked.elapsed());
        api.get("/api/private", &next).await.greets(PRIVATE);
        assert_eq!(wire.connections(), 3);
    };
    join(handshake, answer).await;
}

/// Of one fetch: what comes before the keys, whether they are reached, and how long that takes at least.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_in_passing_is_tried_again_within_a_fetch() {
    let status = |status: &str| after_request([answer(status, "{}")]);
    let retry_after = |value: &str| after_request([answer(format!("503 Busy\r\nRetry-After: {value}"), "{}")]);
    let rows = vec![
        ("closed at once", vec![vec![]], true, 100),
        ("reset at once", vec![vec![Step::Reset]], true, 100),
        ("reset after the request", vec![vec![Step::Request, Step::Reset]], true, 100),
        ("half a body", vec![after_request([send(format!("{OK}Content-Length: 100\r\n\r\n{{"))])], true, 100),
        ("429, twice", vec![status("429 Slow Down"); 2], true, 300),
        ("500, and then 502", vec![status("500 Error"), status("502 Error")], true, 300),
        ("503 and 504, twice each", [vec![status("503 Error"); 2], vec![status("504 Error"); 2]].concat(), true, 1_500),
        ("400", vec![status("400 Bad Request")], false, 0),
        ("401", vec![status("401 Unauthorized")], false, 0),
        ("403", vec![status("403 Forbidden")], false, 0),
        ("404", vec![status("404 Not Found")], false, 0),
        ("408", vec![status("408 Request Timeout")], false, 0),
        ("501", vec![status("501 Not Implemented")], false, 0),
        ("no JWKS", vec![status("200 OK")], false, 0),
        ("429, and then 404", vec![status("429 Slow Down"), status("404 Not Found")], false, 100),
        ("wait for a second", vec![retry_after("1")], true, 1_000),
        ("wait for less than the pause", vec![retry_after("0")], true, 100),
        ("wait until a date", vec![retry_after("Fri, 17 Mar 2130 17:46:40 GMT")], true, 100),
        ("wait for a time below 0", vec![retry_after("-5")], true, 100),
        ("wait for a time that no u64 holds", vec![retry_after("99999999999999999999")], true, 100),
        ("wait for longer than a fetch", vec![retry_after("8")], false, 0),
        ("wait for ever", vec![retry_after(&u64::MAX.to_string())], false, 0),
    ];
    let fetched = |scripts: Vec<Vec<Step>>, good: bool, least| async move {
        let wire = Wire::http();
        let before = scripts.len();
        wire.play(scripts.into_iter().chain([healthy(&wire, &KEY)]));
        let api = behind(&wire);
        let asked = Instant::now();
        api.get("/api/private", &api.token().sign()).await.decides((!good).then_some(&KEYS_UNAVAILABLE), "");
        assert!((least..6_000).contains(&asked.elapsed().as_millis()), "{:?}", asked.elapsed());
        assert_eq!(wire.connections(), before + usize::from(good));
    };
    side_by_side(rows.into_iter().map(|(name, scripts, good, least)| (name, fetched(scripts, good, least)))).await;
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

    api.advance(9);
    api.get("/api/private", &new).await.greets(PRIVATE);
    assert_eq!(wire.connections(), 2, "the first is given up, a second made");
    // It waits for the fetch that it has started, and is answered by the newer one.
    first.await.refuses(&NO_KEY, "the newer set counts");
    eventually("the older has arrived", || wire.open_connections() == 0).await;
    api.get("/api/private", &new).await.greets(PRIVATE);
    api.get("/api/private", &old).await.refuses(&NO_KEY, "the newer set stays");
    assert_eq!(wire.connections(), 3, "and a third to look for the older key");
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
    api.leave(LEFT);
    let asked = Instant::now();
    let public = event("GET", "/api/public", &[]);
    let (cold, public) = match select(pin!(api.get("/api/private", &token)), pin!(api.send(&public))).await {
        Either::Right((public, cold)) => (cold.await, public),
        Either::Left((cold, public)) => {
            assert!(fault.end != End::Hanging, "the public route must be answered first");
            (cold, public.await)
        }
    };
    public.greets(PUBLIC);
    cold.refuses(&KEYS_UNAVAILABLE, "cold");
    let least = if fault.end == End::Hanging { LEFT - 200 } else { 0 };
    let took = asked.elapsed().as_millis();
    assert!((least.unsigned_abs().into()..FETCH_TIME).contains(&took), "it took {took} ms");
    // It waits for what is left of the fetch, and starts none.
    api.get("/api/private", &token).await.refuses(&KEYS_UNAVAILABLE, "in the pause");
    let cold = wire.connections();
    assert!(fault.end.connections().contains(&cold), "{cold} connections, cold");

    mend(&wire, &KEY);
    api.leave(-1);
    api.advance(2);
    api.get("/api/private", &token).await.greets(PRIVATE);
    let over = wire.connections();
    assert!(fault.end.one_more(cold).contains(&over), "{cold}, and {over} when it is over");

    break_down(&wire, &fault);
    api.leave(LEFT);
    api.advance(600);
    let asked = Instant::now();
    api.get("/api/private", &token).await.greets(PRIVATE);
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert!(asked.elapsed().as_millis() < FETCH_TIME, "it waited for the fetch: {:?}", asked.elapsed());
    api.get("/api/private", &next).await.refuses(&KEYS_UNAVAILABLE, "unknown, and waits for what is left of the fetch");
    let warm = wire.connections();
    assert!(fault.end.connections().contains(&(warm - over)), "{over}, and {warm} connections, warm");

    mend(&wire, &NEXT);
    api.leave(-1);
    api.advance(2);
    api.get("/api/private", &next).await.greets(PRIVATE);
    let over = wire.connections();
    assert!(fault.end.one_more(warm).contains(&over), "{warm}, and {over} when it is over again");
    api.get("/api/private", &token).await.refuses(&NO_KEY, "replaced");
    eventually("all connections are closed", || wire.open_connections() == 0).await;
    assert!(wire.sent() < wire.connections() * MAX_SENT, "it took {} bytes", wire.sent());
}

fn break_down(wire: &Wire, fault: &Fault) {
    if fault.end == End::Refused {
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
    iter::once(Step::Request).chain(answer).collect()
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

/// What the invocations have that meet a fault, in milliseconds: enough for several attempts, and less than a handshake has.
const LEFT: i64 = 1_400;

/// What a fetch would take if it had the time, in milliseconds.
const FETCH_TIME: u128 = 8_000;

/// A fetch reads 512 KiB of a body, and six times that where each byte is a chunk; little more waits in the sockets. Of the
/// 100 MB and more that are offered, next to nothing.
const MAX_SENT: usize = 4 * 1024 * 1024;
