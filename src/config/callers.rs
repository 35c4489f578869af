//! `ALLOWED_ORIGINS`, `ALLOWED_HEADERS`, `BASE_PATH` and `RESOURCE_URL` -> who calls, and by which address.

use lambda_http::http::HeaderName;
use reqwest::Url;

use super::issuers::{is_plain, plain_url};
use super::{ConfigError, is_placeholder, list, wrong};

/// The origins that CORS lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// `*`: any. CORS never allows credentials here, so a page can do no more than `curl`.
    Any,
    /// These alone.
    List(Vec<Origin>),
}

/// An origin as a browser sends it (RFC 6454, section 6.2), or `https://*.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Whether a page of this origin is let in. In the place of the `*` there may be one label or more, and nothing else.
    pub fn matches(&self, origin: &[u8]) -> bool {
        let Some((scheme, domain)) = self.0.split_once('*') else { return self.0.as_bytes() == origin };
        let labels = origin.strip_prefix(scheme.as_bytes()).and_then(|rest| rest.strip_suffix(domain.as_bytes()));
        labels.is_some_and(|labels| {
            let mut labels = labels.split(|byte| *byte == b'.');
            labels.all(|label| {
                !label.is_empty() && label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
            })
        })
    }
}

/// The request headers that CORS lets a page send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedHeaders {
    /// `*`: those that the browser asks for, by name. A literal `*` would not cover `Authorization`.
    Asked,
    /// These alone.
    List(Vec<HeaderName>),
}

/// The address of the API as a protected resource (RFC 9728).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceUrl {
    /// None: there are no metadata.
    Off,
    /// `auto`: by the domain name that the gateway itself gives.
    Auto,
    /// This URL, as it is given.
    At(String),
}

/// What pages of 2026 send: besides those of this API, what Sentry, Datadog and OpenTelemetry put into each request.
pub const DEFAULT_HEADERS: &str = "authorization,content-type,dpop,traceparent,tracestate,baggage,sentry-trace,\
    x-requested-with,x-api-key,x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-trace-id";

/// `*`, or origins with commas between.
pub(super) fn allowed_origins(value: &str) -> Result<AllowedOrigins, ConfigError> {
    if value.trim() == "*" {
        return Ok(AllowedOrigins::Any);
    }
    list(value).map(origin).collect::<Result<_, _>>().map(AllowedOrigins::List)
}

fn origin(value: &str) -> Result<Origin, ConfigError> {
    // A pattern is judged by what is left without the labels.
    let exact = match value.split_once("://*.") {
        Some((scheme @ ("http" | "https"), domain)) => format!("{scheme}://{domain}"),
        _ => value.to_owned(),
    };
    match Url::parse(&exact).ok().filter(Url::has_host) {
        Some(url) if is_plain(url.authority()) && format!("{}://{}", url.scheme(), url.authority()) == exact => {
            Ok(Origin(value.to_owned()))
        }
        _ => Err(wrong(format!(
            "ALLOWED_ORIGINS holds {value:?}, which is no origin: set it to * or to a comma-separated list of \
             scheme://host[:port] in lower case, without a path, a final slash or a default port, as https://example.com or, \
             for all its subdomains, https://*.example.com."
        ))),
    }
}

/// `*`, or names with commas between.
pub(super) fn allowed_headers(value: Option<&str>) -> Result<AllowedHeaders, ConfigError> {
    let value = value.unwrap_or(DEFAULT_HEADERS);
    if value == "*" {
        return Ok(AllowedHeaders::Asked);
    }
    let names = list(value).map(|name| {
        // A `*` is a header's name by the letter of HTTP, and so is a name in quotation marks.
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        name.parse().ok().filter(|_| plain).ok_or_else(|| {
            wrong(format!(
                "ALLOWED_HEADERS holds {name:?}, which is no header: set it to * or to a comma-separated list of names, as \
                 authorization,content-type, or leave it out."
            ))
        })
    });
    names.collect::<Result<_, _>>().map(AllowedHeaders::List)
}

pub(super) fn base_path(value: &str) -> Result<String, ConfigError> {
    let path = value.trim_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._~-".contains(c);
    if path.split('/').any(str::is_empty) || !path.chars().all(plain) || is_placeholder(path) {
        return Err(wrong(format!(
            "BASE_PATH is {value:?}: set it to the path of your custom domain's mapping, as /v1, or leave it out."
        )));
    }
    Ok(format!("/{path}"))
}

/// `auto`, `off`, or a URL without query and fragment.
pub(super) fn resource_url(value: Option<&str>) -> Result<ResourceUrl, ConfigError> {
    match value {
        None | Some("off") => Ok(ResourceUrl::Off),
        Some("auto") => Ok(ResourceUrl::Auto),
        Some(value) if plain_url(value).is_some() => Ok(ResourceUrl::At(value.to_owned())),
        Some(value) => Err(wrong(format!(
            "RESOURCE_URL is {value:?}: set it to auto, to off, or to the https URL of your API without a query, as \
             https://api.example.com. (Plain http is for loopback hosts alone.)"
        ))),
    }
}
