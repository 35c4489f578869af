//! How signing keys are kept, over real sockets. Hours pass by a clock that is moved, not by waiting.

mod front_door;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use api_authorization::clock::{Clock, Now};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use front_door::*;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tenant::{Answer, Key, Tenant};

/// An answer of the tenant that is no set of keys.
fn body(status: u16, body: &str) -> Answer {
    Answer::Body { status, content_type: "application/json".to_owned(), body: body.as_bytes().to_vec() }
}

/// A tenant that gives no keys, and no reason to ask it again within the same fetch.
fn outage() -> Answer {
    body(404, "down")
}

#[tokio::test]
async fn one_fetch_serves_warm_invocations() {
    let api = FrontDoor::open().await;
    for _ in 0..20 {
        api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
    }
    assert_eq!(api.tenant.fetches(), 1);
}

#[tokio::test]
async fn a_herd_makes_one_fetch() {
    let api = FrontDoor::open().await;
    api.tenant.serve(Answer::After(Duration::from_millis(100), Box::new(Answer::Jwks)));
    let token = api.token().sign();
    for answer in futures_util::future::join_all((0..100).map(|_| api.get("/api/private", &token))).await {
        answer.greets(PRIVATE);
    }
    assert_eq!(api.tenant.fetches(), 1);
}

#[tokio::test]
async fn a_herd_with_an_unknown_kid_makes_one_fetch_more() {
    let api = FrontDoor::open().await;
    api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
    api.tenant.serve(Answer::After(Duration::from_millis(100), Box::new(Answer::Jwks)));
    for (kid, fetches) in [("one", 2), ("another", 3), ("a third", 3)] {
        let token = api.token().header("kid", kid).sign();
        for answer in futures_util::future::join_all((0..20).map(|_| api.get("/api/private", &token))).await {
            answer.refuses(&NO_KEY, kid);
        }
        assert_eq!(api.tenant.fetches(), fetches, "{kid}");
    }
}

#[tokio::test]
async fn the_first_token_of_a_rotated_key_works() {
    let api = FrontDoor::open().await;
    let old = api.token();
    api.get("/api/private", &old.sign()).await.greets(PRIVATE);
    for fetches in 2..=3 {
        let new = api.token().signed_by(&api.tenant.rotate());
        api.get("/api/private", &new.sign()).await.greets(PRIVATE);
        api.get("/api/private", &old.sign()).await.greets(PRIVATE);
        assert_eq!(api.tenant.fetches(), fetches);
    }
    // Two at once, and then one for each 30 s.
    let new = api.token().signed_by(&api.tenant.rotate());
    api.advance(29);
    api.get("/api/private", &new.sign()).await.refuses(&NO_KEY, "29 s after the last of two");
    assert_eq!(api.tenant.fetches(), 3);
    api.advance(1);
    api.get("/api/private", &new.sign()).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 4);
}

#[tokio::test]
async fn a_withdrawn_key_stops_after_ten_minutes() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    api.get("/api/private", &token).await.greets(PRIVATE);
    let old = api.tenant.key();
    api.tenant.rotate();
    api.tenant.withdraw(old.kid());
    api.advance(479);
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 1);
    api.advance(121);
    api.get("/api/private", &token).await.refuses(&NO_KEY, "withdrawn");
    assert_eq!(api.tenant.fetches(), 2);
}

/// Sandboxes that started together must not come back together.
#[tokio::test]
async fn keys_are_fresh_for_eight_to_ten_minutes() {
    let api = FrontDoor::open().await;
    let token = api.token().claim("exp", NOW + 200_000).sign();
    let asks = async |seconds| {
        api.advance(seconds);
        let before = api.tenant.fetches();
        api.get("/api/private", &token).await.greets(PRIVATE);
        api.tenant.fetches() - before
    };
    assert_eq!(asks(0).await, 1);
    let mut at_nine = 0;
    for _ in 0..60 {
        assert_eq!(asks(479).await, 0, "fresh for 8 minutes at least");
        let early = asks(61).await;
        at_nine += early;
        if early == 0 {
            assert_eq!(asks(60).await, 1, "and for 10 at most");
        }
    }
    assert!((5..55).contains(&at_nine), "{at_nine} of 60 at nine minutes: it is drawn anew each time");
}

