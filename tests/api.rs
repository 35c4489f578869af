//! What a caller sees, row by row, through the front door.

mod front_door;

use api_authorization::route::Access;
use api_authorization::{bearer, token};
use front_door::*;
use lambda_http::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use serde_json::{Value, json};
use tenant::Tenant;

const ROUTES: [&str; 3] = ["/api/public", "/api/private", "/api/private-scoped"];

#[tokio::test]
async fn three_endpoints() {
    let api = FrontDoor::open().await;
    let (plain, scoped) = (api.token().sign(), api.token().scope("openid read:messages").sign());

    api.send(&event("GET", "/api/public", &[])).await.greets(PUBLIC);
    api.get("/api/public", "nonsense").await.greets(PUBLIC);
    assert_eq!(api.tenant.fetches(), 0, "a public route needs no keys");
    api.get("/api/private", &plain).await.greets(PRIVATE);
    api.get("/api/private", &scoped).await.greets(PRIVATE);
    api.get("/api/private-scoped", &scoped).await.greets(SCOPED);
    api.get("/api/private-scoped", &plain).await.refuses(&NO_SCOPE, "no scope");
    assert_eq!(api.tenant.fetches(), 1, "one fetch serves them all");
}

#[tokio::test]
async fn every_protected_route_refuses_a_stranger() {
    let api = FrontDoor::open().await;
    for route in api_authorization::routes::ROUTES {
        let answer = api.send(&event("GET", route.path, &[])).await;
        match route.access {
            Access::Public(_) => assert_eq!(answer.status, 200, "{}", route.path),
            Access::Protected(..) => answer.refuses(&HEADER_MISSING, route.path),
        }
    }
}

/// RFC 6750, section 2: of its three places for a token, the header alone counts.
#[tokio::test]
async fn a_token_in_another_place() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    let bearer = format!("Bearer {token}");
    for (name, value) in [
        ("x-authorization", &bearer),
        ("x-forwarded-authorization", &bearer),
        ("x-amzn-remapped-authorization", &bearer),
        ("proxy-authorization", &bearer),
        ("access_token", &token),
        ("cookie", &format!("access_token={token}; Authorization={bearer}")),
    ] {
        api.send(&event("GET", "/api/private", &[(name, value)])).await.refuses(&HEADER_MISSING, name);
    }
    for (member, value) in [
        ("rawQueryString", json!(format!("access_token={token}"))),
        ("queryStringParameters", json!({ "access_token": token, "authorization": bearer })),
        ("cookies", json!([format!("access_token={token}")])),
        ("body", json!(format!("access_token={token}"))),
        ("stageVariables", json!({ "authorization": bearer })),
    ] {
        let mut event = event("GET", "/api/private", &[]);
        event[member] = value;
        api.send(&event).await.refuses(&HEADER_MISSING, member);
    }
    assert_eq!(api.tenant.fetches(), 0);
}

#[tokio::test]
async fn several_authorization_headers() {
    let api = FrontDoor::open().await;
    let bearer = format!("Bearer {}", api.token().sign());
    for file in ["alb-private", "rest-private"] {
        let mut event = event_file(file);
        event["headers"] = json!(null);
        for (name, several) in [
            ("twice the same", json!([bearer, bearer])),
            ("a good one behind", json!(["Basic x", bearer])),
            ("a good one before", json!([bearer, ""])),
        ] {
            event["multiValueHeaders"] = json!({ "host": ["api.example.com"], "authorization": several });
            api.send(&event).await.refuses(&NOT_BEARER_TOKEN, &format!("{file}: {name}"));
        }
        event["multiValueHeaders"]["authorization"] = json!([bearer]);
        api.send(&event).await.greets(PRIVATE);
    }
    // A REST API shows all of them in one place, and the last in another, which counts.
    let mut rest = event_file("rest-private");
    rest["multiValueHeaders"]["Authorization"] = json!([bearer, "Basic x"]);
    rest["headers"]["Authorization"] = json!("Basic x");
    api.send(&rest).await.refuses(&NOT_BEARER, "the last of several");
}

