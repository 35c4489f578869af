//! The built binary behind a Lambda Runtime API, with a tenant over https: each method, each tool, each refusal. What real
//! clients make of it, `tests/clients` of the repository shows.

#[path = "../../../tests/front_door/mod.rs"]
mod front_door;
#[path = "../../../tests/lambda/mod.rs"]
mod lambda;

use std::process::Command;

use front_door::{Answer, event};
use lambda::{Lambda, sandbox};
use serde_json::{Value, json};
use tenant::Tenant;

const METADATA: &str = r#"resource_metadata="https://tools.example.com/.well-known/oauth-protected-resource/mcp""#;

#[tokio::test]
async fn each_method_has_its_answer() {
    let api = Api::start().await;
    let initialized = |version: &str| {
        json!({ "result": {
            "protocolVersion": version,
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "mcp", "version": "0.1.0" },
        } })
    };
    let error = |code: i32, message: &str| json!({ "error": { "code": code, "message": message } });
    let text = |text: &str| json!({ "result": { "content": [{ "type": "text", "text": text }] } });
    for (method, params, answer) in [
        ("initialize", json!({ "protocolVersion": "2025-03-26" }), initialized("2025-03-26")),
        ("initialize", json!({ "protocolVersion": "2025-06-18" }), initialized("2025-06-18")),
        ("initialize", json!({ "protocolVersion": "2024-11-05" }), initialized("2025-11-25")),
        ("initialize", Value::Null, initialized("2025-11-25")),
        ("ping", Value::Null, json!({ "result": {} })),
        ("tools/call", json!({ "name": "whoami" }), text("You are auth0|alice.")),
        ("tools/call", json!({ "name": "read_messages", "arguments": {} }), text("You have one message: Hello")),
        ("tools/call", json!({ "name": "delete_messages" }), error(-32602, "Unknown tool")),
        ("tools/call", Value::Null, error(-32602, "Unknown tool")),
        ("resources/list", Value::Null, error(-32601, "Method not found")),
        ("server/discover", Value::Null, error(-32601, "Method not found")),
    ] {
        for id in [json!(1), json!("a")] {
            let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
            let found = api.post(&message, "read:messages").await;
            let mut expected = answer.clone();
            expected["jsonrpc"] = json!("2.0");
            expected["id"] = id;
            assert_eq!((found.status, json_of(&found)), (200, expected), "{method} {params}");
        }
    }
    let list = api.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }), "").await;
    let tools = json_of(&list)["result"]["tools"].as_array().expect("tools").clone();
    assert_eq!(tools.iter().map(|tool| &tool["name"]).collect::<Vec<_>>(), ["whoami", "read_messages"]);
    assert!(tools.iter().all(|tool| tool["inputSchema"]["type"] == "object"));
}

#[tokio::test]
async fn what_wants_no_answer_gets_none() {
    let api = Api::start().await;
    for message in [
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
    ] {
        let answer = api.post(&message, "").await;
        assert_eq!((answer.status, answer.body), (202, None), "{message}");
    }
}

/// The scope that the challenge names is the tool's.
#[tokio::test]
async fn a_tool_asks_for_its_scope() {
    let api = Api::start().await;
    let call = |tool: &str| json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } });
    for (tool, scope, status) in
        [("whoami", "", 200), ("read_messages", "read:messages", 200), ("read_messages", "write:messages", 403)]
    {
        assert_eq!(api.post(&call(tool), scope).await.status, status, "{tool} {scope}");
    }
    let refused = api.post(&call("read_messages"), "").await;
    refuses(&refused, 403, "Unauthorized", "You don't have access to this resource");
    let error = r#"error="insufficient_scope", error_description="You don't have access to this resource""#;
    let challenge = format!(r#"Bearer realm="api", {error}, {METADATA}, scope="read:messages""#);
    assert_eq!(refused.header("www-authenticate"), Some(challenge.as_str()));
}

#[tokio::test]
async fn what_is_refused() {
    let api = Api::start().await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let stranger = api.lambda.send(&request("POST", None, &ping)).await;
    refuses(&stranger, 401, "authorization_header_missing", "Authorization header is expected");
    let challenge = format!(r#"Bearer realm="api", {METADATA}"#);
    assert_eq!(stranger.header("www-authenticate"), Some(challenge.as_str()));

    let stream = api.lambda.send(&request("GET", Some(&api.token("")), &Value::Null)).await;
    refuses(&stream, 405, "method_not_allowed", "Method not allowed");

    for body in [json!([ping]), json!({ "id": {}, "method": "ping" }), json!({ "id": 1, "method": 1 }), json!("ping")] {
        refuses(&api.post(&body, "").await, 400, "bad_request", "Bad request");
    }
    for (version, status) in [("2025-11-25", 200), ("2025-03-26", 200), ("2026-07-28", 400), ("", 400)] {
        let mut event = request("POST", Some(&api.token("")), &ping);
        event["headers"]["mcp-protocol-version"] = version.into();
        let answer = api.lambda.send(&event).await;
        assert_eq!(answer.status, status, "{version}");
        if status == 400 {
            let description = "This server does not speak that MCP-Protocol-Version";
            refuses(&answer, 400, "unsupported_protocol_version", description);
        }
    }
}

#[test]
fn the_template_routes_what_the_table_has() {
    let routes = Command::new(env!("CARGO_BIN_EXE_mcp")).arg("routes").output().expect("the function");
    let routes = String::from_utf8(routes.stdout).expect("UTF-8");
    let (methods, events) = routes.split_once('\n').expect("a line");
    let template = include_str!("../template.yaml");
    assert!(template.contains(methods.trim_start_matches("# CorsConfiguration: ")), "{methods}");
    assert!(template.contains(events), "{events}");
    let count = |text: &str| text.matches("Type: HttpApi").count();
    assert_eq!(count(template), count(events) + 1, "GET /mcp, too, for its 405");
}

/// The function, and who issues tokens for it.
struct Api {
    tenant: Tenant,
    lambda: Lambda,
}

impl Api {
    async fn start() -> Self {
        let tenant = Tenant::https().await;
        let function = sandbox(env!("CARGO_BIN_EXE_mcp"));
        let environment = [("RESOURCE_URL", "https://tools.example.com/mcp")];
        let lambda = Lambda::run(function, &tenant, &environment).await;
        Self { tenant, lambda }
    }

    fn token(&self, scope: &str) -> String {
        self.tenant.token().claim("sub", "auth0|alice").scope(scope).sign()
    }

    async fn post(&self, message: &Value, scope: &str) -> Answer {
        self.lambda.send(&request("POST", Some(&self.token(scope)), message)).await
    }
}

fn request(method: &str, token: Option<&str>, message: &Value) -> Value {
    let mut event = event(method, "/mcp", &[("content-type", "application/json")]);
    if let Some(token) = token {
        event["headers"]["authorization"] = format!("Bearer {token}").into();
    }
    event["body"] = message.to_string().into();
    event
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(answer.body.as_deref().expect("a body")).expect("JSON")
}

#[track_caller]
fn refuses(answer: &Answer, status: u64, code: &str, description: &str) {
    assert_eq!((answer.status, json_of(answer)), (status, json!({ "code": code, "description": description })));
}