/// A minute of junk: 10,000 tokens, each with a `kid` of its own, and good in all else. Nobody need sign them.
#[tokio::test]
async fn made_up_kids_do_not_reach_the_issuer() {
    let api = FrontDoor::open().await;
    let good = api.token().sign();
    let (_, unsigned) = good.split_once('.').expect("a payload");
    api.get("/api/private", &good).await.greets(PRIVATE);
    for n in 0..10_000 {
        let header = format!(r#"{{"alg":"RS256","kid":"made-up-{n}"}}"#);
        let junk = format!("{}.{unsigned}", URL_SAFE_NO_PAD.encode(header));
        api.get("/api/private", &junk).await.refuses(&NO_KEY, "made up");
        if n % 167 == 166 {
            api.advance(1);
            api.get("/api/private", &good).await.greets(PRIVATE);
        }
    }
    assert_eq!(api.tenant.fetches(), 4, "one at first, two at once, and one more for the 30 s that passed");

    let new = api.token().signed_by(&api.tenant.rotate()).sign();
    api.advance(30);
    api.get("/api/private", &new).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 5, "the flood cannot keep a new key out");

    let stranger = Key::generate("stranger");
    let bad_signature = api.token().signed_by(&stranger).header("kid", api.tenant.key().kid()).sign();
    api.advance(60);
    api.get("/api/private", &bad_signature).await.refuses(&UNPARSABLE, "a bad signature is no reason to fetch");
    assert_eq!(api.tenant.fetches(), 5);
}

/// However often it is sent, with keys at hand or without, with fresh ones or stale ones.
#[tokio::test]
async fn a_token_that_no_key_could_save_is_no_reason_to_fetch() {
    let api = FrontDoor::open().await;
    let forger = Key::generate("forger");
    let hopeless = || {
        [
            api.token().claim("iss", "https://another.example/"),
            api.token().claim("aud", "https://another.example"),
            api.token().claim("exp", NOW - 60),
            api.token().claim("nbf", NOW + 100_000),
            api.token().without_claim("exp"),
        ]
        .map(|token| token.signed_by(&forger).sign())
    };
    for token in hopeless() {
        api.get("/api/private", &token).await.refuses(&NO_KEY, "with no keys at hand");
    }
    assert_eq!(api.tenant.fetches(), 0);

    api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
    for token in hopeless() {
        api.get("/api/private", &token).await.refuses(&NO_KEY, "with fresh keys at hand");
    }
    let expired = api.token().claim("exp", NOW - 60).sign();
    api.advance(700);
    api.get("/api/private", &expired).await.refuses(&EXPIRED, "with stale keys at hand");
    assert_eq!(api.tenant.fetches(), 1);

    api.tenant.serve(outage());
    api.get("/api/private", &api.token().header("kid", "unknown").sign()).await.refuses(&KEYS_UNAVAILABLE, "down");
    api.advance(20);
    for token in hopeless() {
        api.get("/api/private", &token).await.refuses(&KEYS_UNAVAILABLE, "as any unknown key while fetches fail");
    }
    assert_eq!(api.tenant.fetches(), 2);
}

