//! A table of routes -> the lines of `template.yaml` that follow from it, as `make routes` prints them.

use std::fmt::Write;

use lambda_http::http::Method;

use crate::metadata;
use crate::route::{self, Route};

/// What `CorsConfiguration` says of methods.
pub fn methods<S>(routes: &[Route<S>]) -> String {
    let methods = route::methods(routes.iter());
    let methods: Vec<_> = methods.iter().map(Method::as_str).collect();
    format!("AllowMethods: [{}]", methods.join(", "))
}

/// The events of the function: one for each row, those for the preflights that API Gateway leaves to the function, and those for
/// the metadata (RFC 9728), which may have a resource's path behind theirs.
pub fn events<S>(routes: &[Route<S>]) -> String {
    // `{proxy+}` is any path but the root.
    let root = routes.iter().find(|route| route.path == "/").map(|route| route.path);
    let preflights = ["/{proxy+}"].into_iter().chain(root).map(|path| (&Method::OPTIONS, path.to_owned()));
    let metadata = ["", "/{proxy+}"].map(|rest| (&Method::GET, format!("{}{rest}", metadata::PATH)));
    let mut events = String::new();
    let routes = routes.iter().map(|route| (&route.method, route.path.to_owned()));
    for (method, path) in routes.chain(preflights).chain(metadata) {
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
