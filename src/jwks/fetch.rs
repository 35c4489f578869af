//! A URL -> [`Keys`], over HTTPS, with a bound on everything.

use std::io;
use std::time::Duration;

use reqwest::{Certificate, Client, Response, StatusCode, Url, redirect};

use super::key::Keys;
use crate::config::Config;

/// Asks the issuer for its JWKS.
pub struct Fetcher {
    client: Client,
    uri: Url,
}

/// Why a fetch gave no keys: a word for the log, which never quotes what the issuer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// No connection, or one that broke (DNS, TCP and TLS alike).
    Connection,
    /// It took longer than it may.
    Timeout,
    /// A status that is not 200. Redirects are not followed: keys come from the place that was configured.
    Status,
    /// A body of more than 64 KiB.
    TooLarge,
    /// A body that is no JSON object.
    NotJson,
    /// An object without one list `keys`.
    NoKeysMember,
    /// A list of more than 100 keys.
    TooManyKeys,
    /// A list without a key that could verify an access token.
    NoUsableKey,
    /// A defect of ours.
    Panicked,
}

impl FetchError {
    /// The word for the log.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::NoKeysMember => "no_keys_member",
            Self::TooManyKeys => "too_many_keys",
            Self::NoUsableKey => "no_usable_key",
            Self::Panicked => "panicked",
        }
    }
}

impl Fetcher {
    /// Sets the client up. reqwest's defaults have no time-outs and follow redirects and proxies.
    ///
    /// # Errors
    /// Where the roots cannot be used.
    pub fn new(config: &Config) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .tls_certs_only(match &config.roots {
                Some(roots) => roots.clone(),
                // Compiled in: reading the system's takes many times as long as the rest of a cold start.
                None => webpki_root_certs::TLS_SERVER_ROOT_CERTS
                    .iter()
                    .map(|root| Certificate::from_der(root))
                    .collect::<Result<_, _>>()?,
            })
            .https_only(config.jwks_uri.scheme() == "https")
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIME)
            // A sandbox that was frozen wakes up with dead connections.
            .pool_max_idle_per_host(0)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, uri: config.jwks_uri.clone() })
    }

    /// Fetches the keys, in `limit` at most.
    ///
    /// # Errors
    /// [`FetchError`]: what was served is no set of keys that we could use.
    pub async fn fetch(&self, limit: Duration) -> Result<Keys, FetchError> {
        let keys = async { Keys::parse(&body(self.send().await?).await?) };
        tokio::time::timeout(limit, keys).await.unwrap_or(Err(FetchError::Timeout))
    }

    /// One request, and one more where the first broke for no lasting reason.
    async fn send(&self) -> Result<Response, FetchError> {
        let send = || self.client.get(self.uri.clone()).send();
        match send().await {
            Err(error) if !error.is_timeout() && !is_refused(&error) => send().await,
            other => other,
        }
        .map_err(FetchError::from)
    }
}

/// The TCP and TLS handshakes take two round trips; a tenth of this is slow.
const CONNECT_TIME: Duration = Duration::from_millis(1500);

/// Auth0's is 3 KB. Counted as it streams in, for the length that a server announces may be a lie.
const MAX_BODY: usize = 64 * 1024;

async fn body(mut response: Response) -> Result<Vec<u8>, FetchError> {
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn is_refused(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            return true;
        }
        source = error.source();
    }
    false
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::Timeout } else { Self::Connection }
    }
}
