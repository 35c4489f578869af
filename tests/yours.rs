//! My endpoint, asked with tokens of the stand-in tenant.

mod front_door;

use front_door::{FrontDoor, NOW};

#[tokio::test]
async fn who_may_read_messages() {
    let api = FrontDoor::open().await; // the function in process, with a stand-in tenant behind it
    let reader = api.token().claim("sub", "auth0|ada").scope("read:messages");
    let answer = api.get("/api/private-scoped", &reader.sign()).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    for (token, status) in [(reader.claim("exp", NOW - 60), 401), (api.token().scope("write:messages"), 403)] {
        assert_eq!(api.get("/api/private-scoped", &token.sign()).await.status, status);
    }
}
