//! Environment variables -> [`Config`], or a sentence that tells how to fix them.

use std::fmt;

use lambda_http::http::HeaderValue;
use reqwest::{Certificate, Url};

use crate::keys::{JwkSet, NoSet, Source};

/// The settings. Every other figure is a constant, beside the rule that needs it.
pub struct Config {
    /// `https://{AUTH0_DOMAIN}/`: what a token's `iss` must be, byte for byte.
    pub issuer: String,
    /// `API_AUDIENCE`: the identifier of the API in the Auth0 dashboard, which a token's `aud` must hold.
    pub audience: String,
    /// `JWKS_URI`: where the signing keys are. By default `https://{AUTH0_DOMAIN}/.well-known/jwks.json`.
    pub jwks_uri: Url,
    /// `PINNED_JWKS`: keys to start with, so that a cold start needs no network. By default none.
    pub pinned_jwks: Option<JwkSet>,
    /// `SSL_CERT_FILE`: the root certificates (PEM) to trust for `jwks_uri`. By default those that are compiled in.
    pub roots: Option<Vec<Certificate>>,
    /// `ALLOWED_ORIGINS`: whose pages may read the answers. By default all.
    pub allowed_origins: AllowedOrigins,
    /// `BASE_PATH`: what a custom domain's mapping puts before the path, such as `/v1`. By default nothing.
    pub base_path: Option<String>,
    /// `ANONYMOUS_SESSIONS`: whether tokens of Auth0's anonymous sessions are accepted. By default they are not.
    pub anonymous_sessions: bool,
}

/// The origins that CORS lets in.
#[derive(Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// `*`: any. CORS never allows credentials here, so a page can do no more than `curl`.
    Any,
    /// These alone.
    List(Vec<HeaderValue>),
}

