//! The table of this API's routes, and the methods of MCP: streamable HTTP without sessions, each answer in one JSON body.

use api_authorization::call::Call;
use api_authorization::error::ApiError;
use api_authorization::grant::Grant::Anyone;
use api_authorization::reply::{Problem, Reply};
use api_authorization::route::Access::Protected;
use api_authorization::route::{Route, handler};
use api_authorization::token::Claims;
use lambda_http::http::Method;
use serde_json::{Value, json};

use crate::jsonrpc::{Message, UNKNOWN_METHOD, UNKNOWN_TOOL, reply};
use crate::tools::TOOLS;

/// One path for all tools, so its row asks for a token alone. What a tool asks for, its own row in [`TOOLS`] says.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    Route { method: Method::POST, path: "/mcp", access: Protected(Anyone, handler!(mcp)) },
];

/// The newest first. A client that speaks none of these is offered the newest.
const VERSIONS: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

static UNKNOWN_VERSION: Problem =
    Problem::new(400, "unsupported_protocol_version", "This server does not speak that MCP-Protocol-Version");

async fn mcp(call: Call<'_>, claims: &Claims) -> Result<Reply, ApiError> {
    // By header, once a version is agreed upon; a request without one is of a client that is older than the header.
    let version = call.request.headers().get("mcp-protocol-version");
    if version.is_some_and(|version| !VERSIONS.iter().any(|ours| version == ours)) {
        return Err((&UNKNOWN_VERSION).into());
    }
    let Message { id, method, params } = call.json()?;
    let (Some(id), Some(method)) = (id, method) else { return Ok(Reply::accepted()) };
    let outcome = match method.as_str() {
        "initialize" => Ok(initialize(&params)),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({ "tools": TOOLS.iter().map(|tool| tool.listed()).collect::<Vec<_>>() })),
        "tools/call" => match TOOLS.iter().find(|tool| word("name", &params) == Some(tool.name)) {
            Some(tool) => {
                // Not an error of the tool: a 403 with its challenge makes clients ask their user for the scope.
                call.require(claims, tool.grant)?;
                Ok(json!({ "content": [{ "type": "text", "text": (tool.answer)(claims) }] }))
            }
            None => Err(UNKNOWN_TOOL),
        },
        _ => Err(UNKNOWN_METHOD),
    };
    Ok(reply(&id, outcome))
}

fn word<'a>(name: &str, params: &'a Value) -> Option<&'a str> {
    params.get(name).and_then(Value::as_str)
}

fn initialize(params: &Value) -> Value {
    let [newest, ..] = VERSIONS;
    let wanted = word("protocolVersion", params);
    json!({
        "protocolVersion": wanted.filter(|wanted| VERSIONS.contains(wanted)).unwrap_or(newest),
        "capabilities": { "tools": {} },
        "serverInfo": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
    })
}
