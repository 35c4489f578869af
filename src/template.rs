//! A table of routes -> the lines of `template.yaml` that follow from it, as `make routes` prints them.

use std::fmt::Write;

use lambda_http::http::Method;

use crate::route::{self, Route};

/// What `CorsConfiguration` says of methods.
pub fn methods<S>(routes: &[Route<S>]) -> String {
    let methods = route::methods(routes.iter());
    let methods: Vec<_> = methods.iter().map(Method::as_str).collect();
    format!("AllowMethods: [{}]", methods.join(", "))
}

/// The events of the function: one for each row, and those for the preflights that API Gateway leaves to the function.
pub fn events<S>(routes: &[Route<S>]) -> String {
    // `{proxy+}` is any path but the root.
    let root = routes.iter().find(|route| route.path == "/").map(|route| route.path);
    let preflights = ["/{proxy+}"].into_iter().chain(root).map(|path| (&Method::OPTIONS, path));
    let mut events = String::new();
    for (method, path) in routes.iter().map(|route| (&route.method, route.path)).chain(preflights) {
        let words = format!("{} {path}", method.as_str().to_lowercase());
        let name: String = words.split(|c: char| !c.is_ascii_alphanumeric()).map(capitalised).collect();
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
