//! The built binary behind a Lambda Runtime API, with a tenant over https and DynamoDB's stand-in: what its callers see.

mod dynalite;
#[path = "../../../tests/front_door/mod.rs"]
mod front_door;
#[path = "../../../tests/lambda/mod.rs"]
mod lambda;

use std::process::Command;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use dynalite::Dynalite;
use front_door::{Answer, event};
use lambda::{Lambda, sandbox};
use serde_json::{Value, json};
use tenant::Tenant;

const ALICE: &str = "auth0|alice";
const BOB: &str = "auth0|bob";
const BOTH: &str = "read:messages write:messages";
const ID: &str = "0198d2a1-7c00-7000-8000-000000000001";
const MESSAGE: &str = "/api/messages/0198d2a1-7c00-7000-8000-000000000001";

/// Each row of the table, the scope that it asks for, and what it answers to Alice, who has one message.
const ROWS: [(&str, &str, &str, u64); 4] = [
    ("GET", "/api/messages", "read:messages", 200),
    ("POST", "/api/messages", "write:messages", 201),
    ("GET", MESSAGE, "read:messages", 200),
    ("DELETE", MESSAGE, "write:messages", 204),
];

#[tokio::test]
async fn each_row_asks_for_its_scope() {
    let api = Api::start().await;
    api.write(ALICE, ID, "Hello").await;
    for (method, path, scope, status) in ROWS {
        let other = if scope == "read:messages" { "write:messages" } else { "read:messages" };
        let body = Some(json!({ "text": "Hello" }));

        let answer = api.lambda.send(&request(method, path, None, body.as_ref())).await;
        refuses(&answer, 401, "authorization_header_missing", "Authorization header is expected");
        let challenge = format!(r#"Bearer realm="api", scope="{scope}""#);
        assert_eq!(answer.header("www-authenticate"), Some(challenge.as_str()), "{method} {path}");

        let answer = api.send(method, path, &api.token(ALICE, other), body.as_ref()).await;
        refuses(&answer, 403, "Unauthorized", "You don't have access to this resource");
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(challenge.ends_with(&format!(r#", scope="{scope}""#)), "{method} {path}: {challenge}");

        let answer = api.send(method, path, &api.token(ALICE, scope), body.as_ref()).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (status, None), "{method} {path}: {answer:?}");
    }
}

#[test]
fn the_template_routes_what_the_table_has() {
    let routes = Command::new(env!("CARGO_BIN_EXE_messages")).arg("routes").output().expect("the function");
    let routes = String::from_utf8(routes.stdout).expect("UTF-8");
    let (methods, events) = routes.split_once('\n').expect("a line");
    let template = include_str!("../template.yaml");
    assert!(template.contains(methods.trim_start_matches("# CorsConfiguration: ")), "{methods}");
    assert!(template.contains(events), "{events}");
    let count = |word: &str, text: &str| text.matches(word).count();
    let all = ROWS.len() + 1 + 2; // preflights, and the metadata
    assert_eq!((count("Type: HttpApi", template), count("Type: HttpApi", events)), (all, all));
}

#[tokio::test]
async fn a_message_is_written_read_listed_and_deleted() {
    let api = Api::start().await;
    let token = api.token(ALICE, BOTH);
    let written = api.send("POST", "/api/messages", &token, Some(&json!({ "text": "Hello, Bob" }))).await;
    assert_eq!(written.status, 201, "{written:?}");
    let message = json_of(&written);
    assert_eq!(message["text"], "Hello, Bob");
    let location = written.header("location").expect("where it is").to_owned();
    assert_eq!(location, format!("/api/messages/{}", message["id"].as_str().expect("an id")));

    let read = api.send("GET", &location, &token, None).await;
    assert_eq!((read.status, json_of(&read)), (200, message.clone()));
    let list = api.send("GET", "/api/messages", &token, None).await;
    assert_eq!((list.status, json_of(&list)), (200, json!({ "messages": [message], "before": null })));

    let deleted = api.send("DELETE", &location, &token, None).await;
    assert_eq!((deleted.status, &deleted.body), (204, &None));
    for method in ["GET", "DELETE"] {
        refuses(&api.send(method, &location, &token, None).await, 404, "message_not_found", "There is no such message");
    }
}

#[tokio::test]
async fn what_is_no_id_names_no_message() {
    let api = Api::start().await;
    for id in ["1", "%00", "zzzzzzzz-7c00-7000-8000-000000000001"] {
        let path = format!("/api/messages/{id}");
        let answer = api.send("GET", &path, &api.token(ALICE, BOTH), None).await;
        refuses(&answer, 404, "message_not_found", "There is no such message");
    }
}

#[tokio::test]
async fn a_message_belongs_to_its_caller() {
    let api = Api::start().await;
    api.write(ALICE, ID, "Hello").await;
    let bob = api.token(BOB, BOTH);
    for method in ["GET", "DELETE"] {
        refuses(&api.send(method, MESSAGE, &bob, None).await, 404, "message_not_found", "There is no such message");
    }
    assert_eq!(json_of(&api.send("GET", "/api/messages", &bob, None).await)["messages"], json!([]));
    // Not even that the id is taken shows.
    api.write(BOB, ID, "Good day").await;
    let alices = api.send("GET", MESSAGE, &api.token(ALICE, BOTH), None).await;
    assert_eq!(json_of(&alices), json!({ "id": ID, "text": "Hello" }));
}

#[tokio::test]
async fn a_message_that_is_sent_again_is_stored_once() {
    let api = Api::start().await;
    let token = api.token(ALICE, BOTH);
    for _ in 0..2 {
        let answer = api.send("POST", "/api/messages", &token, Some(&json!({ "id": ID, "text": "Hello" }))).await;
        assert_eq!((answer.status, answer.header("location")), (201, Some(MESSAGE)), "{answer:?}");
    }
    let answer = api.send("POST", "/api/messages", &token, Some(&json!({ "id": ID, "text": "Good day" }))).await;
    refuses(&answer, 409, "id_taken", "Another message has this id");
    let list = json_of(&api.send("GET", "/api/messages", &token, None).await);
    assert_eq!(list["messages"], json!([{ "id": ID, "text": "Hello" }]));
}

#[tokio::test]
async fn a_body_is_a_message_or_is_refused() {
    let api = Api::start().await;
    let json = Some("application/json");
    let text = |characters: usize| json!({ "text": "ä".repeat(characters) }).to_string();
    for (content_type, body, refusal) in [
        (json, text(1), None),
        (json, text(4000), None),
        (json, text(4001), Some((400, "invalid_text", "The text must have 1 to 4000 characters"))),
        (json, text(0), Some((400, "invalid_text", "The text must have 1 to 4000 characters"))),
        (json, r#"{"text":"Hello""#.to_owned(), Some((400, "bad_request", "Bad request"))),
        (json, r#"{"text":1}"#.to_owned(), Some((400, "bad_request", "Bad request"))),
        (json, "{}".to_owned(), Some((400, "bad_request", "Bad request"))),
        (json, r#"{"id":"1","text":"Hello"}"#.to_owned(), Some((400, "bad_request", "Bad request"))),
        (json, text(600_000), Some((413, "payload_too_large", "The body is too large"))),
        (Some("text/plain"), text(1), Some((415, "unsupported_media_type", "Content-Type must be application/json"))),
        (None, text(1), Some((415, "unsupported_media_type", "Content-Type must be application/json"))),
    ] {
        let mut request = request("POST", "/api/messages", Some(&api.token(ALICE, BOTH)), None);
        if let Some(content_type) = content_type {
            request["headers"]["content-type"] = content_type.into();
        }
        request["body"] = body.into();
        let answer = api.lambda.send(&request).await;
        match refusal {
            None => assert_eq!(answer.status, 201, "{answer:?}"),
            Some((status, code, description)) => refuses(&answer, status, code, description),
        }
    }
}

#[tokio::test]
async fn a_token_without_an_owner_has_no_messages() {
    let api = Api::start().await;
    let nobody = api.tenant.token().without_claim("sub").scope(BOTH).sign();
    for token in [nobody, api.token("", BOTH), api.token(&"a".repeat(2049), BOTH)] {
        for (method, path, _, _) in ROWS {
            let answer = api.send(method, path, &token, Some(&json!({ "text": "Hello" }))).await;
            refuses(&answer, 403, "no_owner", "The token names nobody whom a message could belong to");
        }
    }
}

#[tokio::test]
async fn the_newest_come_first_fifty_at_a_time() {
    let api = Api::start().await;
    let token = api.token(ALICE, BOTH);
    let mut sent = Vec::new();
    for number in 0..53 {
        let text = number.to_string();
        let answer = api.send("POST", "/api/messages", &token, Some(&json!({ "text": text }))).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        sent.insert(0, json_of(&answer));
    }
    let page = json_of(&api.send("GET", "/api/messages", &token, None).await);
    assert_eq!(page, json!({ "messages": sent[..50], "before": sent[49]["id"] }));
    let rest = api.send_query(&token, &format!("before={}", page["before"].as_str().expect("an id"))).await;
    assert_eq!(json_of(&rest), json!({ "messages": sent[50..], "before": null }));
    refuses(&api.send_query(&token, "before=1").await, 400, "bad_request", "Bad request");
}

#[tokio::test]
async fn an_item_that_is_no_message_is_a_defect() {
    let api = Api::start().await;
    let string = |value: &str| AttributeValue::S(value.to_owned());
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&api.dynalite.url)
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"));
    let item = Client::from_conf(config.build()).put_item().table_name("messages");
    let item =
        item.item("owner_id", string(&format!("{} {ALICE}", api.tenant.issuer()))).item("id", string(ID)).send().await;
    item.expect("an item without a text");
    for path in ["/api/messages", MESSAGE] {
        let answer = api.send("GET", path, &api.token(ALICE, BOTH), None).await;
        refuses(&answer, 500, "internal_error", "Internal error");
    }
}

#[tokio::test]
async fn where_dynamodb_does_not_do_as_asked_the_log_has_its_word() {
    let dynalite = Arc::new(Dynalite::start());
    for (name, value, cause) in [
        ("TABLE_NAME", "no-such-table", "ResourceNotFoundException"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "NoConnection"),
    ] {
        let api = Api::with(Arc::clone(&dynalite), &[(name, value), ("AWS_MAX_ATTEMPTS", "1")]).await;
        for (method, path, scope, _) in ROWS {
            let body = json!({ "text": "a secret" });
            let answer = api.send(method, path, &api.token(ALICE, scope), Some(&body)).await;
            refuses(&answer, 503, "messages_unavailable", "Messages are temporarily unavailable");
        }
        let lines = api.lambda.lines("DynamoDB");
        assert_eq!(lines.iter().map(|line| &line["fields"]["cause"]).collect::<Vec<_>>(), [cause; 4]);
        assert!(!api.lambda.log().contains("a secret"));
    }
}

#[tokio::test]
async fn no_level_of_the_log_prints_a_token_or_a_message() {
    let dynalite = Arc::new(Dynalite::start());
    let api = Api::with(dynalite, &[("AWS_LAMBDA_LOG_LEVEL", "TRACE"), ("RUST_LOG", "trace")]).await;
    let token = api.token(ALICE, BOTH);
    for (method, path) in [("POST", "/api/messages"), ("GET", "/api/messages"), ("GET", MESSAGE)] {
        let answer = api.send(method, path, &token, Some(&json!({ "id": ID, "text": "a secret" }))).await;
        assert!(answer.status < 300, "{answer:?}");
    }
    let log = api.lambda.log();
    assert!(log.contains("DEBUG") && !log.contains("a secret") && !log.contains(&token), "{log}");
}

#[tokio::test]
async fn without_a_table_it_does_not_start() {
    let function = sandbox(env!("CARGO_BIN_EXE_messages"))
        .envs([("AUTH0_DOMAIN", "127.0.0.1:9"), ("API_AUDIENCE", "https://quickstarts/api"), ("TABLE_NAME", "")])
        .output();
    let function = function.expect("the function");
    assert_eq!(function.status.code(), Some(1));
    let log = String::from_utf8(function.stdout).expect("UTF-8");
    assert!(log.contains("TABLE_NAME is not set: set it to the name of the table"), "{log}");
}

/// The function, its tenant and its table.
struct Api {
    tenant: Tenant,
    dynalite: Arc<Dynalite>,
    lambda: Lambda,
}

impl Api {
    async fn start() -> Self {
        Self::with(Arc::new(Dynalite::start()), &[]).await
    }

    /// The same before a table that is there already, with more environment variables.
    async fn with(dynalite: Arc<Dynalite>, environment: &[(&str, &str)]) -> Self {
        let tenant = Tenant::https().await;
        let mut function = sandbox(env!("CARGO_BIN_EXE_messages"));
        function.envs([
            ("TABLE_NAME", "messages"),
            ("AWS_ENDPOINT_URL", &dynalite.url),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ]);
        let lambda = Lambda::run(function, &tenant, environment).await;
        Self { tenant, dynalite, lambda }
    }

    fn token(&self, subject: &str, scope: &str) -> String {
        self.tenant.token().claim("sub", subject).scope(scope).sign()
    }

    async fn send(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
        self.lambda.send(&request(method, path, Some(token), body)).await
    }

    /// Asks for the messages by a query.
    async fn send_query(&self, token: &str, query: &str) -> Answer {
        let mut event = request("GET", "/api/messages", Some(token), None);
        event["rawQueryString"] = query.into();
        self.lambda.send(&event).await
    }

    /// Stores a message of this owner.
    async fn write(&self, owner: &str, id: &str, text: &str) {
        let message = json!({ "id": id, "text": text });
        let answer = self.send("POST", "/api/messages", &self.token(owner, "write:messages"), Some(&message)).await;
        assert_eq!((answer.status, json_of(&answer)), (201, message));
    }
}

/// An event of an HTTP API, with a body where there is one.
fn request(method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Value {
    let mut event = event(method, path, &[]);
    if let Some(token) = token {
        event["headers"]["authorization"] = format!("Bearer {token}").into();
    }
    if let Some(body) = body {
        event["headers"]["content-type"] = "application/json".into();
        event["body"] = body.to_string().into();
    }
    event
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(answer.body.as_deref().expect("a body")).expect("JSON")
}

#[track_caller]
fn refuses(answer: &Answer, status: u64, code: &str, description: &str) {
    let body = json!({ "code": code, "description": description });
    assert_eq!((answer.status, json_of(answer)), (status, body));
}
