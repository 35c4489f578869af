use super::*;

/// A label of more than 63 bytes is no name, so that nobody's name server is asked. Over https it gets no further than the
/// check of the certificate's name; over http, where configuration allows loopback alone, it is looked up.
#[tokio::test]
async fn a_name_that_there_is_not() {
    for scheme in ["http", "https"] {
        let uri = Url::parse(&format!("{scheme}://{}.invalid/", "x".repeat(64))).expect("a URL");
        let fetcher = Fetcher::new(uri, None).expect("a client");
        let failure = fetcher.fetch(Duration::from_secs(5)).await.err().expect("no keys");
        assert_eq!((failure.reason, failure.passes), ("name_not_found", false), "{scheme}");
    }
}
