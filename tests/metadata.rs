//! Protected resource metadata (RFC 9728): the document, its addresses, and the challenges that lead to it.

mod front_door;

use api_authorization::call::Call;
use api_authorization::error::ApiError;
use api_authorization::grant::Grant::{AllOf, AnyOf, Anyone};
use api_authorization::reply::Reply;
use api_authorization::route::Access::{Protected, Public};
use api_authorization::route::{Route, handler};
use api_authorization::token::Claims;
use front_door::*;
use lambda_http::http::Method;
use serde_json::{Value, json};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

async fn anyone(_call: Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::no_content())
}

async fn someone(_call: Call<'_>, _claims: &Claims) -> Result<Reply, ApiError> {
    Ok(Reply::no_content())
}

#[rustfmt::skip]
static TABLE: &[Route] = &[
    Route { method: Method::GET, path: "/health", access: Public(handler!(anyone)) },
    Route { method: Method::POST, path: "/mcp", access: Protected(Anyone, handler!(someone)) },
    Route { method: Method::GET, path: "/messages/{id}", access: Protected(AllOf(&["read:messages"]), handler!(someone)) },
    Route { method: Method::PUT, path: "/messages/{id}", access: Protected(AnyOf(&["write:messages", "read:messages"]), handler!(someone)) },
];

/// A front, as its events say it: what the caller's path begins with, and where it is.
#[derive(Clone, Copy)]
struct Front {
    event: &'static str,
    domain: &'static str,
    stage: &'static str,
    /// What stands before the path in the event's own path, and what stands there in the caller's URL alone.
    before: &'static str,
    hidden: &'static str,
}

impl Front {
    fn event(&self, method: &str, path: &str) -> Value {
        let mut event = event_file(self.event);
        event["headers"] = json!({ "host": "forged.example", "x-forwarded-host": "forged.example", "x-forwarded-proto": "http",
                                   "forwarded": "host=forged.example" });
        if event["version"] == "2.0" {
            event["rawPath"] = json!(format!("{}{path}", self.before));
            event["requestContext"]["http"]["path"] = event["rawPath"].clone();
            event["requestContext"]["http"]["method"] = json!(method);
            event["requestContext"]["stage"] = json!(self.stage);
            event["requestContext"]["domainName"] = json!(self.domain);
        } else {
            event["path"] = json!(format!("{}{path}", self.before));
            event["httpMethod"] = json!(method);
            event["multiValueHeaders"] = Value::Null;
            if event["requestContext"].get("elb").is_none() {
                event["requestContext"]["path"] = json!(format!("{}{}{path}", self.hidden, self.before));
                event["requestContext"]["stage"] = json!(self.stage);
                event["requestContext"]["domainName"] = json!(self.domain);
                event["requestContext"]["httpMethod"] = json!(method);
            }
        }
        event
    }
}

const HTTP: Front = Front { event: "private", domain: "a.example.com", stage: "$default", before: "", hidden: "" };
const STAGE: Front = Front { stage: "prod", before: "/prod", ..HTTP };
const BASE: Front = Front { before: "/v1", ..HTTP };
const MAPPED_STAGE: Front = Front { stage: "prod", ..HTTP };
const FUNCTION_URL: Front =
    Front { event: "function-url-private", domain: "abc.lambda-url.eu-central-1.on.aws", ..HTTP };
const REST: Front = Front { event: "rest-private", stage: "prod", hidden: "/prod", ..HTTP };
const REST_DOMAIN: Front = Front { event: "rest-private", stage: "prod", ..HTTP };
const LOAD_BALANCER: Front = Front { event: "alb-private", ..HTTP };
const LOCAL: Front = Front { event: "function-url-private", domain: "localhost", ..HTTP };

