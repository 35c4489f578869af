//! A body -> a JSON-RPC message, and an outcome -> the answer to it.

use api_authorization::reply::Reply;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a client sends: a request, or, without an `id`, a notification; without a `method`, an answer to a request of ours.
#[derive(Deserialize)]
pub struct Message {
    pub id: Option<Id>,
    pub method: Option<String>,
    #[serde(default)]
    pub params: Value,
}

/// MCP allows no other.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
pub enum Id {
    Number(i64),
    String(String),
}

/// A request that cannot be answered.
#[derive(Serialize)]
pub struct Error {
    code: i32,
    message: &'static str,
}

pub const UNKNOWN_METHOD: Error = Error { code: -32601, message: "Method not found" };
pub const UNKNOWN_TOOL: Error = Error { code: -32602, message: "Unknown tool" };

/// The answer to a request, always 200: the status is that of the transport.
pub fn reply(id: &Id, outcome: Result<Value, Error>) -> Reply {
    Reply::ok(match outcome {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
    })
}
