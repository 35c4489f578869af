//! The table of this API's routes: who may call what, and what answers.
//!
//! To add an endpoint: a row in [`ROUTES`], a function below it, and the event that `make routes` prints for it in
//! `template.yaml`.

use lambda_http::http::Method;
use serde_json::json;

use crate::call::Call;
use crate::error::ApiError;
use crate::grant::Grant::{AllOf, Anyone};
use crate::reply::Reply;
use crate::route::Access::{Protected, Public};
use crate::route::{Route, handler};
use crate::token::Claims;

/// Every route of the API.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    Route { method: Method::GET, path: "/api/public", access: Public(handler!(public)) },
    Route { method: Method::GET, path: "/api/private", access: Protected(Anyone, handler!(private)) },
    Route { method: Method::GET, path: "/api/private-scoped", access: Protected(AllOf(&["read:messages"]), handler!(private_scoped)) },
];

async fn public(_call: Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(json!({
        "message": "Hello from a public endpoint! You don't need to be authenticated to see this."
    })))
}

async fn private(_call: Call<'_>, _claims: &Claims) -> Result<Reply, ApiError> {
    Ok(Reply::ok(json!({
        "message": "Hello from a private endpoint! You need to be authenticated to see this."
    })))
}

async fn private_scoped(_call: Call<'_>, _claims: &Claims) -> Result<Reply, ApiError> {
    Ok(Reply::ok(json!({
        "message": "Hello from a private endpoint! \
                    You need to be authenticated and have a scope of read:messages to see this."
    })))
}
