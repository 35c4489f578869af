//! Several issuers, where their keys are found, and what the settings say of a token beyond issuer and audience.

mod front_door;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use api_authorization::bearer;
use api_authorization::error::{ApiError, Mismatch};
use api_authorization::token::{self, Claims};
use axum::http::{StatusCode, Uri, header::RETRY_AFTER};
use axum::response::IntoResponse;
use front_door::*;
use lambda_http::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use serde_json::{Value, json};
use tenant::{AUDIENCE, Algorithm, Answer, Key, Tenant, Token};

/// The function, told to trust both.
fn trusting(a: Tenant, b: &Tenant, environment: &[(&str, &str)]) -> FrontDoor {
    let roots = std::env::temp_dir().join(format!("roots-of-both-{}", a.domain().replace(':', "-")));
    let pem = [a.ca_pem(), b.ca_pem()].map(Option::unwrap_or_default).concat();
    std::fs::write(&roots, pem).expect("a file of roots");
    let domains = format!("{},{}", a.domain(), b.domain());
    let mut all =
        vec![("AUTH0_DOMAIN", domains.as_str()), ("JWKS_URI", ""), ("SSL_CERT_FILE", roots.to_str().expect("a path"))];
    all.extend(environment);
    let api = FrontDoor::before(a, &all);
    std::fs::remove_file(&roots).expect("a file to remove");
    api
}

async fn claims(api: &FrontDoor, environment: &[(&str, &str)], token: &Token) -> Result<Claims, ApiError> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.sign())).expect("a header");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let bearer = bearer::token(&headers).expect("a bearer token");
    token::validate(&bearer, &api.issuers, &config(&api.tenant, environment), None).await
}

#[tokio::test]
async fn each_issuer_has_keys_of_its_own() {
    let (a, b) = (Tenant::https().await, Tenant::https().await);
    let (of_a, of_b) = (Key::generate("shared"), Key::generate("shared"));
    a.publish(&of_a);
    b.publish(&of_b);
    let (issuer_a, issuer_b) = (a.issuer(), b.issuer());
    let api = trusting(a, &b, &[]);
    api.issuers.warm_up().await;
    assert_eq!((api.tenant.fetches(), b.fetches()), (1, 1), "in the init phase");
    let by = |key: &Key, issuer: &str| api.token().claim("iss", issuer).signed_by(key).sign();
    for (key, issuer, refusal, row) in [
        (&of_a, &issuer_a, None, "a's key for a"),
        (&of_b, &issuer_b, None, "b's key for b"),
        (&of_a, &issuer_b, Some(&UNPARSABLE), "a's key for b"),
        (&of_b, &issuer_a, Some(&UNPARSABLE), "b's key for a"),
        (&api.tenant.key(), &issuer_b, Some(&NO_KEY), "a key that a alone has, for b"),
    ] {
        api.get("/api/private", &by(key, issuer)).await.decides(refusal, row);
    }
}

