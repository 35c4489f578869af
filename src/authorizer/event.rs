//! A gateway's question, in one of six forms -> what is asked; and the decision -> the answer that the form asks for.

use std::collections::{BTreeMap, HashMap};

use lambda_http::http::StatusCode;
use lambda_http::http::header::{AUTHORIZATION, HeaderMap};
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::token::Claims;

/// What a gateway asks.
pub(super) struct Question {
    form: Form,
    authorization: Vec<String>,
    /// With `route`: by the gateway's own name. The path in an ARN is the caller's, so that `TOKEN` and AppSync events name no
    /// route: both are empty.
    pub method: String,
    pub route: String,
    pub api_request_id: Option<String>,
}

/// The form of the answer.
enum Form {
    /// An IAM policy that names this ARN.
    Policy(String),
    Simple,
    AppSync,
}

/// The members of an object. What does not count may be the caller's: that stays unread, however deep or odd it is.
type Members<'a> = HashMap<String, &'a RawValue>;

/// A member, where there is one of this type.
fn member<'a, T: Deserialize<'a>>(members: &Members<'a>, name: &str) -> Option<T> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

impl Question {
    /// Reads what counts: `type`, then which ARN is there, then `version`. What else is in the event may have any form; the
    /// `identitySource` of an HTTP API has four.
    pub fn read(event: &RawValue, simple: bool) -> Result<Self, Diagnostic> {
        Self::of(event, simple).ok_or_else(|| {
            failure(
                "no_authorizer_event",
                "no event of a Lambda authorizer (REST API: TOKEN or REQUEST; HTTP API: payload 1.0 or 2.0; AppSync): nothing \
                 else is answered",
            )
        })
    }

    fn of(event: &RawValue, simple: bool) -> Option<Self> {
        let event: Members = serde_json::from_str(event.get()).ok()?;
        let context: Members = member(&event, "requestContext").unwrap_or_default();
        let string = |name| member::<String>(&event, name);
        let (kind, version) = (string("type"), string("version"));
        let nowhere = (String::new(), String::new());
        let (form, authorization, (method, route)) = match (kind.as_deref(), string("methodArn"), string("routeArn")) {
            (Some("TOKEN"), Some(arn), None) => (Form::Policy(arn), vec![string("authorizationToken")?], nowhere),
            (Some("REQUEST"), Some(arn), None) if matches!(version.as_deref(), None | Some("1.0")) => {
                (Form::Policy(arn), authorization(&event), (string("httpMethod")?, string("resource")?))
            }
            (Some("REQUEST"), None, Some(arn)) if version.as_deref() == Some("2.0") => {
                let form = if simple { Form::Simple } else { Form::Policy(arn) };
                let called: String = member(&member(&context, "http")?, "method")?;
                (form, authorization(&event), route(&string("routeKey")?, &called))
            }
            (None, None, None) if member::<String>(&context, "apiId").is_some() => {
                (Form::AppSync, vec![string("authorizationToken")?], nowhere)
            }
            _ => return None,
        };
        Some(Self { form, authorization, method, route, api_request_id: member(&context, "requestId") })
    }

    /// The ARN that a policy would name.
    pub fn arn(&self) -> Option<&str> {
        match &self.form {
            Form::Policy(arn) => Some(arn),
            Form::Simple | Form::AppSync => None,
        }
    }

    /// The `Authorization` header, as the API would get it.
    pub fn headers(&self) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::new();
        // Two are enough to know that there are several.
        for line in self.authorization.iter().take(2) {
            let bare = line.split_ascii_whitespace().count() == 1 && !line.trim_ascii().eq_ignore_ascii_case("bearer");
            // AppSync hands the token over as it was sent, often without its scheme.
            let scheme = if bare && matches!(self.form, Form::AppSync) { "Bearer " } else { "" };
            let line = format!("{scheme}{line}").try_into().map_err(|_| ApiError::MalformedToken)?;
            headers.append(AUTHORIZATION, line);
        }
        Ok(headers)
    }

    /// The decision in this form. An outage or a defect is a failed invocation: a gateway might keep a Deny.
    pub fn answer(&self, decision: &Result<Claims, ApiError>) -> Result<Value, Diagnostic> {
        let (principal, context) = match decision {
            Ok(claims) => (claims.subject().unwrap_or_default(), verified(claims)),
            Err(refusal) if refusal.status().is_server_error() => {
                return Err(failure(refusal.code(), refusal.description()));
            }
            Err(refusal) if refusal.status() == StatusCode::UNAUTHORIZED && self.arn().is_some() => {
                return Err(failure(refusal.code(), "Unauthorized"));
            }
            Err(refusal) => ("-", BTreeMap::from([("reason", refusal.reason().to_owned())])),
        };
        let is_authorized = decision.is_ok();
        Ok(match &self.form {
            Form::Simple => json!({ "isAuthorized": is_authorized, "context": context }),
            Form::AppSync => json!({ "isAuthorized": is_authorized, "resolverContext": context, "ttlOverride": 0 }),
            Form::Policy(arn) => {
                let effect = if is_authorized { "Allow" } else { "Deny" };
                let statement = json!({ "Action": "execute-api:Invoke", "Effect": effect, "Resource": arn });
                let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
                json!({ "principalId": principal, "policyDocument": policy, "context": context })
            }
        })
    }
}

/// A route's method and path by the name that an HTTP API gives it: `GET /pets`, or one for any method, or `$default`.
fn route(key: &str, called: &str) -> (String, String) {
    let (method, route) = key.split_once(' ').unwrap_or(("ANY", key));
    (if method == "ANY" { called } else { method }.to_owned(), route.to_owned())
}

/// All values of the header. A REST API shows all of them in one map, and the last in the other.
fn authorization(event: &Members) -> Vec<String> {
    let named = |map| {
        let headers: Map<String, Value> = member(event, map).unwrap_or_default();
        headers.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| value)
    };
    let several = named("multiValueHeaders").filter_map(|value| serde_json::from_value::<Vec<String>>(value).ok());
    let several = several.collect::<Vec<_>>().concat();
    let others = named("headers").filter_map(|value| serde_json::from_value(value).ok());
    let others = others.filter(|value| !several.contains(value)).collect::<Vec<_>>();
    [several, others].concat()
}

/// What the gateway hands on to what is behind it: strings, which all gateways hand on alike.
fn verified(claims: &Claims) -> BTreeMap<&'static str, String> {
    // A word that holds a blank would be two words to whoever splits the string.
    let joined = |words: Vec<&str>| {
        let words: Vec<_> = words.into_iter().filter(|word| !word.contains(char::is_whitespace)).collect();
        Some(words.join(" ")).filter(|joined| !joined.is_empty())
    };
    let owned = |claim: Option<&str>| claim.map(str::to_owned);
    let members = [
        ("sub", owned(claims.subject())),
        ("scope", joined(claims.scope().iter().collect())),
        ("permissions", joined(claims.permissions())),
        ("client_id", owned(claims.client_id())),
        ("org_id", owned(claims.organization())),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn failure(kind: &str, message: &str) -> Diagnostic {
    Diagnostic { error_type: kind.to_owned(), error_message: message.to_owned() }
}