#[tokio::test]
async fn clocks_that_jump() {
    let tenant = Tenant::http().await;
    let (monotonic, wall) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(NOW.unsigned_abs())));
    let (reading_monotonic, reading_wall) = (Arc::clone(&monotonic), Arc::clone(&wall));
    let clock = Clock::new(move || Now {
        monotonic: Duration::from_secs(reading_monotonic.load(SeqCst)),
        wall: Duration::from_secs(reading_wall.load(SeqCst)),
    });
    let api = FrontDoor::by_clock(tenant, &[], &clock);
    let token = api.tenant.token().at(0).claim("exp", 5_000_000_000_u64).sign();
    for (row, monotonic_to, wall_to, fetches) in [
        ("at first", 0, NOW, 1),
        ("the wall clock is set back by an hour", 479, NOW - 3_600, 1),
        ("and does not make keys fresher", 600, NOW - 3_600, 2),
        ("the sandbox froze, and its monotonic clock with it", 600, NOW - 3_600 + 600, 3),
        ("the wall clock is set to 2106", 601, 4_294_967_296, 4),
        ("and back to 1970", 602, 0, 4),
        ("where ten minutes pass", 1_202, 600, 5),
    ] {
        monotonic.store(monotonic_to, SeqCst);
        wall.store(wall_to.unsigned_abs(), SeqCst);
        let answer = api.get("/api/private", &token).await;
        assert_eq!((answer.status, api.tenant.fetches()), (200, fetches), "{row}");
    }
}

#[tokio::test]
async fn an_outage() {
    let api = FrontDoor::open().await;
    let token = api.token().claim("exp", NOW + 200_000).sign();
    let unknown = api.token().claim("exp", NOW + 200_000).header("kid", "unknown").sign();

    api.tenant.serve(outage());
    api.get("/api/private", &token).await.refuses(&KEYS_UNAVAILABLE, "cold");
    api.get("/api/private", &token).await.refuses(&KEYS_UNAVAILABLE, "cold, in the pause");
    api.send(&event("GET", "/api/public", &[])).await.greets(PUBLIC);
    assert_eq!(api.tenant.fetches(), 1);

    api.tenant.serve(Answer::Jwks);
    api.advance(2);
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 2);

    api.tenant.serve(outage());
    api.get("/api/private", &unknown).await.refuses(&KEYS_UNAVAILABLE, "nobody knows this kid during an outage");
    api.get("/api/private", &unknown).await.refuses(&KEYS_UNAVAILABLE, "in the pause");
    assert_eq!(api.tenant.fetches(), 3);

    api.advance(3_630);
    api.get("/api/private", &token).await.greets(PRIVATE);
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 4, "one try, then a pause");

    api.advance(86_400 - 3_630);
    api.get("/api/private", &token).await.greets(PRIVATE);
    api.advance(1);
    api.get("/api/private", &token).await.refuses(&KEYS_UNAVAILABLE, "no key lives longer than a day");
}

/// Each is longer or shorter by a fifth at most. Between them, nobody asks the issuer.
#[tokio::test]
async fn the_pauses_of_an_outage_grow_and_begin_anew() {
    let api = FrontDoor::open().await;
    let token = api.token().claim("exp", NOW + 200_000).sign();
    let mut fetches = 0;
    for outages in 1..=2 {
        api.tenant.serve(outage());
        for pause in [1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000] {
            fetches += 1;
            let row = format!("outage {outages}, a pause of {pause} ms");
            let answer = api.get("/api/private", &token).await;
            answer.refuses(&KEYS_UNAVAILABLE, &row);
            assert_eq!(api.tenant.fetches(), fetches, "{row}");
            let told = answer.retry_after() * 1_000;
            assert!((pause * 8 / 10..pause * 12 / 10 + 1_000).contains(&told), "{row}: told {told} ms");
            api.advance_by_milliseconds(pause * 79 / 100);
            api.get("/api/private", &token).await.refuses(&KEYS_UNAVAILABLE, &row);
            assert_eq!(api.tenant.fetches(), fetches, "{row}");
            api.advance_by_milliseconds(pause * 121 / 100 - pause * 79 / 100);
        }
        api.tenant.serve(Answer::Jwks);
        api.get("/api/private", &token).await.greets(PRIVATE);
        fetches += 1;
        api.advance(90_000);
    }
}