/// What your own handlers may rely on.
#[tokio::test]
async fn claims_keep_every_member() {
    let api = FrontDoor::open().await;
    let sent = api.token().scope("read:messages  openid").claim("https://example.com/roles", json!(["admin"])).sign();
    let headers =
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {sent}")).expect("a header"))]);
    let bearer = bearer::token(&headers).expect("a bearer token");
    let claims = token::validate(&bearer, &api.keys, &config(&api.tenant, &[]), None).await.expect("a valid token");
    assert_eq!(claims.subject(), Some("auth0|5f7c8ec7c33c6c004bbafe82"));
    assert_eq!(claims.scope().iter().collect::<Vec<_>>(), ["read:messages", "openid"]);
    assert_eq!(claims.get("https://example.com/roles"), Some(&json!(["admin"])));
    assert_eq!(claims.get("azp"), Some(&json!("my_client_id")));
    assert_eq!(claims.get("iat"), Some(&json!(NOW)));
    assert_eq!(claims.get("roles"), None);
}

#[tokio::test]
async fn methods() {
    let api = FrontDoor::open().await;
    let bearer = format!("Bearer {}", api.token().scope("read:messages").sign());
    for path in ROUTES {
        for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FOO", "get", "Head"] {
            api.send(&event(method, path, &[("x-http-method-override", "GET")]))
                .await
                .refuses(&METHOD_NOT_ALLOWED, method);
        }
        let [get, head] = ["GET", "HEAD"].map(|method| event(method, path, &[("authorization", &bearer)]));
        let (get, head) = (api.send(&get).await, api.send(&head).await);
        assert_eq!((get.status, head.status, head.body), (200, 200, None), "{path}");
        assert_eq!(get.headers, head.headers, "{path}");
    }
    let head = api.send(&event("HEAD", "/api/private", &[])).await;
    assert_eq!(
        (head.status, head.body.as_deref(), head.header("www-authenticate")),
        (401, None, HEADER_MISSING.challenge)
    );
    assert_eq!(api.send(&event("HEAD", "/nowhere", &[])).await.status, 404);
    assert_eq!(api.send(&event("POST", "/nowhere", &[])).await.status, 404);
}

#[tokio::test]
async fn paths() {
    let api = FrontDoor::open().await;
    for path in [
        "",
        "/",
        "/api",
        "/api/",
        "/api/public/",
        "/api/private/",
        "//api/private",
        "/api//private",
        "/API/private",
        "/api/Private",
        "/api%2Fprivate",
        "/%61pi/private",
        "/api/private;x",
        "/api/private?x",
        "/api/private#f",
        "/api/./private",
        "/api/public/../private",
        "/api/private%00",
        "/api/private\\",
        "/api/private\n",
        "/api/private ",
        "api/private",
        ":api/private",
        "/api/private-scope",
        "/api/private-scoped2",
        "/prod/api/private",
        "/v1/api/private",
    ] {
        api.send(&event("GET", path, &[])).await.refuses(&NOT_FOUND, path);
    }
    // The Host header has no say in where a request goes.
    for (name, value) in [
        ("host", "a/api/public?"),
        ("host", "evil host"),
        ("host", "[::1"),
        ("host", " "),
        ("x-forwarded-proto", ""),
        ("x-forwarded-proto", "1bad"),
        ("x-forwarded-proto", "https,http"),
    ] {
        api.send(&event("GET", "/api/private", &[(name, value)])).await.refuses(&HEADER_MISSING, value);
    }
    // Nor does the query, whatever is in it.
    for query in ["<a>", "a b", "#", "?", "\n", "%", "%ff", "ä", "/../../api/public"] {
        let mut event = event("GET", "/api/private", &[]);
        event["rawQueryString"] = json!(query);
        api.send(&event).await.refuses(&HEADER_MISSING, query);
    }
}

