//! Environment variables -> [`Config`], or a sentence that tells how to fix them.

mod callers;
mod issuers;
mod tokens;

use std::fmt;

use reqwest::Certificate;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

pub use self::callers::{AllowedHeaders, AllowedOrigins, Origin, ResourceUrl};
pub(crate) use self::issuers::is_plain;
pub use self::tokens::{ExpectedClaim, Grants};
use crate::keys::Source;

/// The settings. Every other figure is a constant, beside the rule that needs it.
pub struct Config {
    /// `AUTH0_DOMAIN` and `ISSUERS`: whose tokens are accepted, and where the keys are. One at least.
    pub issuers: Vec<Source>,
    /// `SSL_CERT_FILE`: the root certificates (PEM) to trust where keys are fetched. By default those that are compiled in.
    pub roots: Option<Vec<Certificate>>,
    /// `API_AUDIENCE`: the identifiers of the API in the Auth0 dashboard, of which a token's `aud` must hold one.
    pub audiences: Vec<String>,
    /// `GRANTS`: the claims in which the words that a route requires are looked up. By default `scope`.
    pub grants: Grants,
    /// `EXPECTED_CLAIMS`: claims that a token must have, and with which values. By default none.
    pub expected_claims: Vec<ExpectedClaim>,
    /// `ANONYMOUS_SESSIONS`: whether tokens of Auth0's anonymous sessions are accepted. By default they are not.
    pub anonymous_sessions: bool,
    /// `ALLOWED_ORIGINS`: whose pages may read the answers. By default all.
    pub allowed_origins: AllowedOrigins,
    /// `ALLOWED_HEADERS`: the request headers that such a page may send.
    pub allowed_headers: AllowedHeaders,
    /// `BASE_PATH`: what a custom domain's mapping puts before the path, such as `/v1`. By default nothing.
    pub base_path: Option<String>,
    /// `RESOURCE_URL`: the address of the API for clients that discover who issues tokens for it. By default there is none.
    pub resource_url: ResourceUrl,
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
        Self::read(in_environment)
    }

    /// Reads variables by name, wherever they are.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        // The template passes an empty string for a parameter that was left out: that counts as not set. Not so for
        // ALLOWED_ORIGINS: an empty list of origins must not mean all of them.
        let optional =
            |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        Ok(Self {
            issuers: issuers::issuers(&optional)?,
            roots: optional("SSL_CERT_FILE").as_deref().map(roots).transpose()?,
            audiences: tokens::audiences(&optional)?,
            grants: tokens::grants(optional("GRANTS").as_deref())?,
            expected_claims: optional("EXPECTED_CLAIMS").as_deref().map_or(Ok(vec![]), tokens::expected_claims)?,
            anonymous_sessions: tokens::anonymous_sessions(optional("ANONYMOUS_SESSIONS").as_deref())?,
            allowed_origins: callers::allowed_origins(variable("ALLOWED_ORIGINS").as_deref().unwrap_or("*"))?,
            allowed_headers: callers::allowed_headers(optional("ALLOWED_HEADERS").as_deref())?,
            base_path: optional("BASE_PATH").as_deref().map(callers::base_path).transpose()?,
            resource_url: callers::resource_url(optional("RESOURCE_URL").as_deref())?,
        })
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// A variable of the process's environment. What is no UTF-8 in it is replaced.
pub(crate) fn in_environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

pub(crate) fn wrong(sentence: impl Into<String>) -> ConfigError {
    ConfigError(sentence.into())
}

/// The values of a list with commas between, without the blanks around them.
fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}

/// Whether a value is still a tutorial's, such as `YOUR_DOMAIN`, `{yourApiIdentifier}` or `your-tenant.us.auth0.com`, or a variable
/// that no shell has replaced.
fn is_placeholder(value: &str) -> bool {
    let words = value.split(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c));
    value.starts_with(['$', '%'])
        || words
            .map(str::to_ascii_lowercase)
            .any(|word| word.starts_with("your_") || PLACEHOLDERS.contains(&word.replace(['-', '_'], "").as_str()))
}

const PLACEHOLDERS: [&str; 6] =
    ["yourdomain", "yourtenant", "yourauth0domain", "yourapiidentifier", "yourapiaudience", "youraudience"];

fn roots(path: &str) -> Result<Vec<Certificate>, ConfigError> {
    let certificates = std::fs::read(path).ok().and_then(|pem| Certificate::from_pem_bundle(&pem).ok());
    certificates.filter(|certificates| !certificates.is_empty()).ok_or_else(|| {
        wrong(format!(
            "SSL_CERT_FILE is {path:?}, where no PEM certificates can be read: set it to a file of root certificates, \
             or leave it out."
        ))
    })
}

/// The members of a JSON object, the repeated ones too: a map would keep the last alone.
pub(crate) struct Members<T>(pub(crate) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Vec::new()))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(member) = map.next_entry()? {
            self.0.push(member);
        }
        Ok(self)
    }
}
