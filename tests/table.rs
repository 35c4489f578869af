//! What a table of routes can say beyond the three endpoints, on tables of a test's own.

mod front_door;
mod rows;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};

use api_authorization::call::Call;
use api_authorization::error::ApiError;
use api_authorization::grant::Grant::{AllOf, AnyOf, Anyone};
use api_authorization::reply::{Problem, Reply};
use api_authorization::route::Access::{Protected, Public};
use api_authorization::route::{Route, handler};
use api_authorization::routes::ROUTES;
use api_authorization::template;
use api_authorization::token::Claims;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use front_door::*;
use lambda_http::http::Method;
use lambda_http::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, VARY};
use lambda_http::tracing::subscriber::{fmt, registry};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::subscriber::set_global_default;

// --- Paths and methods

#[rustfmt::skip]
static ITEMS: &[Route] = &[
    Route { method: Method::POST, path: "/items", access: Public(handler!(path)) },
    Route { method: Method::GET, path: "/items/{id}", access: Public(handler!(id)) },
    Route { method: Method::DELETE, path: "/items/{item}", access: Public(handler!(item)) },
    Route { method: Method::GET, path: "/items/latest", access: Public(handler!(path)) },
    Route { method: Method::HEAD, path: "/items/latest", access: Public(handler!(no_content)) },
    Route { method: Method::GET, path: "/items/{id}/parts/{part}", access: Public(handler!(id_and_part)) },
    Route { method: Method::GET, path: "/items/{id}/parts/first", access: Public(handler!(path)) },
    Route { method: Method::GET, path: "/items/latest/parts/{part}", access: Public(handler!(path)) },
    Route { method: Method::PATCH, path: "/", access: Public(handler!(path)) },
    Route { method: Method::GET, path: "/missing", access: Public(handler!(id)) },
];

async fn path(call: Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(call.request.uri().path()))
}

async fn id(call: Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(call.param("id")?))
}

async fn item(call: Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(format!("no more {}", call.param("item")?)))
}

async fn id_and_part(call: Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok([call.param("id")?, call.param("part")?]))
}

async fn no_content(_call: Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::no_content())
}

