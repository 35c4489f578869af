//! The table of this API's routes: who may call what, and what answers. A message belongs to its caller: to the `sub` of
//! one issuer.

use api_authorization::call::Call;
use api_authorization::error::ApiError;
use api_authorization::grant::Grant::AllOf;
use api_authorization::reply::{Problem, Reply};
use api_authorization::route::Access::Protected;
use api_authorization::route::{Route, handler};
use api_authorization::token::Claims;
use lambda_http::RequestExt;
use lambda_http::http::Method;
use serde::Deserialize;
use uuid::Uuid;

use crate::store::{Message, Store};

#[rustfmt::skip]
pub static ROUTES: &[Route<Store>] = &[
    Route { method: Method::GET, path: "/api/messages", access: Protected(AllOf(&["read:messages"]), handler!(list)) },
    Route { method: Method::POST, path: "/api/messages", access: Protected(AllOf(&["write:messages"]), handler!(write)) },
    Route { method: Method::GET, path: "/api/messages/{id}", access: Protected(AllOf(&["read:messages"]), handler!(read)) },
    Route { method: Method::DELETE, path: "/api/messages/{id}", access: Protected(AllOf(&["write:messages"]), handler!(delete)) },
];

static NO_OWNER: Problem = Problem::new(403, "no_owner", "The token names nobody whom a message could belong to");
static INVALID_TEXT: Problem = Problem::new(400, "invalid_text", "The text must have 1 to 4000 characters");
static NO_MESSAGE: Problem = Problem::new(404, "message_not_found", "There is no such message");
static ID_TAKEN: Problem = Problem::new(409, "id_taken", "Another message has this id");

/// The body of a `POST`.
#[derive(Deserialize)]
struct NewMessage {
    id: Option<Uuid>,
    text: String,
}

/// The newest messages first, or those that come after the one in `?before=`.
async fn list(call: Call<'_, Store>, claims: &Claims) -> Result<Reply, ApiError> {
    let owner = owner(claims)?;
    let query = call.request.query_string_parameters_ref();
    let before = query.and_then(|query| query.first("before"));
    let before = before.map(Uuid::try_parse).transpose().map_err(|_| ApiError::BadRequest)?;
    Ok(Reply::ok(call.state.list(&owner, before).await?))
}

/// A message that is sent again by the same id is stored once, and answered as before.
async fn write(call: Call<'_, Store>, claims: &Claims) -> Result<Reply, ApiError> {
    let owner = owner(claims)?;
    let NewMessage { id, text } = call.json()?;
    if text.is_empty() || text.chars().count() > MAX_TEXT {
        return Err((&INVALID_TEXT).into());
    }
    let message = Message { id: id.unwrap_or_else(Uuid::now_v7), text };
    let stored = call.state.write(&owner, &message).await?;
    // The AWS SDK, too, sends again where it got no answer. So an id that is taken may be this message's own.
    if !stored && call.state.read(&owner, message.id).await?.as_ref() != Some(&message) {
        return Err((&ID_TAKEN).into());
    }
    Ok(Reply::created(format!("/api/messages/{}", message.id), message))
}

async fn read(call: Call<'_, Store>, claims: &Claims) -> Result<Reply, ApiError> {
    let message = call.state.read(&owner(claims)?, id(&call)?).await?;
    Ok(Reply::ok(message.ok_or(&NO_MESSAGE)?))
}

async fn delete(call: Call<'_, Store>, claims: &Claims) -> Result<Reply, ApiError> {
    let deleted = call.state.delete(&owner(claims)?, id(&call)?).await?;
    deleted.then(Reply::no_content).ok_or_else(|| (&NO_MESSAGE).into())
}

/// Whose messages a call is about. A token may have no `sub`, and a key of DynamoDB is neither empty nor longer than 2 KiB.
fn owner(claims: &Claims) -> Result<String, ApiError> {
    let subject = claims.subject().filter(|subject| !subject.is_empty());
    // Two issuers may call two users by one name. No issuer has a blank in it.
    let owner = subject.map(|subject| format!("{} {subject}", claims.issuer()));
    owner.filter(|owner| owner.len() <= 2048).ok_or_else(|| (&NO_OWNER).into())
}

/// The id in the path. What is no id names no message.
fn id(call: &Call<'_, Store>) -> Result<Uuid, ApiError> {
    Uuid::try_parse(&call.param("id")?).map_err(|_| (&NO_MESSAGE).into())
}

/// At four bytes a character, a page of messages fits into one answer of DynamoDB.
const MAX_TEXT: usize = 4000;