#[tokio::test]
async fn a_foreign_issuer_costs_no_fetch() {
    let (a, b) = (Tenant::https().await, Tenant::https().await);
    let (issuer_a, issuer_b) = (a.issuer(), b.issuer());
    let api = trusting(a, &b, &[]);
    let good = || api.token();
    let twice = format!(r#"{{"iss":"{issuer_a}","iss":"{issuer_b}","aud":"{AUDIENCE}","exp":{}}}"#, NOW + 60);
    for (token, row) in [
        (good().claim("iss", "https://another.example/").sign(), "another"),
        (good().claim("iss", issuer_a.trim_end_matches('/')).sign(), "without its slash"),
        (good().claim("iss", issuer_a.to_uppercase()).sign(), "in another case"),
        (good().claim("iss", format!("{issuer_a} {issuer_b}")).sign(), "both in one string"),
        (good().claim("iss", json!([issuer_a])).sign(), "a list"),
        (good().claim("iss", Value::Null).sign(), "null"),
        (good().without_claim("iss").sign(), "absent"),
        (api.tenant.key().sign(Algorithm::Rs256, &good().header_json(), &twice), "repeated"),
        (api.tenant.key().sign(Algorithm::Rs256, &good().header_json(), "1"), "no object"),
        // Not told apart from a token that is expired, too: nobody knows whose it is.
        (good().claim("iss", "https://another.example/").claim("exp", NOW - 60).sign(), "another, and expired"),
    ] {
        api.get("/api/private", &token).await.refuses(&INVALID_CLAIMS, row);
    }
    assert_eq!((api.tenant.fetches(), b.fetches()), (0, 0));
    // What comes before the claims is still told first.
    api.get("/api/private", &good().claim("iss", "x").header("alg", "HS256").sign()).await.refuses(&UNPARSABLE, "alg");

    let refused = claims(&api, &[("AUTH0_DOMAIN", "a.example,b.example")], &good().claim("iss", "x")).await.err();
    let expected = format!("{issuer_a} {issuer_b}");
    assert_eq!(refused, Some(ApiError::WrongIssuer(Mismatch { expected, received: "x".to_owned() })));
}

#[tokio::test]
async fn an_issuer_that_is_down_stands_in_nobody_s_way() {
    let (a, b) = (Tenant::https().await, Tenant::https().await);
    let issuer_b = b.issuer();
    let key_b = b.key();
    let api = trusting(a, &b, &[]);
    b.serve(Answer::Never);
    let for_b = api.token().claim("iss", issuer_b).signed_by(&key_b).sign();
    let waits = async { api.get("/api/private", &for_b).await };
    tokio::pin!(waits);
    // While the one waits for its keys, the other is served.
    let served = async {
        for _ in 0..20 {
            api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
        }
    };
    tokio::select! {
        biased;
        answer = &mut waits => panic!("answered {} before", answer.status),
        () = served => {}
    }
    assert_eq!(api.tenant.fetches(), 1);
    // And what a failed fetch of the one starts is no pause for the other.
    b.serve(Answer::Body { status: 404, content_type: "text/plain".to_owned(), body: vec![] });
    let new = api.tenant.rotate();
    api.get("/api/private", &api.token().signed_by(&new).sign()).await.greets(PRIVATE);
}

#[tokio::test]
async fn issuers_that_share_their_keys_are_fetched_once() {
    let a = Tenant::http().await;
    let domains = format!("{},custom.example", a.domain());
    let api = FrontDoor::before(a, &[("AUTH0_DOMAIN", &domains)]);
    api.issuers.warm_up().await;
    for issuer in [api.tenant.issuer(), "https://custom.example/".to_owned()] {
        api.get("/api/private", &api.token().claim("iss", issuer).sign()).await.greets(PRIVATE);
    }
    assert_eq!(api.tenant.fetches(), 1);
}

/// Also where another of them is the first.
#[tokio::test]
async fn issuers_that_share_their_keys_share_pinned_ones() {
    let a = Tenant::http().await;
    let domains = format!("{},custom.example", a.domain());
    let pins = json!({ "https://custom.example/": a.jwks() }).to_string();
    let api = FrontDoor::before(a, &[("AUTH0_DOMAIN", &domains), ("PINNED_JWKS", &pins)]);
    api.issuers.warm_up().await;
    assert_eq!(api.tenant.fetches(), 0, "pinned keys are a start");
    api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
}

#[tokio::test]
async fn keys_are_fetched_side_by_side_and_pinned_for_each() {
    let (a, b) = (Tenant::https().await, Tenant::https().await);
    let pins = json!({ b.issuer(): b.jwks() }).to_string();
    let (issuer_b, key_b) = (b.issuer(), b.key());
    let api = trusting(a, &b, &[("PINNED_JWKS", &pins)]);
    api.issuers.warm_up().await;
    assert_eq!((api.tenant.fetches(), b.fetches()), (1, 0), "pinned keys are a start");
    api.get("/api/private", &api.token().claim("iss", issuer_b).signed_by(&key_b).sign()).await.greets(PRIVATE);
}

// --- Discovery

/// A server that answers what it is told, and notes what it is asked for. The body of a 429 is its `Retry-After`, too.
struct Site {
    url: String,
    pages: Arc<Mutex<HashMap<String, (u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (pages, asked) =
            (Arc::<Mutex<HashMap<String, (u16, String)>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (serving, noting) = (Arc::clone(&pages), Arc::clone(&asked));
        let router = axum::Router::new().fallback(move |uri: Uri| {
            noting.lock().expect("no panic").push(uri.path().to_owned());
            let page = serving.lock().expect("no panic").get(uri.path()).cloned();
            let (status, body) = page.unwrap_or((404, "not here".to_owned()));
            let status = StatusCode::from_u16(status).expect("a status");
            let wait = (status == StatusCode::TOO_MANY_REQUESTS).then(|| [(RETRY_AFTER, body.clone())]);
            async move { (status, wait, body).into_response() }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves without an end") });
        Self { url, pages, asked }
    }

    fn page(&self, path: &str, status: u16, body: &(impl ToString + ?Sized)) {
        self.pages.lock().expect("no panic").insert(path.to_owned(), (status, body.to_string()));
    }

    async fn until_asked(&self, path: &str) {
        while !self.asked.lock().expect("no panic").iter().any(|asked| asked == path) {
            tokio::task::yield_now().await;
        }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }
}

/// The function, told of this issuer by `ISSUERS`.
async fn discovering(issuer: &str) -> FrontDoor {
    FrontDoor::with_the_usual_key(&[("AUTH0_DOMAIN", ""), ("JWKS_URI", ""), ("ISSUERS", issuer)]).await
}

#[tokio::test]
async fn where_metadata_are_looked_for() {
    const RFC_8414: &str = "/.well-known/oauth-authorization-server";
    const OIDC: &str = "/.well-known/openid-configuration";
    let key = Key::generate("k");
    for (path, places) in [
        ("", vec![RFC_8414.to_owned(), OIDC.to_owned()]),
        ("/", vec![RFC_8414.to_owned(), OIDC.to_owned()]),
        ("/pool", vec![format!("{RFC_8414}/pool"), format!("{OIDC}/pool"), format!("/pool{OIDC}")]),
        ("/a/b/", vec![format!("{RFC_8414}/a/b"), format!("{OIDC}/a/b"), format!("/a/b{OIDC}")]),
    ] {
        // Wherever they stand, they are found, and no place behind that is asked.
        for found in 0..places.len() {
            let site = Site::open().await;
            let issuer = format!("{}{path}", site.url);
            site.page(&places[found], 200, &json!({ "issuer": issuer, "jwks_uri": format!("{}/keys", site.url) }));
            site.page("/keys", 200, &json!({ "keys": [key.jwk()] }));
            let api = discovering(&issuer).await;
            let token = api.token().claim("iss", issuer.as_str()).signed_by(&key);
            api.get("/api/private", &token.sign()).await.greets_at(PRIVATE, &places[found]);
            let mut asked = places[..=found].to_vec();
            asked.push("/keys".to_owned());
            assert_eq!(site.asked(), asked, "{issuer}");
        }
    }
}

/// A final slash makes another issuer, whose metadata are no less its own.
#[tokio::test]
async fn two_names_at_one_address() {
    let site = Site::open().await;
    let api = discovering(&format!("{0}/,{0}", site.url)).await;
    let key = Key::generate("k");
    let metadata = json!({ "issuer": site.url, "jwks_uri": format!("{}/keys", site.url) });
    site.page("/.well-known/openid-configuration", 200, &metadata);
    site.page("/keys", 200, &json!({ "keys": [key.jwk()] }));
    let of = |issuer: String| api.token().claim("iss", issuer).signed_by(&key).sign();
    api.get("/api/private", &of(format!("{}/", site.url))).await.refuses(&KEYS_UNAVAILABLE, "metadata of the other");
    api.get("/api/private", &of(site.url.clone())).await.greets(PRIVATE);
}

/// The issuer's URL -> what stands in the place of its metadata.
type Change = fn(&str) -> (u16, String);

#[tokio::test]
async fn which_metadata_count() {
    let key = Key::generate("k");
    let keys = json!({ "keys": [key.jwk()] }).to_string();
    // Of metadata that are good but for one thing.
    let rows: &[(&str, Change, bool)] = &[
        ("good", |url| (200, json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }).to_string()), true),
        (
            "more members",
            |url| (200, json!({ "issuer": url, "jwks_uri": format!("{url}/keys"), "a": null }).to_string()),
            true,
        ),
        (
            "another issuer",
            |url| (200, json!({ "issuer": "https://b.example", "jwks_uri": format!("{url}/keys") }).to_string()),
            false,
        ),
        (
            "a final slash",
            |url| (200, json!({ "issuer": format!("{url}/"), "jwks_uri": format!("{url}/keys") }).to_string()),
            false,
        ),
        ("no issuer", |url| (200, json!({ "jwks_uri": format!("{url}/keys") }).to_string()), false),
        ("no jwks_uri", |url| (200, json!({ "issuer": url }).to_string()), false),
        (
            "jwks_uri in the clear",
            |url| (200, json!({ "issuer": url, "jwks_uri": "http://b.example/keys" }).to_string()),
            false,
        ),
        ("jwks_uri relative", |url| (200, json!({ "issuer": url, "jwks_uri": "/keys" }).to_string()), false),
        ("a list", |url| (200, json!([url, format!("{url}/keys")]).to_string()), false),
        ("a page", |_| (200, "<html>".to_owned()), false),
        ("a redirect, and so the next place decides", |_| (302, String::new()), true),
        (
            "too large",
            |url| {
                (
                    200,
                    json!({ "issuer": url, "jwks_uri": format!("{url}/keys"), "a": "x".repeat(512 * 1024) })
                        .to_string(),
                )
            },
            false,
        ),
    ];
    for (row, change, accepted) in rows {
        let site = Site::open().await;
        let (status, body) = change(&site.url);
        site.page("/.well-known/oauth-authorization-server", status, &body);
        // Good ones, which must not be looked for where the first place has answered.
        let good = json!({ "issuer": site.url, "jwks_uri": format!("{}/keys", site.url) });
        site.page("/.well-known/openid-configuration", 200, &good);
        site.page("/keys", 200, &keys);
        let api = discovering(&site.url).await;
        let token = api.token().claim("iss", site.url.as_str()).signed_by(&key);
        api.get("/api/private", &token.sign()).await.decides((!accepted).then_some(&KEYS_UNAVAILABLE), row);
    }
}

#[tokio::test]
async fn a_busy_place_is_asked_again_and_the_keys_alone_after_that() {
    let site = Site::open().await;
    let key = Key::generate("k");
    let (rfc, oidc) = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration");
    let metadata = json!({ "issuer": site.url, "jwks_uri": format!("{}/keys", site.url) });
    site.page(rfc, 503, "");
    let busy = Arc::new(AtomicUsize::new(0));
    let api = discovering(&site.url).await;
    let token = api.token().claim("iss", site.url.as_str()).signed_by(&key).sign();
    let changes = async {
        // When the first attempt has failed at every place, the second finds the metadata, and busy keys.
        site.until_asked(oidc).await;
        site.page(rfc, 200, &metadata);
        site.page("/keys", 429, "");
        site.until_asked("/keys").await;
        site.page("/keys", 200, &json!({ "keys": [key.jwk()] }));
        busy.fetch_add(1, SeqCst);
    };
    let (answer, ()) = futures_util::future::join(api.get("/api/private", &token), changes).await;
    answer.greets(PRIVATE);
    assert_eq!(site.asked(), [rfc, oidc, rfc, "/keys", "/keys"]);
    assert_eq!(busy.load(SeqCst), 1);
}

/// The first place says nothing, the second one when to come back.
#[tokio::test]
async fn a_place_that_asks_to_wait_is_not_asked_before() {
    let site = Site::open().await;
    let key = Key::generate("k");
    let (rfc, oidc) = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration");
    site.page(rfc, 503, "");
    site.page(oidc, 429, "1");
    let api = discovering(&site.url).await;
    let token = api.token().claim("iss", site.url.as_str()).signed_by(&key).sign();
    let changes = async {
        site.until_asked(oidc).await;
        site.page(rfc, 200, &json!({ "issuer": site.url, "jwks_uri": format!("{}/keys", site.url) }));
        site.page("/keys", 200, &json!({ "keys": [key.jwk()] }));
    };
    let begun = Instant::now();
    let (answer, ()) = futures_util::future::join(api.get("/api/private", &token), changes).await;
    answer.greets(PRIVATE);
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
}

// --- Audiences, grants, expected claims

#[tokio::test]
async fn several_audiences() {
    let environment = [("API_AUDIENCE", "https://a.example/, https://quickstarts/api")];
    let api = FrontDoor::with(&environment).await;
    for (aud, audience) in [
        (json!("https://a.example/"), Some("https://a.example/")),
        (json!("https://quickstarts/api"), Some("https://quickstarts/api")),
        (json!(["https://other.example", "https://quickstarts/api"]), Some("https://quickstarts/api")),
        (json!(["https://quickstarts/api", "https://a.example/"]), Some("https://a.example/")),
        (json!("https://a.example"), None),
        (json!("https://a.example/,https://quickstarts/api"), None),
        (json!("https://a.example/ https://quickstarts/api"), None),
        (json!([]), None),
    ] {
        let read = claims(&api, &environment, &api.token().claim("aud", aud.clone())).await;
        assert_eq!(read.ok().as_ref().map(Claims::audience), audience, "{aud}");
    }
    let refused = claims(&api, &environment, &api.token().claim("aud", "x")).await.err();
    let expected = "https://a.example/ https://quickstarts/api".to_owned();
    assert_eq!(refused, Some(ApiError::WrongAudience(Mismatch { expected, received: "x".to_owned() })));
}

#[tokio::test]
async fn where_a_grant_is_looked_up() {
    let (scope, permissions) = (json!("openid read:messages"), json!(["read:messages", "write:messages"]));
    let none = Value::Null;
    for (setting, scope, permissions, granted) in [
        ("scope", &scope, &none, true),
        ("scope", &none, &permissions, false),
        ("permissions", &scope, &none, false),
        ("permissions", &none, &permissions, true),
        ("scope,permissions", &scope, &none, true),
        ("scope,permissions", &none, &permissions, true),
        ("scope,permissions", &none, &none, false),
        // What is no list of strings grants nothing, and refuses nothing else.
        ("permissions", &none, &json!("read:messages"), false),
        ("permissions", &none, &json!(["read:messages", 1]), false),
        ("permissions", &none, &json!({ "read:messages": true }), false),
        ("permissions", &none, &json!(["Read:Messages"]), false),
        ("permissions", &none, &json!(["read:messages write:messages"]), false),
    ] {
        let api = FrontDoor::with_the_usual_key(&[("GRANTS", setting)]).await;
        let token = api.token().claim("scope", scope.clone()).claim("permissions", permissions.clone()).sign();
        let row = format!("{setting}: {scope} {permissions}");
        let answer = api.get("/api/private-scoped", &token).await;
        if granted {
            answer.greets_at(SCOPED, &row);
        } else {
            answer.refuses(&NO_SCOPE, &row);
        }
        api.get("/api/private", &token).await.greets_at(PRIVATE, &row);
    }
}

#[tokio::test]
async fn expected_claims() {
    let setting =
        r#"{"org_id":["org_a","org_b"],"level":3,"ratio":0.5,"beta":true,"sub":"auth0|5f7c8ec7c33c6c004bbafe82"}"#;
    let environment = [("EXPECTED_CLAIMS", setting)];
    let api = FrontDoor::with(&environment).await;
    api.keys.warm_up().await;
    let good = || {
        let token = api.token().claim("org_id", "org_b").claim("level", 3).claim("ratio", 0.5).claim("beta", true);
        token.scope("read:messages")
    };
    for (name, value, accepted) in [
        ("org_id", json!("org_a"), true),
        ("org_id", json!("org_c"), false),
        ("org_id", json!("ORG_A"), false),
        ("org_id", json!(["org_a"]), false),
        ("org_id", Value::Null, false),
        ("level", json!("3"), false),
        ("level", json!(4), false),
        ("level", json!(true), false),
        ("ratio", json!(0.25), false),
        ("beta", json!(false), false),
        ("beta", json!("true"), false),
        ("beta", json!(1), false),
        ("sub", json!("auth0|another"), false),
    ] {
        let row = format!("{name}: {value}");
        let token = good().claim(name, value);
        api.get("/api/private", &token.sign()).await.decides((!accepted).then_some(&INVALID_CLAIMS), &row);
        let refused = claims(&api, &environment, &token).await.err();
        assert_eq!(refused, (!accepted).then(|| ApiError::UnexpectedClaim(name.to_owned())), "{row}");
    }
    for name in ["org_id", "level", "beta"] {
        api.get("/api/private", &good().without_claim(name).sign()).await.refuses(&INVALID_CLAIMS, name);
    }
    // The rules that every token has to keep come first.
    let expired = claims(&api, &environment, &good().claim("org_id", "x").claim("exp", NOW - 60)).await.err();
    assert_eq!(expired, Some(ApiError::Expired));
    let anonymous = claims(&api, &environment, &good().claim("sub", "anon@5f7c")).await.err();
    assert_eq!(anonymous, Some(ApiError::AnonymousSession));
}

#[tokio::test]
async fn what_a_handler_sees_of_a_token() {
    let api = FrontDoor::open().await;
    let read = async |token: Token| claims(&api, &[], &token).await.expect("claims");
    let plain = read(api.token()).await;
    assert_eq!((plain.issuer(), plain.audience()), (api.tenant.issuer().as_str(), AUDIENCE));
    assert_eq!((plain.client_id(), plain.organization(), plain.is_machine()), (Some("my_client_id"), None, false));
    assert!(plain.permissions().is_empty());

    for (name, value, client_id) in [
        ("azp", json!("a"), Some("a")),
        ("client_id", json!("b"), Some("b")),
        ("azp", json!(1), None),
        ("cid", json!("c"), None),
    ] {
        let token = api.token().without_claim("azp").claim(name, value);
        assert_eq!(read(token).await.client_id(), client_id, "{name}");
    }
    let both = read(api.token().claim("azp", "a").claim("client_id", "b")).await;
    assert_eq!(both.client_id(), Some("a"));
    let member = read(api.token().claim("org_id", "org_a").claim("permissions", json!(["a", "b"]))).await;
    assert_eq!((member.organization(), member.permissions()), (Some("org_a"), vec!["a", "b"]));
    for (name, value, machine) in [
        ("sub", "client@clients", true),
        ("gty", "client-credentials", true),
        ("gty", "password", false),
        ("sub", "auth0|clients", false),
        ("sub", "client@clients.example", false),
    ] {
        assert_eq!(read(api.token().claim(name, value)).await.is_machine(), machine, "{name}: {value}");
    }
}