#[tokio::test]
async fn stages_and_base_paths() {
    let at_stage = |stage: &str, path: &str| {
        let mut event = event("GET", path, &[]);
        event["requestContext"]["stage"] = json!(stage);
        event
    };
    let api = FrontDoor::open().await;
    for (stage, path, found) in [
        ("prod", "/prod/api/private", true),
        ("prod", "/api/private", true),
        ("api", "/api/private", true),
        ("api", "/api/api/private", true),
        ("prod", "/prod/prod/api/private", false),
        ("prod", "/production/api/private", false),
        ("pro", "/prod/api/private", false),
        ("prod", "/prodapi/private", false),
        ("prod", "//prod/api/private", false),
        ("$default", "/$default/api/private", false),
        ("$default", "/$default/x/api/private", false),
        ("", "//api/private", false),
    ] {
        let refusal = if found { &HEADER_MISSING } else { &NOT_FOUND };
        api.send(&at_stage(stage, path)).await.refuses(refusal, path);
    }
    let api = FrontDoor::with(&[("BASE_PATH", "/v1")]).await;
    for (stage, path, found) in [
        ("$default", "/v1/api/private", true),
        ("$default", "/api/private", true),
        ("prod", "/prod/v1/api/private", true),
        ("$default", "/v1/v1/api/private", false),
        ("$default", "/v10/api/private", false),
        ("$default", "/v1api/private", false),
        ("$default", "/V1/api/private", false),
    ] {
        let refusal = if found { &HEADER_MISSING } else { &NOT_FOUND };
        api.send(&at_stage(stage, path)).await.refuses(refusal, path);
    }
    let mut rest = event_file("rest-private");
    rest["path"] = json!("/v1/api/private");
    api.send(&rest).await.refuses(&HEADER_MISSING, "a REST API behind a custom domain");
}

