//! Messages -> items of a DynamoDB table, and back. The table's key is owner and `id`: no call reaches another owner's.

use std::collections::HashMap;
use std::env;
use std::time::Duration;

use api_authorization::error::ApiError;
use api_authorization::reply::Problem;
use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use lambda_http::Error;
use serde::Serialize;
use uuid::Uuid;

/// A client of DynamoDB, and the name of the table.
pub struct Store {
    client: Client,
    table: String,
}

#[derive(PartialEq, Eq, Serialize)]
pub struct Message {
    /// Chosen by its owner, or here. Two owners may have the same.
    pub id: Uuid,
    pub text: String,
}

/// Some messages of one owner.
#[derive(Serialize)]
pub struct Page {
    /// In the order of their ids, the last one first.
    pub messages: Vec<Message>,
    /// Where there are more: the id that they come before.
    pub before: Option<Uuid>,
}

static UNAVAILABLE: Problem = Problem::new(503, "messages_unavailable", "Messages are temporarily unavailable");

impl Store {
    /// The table that `TABLE_NAME` names, by the credentials and the region that Lambda gives.
    pub async fn from_env() -> Result<Self, Error> {
        let table = env::var("TABLE_NAME").ok().filter(|name| !name.is_empty());
        let table = table.ok_or("TABLE_NAME is not set: set it to the name of the table that template.yaml makes.")?;
        let timeouts = TimeoutConfig::builder().operation_timeout(OPERATION_TIME).build();
        let config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await;
        Ok(Self { client: Client::new(&config), table })
    }

    /// A page of messages: the last ones, or those before `before`.
    pub async fn list(&self, owner: &str, before: Option<Uuid>) -> Result<Page, ApiError> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("owner_id = :owner");
        let query = query.expression_attribute_values(":owner", string(owner)).scan_index_forward(false).limit(PAGE);
        let page = query.set_exclusive_start_key(before.map(|id| key(owner, id))).send().await.map_err(unavailable)?;
        let messages = page.items.unwrap_or_default().iter().map(message).collect::<Result<Vec<_>, _>>()?;
        let more = page.last_evaluated_key.is_some();
        Ok(Page { before: messages.last().filter(|_| more).map(|last| last.id), messages })
    }

    /// The message of this id, where there is one.
    pub async fn read(&self, owner: &str, id: Uuid) -> Result<Option<Message>, ApiError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key(owner, id))).consistent_read(true);
        get.send().await.map_err(unavailable)?.item.as_ref().map(message).transpose()
    }

    /// Stores a message, unless its id is taken. Whether it did.
    pub async fn write(&self, owner: &str, message: &Message) -> Result<bool, ApiError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(key(owner, message.id)));
        let put = put.item("text", string(&message.text)).condition_expression("attribute_not_exists(id)");
        match put.send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Deletes a message. Whether there was one.
    pub async fn delete(&self, owner: &str, id: Uuid) -> Result<bool, ApiError> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key(owner, id)));
        let deleted = delete.return_values(ReturnValue::AllOld).send().await.map_err(unavailable)?;
        Ok(deleted.attributes.is_some())
    }
}

fn key(owner: &str, id: Uuid) -> HashMap<String, AttributeValue> {
    HashMap::from([("owner_id".to_owned(), string(owner)), ("id".to_owned(), string(&id.to_string()))])
}

fn string(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// An item that somebody else wrote may be no message.
fn message(item: &HashMap<String, AttributeValue>) -> Result<Message, ApiError> {
    let string = |name: &str| item.get(name)?.as_s().ok();
    let message = || Some(Message { id: string("id")?.parse().ok()?, text: string("text")?.clone() });
    message().ok_or_else(|| {
        tracing::error!("an item of the table is no message");
        ApiError::Internal
    })
}

/// Says in the log why DynamoDB did not do as asked: by its word for that, for its sentence may quote what was sent.
fn unavailable<E: ProvideErrorMetadata>(error: SdkError<E>) -> ApiError {
    let cause = match &error {
        SdkError::TimeoutError(_) => "Timeout",
        SdkError::DispatchFailure(_) => "NoConnection",
        _ => error.code().unwrap_or("NoAnswer"),
    };
    tracing::error!(cause, "DynamoDB");
    (&UNAVAILABLE).into()
}

/// Attempts and all. With the fetch of the keys before it, an answer comes before the function's time is over.
const OPERATION_TIME: Duration = Duration::from_secs(5);

const PAGE: i32 = 50;
