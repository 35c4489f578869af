use super::*;

/// A label of more than 63 bytes is no name, so that nobody's name server is asked. Over https it gets no further than the
/// check of the certificate's name; over http, where configuration allows loopback alone, it is looked up.
#[tokio::test]
async fn a_name_that_there_is_not() {
    for scheme in ["http", "https"] {
        let uri = Url::parse(&format!("{scheme}://{}.invalid/", "x".repeat(64))).expect("a URL");
        let fetcher = Fetcher {
            client: HttpClient::new(None).expect("a client"),
            issuer: String::new(),
            keys_at: KeysAt::Jwks(uri),
        };
        let failure = fetcher.fetch(Duration::from_secs(5)).await.err().expect("no keys");
        assert_eq!((failure.reason, failure.passes), ("name_not_found", false), "{scheme}");
    }
}

/// Anywhere over https. Plain http is for an issuer on this machine whose keys are on it, too.
#[test]
fn where_metadata_may_say_that_the_keys_are() {
    let (far, near) = ("https://issuer.example", "http://127.0.0.1:8000");
    for (issuer, keys, accepted) in [
        (far, "https://issuer.example/keys", true),
        (far, "https://keys.example/", true),
        (far, "http://issuer.example/keys", false),
        (far, "http://127.0.0.1:8000/keys", false),
        (near, "https://keys.example/", true),
        (near, "http://127.0.0.1:8000/keys", true),
        (near, "http://localhost:9000/keys", true),
        (near, "http://keys.example/", false),
        (near, "ftp://127.0.0.1/keys", false),
    ] {
        let metadata = serde_json::json!({ "issuer": issuer, "jwks_uri": keys }).to_string();
        let at = Url::parse(issuer).expect("a URL");
        let found = discovery::jwks_uri(metadata.as_bytes(), issuer, &at).map_err(|failure| failure.reason);
        let expected = if accepted { Ok(keys) } else { Err("no_metadata") };
        assert_eq!(found.as_ref().map(Url::as_str).map_err(|reason| *reason), expected, "{keys} of {issuer}");
    }
}

/// Of so many attempts: the pause after the last of them, in milliseconds. A thousand draws fill its range.
#[test]
fn pauses_grow_and_are_drawn_at_random() {
    for (attempts, shortest, longest) in
        [(1, 100, 200), (2, 200, 400), (3, 400, 800), (4, 800, 1_600), (5, 800, 1_600), (u32::MAX, 800, 1_600)]
    {
        let mut drawn: Vec<_> = (0..1_000).map(|_| pause_after(attempts).as_millis()).collect();
        drawn.sort_unstable();
        let (first, last) = (drawn[0], drawn[999]);
        assert!((shortest..shortest * 11 / 10).contains(&first), "{first} ms after {attempts}");
        assert!((longest * 19 / 20..=longest).contains(&last), "{last} ms after {attempts}");
    }
}

/// Of a wait in milliseconds, with so many left: the longest that comes of it. A thousand draws fill the range.
#[test]
fn a_wait_that_is_asked_for_is_spread() {
    for (wait, left, longest) in
        [(1_000, 8_000, 2_000), (5_000, 8_000, 8_000), (8_000, 8_000, 8_000), (9_000, 8_000, 9_000)]
    {
        let [wait, left, longest] = [wait, left, longest].map(Duration::from_millis);
        let mut drawn: Vec<_> = (0..1_000).map(|_| spread(wait, left)).collect();
        drawn.sort_unstable();
        let (first, last) = (drawn[0], drawn[999]);
        assert!((wait..=wait.mul_f64(1.1)).contains(&first), "{first:?} for {wait:?}");
        assert!((longest.mul_f64(0.95)..=longest).contains(&last), "{last:?} for {wait:?}");
    }
    assert_eq!(spread(Duration::MAX, Duration::from_secs(8)), Duration::MAX);
}
