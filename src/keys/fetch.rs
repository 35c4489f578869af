//! A URL -> [`JwkSet`], over HTTPS, with a bound on everything.

use std::io;
use std::time::Duration;

use reqwest::{Certificate, Client, Response, StatusCode, Url, redirect};

use super::set::JwkSet;

/// Asks the issuer for its JWKS.
pub struct Fetcher {
    client: Client,
    uri: Url,
}

impl Fetcher {
    /// Sets the client up. reqwest's defaults have no time-outs and follow redirects and proxies.
    ///
    /// # Errors
    /// Where the roots cannot be used.
    pub fn new(uri: Url, roots: Option<Vec<Certificate>>) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .tls_certs_only(match roots {
                Some(roots) => roots,
                // Compiled in: reading the system's takes many times as long as the rest of a cold start.
                None => webpki_root_certs::TLS_SERVER_ROOT_CERTS
                    .iter()
                    .map(|root| Certificate::from_der(root))
                    .collect::<Result<_, _>>()?,
            })
            .https_only(uri.scheme() == "https")
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIME)
            // A sandbox that was frozen wakes up with dead connections.
            .pool_max_idle_per_host(0)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, uri })
    }

    /// Fetches the keys, in `limit` at most.
    ///
    /// # Errors
    /// Why it gave no keys: words for the log, which never quote what the issuer sent.
    pub async fn fetch(&self, limit: Duration) -> Result<JwkSet, &'static str> {
        let keys = async { JwkSet::parse(&body(self.send().await.map_err(|error| broken(&error))?).await?) };
        tokio::time::timeout(limit, keys).await.unwrap_or(Err(TIMEOUT))
    }

    /// One request, and a second one where the first broke. A refused connection stays refused: it gets none.
    async fn send(&self) -> reqwest::Result<Response> {
        let send = || self.client.get(self.uri.clone()).send();
        match send().await {
            Err(error) if !error.is_timeout() && !is_refused(&error) => send().await,
            other => other,
        }
    }
}

/// A connection takes two round trips, for TCP and TLS. A slow network does that in a tenth of this.
const CONNECT_TIME: Duration = Duration::from_millis(1500);

/// Auth0's JWKS has 3 kB; one of 27 keys with their certificates has 90. Counted as it streams in, for a server may
/// announce another length than it sends.
const MAX_BODY: usize = 512 * 1024;

async fn body(mut response: Response) -> Result<Vec<u8>, &'static str> {
    // Redirects, too, are refused here: keys come from the place that was configured, and no other.
    if response.status() != StatusCode::OK {
        return Err("a status that is not 200");
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err("a body of more than 512 KiB");
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

const TIMEOUT: &str = "time-out";

/// DNS, TCP and TLS alike. The library's own message may quote the other side.
fn broken(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() { TIMEOUT } else { "no connection, or one that broke" }
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
