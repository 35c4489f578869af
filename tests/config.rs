//! Environment variables in, a configuration or a sentence out.

use api_authorization::config::{AllowedOrigins, Config, ConfigError};
use lambda_http::http::HeaderValue;

/// The good configuration with one variable changed.
fn read(name: &str, value: Option<&str>) -> Result<Config, ConfigError> {
    Config::read(|asked| match asked {
        _ if asked == name => value.map(str::to_owned),
        "AUTH0_DOMAIN" => Some("example.eu.auth0.com".to_owned()),
        "API_AUDIENCE" => Some("https://quickstarts/api".to_owned()),
        _ => None,
    })
}

#[test]
fn two_variables_are_enough() {
    let config = read("", None).expect("a good configuration");
    assert_eq!(config.issuer, "https://example.eu.auth0.com/");
    assert_eq!(config.audience, "https://quickstarts/api");
    assert_eq!(config.jwks_uri.as_str(), "https://example.eu.auth0.com/.well-known/jwks.json");
    assert_eq!(config.allowed_origins, AllowedOrigins::Any);
    assert_eq!(config.base_path, None);
    assert!(config.pinned_jwks.is_none() && config.roots.is_none());
    assert!(!config.anonymous_sessions);
}

#[test]
fn what_is_pasted_is_understood() {
    for (given, issuer) in [
        ("Example.EU.Auth0.com", "https://example.eu.auth0.com/"),
        ("https://example.eu.auth0.com/", "https://example.eu.auth0.com/"),
        ("https://example.eu.auth0.com", "https://example.eu.auth0.com/"),
        (" example.eu.auth0.com\n", "https://example.eu.auth0.com/"),
        ("example.com:443", "https://example.com/"),
        ("127.0.0.1:9010", "https://127.0.0.1:9010/"),
        ("[::1]:9010", "https://[::1]:9010/"),
    ] {
        assert_eq!(read("AUTH0_DOMAIN", Some(given)).map(|config| config.issuer), Ok(issuer.to_owned()), "{given:?}");
    }
    for (given, base_path) in [("/v1", "/v1"), ("v1/", "/v1"), ("/a/b", "/a/b")] {
        let config = read("BASE_PATH", Some(given)).expect("a good base path");
        assert_eq!(config.base_path.as_deref(), Some(base_path), "{given:?}");
    }
    let config = read("ALLOWED_ORIGINS", Some("https://a.example, http://localhost:3000,capacitor://localhost"));
    let origins = ["https://a.example", "http://localhost:3000", "capacitor://localhost"];
    assert_eq!(
        config.expect("good origins").allowed_origins,
        AllowedOrigins::List(origins.map(HeaderValue::from_static).to_vec())
    );
    for (given, allowed) in [("allowed", true), (" allowed ", true), ("refused", false), ("", false), (" ", false)] {
        let config = read("ANONYMOUS_SESSIONS", Some(given)).expect("a good word");
        assert_eq!(config.anonymous_sessions, allowed, "{given:?}");
    }
    for uri in ["https://keys.example/jwks", "http://127.0.0.1:9010/jwks", "http://localhost/", "http://[::1]:1/"] {
        assert_eq!(read("JWKS_URI", Some(uri)).expect("a good URI").jwks_uri.as_str(), uri);
    }
}

