//! `ROUTE_SCOPES` and `RESPONSE_FORMAT` -> [`Rules`], or a sentence that tells how to fix them.

use crate::config::{ConfigError, Members, in_environment, wrong};
use crate::grant::Grant;
use crate::route::parameter;

/// What each route requires, and in which of its two forms payload 2.0 is answered.
pub struct Rules {
    routes: Vec<(String, Grant)>,
    pub(super) simple: bool,
}

impl Rules {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The variable that cannot be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(in_environment)
    }

    /// Reads variables by name, wherever they are.
    ///
    /// # Errors
    /// As [`Rules::from_env`].
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let value = |name| variable(name).unwrap_or_default();
        let simple = match value("RESPONSE_FORMAT").trim() {
            "" | "simple" => true,
            "iam" => false,
            other => {
                return Err(wrong(format!("RESPONSE_FORMAT is {other:?}: set it to simple or iam, or leave it out.")));
            }
        };
        Ok(Self { routes: routes(value("ROUTE_SCOPES").trim())?, simple })
    }

    /// What a route requires: the entry of its own method, for `HEAD` that of `GET` (servers answer both alike), of `ANY`, of
    /// `$default`, or that of all the rest.
    pub(super) fn grant(&self, method: &str, route: &str) -> Option<Grant> {
        let get = if method == "HEAD" { "GET" } else { method };
        let names = [&format!("{method} {route}"), &format!("{get} {route}"), &format!("ANY {route}"), route, "*"];
        let entry = names.iter().find_map(|name| self.routes.iter().find(|(listed, _)| listed == name));
        entry.map(|(_, grant)| *grant)
    }
}

fn routes(json: &str) -> Result<Vec<(String, Grant)>, ConfigError> {
    let how = "set it to a JSON object of routes, each with a list of the scopes that it requires, as \
               {\"GET /pets/{id}\":[\"read:pets\"],\"*\":[]}. \"*\" stands for the rest, and [] for any valid token";
    // Left out by mistake, it must not mean that any token is enough.
    if json.is_empty() {
        return Err(wrong(format!("ROUTE_SCOPES is not set: {how}.")));
    }
    let Ok(Members(entries)) = serde_json::from_str::<Members<Vec<String>>>(json) else {
        return Err(wrong(format!("ROUTE_SCOPES is no JSON object of lists of strings: {how}.")));
    };
    if entries.is_empty() {
        return Err(wrong(format!("ROUTE_SCOPES lists no route, and each would be refused: {how}.")));
    }
    let mut routes = Vec::<(String, Grant)>::new();
    for (route, scopes) in entries {
        let is_route = |(method, path)| METHODS.contains(&method) && is_path(path);
        if !["*", "$default"].contains(&route.as_str()) && !route.split_once(' ').is_some_and(is_route) {
            return Err(wrong(format!("ROUTE_SCOPES names {route:?}, which is no route: {how}.")));
        }
        if let Some(scope) = scopes.iter().find(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
            return Err(wrong(format!("ROUTE_SCOPES requires {scope:?} of {route:?}, which is no scope: {how}.")));
        }
        if routes.iter().any(|(listed, _)| *listed == route) {
            return Err(wrong(format!("ROUTE_SCOPES names {route:?} repeatedly: put its scopes into one list.")));
        }
        // The table of an API is static. This one is made once, and lives as long.
        let scopes = scopes.into_iter().map(|scope| &*scope.leak()).collect::<Vec<&'static str>>();
        routes.push((route, Grant::AllOf(scopes.leak())));
    }
    Ok(routes)
}

/// The methods of a gateway's routes.
const METHODS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Whether a gateway can have a route of this path: `{id}` is a whole segment, and `{proxy+}` the last one.
fn is_path(path: &str) -> bool {
    let plain = |string: &str| string.chars().all(|c| c.is_ascii_graphic() && !"{}*?#<>$\"\\".contains(c));
    let is_segment =
        |segment: &str| parameter(segment).map_or_else(|| plain(segment), |name| !name.is_empty() && plain(name));
    path.starts_with('/') && path.split('/').all(is_segment) && !path.contains("+}/")
}