/// Which variable is wrong, and how to fix it: one sentence or two.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first variable that cannot be used, in the order of the fields.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads variables by name, wherever they are.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        // The template passes an empty string for a parameter that was left out: that counts as not set. Not so for
        // ALLOWED_ORIGINS: an empty list of origins must not mean all of them.
        let optional = |name| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());

        let domain = domain(&required("AUTH0_DOMAIN", &variable, "your tenant's domain, as example.eu.auth0.com")?)?;
        let audience = required("API_AUDIENCE", &variable, "your API's identifier, as https://quickstarts/api")?;
        if audience == "YOUR_API_AUDIENCE" {
            return Err(wrong(
                "API_AUDIENCE is still the tutorial's YOUR_API_AUDIENCE: set it to your API's identifier, \
                              which the Auth0 dashboard shows under APIs.",
            ));
        }
        let issuer = format!("https://{domain}/");
        Ok(Self {
            jwks_uri: jwks_uri(&optional("JWKS_URI").unwrap_or_else(|| format!("{issuer}.well-known/jwks.json")))?,
            pinned_jwks: optional("PINNED_JWKS").as_deref().map(pinned_jwks).transpose()?,
            roots: optional("SSL_CERT_FILE").as_deref().map(roots).transpose()?,
            allowed_origins: allowed_origins(variable("ALLOWED_ORIGINS").as_deref().unwrap_or("*"))?,
            base_path: optional("BASE_PATH").as_deref().map(base_path).transpose()?,
            anonymous_sessions: anonymous_sessions(optional("ANONYMOUS_SESSIONS").as_deref())?,
            issuer,
            audience,
        })
    }

    /// Where the key store gets its keys.
    pub fn key_source(&self) -> Source {
        Source { uri: self.jwks_uri.clone(), roots: self.roots.clone(), pinned: self.pinned_jwks.clone() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

fn wrong(sentence: impl Into<String>) -> ConfigError {
    ConfigError(sentence.into())
}

fn required(name: &str, variable: impl Fn(&str) -> Option<String>, what: &str) -> Result<String, ConfigError> {
    let value = variable(name).unwrap_or_default().trim().to_owned();
    match value {
        value if value.is_empty() => Err(wrong(format!("{name} is not set: set it to {what}."))),
        value if value.contains(char::is_whitespace) => {
            Err(wrong(format!("{name} has a blank in it: set it to {what}.")))
        }
        value => Ok(value),
    }
}

/// `host` or `host:port`, in lower case. `https://host/`, as it is pasted from a browser, counts as the same.
fn domain(value: &str) -> Result<String, ConfigError> {
    let given = value.to_lowercase();
    let host = given.strip_prefix("https://").unwrap_or(&given);
    let host = host.strip_suffix('/').unwrap_or(host);
    if host == "your_domain" {
        return Err(wrong(
            "AUTH0_DOMAIN is still the tutorial's YOUR_DOMAIN: set it to your tenant's domain, which the \
                          Auth0 dashboard shows under Settings, as example.eu.auth0.com.",
        ));
    }
    // A string that the URL parser rewrites is no plain domain: one with a path or userinfo, or another notation of an
    // address. The parser lets two dots in a row through, so they are looked for.
    match Url::parse(&format!("https://{host}/")).as_ref().map(authority) {
        Ok(authority) if !host.contains("..") && (authority == host || format!("{authority}:443") == host) => {
            Ok(authority)
        }
        _ => Err(wrong(format!(
            "AUTH0_DOMAIN is {value:?}, which is no domain: set it to your tenant's domain alone, without a path, a \
             query or a user, as example.eu.auth0.com."
        ))),
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn jwks_uri(value: &str) -> Result<Url, ConfigError> {
    match Url::parse(value) {
        Ok(url) if url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url) => Ok(url),
        _ => Err(wrong(format!(
            "JWKS_URI is {value:?}: set it to an https URL, or leave it out to use the tenant's own. (Plain http is for \
             loopback hosts alone: whoever can change the keys on the way can sign tokens.)"
        ))),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn pinned_jwks(value: &str) -> Result<JwkSet, ConfigError> {
    JwkSet::parse(value.as_bytes()).map_err(|no_set| {
        let reason = match no_set {
            NoSet::NoJwks => "it is no JSON object with a list of keys",
            NoSet::TooManyKeys => "it has more than 500 keys",
            NoSet::NoUsableKey => "none of its keys can verify an access token",
        };
        wrong(format!(
            "PINNED_JWKS cannot be used ({reason}): set it to the JSON of a JWKS with at least one RSA signing key, or \
             leave it out."
        ))
    })
}

fn roots(path: &str) -> Result<Vec<Certificate>, ConfigError> {
    let certificates = std::fs::read(path).ok().and_then(|pem| Certificate::from_pem_bundle(&pem).ok());
    certificates.filter(|certificates| !certificates.is_empty()).ok_or_else(|| {
        wrong(format!(
            "SSL_CERT_FILE is {path:?}, where no PEM certificates can be read: set it to a file of root certificates, \
             or leave it out."
        ))
    })
}

/// `*`, or origins separated by commas, each as a browser sends it (RFC 6454, section 6.2). Patterns are refused.
fn allowed_origins(value: &str) -> Result<AllowedOrigins, ConfigError> {
    if value.trim() == "*" {
        return Ok(AllowedOrigins::Any);
    }
    value.split(',').map(|origin| is_origin(origin.trim()).ok_or(origin.trim())).collect::<Result<_, _>>().map_or_else(
        |origin| {
            Err(wrong(format!(
                "ALLOWED_ORIGINS holds {origin:?}, which is no origin: set it to * or to a comma-separated list of \
                 scheme://host[:port] in lower case, without a path or a final slash, as https://example.com."
            )))
        },
        |origins| Ok(AllowedOrigins::List(origins)),
    )
}

fn is_origin(value: &str) -> Option<HeaderValue> {
    let url = Url::parse(value).ok()?;
    let origin = format!("{}://{}", url.scheme(), authority(&url));
    (url.has_host() && origin == value && !origin.contains('*')).then(|| HeaderValue::try_from(origin).ok()).flatten()
}

fn base_path(value: &str) -> Result<String, ConfigError> {
    let path = value.trim_matches('/');
    if path.is_empty()
        || path.split('/').any(str::is_empty)
        || path.contains(|c: char| c.is_whitespace() || "?#%".contains(c))
    {
        return Err(wrong(format!(
            "BASE_PATH is {value:?}: set it to the path of your custom domain's mapping, as /v1, or leave it out."
        )));
    }
    Ok(format!("/{path}"))
}

fn anonymous_sessions(value: Option<&str>) -> Result<bool, ConfigError> {
    match value {
        None | Some("refused") => Ok(false),
        Some("allowed") => Ok(true),
        Some(value) => Err(wrong(format!(
            "ANONYMOUS_SESSIONS is {value:?}: set it to allowed or refused, or leave it out to refuse them."
        ))),
    }
}
