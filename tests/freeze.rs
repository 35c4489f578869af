//! The real process in a sandbox that freezes: stopped and continued by signals, asked before and after.

mod front_door;
mod lambda;

use std::time::Duration;

use front_door::*;
use lambda::Lambda;
use serde_json::json;
use tenant::{Answer, Certificate, Key, Step, Tenant, Wire};
use tokio::time::sleep;

#[tokio::test]
async fn frozen_for_longer_than_connections_live() {
    let (old, new) = (Key::generate("old"), Key::generate("new"));
    let tenant = Tenant::https().await;
    // It keeps its side of a connection for 5 s, and then closes it.
    let wire = Wire::https();
    let healthy = |keys: &[&Key]| {
        let jwks = json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() }).to_string();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{jwks}", jwks.len());
        vec![
            Step::Tls(Certificate::Good),
            Step::Request,
            Step::Send(answer.into_bytes()),
            Step::Pause(Duration::from_secs(5)),
        ]
    };
    wire.play([healthy(&[&old]), healthy(&[&old, &new])]);
    let roots = wire.ca_file().expect("over https");
    let lambda =
        Lambda::start(&tenant, &[("JWKS_URI", &wire.jwks_uri()), ("SSL_CERT_FILE", roots.to_str().expect("UTF-8"))])
            .await;
    let (old, new) = (tenant.token().signed_by(&old).sign(), tenant.token().signed_by(&new).sign());
    assert_eq!(lambda.get("/api/private", &old).await.0, 200);

    lambda.freeze();
    sleep(Duration::from_secs(6)).await;
    lambda.thaw();

    assert_eq!(lambda.get("/api/private", &new).await.0, 200, "a new key needs a fetch, on a new connection");
    assert_eq!(lambda.get("/api/private", &old).await.0, 200);
    assert_eq!(wire.connections(), 2, "no dead connection was waited for");
}

/// A request is answered, and the fetch that it has started freezes. It counts neither as good nor as failed.
#[tokio::test]
async fn frozen_in_the_middle_of_a_fetch() {
    let tenant = Tenant::https().await;
    let pinned = tenant.jwks().to_string();
    tenant.serve(Answer::Never);
    let lambda = Lambda::start(&tenant, &[("PINNED_JWKS", &pinned)]).await;
    let (old, new) = (tenant.token().sign(), tenant.token().signed_by(&tenant.rotate()).sign());
    assert_eq!(lambda.get("/api/private", &old).await.0, 200, "pinned keys need no fetch");
    while tenant.fetches() == 0 {
        sleep(Duration::from_millis(5)).await;
    }

    lambda.freeze();
    tenant.serve(Answer::Jwks);
    // Of a real process nobody can move the clock: the whole time of a fetch must pass.
    sleep(Duration::from_secs(9)).await;
    lambda.thaw();

    assert_eq!(lambda.get("/api/private", &new).await.0, 200, "the frozen fetch is given up, and a new one made");
    assert_eq!(lambda.get("/api/private", &old).await.0, 200);
    assert_eq!(tenant.fetches(), 2);
}

/// It waits for keys while the sandbox freezes: what has frozen is tried again.
#[tokio::test]
async fn frozen_in_the_middle_of_a_request() {
    let tenant = Tenant::https().await;
    tenant.serve(Answer::Never);
    let lambda = Lambda::start(&tenant, &[]).await;
    // It asks for its first event once it has waited 1.5 s for the fetch of the init phase.
    assert_eq!(lambda.get("/api/public", "").await.0, 200, "public routes wait for no keys");

    let token = tenant.token().sign();
    let asked = lambda.get("/api/private", &token);
    tokio::pin!(asked);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut asked).await;
    assert!(early.is_err(), "it waits for the fetch: {early:?}");
    lambda.freeze();
    tenant.serve(Answer::Jwks);
    sleep(Duration::from_secs(4)).await;
    lambda.thaw();

    assert_eq!(asked.await.0, 200);
    assert_eq!(lambda.requests().len(), 2);
    assert_eq!(tenant.fetches(), 2, "two attempts of one fetch");
}

#[tokio::test]
async fn sixty_four_cold_invocations_at_once() {
    let tenant = Tenant::https().await;
    tenant.serve(Answer::After(Duration::from_secs(2), Box::new(Answer::Jwks)));
    let lambda = Lambda::start(&tenant, &[("AWS_LAMBDA_MAX_CONCURRENCY", "64")]).await;
    let token = tenant.token().sign();
    let answers = futures_util::future::join_all((0..64).map(|_| lambda.get("/api/private", &token))).await;
    for (status, body) in answers {
        assert_eq!((status, body), (200, serde_json::json!({ "message": PRIVATE }).to_string()));
    }
    assert_eq!(tenant.fetches(), 1);
}
