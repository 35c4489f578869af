//! A table of routes -> what `template.yaml` has to say of it, as `make routes` prints it.

use std::collections::HashSet;
use std::fmt::Write;

use lambda_http::http::Method;

use crate::route::{self, Route};

/// What `CorsConfiguration` says of methods.
pub fn methods<S>(routes: &[Route<S>]) -> String {
    let methods = route::methods(routes.iter());
    let methods: Vec<_> = methods.iter().map(Method::as_str).collect();
    format!("AllowMethods: [{}]", methods.join(", "))
}

/// The events of the function: one for each row.
pub fn events<S>(routes: &[Route<S>]) -> String {
    let mut events = String::new();
    let mut names = HashSet::new();
    for (index, Route { method, path, .. }) in routes.iter().enumerate() {
        let words = format!("{} {path}", method.as_str().to_lowercase());
        let mut name: String = words.split(|c: char| !c.is_ascii_alphanumeric()).map(capitalised).collect();
        if !names.insert(name.clone()) {
            // `/a-b` beside `/a/b`: of two events of one name, SAM would take the last.
            _ = write!(name, "{}", index + 1);
        }
        _ = write!(
            events,
            "        {name}:
          Type: HttpApi
          Properties:
            ApiId: !Ref Api
            Method: {method}
            Path: {path}
"
        );
    }
    events
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