#[tokio::test]
async fn the_challenge_leads_to_a_document_that_answers() {
    let at = "https://api.example.com";
    for (setting, front, metadata, resource) in [
        ("auto", HTTP, Some("https://a.example.com{}"), "https://a.example.com"),
        ("auto", STAGE, Some("https://a.example.com/prod{}"), "https://a.example.com/prod"),
        ("auto", BASE, Some("https://a.example.com/v1{}"), "https://a.example.com/v1"),
        ("auto", MAPPED_STAGE, Some("https://a.example.com{}"), "https://a.example.com"),
        (
            "auto",
            FUNCTION_URL,
            Some("https://abc.lambda-url.eu-central-1.on.aws{}"),
            "https://abc.lambda-url.eu-central-1.on.aws",
        ),
        ("auto", REST, Some("https://a.example.com/prod{}"), "https://a.example.com/prod"),
        ("auto", REST_DOMAIN, Some("https://a.example.com{}"), "https://a.example.com"),
        ("auto", LOAD_BALANCER, None, ""),
        ("auto", LOCAL, None, ""),
        ("auto", Front { domain: "a\"b.example", ..HTTP }, None, ""),
        ("off", HTTP, None, ""),
        ("", HTTP, None, ""),
        (at, HTTP, Some("https://api.example.com{}"), at),
        (at, LOAD_BALANCER, Some("https://api.example.com{}"), at),
        (at, LOCAL, Some("https://api.example.com{}"), at),
        // A front before this one hides the stage.
        (at, STAGE, Some("https://api.example.com{}"), at),
        ("https://api.example.com/", HTTP, Some("https://api.example.com{}"), "https://api.example.com/"),
        ("https://api.example.com/mcp", HTTP, Some("https://api.example.com{}/mcp"), "https://api.example.com/mcp"),
        ("https://api.example.com/v1", BASE, Some("https://api.example.com/v1{}"), "https://api.example.com/v1"),
        (
            "https://api.example.com/v1/mcp",
            BASE,
            Some("https://api.example.com/v1{}/mcp"),
            "https://api.example.com/v1/mcp",
        ),
        ("https://api.example.com/v10", BASE, Some("https://api.example.com{}/v10"), "https://api.example.com/v10"),
        // A REST API takes the stage off the path.
        ("https://api.example.com/prod", REST, Some("https://api.example.com/prod{}"), "https://api.example.com/prod"),
        (
            "https://api.example.com/prod/mcp",
            REST,
            Some("https://api.example.com/prod{}/mcp"),
            "https://api.example.com/prod/mcp",
        ),
        (at, REST, Some("https://api.example.com{}"), at),
        // Nothing hides it where the gateway itself is called.
        ("https://a.example.com", REST, Some("https://a.example.com/prod{}"), "https://a.example.com"),
        ("https://a.example.com", BASE, Some("https://a.example.com/v1{}"), "https://a.example.com"),
        ("https://api.example.com/mcp/", HTTP, Some("https://api.example.com{}/mcp/"), "https://api.example.com/mcp/"),
        ("auto", Front { domain: "", ..HTTP }, None, ""),
        ("auto", Front { hidden: ".evil.example", ..REST }, None, ""),
        ("auto", Front { hidden: "/a\"b", ..REST }, None, ""),
        (
            "auto",
            Front { hidden: "/a-b._~$c", ..REST },
            Some("https://a.example.com/a-b._~$c{}"),
            "https://a.example.com/a-b._~$c",
        ),
        ("http://127.0.0.1:8080", LOCAL, Some("http://127.0.0.1:8080{}"), "http://127.0.0.1:8080"),
    ] {
        let api = FrontDoor::serving(TABLE, (), &[("RESOURCE_URL", setting), ("BASE_PATH", "/v1")]).await;
        let row = format!("{setting} at {}{}{}", front.domain, front.hidden, front.before);
        let metadata = metadata.map(|address| address.replace("{}", WELL_KNOWN));
        let parameter =
            metadata.as_ref().map_or_else(String::new, |address| format!(r#", resource_metadata="{address}""#));
        for (method, path, scope) in [("POST", "/mcp", ""), ("GET", "/messages/1", r#", scope="read:messages""#)] {
            let answer = api.send(&front.event(method, path)).await;
            let challenge = format!(r#"Bearer realm="api"{parameter}{scope}"#);
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some(challenge.as_str())), "{row}");
        }

        // The same address, asked for through the same front.
        let path =
            metadata.as_ref().map_or(WELL_KNOWN, |address| &address[address.find(WELL_KNOWN).expect("its path")..]);
        let answer = api.send(&front.event("GET", path)).await;
        if metadata.is_none() {
            answer.refuses(&NOT_FOUND, &row);
            continue;
        }
        let document: Value = serde_json::from_str(answer.body.as_deref().expect("a body")).expect("JSON");
        let expected = json!({
            "resource": resource,
            "authorization_servers": [api.tenant.issuer()],
            "scopes_supported": ["read:messages", "write:messages"],
            "bearer_methods_supported": ["header"],
        });
        assert_eq!((answer.status, document), (200, expected), "{row}");
    }
}

/// Section 3.3: a client compares `resource` with what it asked for.
#[tokio::test]
async fn each_path_without_parameters_has_a_document_of_its_own() {
    for (setting, front, path, resource) in [
        ("auto", HTTP, "/mcp", Some("https://a.example.com/mcp")),
        ("auto", STAGE, "/mcp", Some("https://a.example.com/prod/mcp")),
        ("auto", REST, "/mcp", Some("https://a.example.com/prod/mcp")),
        ("auto", HTTP, "/health", Some("https://a.example.com/health")),
        ("auto", HTTP, "/messages/1", None),
        ("auto", HTTP, "/messages/{id}", None),
        ("auto", HTTP, "/nowhere", None),
        ("auto", HTTP, "/mcp/", None),
        ("auto", HTTP, "/", None),
        ("auto", HTTP, "x", None),
        ("https://api.example.com/api", HTTP, "/api", Some("https://api.example.com/api")),
        ("https://api.example.com/api", HTTP, "", Some("https://api.example.com/api")),
        ("https://api.example.com/api", HTTP, "/mcp", Some("https://api.example.com/mcp")),
        ("https://api.example.com/v1", BASE, "/mcp", Some("https://api.example.com/v1/mcp")),
        ("https://api.example.com/prod", REST, "/mcp", Some("https://api.example.com/prod/mcp")),
        // Where section 3.1 puts it, if the root leads here, too.
        ("https://api.example.com/v1", HTTP, "/v1", Some("https://api.example.com/v1")),
        ("off", HTTP, "/mcp", None),
    ] {
        let api = FrontDoor::serving(TABLE, (), &[("RESOURCE_URL", setting), ("BASE_PATH", "/v1")]).await;
        let path = format!("{WELL_KNOWN}{path}");
        let row = format!("{setting}: {}{path}", front.before);
        let answer = api.send(&front.event("GET", &path)).await;
        match resource {
            None => answer.refuses(&NOT_FOUND, &row),
            Some(resource) => {
                let document: Value = serde_json::from_str(answer.body.as_deref().expect("a body")).expect("JSON");
                assert_eq!((answer.status, document["resource"].as_str()), (200, Some(resource)), "{row}");
            }
        }
    }
}

#[tokio::test]
async fn the_document_is_public_and_read_by_pages() {
    let api =
        FrontDoor::serving(TABLE, (), &[("RESOURCE_URL", "auto"), ("ALLOWED_ORIGINS", "https://page.example")]).await;
    for (method, status) in [("GET", 200), ("HEAD", 200), ("POST", 405), ("OPTIONS", 200)] {
        let mut event = HTTP.event(method, WELL_KNOWN);
        event["headers"]["origin"] = json!("https://page.example");
        let answer = api.send(&event).await;
        assert_eq!(answer.status, status, "{method}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://page.example"), "{method}");
        assert_eq!(answer.header("allow"), (status == 405).then_some("GET, HEAD, OPTIONS"), "{method}");
    }
    assert_eq!(api.tenant.fetches(), 0);
}

/// Of every refusal of a protected route, 401 or 403; and of nothing else.
#[tokio::test]
async fn which_challenges_name_the_metadata() {
    let api = FrontDoor::with(&[("RESOURCE_URL", "auto")]).await;
    api.keys.warm_up().await;
    let metadata = format!(r#", resource_metadata="https://api.example.com{WELL_KNOWN}""#);
    let expired = api.token().claim("exp", NOW - 60).sign();
    let good = api.token().sign();
    for (path, authorization, status, challenge) in [
        ("/api/private", None, 401, Some(format!(r#"Bearer realm="api"{metadata}"#))),
        (
            "/api/private",
            Some(&expired),
            401,
            Some(format!(
                r#"Bearer realm="api", error="invalid_token", error_description="token is expired"{metadata}"#
            )),
        ),
        (
            "/api/private-scoped",
            Some(&good),
            403,
            Some(format!(
                r#"Bearer realm="api", error="insufficient_scope", error_description="You don't have access to this resource"{metadata}, scope="read:messages""#
            )),
        ),
        ("/api/public", Some(&good), 200, None),
        ("/api/private", Some(&good), 200, None),
        ("/nowhere", Some(&good), 404, None),
    ] {
        let bearer = authorization.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let answer = api.send(&event("GET", path, &headers)).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (status, challenge.as_deref()), "{path}");
    }
}

/// A row of one's own at that path goes before it.
#[tokio::test]
async fn a_document_of_one_s_own() {
    static OWN: &[Route] = &[Route { method: Method::GET, path: WELL_KNOWN, access: Public(handler!(anyone)) }];
    let api = FrontDoor::serving(OWN, (), &[("RESOURCE_URL", "auto")]).await;
    assert_eq!(api.send(&HTTP.event("GET", WELL_KNOWN)).await.status, 204);
}

/// Section 3.2: a parameter with zero elements is left out.
#[tokio::test]
async fn a_table_without_scopes_names_none() {
    static BARE: &[Route] =
        &[Route { method: Method::POST, path: "/mcp", access: Protected(Anyone, handler!(someone)) }];
    let api = FrontDoor::serving(BARE, (), &[("RESOURCE_URL", "auto")]).await;
    let answer = api.send(&HTTP.event("GET", WELL_KNOWN)).await;
    let document: Value = serde_json::from_str(answer.body.as_deref().expect("a body")).expect("JSON");
    let expected = json!({
        "resource": "https://a.example.com",
        "authorization_servers": [api.tenant.issuer()],
        "bearer_methods_supported": ["header"],
    });
    assert_eq!((answer.status, document), (200, expected));
}

#[tokio::test]
async fn every_issuer_is_an_authorization_server() {
    let environment = [
        ("RESOURCE_URL", "auto"),
        ("AUTH0_DOMAIN", "a.example,b.example"),
        ("JWKS_URI", ""),
        ("ISSUERS", "https://c.example,https://d.example/pool"),
    ];
    let api = FrontDoor::with(&environment).await;
    let answer = api.send(&HTTP.event("GET", WELL_KNOWN)).await;
    let document: Value = serde_json::from_str(answer.body.as_deref().expect("a body")).expect("JSON");
    let servers = json!(["https://a.example/", "https://b.example/", "https://c.example", "https://d.example/pool"]);
    assert_eq!(document["authorization_servers"], servers);
}
