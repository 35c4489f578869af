//! `API_AUDIENCE`, `GRANTS`, `EXPECTED_CLAIMS` and `ANONYMOUS_SESSIONS` -> which tokens are accepted, and what they grant.

use serde_json::Value;

use super::{ConfigError, Members, is_placeholder, list, wrong};

/// The claims in which the words that a route requires are looked up; one of them at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grants {
    /// `scope`: what the client asked for, and was given.
    pub scope: bool,
    /// `permissions`: what Auth0's role-based access control gives the user.
    pub permissions: bool,
}

/// A claim that a token must have, and the values of which it must have one.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedClaim {
    /// The claim's name.
    pub name: String,
    /// Strings, numbers or booleans; one at least.
    pub values: Vec<Value>,
}

pub(super) fn audiences(optional: &impl Fn(&str) -> Option<String>) -> Result<Vec<String>, ConfigError> {
    let (variable, value) = match (optional("API_AUDIENCE"), optional("AUTH0_AUDIENCE")) {
        (Some(ours), Some(other)) if ours != other => {
            return Err(wrong(format!(
                "AUTH0_AUDIENCE is {other:?} and API_AUDIENCE is {ours:?}: they are two names for one setting, so leave one \
                 out."
            )));
        }
        (Some(value), _) => ("API_AUDIENCE", value),
        (None, Some(value)) => ("AUTH0_AUDIENCE", value),
        (None, None) => {
            return Err(wrong("API_AUDIENCE is not set: set it to your API's identifier, as https://quickstarts/api."));
        }
    };
    list(&value).map(|audience| self::audience(variable, audience)).collect()
}

fn audience(variable: &str, value: &str) -> Result<String, ConfigError> {
    let how = "set it to your API's identifier, which the Auth0 dashboard shows under APIs, as https://quickstarts/api";
    if is_placeholder(value) {
        return Err(wrong(format!("{variable} is still a tutorial's {value:?}: {how}.")));
    }
    if value.is_empty() || value.contains(|c: char| c.is_whitespace() || "\"'`“”„‘’«»(){}[]<>;".contains(c))
    {
        return Err(wrong(format!(
            "{variable} holds {value:?}, which is no identifier: {how}, without quotation marks or brackets. Several have \
             commas between them."
        )));
    }
    Ok(value.to_owned())
}

pub(super) fn grants(value: Option<&str>) -> Result<Grants, ConfigError> {
    let words: Vec<_> = list(value.unwrap_or("scope")).collect();
    if let Some(word) = words.iter().find(|word| !["scope", "permissions"].contains(word)) {
        return Err(wrong(format!(
            "GRANTS holds {word:?}: set it to scope, to permissions, or to scope,permissions, where either one grants."
        )));
    }
    Ok(Grants { scope: words.contains(&"scope"), permissions: words.contains(&"permissions") })
}

/// `{"org_id":["org_a","org_b"],"azp":"client"}`.
pub(super) fn expected_claims(json: &str) -> Result<Vec<ExpectedClaim>, ConfigError> {
    let how = "set it to a JSON object of claims, each with a string, a number or a boolean, or with a list of these of which \
               the token must have one, as {\"org_id\":[\"org_a\",\"org_b\"]}";
    let Ok(Members(claims)) = serde_json::from_str::<Members<Value>>(json) else {
        return Err(wrong(format!(
            "EXPECTED_CLAIMS is {json:?}, which is no JSON object: {how}. A shell wants it in single quotes."
        )));
    };
    if claims.is_empty() {
        return Err(wrong(format!("EXPECTED_CLAIMS names no claim: {how}, or leave it out.")));
    }
    let mut expected = Vec::<ExpectedClaim>::new();
    for (name, value) in claims {
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        if values.is_empty() || !values.iter().all(|value| value.is_string() || value.is_number() || value.is_boolean())
        {
            return Err(wrong(format!(
                "EXPECTED_CLAIMS has a value of {name:?} that no claim can be compared with: {how}."
            )));
        }
        if ["iss", "aud", "exp", "nbf", "iat"].contains(&name.as_str()) {
            return Err(wrong(format!(
                "EXPECTED_CLAIMS names {name:?}, which is judged anyway: AUTH0_DOMAIN, ISSUERS and API_AUDIENCE say which issuers \
                 and audiences are good."
            )));
        }
        if expected.iter().any(|claim| claim.name == name) {
            return Err(wrong(format!("EXPECTED_CLAIMS names {name:?} repeatedly: put its values into one list.")));
        }
        expected.push(ExpectedClaim { name, values });
    }
    Ok(expected)
}

pub(super) fn anonymous_sessions(value: Option<&str>) -> Result<bool, ConfigError> {
    match value {
        None | Some("refused") => Ok(false),
        Some("allowed") => Ok(true),
        Some(value) => Err(wrong(format!(
            "ANONYMOUS_SESSIONS is {value:?}: set it to allowed or refused, or leave it out to refuse them."
        ))),
    }
}