#[test]
fn what_cannot_be_used_is_named() {
    let many = format!(r#"{{"keys":[{}5]}}"#, "5,".repeat(500));
    let rows: &[(&str, Option<&str>, &str)] = &[
        ("AUTH0_DOMAIN", None, "AUTH0_DOMAIN is not set: set it to your tenant's domain, as example.eu.auth0.com."),
        ("AUTH0_DOMAIN", Some(" "), "AUTH0_DOMAIN is not set: "),
        ("AUTH0_DOMAIN", Some("a b.example"), "AUTH0_DOMAIN has a blank in it: "),
        ("AUTH0_DOMAIN", Some("YOUR_DOMAIN"), "AUTH0_DOMAIN is still the tutorial's YOUR_DOMAIN: "),
        ("AUTH0_DOMAIN", Some("https://YOUR_DOMAIN/"), "AUTH0_DOMAIN is still the tutorial's YOUR_DOMAIN: "),
        ("AUTH0_DOMAIN", Some("a.example/path"), "AUTH0_DOMAIN is \"a.example/path\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example//"), "AUTH0_DOMAIN is \"a.example//\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example?q"), "AUTH0_DOMAIN is \"a.example?q\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example#f"), "AUTH0_DOMAIN is \"a.example#f\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("u@a.example"), "AUTH0_DOMAIN is \"u@a.example\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("http://a.example"), "AUTH0_DOMAIN is \"http://a.example\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example:99999"), "AUTH0_DOMAIN is \"a.example:99999\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("0x7f.1"), "AUTH0_DOMAIN is \"0x7f.1\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a%2eexample"), "AUTH0_DOMAIN is \"a%2eexample\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a..example"), "AUTH0_DOMAIN is \"a..example\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("https://"), "AUTH0_DOMAIN is \"https://\", which is no domain: "),
        ("API_AUDIENCE", None, "API_AUDIENCE is not set: set it to your API's identifier, as https://quickstarts/api."),
        ("API_AUDIENCE", Some(""), "API_AUDIENCE is not set: "),
        ("API_AUDIENCE", Some("a b"), "API_AUDIENCE has a blank in it: "),
        ("API_AUDIENCE", Some("YOUR_API_AUDIENCE"), "API_AUDIENCE is still the tutorial's YOUR_API_AUDIENCE: "),
        ("JWKS_URI", Some("http://a.example/jwks"), "JWKS_URI is \"http://a.example/jwks\": set it to an https URL"),
        ("JWKS_URI", Some("http://127.0.0.1.example/"), "JWKS_URI is \"http://127.0.0.1.example/\": "),
        ("JWKS_URI", Some("file:///etc/passwd"), "JWKS_URI is \"file:///etc/passwd\": "),
        ("JWKS_URI", Some("jwks"), "JWKS_URI is \"jwks\": "),
        (
            "PINNED_JWKS",
            Some("{}"),
            "PINNED_JWKS cannot be used (it is no JSON object with a list of keys): set it to the JSON of a JWKS",
        ),
        (
            "PINNED_JWKS",
            Some(r#"{"keys":[]}"#),
            "PINNED_JWKS cannot be used (none of its keys can verify an access token): ",
        ),
        ("PINNED_JWKS", Some(&many), "PINNED_JWKS cannot be used (it has more than 500 keys): "),
        (
            "SSL_CERT_FILE",
            Some("/nowhere.pem"),
            "SSL_CERT_FILE is \"/nowhere.pem\", where no PEM certificates can be read: ",
        ),
        ("SSL_CERT_FILE", Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")), "SSL_CERT_FILE is "),
        ("ALLOWED_ORIGINS", Some(""), "ALLOWED_ORIGINS holds \"\", which is no origin: set it to * or"),
        ("ALLOWED_ORIGINS", Some("https://a.example,*"), "ALLOWED_ORIGINS holds \"*\", which is no origin: "),
        ("ALLOWED_ORIGINS", Some("https://a.example/"), "ALLOWED_ORIGINS holds \"https://a.example/\", "),
        ("ALLOWED_ORIGINS", Some("https://A.example"), "ALLOWED_ORIGINS holds \"https://A.example\", "),
        ("ALLOWED_ORIGINS", Some("https://a.example:443"), "ALLOWED_ORIGINS holds \"https://a.example:443\", "),
        ("ALLOWED_ORIGINS", Some("https://u@a.example"), "ALLOWED_ORIGINS holds \"https://u@a.example\", "),
        ("ALLOWED_ORIGINS", Some("https://*.a.example"), "ALLOWED_ORIGINS holds \"https://*.a.example\", "),
        ("ALLOWED_ORIGINS", Some("a.example"), "ALLOWED_ORIGINS holds \"a.example\", "),
        ("ALLOWED_ORIGINS", Some("null"), "ALLOWED_ORIGINS holds \"null\", "),
        ("ALLOWED_ORIGINS", Some("https://a.example,"), "ALLOWED_ORIGINS holds \"\", "),
        ("BASE_PATH", Some("/"), "BASE_PATH is \"/\": set it to the path of your custom domain's mapping, as /v1"),
        ("BASE_PATH", Some("/a//b"), "BASE_PATH is \"/a//b\": "),
        ("BASE_PATH", Some("/a?b"), "BASE_PATH is \"/a?b\": "),
        (
            "ANONYMOUS_SESSIONS",
            Some("true"),
            "ANONYMOUS_SESSIONS is \"true\": set it to allowed or refused, or leave it out",
        ),
        ("ANONYMOUS_SESSIONS", Some("Allowed"), "ANONYMOUS_SESSIONS is \"Allowed\": "),
    ];
    for (name, value, sentence) in rows {
        let error = read(name, *value).map(|_| "accepted").expect_err(sentence).to_string();
        assert!(error.starts_with(sentence), "{name}={value:?} said: {error}");
    }
}