/// Not a second more, and not a second less.
#[tokio::test]
async fn retry_after_tells_the_seconds_that_are_left() {
    let api = FrontDoor::open().await;
    let token = api.token().claim("exp", NOW + 200_000).sign();
    api.tenant.serve(outage());
    for fetches in 1..12 {
        let told = api.get("/api/private", &token).await.retry_after();
        assert_eq!(api.tenant.fetches(), fetches);
        for left in (1..told).rev() {
            api.advance(1);
            let answer = api.get("/api/private", &token).await;
            assert_eq!((answer.retry_after(), api.tenant.fetches()), (left, fetches));
        }
        api.advance(1);
    }
    api.tenant.serve(Answer::Jwks);
    api.get("/api/private", &token).await.greets(PRIVATE);

    // While a fetch runs: what is left of its time, 8 s or what its invocation had, and the longest pause that may follow. It
    // is rounded up.
    for (left, rows) in [(100_000, vec![(0, 10), (3, 7), (4, 3), (1, 2)]), (3_000, vec![(0, 5), (1, 4)])] {
        let api = FrontDoor::open().await;
        api.tenant.serve(Answer::Never);
        let token = api.token().sign();
        api.leave(left);
        let first = tokio::time::timeout(Duration::from_millis(100), api.get("/api/private", &token)).await;
        assert!(first.is_err(), "it waits for the fetch that it has started");
        api.leave(150);
        for (seconds, told) in rows {
            api.advance(seconds);
            let answer = api.get("/api/private", &token).await;
            answer.refuses(&KEYS_UNAVAILABLE, "too little time");
            assert_eq!(answer.retry_after(), told, "{seconds} s later");
        }
        assert_eq!(api.tenant.fetches(), 1);
    }
}

#[tokio::test]
async fn an_issuer_that_never_answers() {
    let api = FrontDoor::open().await;
    let token = api.token().claim("exp", NOW + 200_000).sign();
    api.get("/api/private", &token).await.greets(PRIVATE);
    api.tenant.serve(Answer::Never);
    api.advance(600);
    // Each of these would hang for the time of a fetch if it had to wait for it.
    let asked = Instant::now();
    api.get("/api/private", &token).await.greets(PRIVATE);
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert_eq!(api.tenant.fetches(), 2);
}

/// What a request waits for a key, in real time, all side by side.
#[tokio::test]
async fn how_long_a_request_waits() {
    let takes = async |row, left, age, answer, refusal: Option<Refusal>, least, most| {
        let api = FrontDoor::open().await;
        let token = api.token().claim("exp", NOW + 200_000).sign();
        if age > 0 {
            api.get("/api/private", &token).await.greets(PRIVATE);
            api.advance(age);
        }
        api.tenant.serve(answer);
        api.leave(left);
        let asked = Instant::now();
        let answer = api.get("/api/private", &token).await;
        let took = asked.elapsed().as_millis();
        answer.decides(refusal.as_ref(), row);
        assert!((least..most).contains(&took), "{row}: {took} ms");
        api.send(&event("GET", "/api/public", &[])).await.greets(PUBLIC);
    };
    let (none, never) = (Some(KEYS_UNAVAILABLE), || Answer::Never);
    let slow = || Answer::After(Duration::from_secs(4), Box::new(Answer::Jwks));
    futures_util::join!(
        takes("a second", 1_000, 0, never(), none, 800, 2_500),
        takes("a slow tenant", -1, 0, slow(), None, 3_900, 5_900),
        takes("6 s at most", 60_000, 0, never(), none, 5_900, 7_900),
        takes("a deadline in the past counts as none", 0, 0, never(), none, 5_900, 7_900),
        takes("no deadline", -1, 0, never(), none, 5_900, 7_900),
        takes("stale keys", -1, 600, never(), None, 200, 2_500),
        takes("keys of an hour", -1, 3_600, never(), None, 200, 2_500),
        takes("older keys, the whole of a fetch", -1, 3_601, never(), None, 6_500, 10_500),
        takes("older keys, as long as there is time", 2_000, 3_601, never(), None, 1_500, 3_500),
    );
}

