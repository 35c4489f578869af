//! A gateway's question, in one of six forms -> what is asked; and the decision -> the answer that the form asks for.

use lambda_http::http::StatusCode;
use lambda_http::http::header::{AUTHORIZATION, HeaderMap};
use lambda_runtime::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::token::Claims;

/// What a gateway asks, borrowed from its event.
pub(super) struct Question<'a> {
    form: Form<'a>,
    authorization: Vec<&'a str>,
    /// With `route`: by the gateway's own name. The path in an ARN is the caller's, so that `TOKEN` and AppSync events name no
    /// route: both are empty.
    pub method: &'a str,
    pub route: &'a str,
    pub api_request_id: Option<&'a str>,
}

/// The members of an event that count. What else it holds may be the caller's: that is skipped unread, however deep or odd it is.
pub(super) fn members(event: &RawValue) -> Value {
    let members = serde_json::from_str::<Members>(event.get()).ok();
    members.and_then(|members| serde_json::to_value(members).ok()).unwrap_or_default()
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    r#type: Option<Value>,
    version: Option<Value>,
    method_arn: Option<Value>,
    route_arn: Option<Value>,
    authorization_token: Option<Value>,
    headers: Option<Value>,
    multi_value_headers: Option<Value>,
    http_method: Option<Value>,
    resource: Option<Value>,
    route_key: Option<Value>,
    request_context: Option<RequestContext>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    api_id: Option<Value>,
    request_id: Option<Value>,
    http: Option<Http>,
}

#[derive(Deserialize, Serialize)]
struct Http {
    method: Option<Value>,
}

/// The form of the answer.
enum Form<'a> {
    /// An IAM policy that names this ARN.
    Policy(&'a str),
    Simple,
    AppSync,
}

impl<'a> Question<'a> {
    /// Reads what counts: `type`, then which ARN is there, then `version`. What else is in the event may have any form; the
    /// `identitySource` of an HTTP API has four.
    pub fn read(event: &'a Value, simple: bool) -> Result<Self, Diagnostic> {
        Self::of(event, simple).ok_or_else(|| {
            failure(
                "no_authorizer_event",
                "no event of a Lambda authorizer (REST API: TOKEN or REQUEST; HTTP API: payload 1.0 or 2.0; AppSync): nothing \
                 else is answered",
            )
        })
    }

    fn of(event: &'a Value, simple: bool) -> Option<Self> {
        let member = |name| event.get(name).and_then(Value::as_str);
        let within = |pointer| event.pointer(pointer).and_then(Value::as_str);
        let (token, version) = (member("authorizationToken"), member("version"));
        let (form, authorization, method, route) = match (member("type"), member("methodArn"), member("routeArn")) {
            (Some("TOKEN"), Some(arn), None) => (Form::Policy(arn), vec![token?], "", ""),
            (Some("REQUEST"), Some(arn), None) if matches!(version, None | Some("1.0")) => {
                (Form::Policy(arn), authorization(event), member("httpMethod")?, member("resource")?)
            }
            (Some("REQUEST"), None, Some(arn)) if version == Some("2.0") => {
                let (called, key) = (within("/requestContext/http/method")?, member("routeKey")?);
                let (method, route) = key.split_once(' ').unwrap_or((called, key));
                let form = if simple { Form::Simple } else { Form::Policy(arn) };
                (form, authorization(event), if method == "ANY" { called } else { method }, route)
            }
            (None, None, None) => {
                within("/requestContext/apiId")?;
                (Form::AppSync, vec![token?], "", "")
            }
            _ => return None,
        };
        Some(Self { form, authorization, method, route, api_request_id: within("/requestContext/requestId") })
    }

    /// The ARN that a policy would name.
    pub fn arn(&self) -> Option<&'a str> {
        match self.form {
            Form::Policy(arn) => Some(arn),
            Form::Simple | Form::AppSync => None,
        }
    }

    /// The `Authorization` header, as the API would get it.
    pub fn headers(&self) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::new();
        // Two are enough to know that there are several.
        for line in self.authorization.iter().take(2) {
            let mut words = line.split_ascii_whitespace();
            let bare = match (words.next(), words.next()) {
                (Some(word), None) => !word.eq_ignore_ascii_case("bearer"),
                _ => false,
            };
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
            Err(refusal) => ("-", json!({ "reason": refusal.reason() })),
        };
        let is_authorized = decision.is_ok();
        Ok(match self.form {
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

/// All values of the header. A REST API shows all of them in one map, and the last in the other.
fn authorization(event: &Value) -> Vec<&str> {
    let named = |map| {
        let members = event.get(map).and_then(Value::as_object).into_iter().flatten();
        members.filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| value)
    };
    let several: Vec<_> =
        named("multiValueHeaders").filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect();
    let others = named("headers").filter_map(Value::as_str).filter(|value| !several.contains(value));
    several.iter().copied().chain(others).collect()
}

/// What the gateway hands on to what is behind it: strings, which all gateways hand on alike.
fn verified(claims: &Claims) -> Value {
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
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))));
    Value::Object(members.collect::<Map<_, _>>())
}

fn failure(kind: &str, message: &str) -> Diagnostic {
    Diagnostic { error_type: kind.to_owned(), error_message: message.to_owned() }
}
