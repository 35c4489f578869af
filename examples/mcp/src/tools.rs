//! The table of tools: what each is called, who may call it, and what answers.

use api_authorization::grant::Grant::{self, AllOf, Anyone};
use api_authorization::token::Claims;
use serde_json::{Value, json};

pub struct Tool {
    pub name: &'static str,
    description: &'static str,
    /// What the token needs beyond being valid.
    pub grant: Grant,
    pub answer: fn(&Claims) -> String,
}

pub static TOOLS: &[Tool] = &[
    Tool { name: "whoami", description: "Tells who you are", grant: Anyone, answer: whoami },
    Tool {
        name: "read_messages",
        description: "Reads your messages",
        grant: AllOf(&["read:messages"]),
        answer: read_messages,
    },
];

impl Tool {
    /// As `tools/list` shows it. These tools take no arguments, and change nothing.
    pub fn listed(&self) -> Value {
        json!({
            "name": self.name,
            "description": self.description,
            "inputSchema": { "type": "object", "additionalProperties": false },
            "annotations": { "readOnlyHint": true },
        })
    }
}

fn whoami(claims: &Claims) -> String {
    format!("You are {}.", claims.subject().unwrap_or("nobody that the token names"))
}

fn read_messages(_claims: &Claims) -> String {
    // Your database comes here.
    "You have one message: Hello".to_owned()
}