#[tokio::test]
async fn headers_on_every_answer() {
    for (allowed, origin, echoed, vary) in [
        ("*", Some("https://page.example"), Some("*"), None),
        ("*", None, Some("*"), None),
        (
            "https://page.example,http://localhost:3000",
            Some("https://page.example"),
            Some("https://page.example"),
            Some("origin"),
        ),
        (
            "https://page.example,http://localhost:3000",
            Some("http://localhost:3000"),
            Some("http://localhost:3000"),
            Some("origin"),
        ),
        ("https://page.example", Some("https://page.example.evil.com"), None, Some("origin")),
        ("https://page.example", Some("https://evil-page.example"), None, Some("origin")),
        ("https://page.example", Some("http://page.example"), None, Some("origin")),
        ("https://page.example", Some("null"), None, Some("origin")),
        ("https://page.example", None, None, Some("origin")),
    ] {
        let api = FrontDoor::with(&[("ALLOWED_ORIGINS", allowed)]).await;
        let scoped = format!("Bearer {}", api.token().scope("read:messages").sign());
        let plain = format!("Bearer {}", api.token().sign());
        let origin = origin.map(|origin| ("origin", origin));
        let headers = |more: &[(&'static str, &str)], method: &str, path: &str| {
            let headers: Vec<_> = origin.iter().copied().chain(more.iter().copied()).collect();
            event(method, path, &headers)
        };
        for (event, status) in [
            (headers(&[], "GET", "/api/public"), 200),
            (headers(&[("authorization", &scoped)], "GET", "/api/private-scoped"), 200),
            (headers(&[], "GET", "/api/private"), 401),
            (headers(&[("authorization", "Bearer x")], "GET", "/api/private"), 401),
            (headers(&[("authorization", &plain)], "GET", "/api/private-scoped"), 403),
            (headers(&[], "GET", "/nowhere"), 404),
            (headers(&[], "POST", "/api/private"), 405),
        ] {
            let answer = api.send(&event).await;
            assert_eq!(answer.status, status);
            for (name, value) in [
                ("content-type", Some("application/json")),
                ("cache-control", Some("no-store")),
                ("x-content-type-options", Some("nosniff")),
                ("access-control-allow-origin", echoed),
                (
                    "access-control-expose-headers",
                    Some("www-authenticate,x-amzn-remapped-www-authenticate,retry-after"),
                ),
                ("access-control-allow-credentials", None),
                ("access-control-allow-methods", None),
                ("vary", vary),
            ] {
                assert_eq!(answer.header(name), value, "{name} of {status} for {origin:?} with {allowed}");
            }
        }
        for path in ["/api/private", "/nowhere"] {
            let asked = [("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")];
            let answer = api.send(&headers(&asked, "OPTIONS", path)).await;
            assert_eq!((answer.status, answer.body.as_deref()), (200, None));
            let mut expected = vec![
                ("access-control-allow-headers", "authorization,content-type"),
                ("access-control-allow-methods", "GET,HEAD"),
                ("access-control-max-age", "600"),
            ];
            expected.extend(echoed.map(|origin| ("access-control-allow-origin", origin)));
            expected.extend(vary.map(|vary| ("vary", vary)));
            let headers: Vec<_> = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            expected.sort_unstable();
            assert_eq!(headers, expected, "a preflight for {origin:?} with {allowed}");
        }
    }
}

#[tokio::test]
async fn the_answer_in_each_front_s_own_shape() {
    let api = FrontDoor::open().await;
    let body = json!({ "code": "authorization_header_missing", "description": "Authorization header is expected" })
        .to_string();
    let headers = json!({
        "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff",
        "www-authenticate": "Bearer realm=\"api\"", "access-control-allow-origin": "*",
        "access-control-expose-headers": "www-authenticate,x-amzn-remapped-www-authenticate,retry-after"
    });
    let lists: Value =
        headers.as_object().expect("an object").iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    for (file, expected) in [
        (
            "private",
            json!({ "statusCode": 401, "headers": headers, "multiValueHeaders": {}, "body": body,
                            "isBase64Encoded": false, "cookies": [] }),
        ),
        (
            "rest-private",
            json!({ "statusCode": 401, "headers": {}, "multiValueHeaders": lists, "body": body,
                                 "isBase64Encoded": false }),
        ),
        (
            "alb-private",
            json!({ "statusCode": 401, "statusDescription": "401 Unauthorized", "headers": headers,
                                "multiValueHeaders": lists, "body": body, "isBase64Encoded": false }),
        ),
    ] {
        assert_eq!(api.send(&event_file(file)).await.raw, expected, "{file}");
    }
}

#[tokio::test]
async fn every_event_file() {
    let api = FrontDoor::open().await;
    let mut seen = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/events")).expect("events/") {
        let file = entry.expect("a file").file_name().into_string().expect("a name");
        let name = file.strip_suffix(".json").expect("JSON files alone");
        let answer = api.send(&event_file(name)).await;
        seen += 1;
        match name {
            "preflight" => assert_eq!((answer.status, answer.body), (200, None)),
            // A placeholder stands where the token belongs.
            _ if name.contains("public") => answer.greets(PUBLIC),
            _ if name.ends_with("-bearer") => answer.refuses(&UNPARSABLE, name),
            _ => answer.refuses(&HEADER_MISSING, name),
        }
        let token = api.token().scope("read:messages").sign();
        let filled = serde_json::from_str(&event_file(name).to_string().replace("TOKEN", &token)).expect("JSON");
        let answer = api.send(&filled).await;
        match name {
            "private-bearer" => answer.greets(PRIVATE),
            "private-scoped-bearer" => answer.greets(SCOPED),
            _ => {}
        }
    }
    assert!(seen >= 9, "one for each route and front");
    for route in api_authorization::routes::ROUTES {
        let name = route.path.trim_start_matches("/api/");
        assert_eq!(event_file(name)["rawPath"], route.path, "events/{name}.json");
        let template =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml")).expect("a template");
        assert!(template.contains(&format!("Path: {}\n", route.path)), "{} is not in template.yaml", route.path);
    }
}

#[tokio::test]
async fn a_defect_of_ours() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    api.get("/api/private", &token).await.greets(PRIVATE);
    // At each place where the time is asked for, the locked cache among them.
    for readings in 0..3 {
        api.break_after(readings);
        let answer = api.get("/api/private", &token).await;
        answer.refuses(&INTERNAL_ERROR, &format!("a panic after {readings} readings"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "a browser may read this, too");
        api.break_after(-1);
        api.get("/api/private", &token).await.greets(PRIVATE);
    }
    assert_eq!(api.tenant.fetches(), 1, "the keys have lived on");
}

#[tokio::test]
async fn another_tenant_s_token() {
    let (api, other) = (FrontDoor::open().await, Tenant::http().await);
    let stolen_kid = other.token().at(NOW).header("kid", api.tenant.key().kid()).sign();
    api.get("/api/private", &stolen_kid).await.refuses(&UNPARSABLE, "its own key under our kid");
    let own = api.token().claim("iss", other.issuer()).sign();
    api.get("/api/private", &own).await.refuses(&INVALID_CLAIMS, "our key, its issuer");
}