#[tokio::test]
async fn what_is_no_set_of_keys_replaces_none() {
    let api = FrontDoor::open().await;
    let token = api.token().claim("exp", NOW + 200_000).sign();
    api.get("/api/private", &token).await.greets(PRIVATE);
    let key = api.tenant.key().jwk();
    let many = json!({ "keys": vec![&key; 501] }).to_string();
    for (row, answer) in [
        ("404", body(404, &json!({ "keys": [key] }).to_string())),
        ("204", body(204, "")),
        ("no keys", body(200, r#"{"keys":[]}"#)),
        ("nothing", body(200, "")),
        ("an empty object", body(200, "{}")),
        ("null", body(200, "null")),
        ("a list", body(200, "[[]]")),
        ("keys twice", body(200, &format!(r#"{{"keys":[],"keys":[{key}]}}"#))),
        ("HTML", body(200, "<html></html>")),
        ("cut short", body(200, r#"{"keys":[{"kty":"#)),
        ("501 keys", body(200, &many)),
        ("over 512 KiB", body(200, &format!(r#"{{"keys":[{key}],"x":"{}"}}"#, "x".repeat(512 * 1024)))),
    ] {
        api.tenant.serve(answer);
        api.advance(600);
        let before = api.tenant.fetches();
        api.get("/api/private", &token).await.greets(PRIVATE);
        let unknown = api.token().header("kid", "unknown").sign();
        api.get("/api/private", &unknown).await.refuses(&KEYS_UNAVAILABLE, row);
        assert_eq!(api.tenant.fetches(), before + 1, "{row}");
    }
}

#[tokio::test]
async fn keys_that_do_not_count() {
    let tenant = Tenant::http().await;
    let good = tenant.key().jwk();
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key["kid"] = json!("bad");
        key[name] = value;
        key
    };
    let modulus = good["n"].as_str().expect("n").to_owned();
    let rows = [
        ("use enc", with("use", json!("enc"))),
        ("use in capitals", with("use", json!("SIG"))),
        ("use of a wrong type", with("use", json!(5))),
        ("no key_ops", with("key_ops", json!([]))),
        ("other key_ops", with("key_ops", json!(["encrypt"]))),
        ("key_ops of a wrong type", with("key_ops", json!("verify"))),
        ("alg RS512", with("alg", json!("RS512"))),
        ("alg of a wrong type", with("alg", json!(5))),
        ("kty EC", with("kty", json!("EC"))),
        ("kty oct", with("kty", json!("oct"))),
        ("private", with("d", json!("AQAB"))),
        ("a prime", with("p", json!("AQAB"))),
        ("the other prime", with("q", json!("AQAB"))),
        ("an exponent", with("dp", json!("AQAB"))),
        ("the other exponent", with("dq", json!("AQAB"))),
        ("a coefficient", with("qi", json!("AQAB"))),
        ("more primes", with("oth", json!([]))),
        ("a secret", with("k", json!("AQAB"))),
        ("kty of null", with("kty", json!(null))),
        ("key_ops with a null", with("key_ops", json!(["verify", null]))),
        ("e 1", with("e", json!("AQ"))),
        ("e 2", with("e", json!("Ag"))),
        ("an even e", with("e", json!("AQAA"))),
        ("e 2^33 + 1", with("e", json!("AgAAAAE"))),
        ("e of six bytes", with("e", json!("AQAAAAAB"))),
        ("e of zeros", with("e", json!("AAAA"))),
        ("e with padding", with("e", json!("Aw=="))),
        ("no e", with("e", json!(""))),
        ("e of null", with("e", json!(null))),
        ("2047 bits", with("n", json!(shifted(&modulus)))),
        ("2047 bits behind zeros", with("n", json!(zeros_before(9, &shifted(&modulus))))),
        ("a short n", with("n", json!(modulus[..340]))),
        ("an even n", with("n", json!(format!("{}A", &modulus[..modulus.len() - 1])))),
        ("n with padding", with("n", json!(format!("{modulus}==")))),
        ("n of zeros", with("n", json!("A".repeat(342)))),
        ("no n", with("n", json!(""))),
        ("n of null", with("n", json!(null))),
        ("8193 bits", with("n", json!(URL_SAFE_NO_PAD.encode([&[1][..], &[0xff; 1024]].concat())))),
        ("a huge n", with("n", json!("_".repeat(100_000)))),
        ("a kid of a wrong type", with("kid", json!(5))),
        ("a kid of null", with("kid", json!(null))),
        ("an empty kid", with("kid", json!(""))),
        ("a long kid", with("kid", json!("k".repeat(257)))),
        ("a long kid of fewer characters", with("kid", json!("\u{e9}".repeat(129)))),
        ("no object", json!("x")),
        ("null", json!(null)),
        ("a list", json!([])),
    ];
    let token = tenant.token().at(NOW);
    let api = FrontDoor::before(tenant, &[]);
    api.get("/api/private", &token.sign()).await.greets(PRIVATE);
    for (row, key) in rows {
        // By itself it is no set of keys. (Were it one, this would be 401.)
        api.tenant.serve(body(200, &json!({ "keys": [key] }).to_string()));
        api.advance(600);
        let unknown = token.clone().header("kid", "unknown").sign();
        api.get("/api/private", &unknown).await.refuses(&KEYS_UNAVAILABLE, row);
        // Beside another, it costs nobody anything.
        api.tenant.serve(body(200, &json!({ "keys": [key, good] }).to_string()));
        api.advance(600);
        let bad = token.clone().header("kid", "bad").sign();
        api.get("/api/private", &bad).await.refuses(&NO_KEY, row);
        api.get("/api/private", &token.sign()).await.greets(PRIVATE);
    }
    for odd in [r#"{"kty":"RSA","kid":"bad","note":"\ud800"}"#, r#"{"kid":"bad","kid":"bad"}"#] {
        api.tenant.serve(body(200, &format!(r#"{{"keys":[{odd},{good}]}}"#)));
        api.advance(600);
        api.get("/api/private", &token.sign()).await.greets(PRIVATE);
    }
}

#[tokio::test]
async fn keys_that_do_count() {
    let api = FrontDoor::open().await;
    let other = Key::generate("same");
    let large = Key::generate_bits("large", 4096);
    let mut first = api.tenant.key().jwk();
    first["kid"] = json!("same");
    let mut last = first.clone();
    last["use"] = json!("enc");
    for (row, keys) in [
        ("the last of two", json!([first, other.jwk()])),
        ("the last usable of two", json!([other.jwk(), last])),
        ("an odd one first", json!([{ "kty": "EC", "kid": "same" }, other.jwk()])),
    ] {
        api.tenant.serve(body(200, &json!({ "keys": keys }).to_string()));
        api.advance(90_000); // no set serves for so long: it is this one that does
        let answer = api.get("/api/private", &api.token().signed_by(&other).sign()).await;
        assert_eq!(answer.status, 200, "{row}");
    }
    let with = |name: &str, value: Value| {
        let mut key = other.jwk();
        key[name] = value;
        key
    };
    let nulls = ["use", "key_ops", "alg", "d", "x5c"].into_iter();
    let accepted = [
        ("no use", without("use", other.jwk())),
        ("no alg", without("alg", other.jwk())),
        ("null members", nulls.fold(other.jwk(), |key, name| null(name, key))),
        ("key_ops with verify", with("key_ops", json!(["sign", "verify"]))),
        ("a zero byte before n", with("n", json!(zeros_before(1, &other.n())))),
        ("several zero bytes before n", with("n", json!(zeros_before(9, &other.n())))),
        ("several zero bytes before e", with("e", json!(zeros_before(9, "AQAB")))),
        ("x5c that is none", with("x5c", json!("A"))),
        ("members that nobody knows", with("https://example.com/", json!({ "a": [null] }))),
        ("the longest kid", with("kid", json!("k".repeat(256)))),
        ("the longest kid, in fewer characters", with("kid", json!("\u{e9}".repeat(128)))),
    ];
    for (row, key) in accepted {
        api.tenant.serve(body(200, &json!({ "keys": [key] }).to_string()));
        api.advance(90_000); // no set serves for so long: it is this one that does
        let token = api.token().signed_by(&other).header("kid", key["kid"].clone()).sign();
        let answer = api.get("/api/private", &token).await;
        assert_eq!(answer.status, 200, "{row}");
    }
    // What nobody reads may be odd: half of a surrogate pair, a name that is repeated.
    let odd = large.jwk().to_string().replacen('{', r#"{"note":"\ud800","note":1,"#, 1);
    api.tenant.serve(body(200, &format!(r#"{{"note":"\ud800","note":1,"keys":[{odd}]}}"#)));
    api.advance(600);
    api.get("/api/private", &api.token().signed_by(&large).sign()).await.greets(PRIVATE);
}

/// Keys that no library here makes, each with a token that it has signed. They were made once, with openssl, and their
/// private halves are gone.
#[tokio::test]
async fn keys_at_the_bounds_do_count() {
    let rows: Value = serde_json::from_str(include_str!("odd_keys.json")).expect("JSON");
    let api = FrontDoor::with(&[("AUTH0_DOMAIN", "issuer.example")]).await;
    for row in rows.as_array().expect("rows") {
        api.tenant.serve(body(200, &json!({ "keys": [row["jwk"]] }).to_string()));
        api.advance(600);
        let token = row["token"].as_str().expect("a token");
        api.get("/api/private", token).await.greets_at(PRIVATE, &row["name"].to_string());
        let (signed, _) = token.rsplit_once('.').expect("a signature");
        let forged = format!("{signed}.{}", "A".repeat(token.len() - signed.len() - 1));
        api.get("/api/private", &forged).await.refuses(&UNPARSABLE, &row["name"].to_string());
    }
}

fn without(member: &str, mut key: Value) -> Value {
    key.as_object_mut().expect("an object").remove(member);
    key
}

fn null(member: &str, mut key: Value) -> Value {
    key[member] = json!(null);
    key
}

fn zeros_before(zeros: usize, modulus: &str) -> String {
    let modulus = URL_SAFE_NO_PAD.decode(modulus).expect("base64url");
    URL_SAFE_NO_PAD.encode([vec![0; zeros], modulus].concat())
}

/// Half of it, but odd.
fn shifted(modulus: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(modulus).expect("base64url");
    bytes[0] >>= 1;
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An invocation that ends soon is answered in time, and costs the others nothing.
#[tokio::test]
async fn what_the_invocation_has_left() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    api.leave(350);
    api.get("/api/private", &token).await.refuses(&KEYS_UNAVAILABLE, "too little for a fetch");
    assert_eq!(api.tenant.fetches(), 0, "and none is begun");
    api.leave(10_000);
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 1, "nor does anyone pause for it");

    api.tenant.serve(Answer::Never);
    api.advance(600);
    api.leave(50);
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 1, "stale keys serve without one");
}

/// A fetch may have little time, and the sandbox may freeze in its midst: whoever comes back when told so finds no failure.
#[tokio::test]
async fn a_short_fetch_that_froze() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    api.tenant.serve(Answer::Never);
    api.leave(3_000);
    let first = tokio::time::timeout(Duration::from_millis(100), api.get("/api/private", &token)).await;
    assert!(first.is_err(), "it waits for the fetch that it has started");
    api.leave(150);
    let told = api.get("/api/private", &token).await.retry_after();
    api.tenant.serve(Answer::Jwks);
    api.leave(10_000);
    api.advance(told);
    api.get("/api/private", &token).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 2);
}

/// An issuer that takes longer than a request waits, and a sandbox that is frozen between requests that are far apart.
#[tokio::test]
async fn a_slow_issuer_and_sparse_traffic() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    api.get("/api/private", &token).await.greets(PRIVATE);
    let old = api.tenant.key();
    api.tenant.rotate();
    api.tenant.withdraw(old.kid());
    api.tenant.serve(Answer::After(Duration::from_millis(600), Box::new(Answer::Jwks)));
    api.advance(600);
    api.get("/api/private", &token).await.greets(PRIVATE);
    api.advance(60);
    api.get("/api/private", &token).await.refuses(&NO_KEY, "withdrawn, and after one more answer that is known");
}

/// The function with the tenant's keys pinned.
async fn pinned() -> FrontDoor {
    let tenant = Tenant::http().await;
    let pinned = tenant.jwks().to_string();
    FrontDoor::before(tenant, &[("PINNED_JWKS", &pinned)])
}

#[tokio::test]
async fn pinned_keys_are_a_start() {
    let api = pinned().await;
    api.tenant.serve(Answer::Never);
    api.keys.warm_up().await;
    assert_eq!(api.tenant.fetches(), 0, "a cold start needs no network");
    let token = api.token().claim("exp", NOW + 200_000).sign();
    let at_once = |row| {
        let answer = api.get("/api/private", &token).now_or_never().unwrap_or_else(|| panic!("{row}: it waits"));
        answer.greets_at(PRIVATE, row);
    };
    let takes = async |least, row| {
        let asked = Instant::now();
        api.get("/api/private", &token).await.greets_at(PRIVATE, row);
        assert!((least..2_500).contains(&asked.elapsed().as_millis()), "{row}: {:?}", asked.elapsed());
    };
    at_once("the first request");
    takes(250, "the next one waits a little for the fetch that the first has started").await;
    api.advance(9);
    takes(250, "the next one finds it frozen, and waits a little for another").await;
    api.tenant.serve(Answer::After(Duration::from_millis(600), Box::new(Answer::Jwks)));
    api.advance(9);
    takes(550, "that one froze although a request had waited for it: the next one waits to the end").await;
    api.advance(479);
    at_once("a request that finds fresh keys");
    assert_eq!(api.tenant.fetches(), 3);
}

#[tokio::test]
async fn a_pinned_key_that_was_withdrawn() {
    let api = pinned().await;
    let token = api.token().sign();
    let old = api.tenant.key();
    api.tenant.rotate();
    api.tenant.withdraw(old.kid());
    api.get("/api/private", &token).await.greets(PRIVATE);
    api.get("/api/private", &token).await.refuses(&NO_KEY, "after the first fetch");
    assert_eq!(api.tenant.fetches(), 1, "which has shown that there is no such key");
}

#[tokio::test]
async fn a_key_that_was_not_pinned() {
    let api = pinned().await;
    let new = api.token().signed_by(&api.tenant.rotate()).sign();
    api.get("/api/private", &new).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 1, "pinned keys start no pause");
}

#[tokio::test]
async fn pinned_keys_in_an_outage() {
    let api = pinned().await;
    let token = api.token().claim("exp", NOW + 200_000).sign();
    api.tenant.serve(outage());
    for seconds in [0, 1, 3_600, 86_400 - 3_601] {
        api.advance(seconds);
        api.get("/api/private", &token).await.greets(PRIVATE);
    }
    api.advance(1);
    api.get("/api/private", &token).await.refuses(&KEYS_UNAVAILABLE, "a day after the process has started");
}

#[tokio::test]
async fn the_first_fetch_is_made_before_the_first_request() {
    let api = FrontDoor::open().await;
    api.keys.warm_up().await;
    assert_eq!(api.tenant.fetches(), 1);
    api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 1);

    let api = FrontDoor::open().await;
    api.tenant.serve(outage());
    api.keys.warm_up().await;
    api.tenant.serve(Answer::Jwks);
    api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
    assert_eq!(api.tenant.fetches(), 2, "its failure starts no pause");
}
