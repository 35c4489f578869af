//! A table of routes -> a sentence about the first row that cannot work as it stands.

use api_authorization::grant::Grant;
use api_authorization::route::{Access, Route};
use lambda_http::http::Method;

/// Looks for rows that cannot work as they stand: a sentence about the first one.
pub fn check<S>(routes: &[Route<S>]) -> Result<(), String> {
    for (index, Route { method, path, access }) in routes.iter().enumerate() {
        let twin = |other: &Route<S>| other.method == *method && without_names(other.path) == without_names(path);
        let mistakes = [
            (!path.starts_with('/'), "the path begins with no slash"),
            (!path.split('/').all(is_segment), "a segment is neither literal nor one parameter, such as {id}"),
            (*method == Method::OPTIONS, "OPTIONS belongs to CORS"),
            (!asks_for_scopes(access), "there is no scope, or one that is not a single word"),
            (routes.iter().take(index).any(twin), "no request can tell this row from an earlier one"),
        ];
        if let Some((_, mistake)) = mistakes.into_iter().find(|(made, _)| *made) {
            return Err(format!("In the table of routes, {method} {path}: {mistake}."));
        }
    }
    Ok(())
}

fn is_segment(segment: &str) -> bool {
    match name(segment) {
        Some(name) => {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }
        // An HTTP API decodes `%`, and the others do not.
        None => segment.bytes().all(|byte| byte.is_ascii_graphic() && !b"%{}?#".contains(&byte)),
    }
}

/// Whether the scopes of a row are words as RFC 6749, section 3.3 has them, and not an empty list.
fn asks_for_scopes<S>(access: &Access<S>) -> bool {
    let word = |scope: &&str| {
        !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && !br#""\"#.contains(&byte))
    };
    match access {
        Access::Public(_) | Access::Protected(Grant::Anyone, _) => true,
        Access::Protected(grant, _) => !grant.scopes().is_empty() && grant.scopes().iter().all(word),
    }
}

/// What two paths have in common that the same requests fit.
fn without_names(path: &str) -> Vec<Option<&str>> {
    path.split('/').map(|segment| name(segment).is_none().then_some(segment)).collect()
}

/// The name of a segment that is a parameter.
fn name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