#[tokio::test]
async fn methods_of_one_path() {
    let api = FrontDoor::serving(ITEMS, (), &[]).await;
    for (method, path, status, answer) in [
        ("POST", "/items", 200, Ok(r#""/items""#)),
        ("GET", "/items", 405, Err("POST, OPTIONS")),
        ("HEAD", "/items", 405, Err("POST, OPTIONS")),
        ("GET", "/items/7", 200, Ok(r#""7""#)),
        ("HEAD", "/items/7", 200, Ok("")),
        ("DELETE", "/items/7", 200, Ok(r#""no more 7""#)),
        ("PUT", "/items/7", 405, Err("GET, HEAD, DELETE, OPTIONS")),
        ("delete", "/items/7", 405, Err("GET, HEAD, DELETE, OPTIONS")),
        ("GET", "/items/latest", 200, Ok(r#""/items/latest""#)),
        ("HEAD", "/items/latest", 204, Ok("")), // a row of its own goes before GET's
        ("DELETE", "/items/latest", 405, Err("GET, HEAD, OPTIONS")), // another path than /items/{item}
        ("PATCH", "/", 200, Ok(r#""/""#)),
        ("GET", "/", 405, Err("PATCH, OPTIONS")),
    ] {
        let row = format!("{method} {path}");
        let found = api.send(&event(method, path, &[])).await;
        assert_eq!(found.status, status, "{row}");
        let body = found.body.as_deref().unwrap_or_default();
        match answer {
            Ok(expected) => assert_eq!((body, found.header("allow")), (expected, None), "{row}"),
            Err(allow) => {
                let refusal = r#"{"code":"method_not_allowed","description":"Method not allowed"}"#;
                assert_eq!(body, if method == "HEAD" { "" } else { refusal }, "{row}");
                assert_eq!(found.header("allow"), Some(allow), "{row}");
            }
        }
    }
}

#[tokio::test]
async fn preflights_name_the_methods_of_the_table() {
    let api = FrontDoor::serving(ITEMS, (), &[]).await;
    for path in ["/items", "/items/7", "/nowhere"] {
        let preflight = [("origin", "https://app.example.com"), ("access-control-request-method", "DELETE")];
        let answer = api.send(&event("OPTIONS", path, &preflight)).await;
        let methods = answer.header("access-control-allow-methods");
        assert_eq!((answer.status, methods), (200, Some("POST,GET,HEAD,DELETE,PATCH")), "{path}");
    }
}

#[tokio::test]
async fn parameters_are_whole_segments() {
    let api = FrontDoor::serving(ITEMS, (), &[]).await;
    for (path, expected) in [
        ("/items/7", Some(json!("7"))),
        ("/items/{id}", Some(json!("{id}"))),
        ("/items/..", Some(json!(".."))),
        ("/items/a:b@c;d", Some(json!("a:b@c;d"))),
        ("/items/Latest", Some(json!("Latest"))),
        ("/items/latest ", Some(json!("latest "))),
        ("/items/7/parts/8", Some(json!(["7", "8"]))),
        ("/items/7/parts/First", Some(json!(["7", "First"]))),
        ("/items/7/parts/first", Some(json!("/items/7/parts/first"))),
        // Of two that fit, the first segment in which they differ decides.
        ("/items/latest/parts/first", Some(json!("/items/latest/parts/first"))),
        ("/items/", None),
        ("/items//", None),
        ("//7", None),
        ("/items/7/", None),
        ("/items/7/8", None),
        ("/items//parts/8", None),
        ("/items/7/parts/", None),
        ("/items/7/parts/8/9", None),
        ("/Items/7", None),
        ("items/7", None),
        ("", None),
    ] {
        let answer = api.send(&event("GET", path, &[])).await;
        match expected {
            Some(value) => assert_eq!((answer.status, answer.body), (200, Some(value.to_string())), "{path}"),
            None => answer.refuses(&NOT_FOUND, path),
        }
    }
    api.send(&event("GET", "/missing", &[])).await.refuses(&INTERNAL_ERROR, "a parameter that the path does not have");
}

/// An HTTP API decodes the path before, and puts what it decoded into the event. The other fronts hand it on as it was
/// sent, and so does `cargo lambda watch`.
#[tokio::test]
async fn parameters_are_decoded_once() {
    let api = FrontDoor::serving(ITEMS, (), &[]).await;
    for (segment, value) in [
        ("a b", "a b"),
        ("ä", "ä"),
        ("%", "%"),
        ("%25", "%25"),
        ("%2F", "%2F"),
        ("%ff", "%ff"),
        ("a+b", "a+b"),
        ("a#b", "a#b"),
        ("a\nb", "a\nb"),
    ] {
        let answer = api.send(&event("GET", &format!("/items/{segment}"), &[])).await;
        assert_eq!((answer.status, answer.body), (200, Some(json!(value).to_string())), "{segment:?}");
    }
    for front in [function_url, cargo_lambda_watch, rest_api, load_balancer] {
        for (segment, value) in [
            ("a%20b", Some("a b")),
            ("%c3%A4", Some("ä")),
            ("%25", Some("%")),
            ("%2525", Some("%25")),
            ("a%2Fb", Some("a/b")),
            ("%2e%2E", Some("..")),
            ("%00", Some("\0")),
            ("a+b", Some("a+b")),
            ("100%", Some("100%")),
            ("%zz", Some("%zz")),
            ("%6catest", Some("latest")), // the literal row is for the literal alone
            ("%ff", None),
            ("%C3", None),
            ("%ED%A0%80", None), // half of a pair of surrogates
        ] {
            let event = front("GET", &format!("/items/{segment}"));
            let (answer, row) = (api.send(&event).await, event.to_string());
            match value {
                Some(value) => assert_eq!((answer.status, answer.body), (200, Some(json!(value).to_string())), "{row}"),
                None => refused(&answer, BAD_BODY, &row),
            }
        }
        for path in ["/%69tems/7", "/items%2F7", "/items/7%2Fparts%2F8/9"] {
            api.send(&front("GET", path)).await.refuses(&NOT_FOUND, path);
        }
    }
}

#[tokio::test]
async fn stages_and_base_paths_stand_before_parameters() {
    let api = FrontDoor::serving(ITEMS, (), &[("BASE_PATH", "/v1")]).await;
    for (stage, path, expected) in [
        ("$default", "/items/7", Some("7")),
        ("$default", "/v1/items/7", Some("7")),
        ("prod", "/prod/items/7", Some("7")),
        ("prod", "/prod/v1/items/7", Some("7")),
        ("prod", "/items/prod", Some("prod")),
        ("items", "/items/items", Some("items")),
        ("items", "/items/items/7", Some("7")),
        ("prod", "/prod/items/", None),
        ("prod", "/v1/prod/items/7", None),
        ("prod", "/prod/prod/items/7", None),
        ("prod", "/v1/v1/items/7", None),
        ("prod", "/%70rod/items/7", None),
    ] {
        let mut event = event("GET", path, &[]);
        event["requestContext"]["stage"] = json!(stage);
        let answer = api.send(&event).await;
        match expected {
            Some(id) => assert_eq!((answer.status, answer.body), (200, Some(json!(id).to_string())), "{stage} {path}"),
            None => answer.refuses(&NOT_FOUND, &format!("{stage} {path}")),
        }
    }
}

fn function_url(method: &str, path: &str) -> Value {
    let mut event = event_file("function-url-private");
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["method"] = json!(method);
    event
}

/// As cargo-lambda 1.9.2 sends it.
fn cargo_lambda_watch(method: &str, path: &str) -> Value {
    let mut event = event(method, path, &[]);
    event["requestContext"]["domainName"] = json!("localhost");
    event["requestContext"]["domainPrefix"] = json!("_");
    event
}

fn rest_api(method: &str, path: &str) -> Value {
    let mut event = event_file("rest-private");
    event["path"] = json!(path);
    event["httpMethod"] = json!(method);
    event
}

fn load_balancer(method: &str, path: &str) -> Value {
    let mut event = event_file("alb-private");
    event["path"] = json!(path);
    event["httpMethod"] = json!(method);
    event
}

// --- Bodies, and state

#[rustfmt::skip]
static NOTES: &[Route<Notes>] = &[
    Route { method: Method::POST, path: "/notes", access: Public(handler!(add)) },
    Route { method: Method::GET, path: "/notes/count", access: Public(handler!(count)) },
];

#[derive(Default)]
struct Notes(AtomicUsize);

#[derive(Deserialize)]
struct Note {
    text: String,
}

async fn add(call: Call<'_, Notes>) -> Result<Reply, ApiError> {
    let note: Note = call.json()?;
    let id = call.state.0.fetch_add(1, Ordering::SeqCst) + 1;
    Ok(Reply::created(format!("/notes/{id}"), note.text.len()))
}

async fn count(call: Call<'_, Notes>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(call.state.0.load(Ordering::SeqCst)))
}

const BAD_BODY: Said = (400, "bad_request", "Bad request");
const PAYLOAD_TOO_LARGE: Said = (413, "payload_too_large", "The body is too large");
const UNSUPPORTED_MEDIA_TYPE: Said = (415, "unsupported_media_type", "Content-Type must be application/json");

#[tokio::test]
async fn bodies_are_json() {
    let api = FrontDoor::serving(NOTES, Notes::default(), &[]).await;
    let json = Some("application/json");
    let mib = |more: usize| format!(r#"{{"text":"{}"}}"#, "a".repeat(1024 * 1024 - 11 + more));
    for (content_type, body, refusal) in [
        (json, r#"{"text":"a"}"#, None),
        (json, r#" {"more":1,"text":"\u00e4"} "#, None),
        (Some("application/json; charset=utf-8"), r#"{"text":"a"}"#, None),
        (Some("Application/JSON;charset=\"UTF-8\""), r#"{"text":"a"}"#, None),
        (Some(" application/json ; x"), r#"{"text":"a"}"#, None),
        (Some("application/problem+json"), r#"{"text":"a"}"#, None),
        (Some("application/vnd.example.note+JSON"), r#"{"text":"a"}"#, None),
        (json, &mib(0), None),
        (json, &mib(1), Some(PAYLOAD_TOO_LARGE)),
        (json, &"[".repeat(1024 * 1024), Some(BAD_BODY)),
        (json, "", Some(BAD_BODY)),
        (json, "null", Some(BAD_BODY)),
        (json, "{}", Some(BAD_BODY)),
        (json, r#"{"text":7}"#, Some(BAD_BODY)),
        (json, r#"{"text":null}"#, Some(BAD_BODY)),
        (json, r#"{"text":"a","text":"b"}"#, Some(BAD_BODY)),
        (json, r#"{"text":"a"} x"#, Some(BAD_BODY)),
        (json, r#"{"text":"a"#, Some(BAD_BODY)),
        (json, "text=a", Some(BAD_BODY)),
        (json, "\u{feff}{\"text\":\"a\"}", Some(BAD_BODY)),
        (None, r#"{"text":"a"}"#, Some(UNSUPPORTED_MEDIA_TYPE)),
        (Some(""), r#"{"text":"a"}"#, Some(UNSUPPORTED_MEDIA_TYPE)),
        (Some("text/plain"), r#"{"text":"a"}"#, Some(UNSUPPORTED_MEDIA_TYPE)),
        (Some("text/json"), r#"{"text":"a"}"#, Some(UNSUPPORTED_MEDIA_TYPE)),
        (Some("text/plain; application/json"), r#"{"text":"a"}"#, Some(UNSUPPORTED_MEDIA_TYPE)),
        (Some("application/jsonl"), r#"{"text":"a"}"#, Some(UNSUPPORTED_MEDIA_TYPE)),
        (Some("image/svg+json"), r#"{"text":"a"}"#, Some(UNSUPPORTED_MEDIA_TYPE)),
        (Some("application/x-www-form-urlencoded"), "text=a", Some(UNSUPPORTED_MEDIA_TYPE)),
        // In this order.
        (None, "", Some(UNSUPPORTED_MEDIA_TYPE)),
        (None, &mib(1), Some(UNSUPPORTED_MEDIA_TYPE)),
        (json, &"[".repeat(1024 * 1024 + 1), Some(PAYLOAD_TOO_LARGE)),
    ] {
        let headers: Vec<_> = content_type.map(|content_type| ("content-type", content_type)).into_iter().collect();
        let mut plain = event("POST", "/notes", &headers);
        plain["body"] = json!(body);
        let mut encoded = plain.clone();
        encoded["body"] = json!(STANDARD.encode(body));
        encoded["isBase64Encoded"] = json!(true);
        for event in [plain, encoded] {
            let row = format!("{content_type:?} {:.40}", event["body"]);
            let answer = api.send(&event).await;
            match refusal {
                None => assert_eq!(answer.status, 201, "{row}"),
                Some(refusal) => refused(&answer, refusal, &row),
            }
        }
    }
}

/// REST APIs and load balancers encode what is no text for them.
#[tokio::test]
async fn bodies_of_each_front() {
    let api = FrontDoor::serving(NOTES, Notes::default(), &[]).await;
    for front in [function_url, cargo_lambda_watch, rest_api, load_balancer] {
        for (body, encoded, status) in [
            (json!(r#"{"text":"ä"}"#), false, 201),
            (json!(STANDARD.encode(r#"{"text":"ä"}"#)), true, 201),
            (json!(STANDARD.encode(b"{\"text\":\"\xff\"}")), true, 400),
            (json!(r#"{"text":"a"}"#), true, 400), // says that it is base64, and is none
            (json!(""), false, 400),
            (json!(null), false, 400),
        ] {
            let mut event = front("POST", "/notes");
            event["body"] = body;
            event["isBase64Encoded"] = json!(encoded);
            event["headers"]["Content-Type"] = json!("application/json");
            let answer = api.send(&event).await;
            assert_eq!(answer.status, status, "{event}");
            if status == 400 {
                refused(&answer, BAD_BODY, &event.to_string());
            }
        }
    }
}

#[tokio::test]
async fn all_calls_share_one_state() {
    let api = FrontDoor::serving(NOTES, Notes::default(), &[]).await;
    let mut add = event("POST", "/notes", &[("content-type", "application/json")]);
    add["body"] = json!(r#"{"text":"ab"}"#);
    for id in 1..=3 {
        let answer = api.send(&add).await;
        assert_eq!((answer.status, answer.body.as_deref()), (201, Some("2")));
        assert_eq!(answer.header("location"), Some(format!("/notes/{id}").as_str()));
    }
    assert_eq!(api.send(&event("GET", "/notes/count", &[])).await.body.as_deref(), Some("3"));
}

// --- What a handler answers

#[rustfmt::skip]
static ANSWERS: &[Route] = &[
    Route { method: Method::GET, path: "/{answer}", access: Public(handler!(answer)) },
    Route { method: Method::POST, path: "/{answer}", access: Protected(AllOf(&["write:items"]), handler!(protected_answer)) },
];

static NO_SUCH_ITEM: Problem = Problem::new(404, "item_not_found", "There is no such item");
static CONFLICT: Problem = Problem::new(409, "item_taken", "The item is taken");
static NOT_MINE: Problem = Problem::new(401, "not_your_item", "The item is somebody else's");
static DOWN: Problem = Problem::new(503, "database_down", "Try again later");

async fn protected_answer(call: Call<'_>, _claims: &Claims) -> Result<Reply, ApiError> {
    answer(call).await
}

async fn answer(call: Call<'_>) -> Result<Reply, ApiError> {
    let own = HeaderName::from_static("x-own");
    Ok(match &*call.param("answer")? {
        "ok" => Reply::ok(json!({ "a": [1, "ä"] })),
        "created" => Reply::created("/items/7", json!({ "id": 7 })),
        "made-elsewhere" => Reply::created("https://example.com/items/7?a=b", "7"),
        "accepted" => Reply::accepted(),
        "no-content" => Reply::no_content(),
        "own" => Reply::ok(1).header(own, "x").header(ETAG, r#""1""#).header(CACHE_CONTROL, "private, max-age=60"),
        "twice" => Reply::ok(1).header(own.clone(), "x").header(own, "y"),
        "csv" => Reply::ok(1).header(CONTENT_TYPE, "text/csv"),
        "vary" => Reply::ok(1).header(VARY, "accept-language"),
        "not-json" => Reply::ok(HashMap::from([((1, 2), 3)])),
        "nowhere" => Reply::created("/items/\n7", 7),
        "not-ascii" => Reply::created("/items/ä", 7),
        "bytes" => Reply::ok(1).header(own, HeaderValue::from_bytes(b"\xff").expect("a header of HTTP's")),
        "not-json-but-a-header" => Reply::ok(HashMap::from([((1, 2), 3)])).header(own, "x"),
        "none" => Err(&NO_SUCH_ITEM)?,
        "taken" => return Err(CONFLICT_FROM_ELSEWHERE),
        "not-mine" => Err(&NOT_MINE)?,
        "down" => return Err((&DOWN).into()),
        "internal" => return Err(ApiError::Internal),
        "panics" => panic!("a defect, made by a test"),
        "panics-later" => {
            tokio::task::yield_now().await;
            panic!("a defect, made by a test")
        }
        "found" => found(true)?,
        "not-found" => found(false)?,
        _ => return Err(ApiError::NotFound),
    })
}

const CONFLICT_FROM_ELSEWHERE: ApiError = ApiError::Problem(&CONFLICT);

/// As a handler asks whatever knows.
fn found(there: bool) -> Result<Reply, &'static Problem> {
    there.then(|| Reply::ok("there")).ok_or(&NO_SUCH_ITEM)
}

#[tokio::test]
async fn replies() {
    let api = FrontDoor::serving(ANSWERS, (), &[]).await;
    let json = Some("application/json");
    for (path, status, body, headers) in [
        ("/ok", 200, Some(r#"{"a":[1,"ä"]}"#), &[("content-type", json), ("location", None)][..]),
        ("/created", 201, Some(r#"{"id":7}"#), &[("content-type", json), ("location", Some("/items/7"))]),
        ("/made-elsewhere", 201, Some(r#""7""#), &[("location", Some("https://example.com/items/7?a=b"))]),
        ("/accepted", 202, None, &[("content-type", None), ("location", None)]),
        ("/no-content", 204, None, &[("content-type", None), ("location", None)]),
        (
            "/own",
            200,
            Some("1"),
            &[("x-own", Some("x")), ("etag", Some(r#""1""#)), ("cache-control", Some("private, max-age=60"))],
        ),
        ("/twice", 200, Some("1"), &[("x-own", Some("y"))]),
        ("/csv", 200, Some("1"), &[("content-type", Some("text/csv"))]),
        ("/found", 200, Some(r#""there""#), &[("content-type", json)]),
    ] {
        for front in [http_api, function_url, rest_api, load_balancer] {
            let [get, head] = ["GET", "HEAD"].map(|method| front(method, path));
            let (get, head) = (api.send(&get).await, api.send(&head).await);
            assert_eq!((get.status, get.body.as_deref()), (status, body), "{path}");
            assert_eq!((head.status, head.body, &head.headers), (status, None, &get.headers), "HEAD {path}");
            for (name, value) in headers {
                assert_eq!(get.header(name), *value, "{path} {name}");
            }
            let cache = headers.iter().find(|(name, _)| *name == "cache-control").map_or(Some("no-store"), |row| row.1);
            assert_eq!(get.header("cache-control"), cache, "{path}");
            assert_eq!(get.header("x-content-type-options"), Some("nosniff"), "{path}");
            assert_eq!(get.header("access-control-allow-origin"), Some("*"), "{path}");
        }
    }
}

/// Where origins are listed, a cache that keeps an answer by a handler's leave has to keep it by origin.
#[tokio::test]
async fn a_reply_that_varies() {
    let origins = [("ALLOWED_ORIGINS", "https://app.example.com")];
    for (environment, vary) in [(&[][..], "accept-language"), (&origins, "accept-language, origin")] {
        let api = FrontDoor::serving(ANSWERS, (), environment).await;
        for front in [http_api, function_url, rest_api, load_balancer] {
            assert_eq!(api.send(&front("GET", "/vary")).await.header("vary"), Some(vary));
        }
    }
}

#[tokio::test]
async fn refusals_of_handlers() {
    let api = FrontDoor::serving(ANSWERS, (), &[("ALLOWED_ORIGINS", "https://app.example.com")]).await;
    let bearer = format!("Bearer {}", api.token().scope("write:items").sign());
    for (path, refusal, reason) in [
        ("/none", (404, "item_not_found", "There is no such item"), "item_not_found"),
        ("/not-found", (404, "item_not_found", "There is no such item"), "item_not_found"),
        ("/taken", (409, "item_taken", "The item is taken"), "item_taken"),
        ("/not-mine", (401, "not_your_item", "The item is somebody else's"), "not_your_item"),
        // This promises nothing about when to come again.
        ("/down", (503, "database_down", "Try again later"), "database_down"),
        ("/anything", (404, "not_found", "Not found"), "not_found"),
        ("/not-json", DEFECT, "unwritable_reply"),
        ("/nowhere", DEFECT, "unwritable_reply"),
        ("/not-ascii", DEFECT, "unwritable_reply"),
        ("/bytes", DEFECT, "unwritable_reply"),
        ("/not-json-but-a-header", DEFECT, "unwritable_reply"),
        ("/internal", DEFECT, "internal"),
        ("/panics", DEFECT, "panicked"),
        ("/panics-later", DEFECT, "panicked"),
    ] {
        for method in ["GET", "POST"] {
            let row = format!("{method} {path}");
            let headers = [("origin", "https://app.example.com"), ("authorization", bearer.as_str())];
            let (answer, log) = logged(api.send(&event(method, path, &headers))).await;
            refused(&answer, refusal, &row);
            assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.com"), "{row}");
            assert_eq!(answer.header("vary"), Some("origin"), "{row}");
            let fields =
                [("route", json!("/{answer}")), ("method", json!(method)), ("protected", json!(method == "POST"))]
                    .into_iter()
                    .chain([("status", json!(refusal.0)), ("code", json!(refusal.1)), ("reason", json!(reason))]);
            for (name, value) in fields {
                assert_eq!(log[name], value, "{row} {name}");
            }
        }
    }
}

const DEFECT: Said = (500, "internal_error", "Internal error");

fn http_api(method: &str, path: &str) -> Value {
    event(method, path, &[])
}

/// Status, code and description of a refusal.
type Said = (u64, &'static str, &'static str);

/// This refusal to the letter, and neither a challenge nor a time to come again.
#[track_caller]
fn refused(answer: &Answer, (status, code, description): Said, row: &str) {
    let body = format!(r#"{{"code":"{code}","description":"{description}"}}"#);
    assert_eq!((answer.status, answer.body.as_deref()), (status, Some(body.as_str())), "{row}");
    assert_eq!((answer.header("www-authenticate"), answer.header("retry-after")), (None, None), "{row}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{row}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{row}");
}

/// What comes of an answer, and the fields of the one line in the access log.
async fn logged(answer: impl Future<Output = Answer>) -> (Answer, Value) {
    // One subscriber for all threads, which wants every line: else another test could have lines of this one left out.
    static EVERY_LINE: Once = Once::new();
    EVERY_LINE.call_once(|| set_global_default(registry()).expect("the first one"));
    let log = Log::default();
    let writer = log.clone();
    let subscriber = fmt().json().with_writer(move || writer.clone()).finish();
    let answer = {
        let _guard = tracing::subscriber::set_default(subscriber);
        answer.await
    };
    let log = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("UTF-8");
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["fields"].clone());
    let mut requests: Vec<_> = lines.filter(|fields| fields["message"] == "request").collect();
    assert_eq!(requests.len(), 1, "{log}");
    (answer, requests.remove(0))
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// --- Who may call

#[rustfmt::skip]
static GUARDED: &[Route] = &[
    Route { method: Method::GET, path: "/anyone", access: Protected(Anyone, handler!(whoami)) },
    Route { method: Method::GET, path: "/all", access: Protected(AllOf(&["read:items", "read:parts"]), handler!(whoami)) },
    Route { method: Method::GET, path: "/any", access: Protected(AnyOf(&["read:items", "admin"]), handler!(whoami)) },
    Route { method: Method::GET, path: "/anyone/{tool}", access: Protected(Anyone, handler!(tool)) },
    Route { method: Method::GET, path: "/all/{tool}", access: Protected(AllOf(&["read:items"]), handler!(tool)) },
    Route { method: Method::HEAD, path: "/items", access: Protected(Anyone, handler!(whoami)) },
    Route { method: Method::POST, path: "/items", access: Protected(AllOf(&["write:items"]), handler!(whoami)) },
    Route { method: Method::PUT, path: "/items/{id}", access: Protected(AllOf(&["write:items"]), handler!(whoami)) },
    Route { method: Method::PATCH, path: "/items/{id}", access: Protected(AnyOf(&["write:items"]), handler!(whoami)) },
    Route { method: Method::DELETE, path: "/items/{id}", access: Protected(Anyone, handler!(whoami)) },
    Route { method: Method::TRACE, path: "/items/{id}", access: Protected(Anyone, handler!(whoami)) },
    Route { method: Method::GET, path: "/items/{id}", access: Public(handler!(id)) },
];

async fn whoami(_call: Call<'_>, claims: &Claims) -> Result<Reply, ApiError> {
    Ok(Reply::ok(claims.subject()))
}

/// A path with several things behind it, each with a grant of its own.
async fn tool(call: Call<'_>, claims: &Claims) -> Result<Reply, ApiError> {
    match &*call.param("tool")? {
        "parts" => call.require(claims, AllOf(&["read:parts"]))?,
        "both" => call.require(claims, AllOf(&["read:parts", "read:items"]))?,
        "any" => call.require(claims, AnyOf(&["read:parts", "admin"]))?,
        _ => call.require(claims, Anyone)?,
    }
    whoami(call, claims).await
}

#[tokio::test]
async fn a_stranger_gets_through_no_protected_row() {
    assert_eq!(refuses_strangers(GUARDED).await, 11);
    // HEAD follows a protected GET, and not into a public one.
    let api = FrontDoor::serving(GUARDED, (), &[]).await;
    assert_eq!(api.send(&event("HEAD", "/all", &[])).await.status, 401);
    assert_eq!(api.send(&event("HEAD", "/items/7", &[])).await.status, 200);
}

/// Yours, too, when you have added to them.
#[tokio::test]
async fn a_stranger_gets_through_no_protected_row_of_this_api() {
    assert!(refuses_strangers(ROUTES).await >= 2);
}

/// How many rows are protected.
async fn refuses_strangers(routes: &'static [Route]) -> usize {
    let api = FrontDoor::serving(routes, (), &[]).await;
    let mut met = 0;
    for Route { method, path, access } in routes {
        let Protected(grant, _) = access else { continue };
        met += 1;
        let challenge = match grant.scopes() {
            [] => r#"Bearer realm="api""#.to_owned(),
            scopes => format!(r#"Bearer realm="api", scope="{}""#, scopes.join(" ")),
        };
        for front in [http_api, function_url, cargo_lambda_watch, rest_api, load_balancer] {
            // `{id}` is a value of `{id}`, too.
            let answer = api.send(&front(method.as_str(), path)).await;
            let row = format!("{method} {path}");
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some(challenge.as_str())), "{row}");
            if *method != Method::HEAD {
                let body =
                    r#"{"code":"authorization_header_missing","description":"Authorization header is expected"}"#;
                assert_eq!(answer.body.as_deref(), Some(body), "{row}");
            }
        }
    }
    assert_eq!(api.tenant.fetches(), 0);
    met
}

#[tokio::test]
async fn grants() {
    const ALL: &str = r#"scope="read:items read:parts""#;
    const ANY: &str = r#"scope="read:items admin""#;
    let api = FrontDoor::serving(GUARDED, (), &[]).await;
    for (path, scope, missing) in [
        ("/anyone", None, None),
        ("/anyone", Some("admin"), None),
        ("/all", Some("read:items read:parts"), None),
        ("/all", Some("read:parts x read:items"), None),
        ("/all", Some("read:items"), Some(ALL)),
        ("/all", Some("read:parts"), Some(ALL)),
        ("/all", Some("read:itemsread:parts"), Some(ALL)),
        ("/all", Some("admin"), Some(ALL)),
        ("/all", None, Some(ALL)),
        ("/any", Some("read:items"), None),
        ("/any", Some("admin"), None),
        ("/any", Some("read:items admin"), None),
        ("/any", Some("read:parts"), Some(ANY)),
        ("/any", Some("Admin"), Some(ANY)),
        ("/any", None, Some(ANY)),
        // What the handler asks for, after what its row does.
        ("/anyone/x", None, None),
        ("/anyone/parts", Some("read:parts"), None),
        ("/anyone/parts", Some("read:items"), Some(r#"scope="read:parts""#)),
        ("/anyone/any", Some("admin"), None),
        ("/anyone/any", None, Some(r#"scope="read:parts admin""#)),
        ("/all/parts", Some("read:parts read:items"), None),
        ("/all/parts", Some("read:items"), Some(ALL)),
        ("/all/both", Some("read:items"), Some(ALL)),
        ("/all/parts", Some("read:parts"), Some(r#"scope="read:items""#)),
    ] {
        let token = scope.map_or(api.token(), |scope| api.token().scope(scope)).sign();
        let answer = api.get(path, &token).await;
        let row = format!("{path} {scope:?}");
        let body = answer.body.as_deref().expect("a body");
        match missing {
            None => assert_eq!((answer.status, body), (200, r#""auth0|5f7c8ec7c33c6c004bbafe82""#), "{row}"),
            Some(scopes) => {
                let refusal = r#"{"code":"Unauthorized","description":"You don't have access to this resource"}"#;
                assert_eq!((answer.status, body), (403, refusal), "{row}");
                let error = r#"error="insufficient_scope", error_description="You don't have access to this resource""#;
                let challenge = format!(r#"Bearer realm="api", {error}, {scopes}"#);
                assert_eq!(answer.header("www-authenticate"), Some(challenge.as_str()), "{row}");
            }
        }
    }
}

/// What a client may ask for next (RFC 6750, section 3), on a row that requires two scopes.
#[tokio::test]
async fn every_challenge_names_the_scopes() {
    let api = FrontDoor::serving(GUARDED, (), &[]).await;
    api.keys.warm_up().await;
    let invalid = |description: &str| {
        format!(
            r#"Bearer realm="api", error="invalid_token", error_description="{description}", scope="read:items read:parts""#
        )
    };
    let bare = r#"Bearer realm="api", scope="read:items read:parts""#.to_owned();
    for (authorization, challenge) in [
        (String::new(), bare.clone()),
        ("Basic x".to_owned(), bare.clone()),
        ("Bearer".to_owned(), bare.clone()),
        ("Bearer a b".to_owned(), bare),
        ("Bearer x".to_owned(), invalid("Unable to parse authentication token.")),
        (format!("Bearer {}", api.token().claim("exp", json!(1)).sign()), invalid("token is expired")),
        (
            format!("Bearer {}", api.token().claim("aud", json!("another")).sign()),
            invalid("incorrect claims,please check the audience and issuer"),
        ),
    ] {
        let answer = api.send(&event("GET", "/all", &[("authorization", &authorization)])).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some(challenge.as_str())));
    }
}

// --- Tables that cannot work, and what the template says of one that does

#[test]
fn the_table_of_this_api_can_work() {
    assert_eq!(rows::check(ROUTES), Ok(()));
    for table in [ITEMS, ANSWERS, GUARDED] {
        assert_eq!(rows::check(table), Ok(()));
    }
}

#[test]
fn tables_that_cannot_work() {
    let public = |method: Method, path| Route { method, path, access: Public(handler!(id)) };
    let protected = |grant| Route { method: Method::GET, path: "/a", access: Protected(grant, handler!(whoami)) };
    let (get, post) = (Method::GET, Method::POST);
    let twin = "no request can tell this row from an earlier one";
    let segment = "a segment is neither literal nor one parameter, such as {id}";
    let scope = "there is no scope, or one that is not a single word";
    for (table, mistake) in [
        (vec![public(get.clone(), "/a"), public(post.clone(), "/a"), public(get.clone(), "/b")], None),
        (vec![public(get.clone(), "/a/{x}"), public(post.clone(), "/a/{y}"), public(get.clone(), "/a/x")], None),
        (vec![public(get.clone(), "/a/{x}/b"), public(get.clone(), "/a/b/{x}"), public(get.clone(), "/{x}/a/b")], None),
        (vec![public(get.clone(), "/"), public(get.clone(), "/a/")], None),
        (
            vec![public(get.clone(), "/a"), public(post.clone(), "/b"), public(get.clone(), "/a")],
            Some(("GET /a", twin)),
        ),
        (vec![public(post.clone(), "/a/{x}"), public(post.clone(), "/a/{y}")], Some(("POST /a/{y}", twin))),
        (vec![public(get.clone(), "/{a}/b/{c}"), public(get.clone(), "/{b}/b/{a}")], Some(("GET /{b}/b/{a}", twin))),
        (vec![public(get.clone(), "a")], Some(("GET a", "the path begins with no slash"))),
        (vec![public(get.clone(), "")], Some(("GET ", "the path begins with no slash"))),
        (vec![public(get.clone(), "/a/{x+}")], Some(("GET /a/{x+}", segment))),
        (vec![public(get.clone(), "/a/{}")], Some(("GET /a/{}", segment))),
        (vec![public(get.clone(), "/a{x}")], Some(("GET /a{x}", segment))),
        (vec![public(get.clone(), "/a/{x}.json")], Some(("GET /a/{x}.json", segment))),
        (vec![public(get.clone(), "/a/:x?b")], Some(("GET /a/:x?b", segment))),
        (vec![public(get.clone(), "/a%20b")], Some(("GET /a%20b", segment))),
        (vec![public(get.clone(), "/ä")], Some(("GET /ä", segment))),
        (vec![public(Method::OPTIONS, "/a")], Some(("OPTIONS /a", "OPTIONS belongs to CORS"))),
        (vec![protected(AllOf(&["a", "b:c"]))], None),
        (vec![protected(AllOf(&[]))], Some(("GET /a", scope))),
        (vec![protected(AnyOf(&[]))], Some(("GET /a", scope))),
        (vec![protected(AnyOf(&["a", ""]))], Some(("GET /a", scope))),
        (vec![protected(AllOf(&["a b"]))], Some(("GET /a", scope))),
        (vec![protected(AllOf(&["a\"b"]))], Some(("GET /a", scope))),
    ] {
        let expected = mistake.map_or(Ok(()), |(row, why)| Err(format!("In the table of routes, {row}: {why}.")));
        assert_eq!(rows::check(&table), expected);
    }
}

#[test]
fn what_the_template_says_of_a_table() {
    let table = [
        Route { method: Method::GET, path: "/api/messages/{id}", access: Public(handler!(id)) },
        Route { method: Method::DELETE, path: "/api/messages/id", access: Public(handler!(id)) },
        Route { method: Method::GET, path: "/api/messages/latest", access: Public(handler!(id)) },
        Route { method: Method::PATCH, path: "/", access: Public(handler!(id)) },
    ];
    assert_eq!(template::methods(&table), "AllowMethods: [GET, HEAD, DELETE, PATCH]");
    let event = |name: &str, method: &str, path: &str| {
        format!(
            "        {name}:\n          Type: HttpApi\n          Properties:\n            ApiId: !Ref Api\n            Method: {method}\n            Path: {path}\n"
        )
    };
    let events = [
        event("GetApiMessagesId", "GET", "/api/messages/{id}"),
        event("DeleteApiMessagesId", "DELETE", "/api/messages/id"),
        event("GetApiMessagesLatest", "GET", "/api/messages/latest"),
        event("Patch", "PATCH", "/"),
        event("OptionsProxy", "OPTIONS", "/{proxy+}"),
        event("Options", "OPTIONS", "/"),
        event("GetWellKnownOauthProtectedResource", "GET", "/.well-known/oauth-protected-resource"),
        event("GetWellKnownOauthProtectedResourceProxy", "GET", "/.well-known/oauth-protected-resource/{proxy+}"),
    ];
    assert_eq!(template::events(&table), events.concat());
    assert_eq!(template::events(&table[..3]), [&events[..3], &events[4..5], &events[6..]].concat().concat(), "no root");
}
