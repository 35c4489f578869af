//! The place of an issuer's keys -> [`JwkSet`], over HTTPS, with a bound on everything.

use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;
use reqwest::header::RETRY_AFTER;
use reqwest::{Certificate, Client, StatusCode, Url, redirect};
use tokio::time::{Instant, sleep_until, timeout};

use super::discovery;
use super::failure::{Failure, Resolver};
use super::set::JwkSet;

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysAt {
    /// At this address.
    Jwks(Url),
    /// Where the metadata of the issuer at this address say.
    Discovery(Url),
}

/// Whether nobody on the way can change what is fetched from a URL: it is https, or leads to this machine.
pub fn is_trustworthy(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

/// Whether a URL leads to this machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The HTTP client that all fetches share. It is made at the first of them: with pinned keys, the first answer needs none.
#[derive(Clone)]
pub struct HttpClient(Arc<(OnceCell<Client>, Option<Vec<Certificate>>)>);

impl HttpClient {
    /// A client that trusts these roots in place of the web's own, if any.
    ///
    /// # Errors
    /// Where these roots cannot be used.
    pub fn new(roots: Option<Vec<Certificate>>) -> Result<Self, reqwest::Error> {
        let client = Self(Arc::new((OnceCell::new(), roots)));
        if client.0.1.is_some() {
            client.made()?;
        }
        Ok(client)
    }

    /// reqwest's defaults have no time-outs and follow redirects and proxies.
    fn made(&self) -> Result<&Client, reqwest::Error> {
        let (client, roots) = &*self.0;
        client.get_or_try_init(|| {
            Client::builder()
                .tls_certs_only(match roots {
                    Some(roots) => roots.clone(),
                    // Compiled in: reading the system's takes many times as long as the rest of a cold start.
                    None => webpki_root_certs::TLS_SERVER_ROOT_CERTS
                        .iter()
                        .map(|root| Certificate::from_der(root))
                        .collect::<Result<_, _>>()?,
                })
                .redirect(redirect::Policy::none())
                .no_proxy()
                .dns_resolver(Resolver)
                .connect_timeout(CONNECT_TIME)
                // A sandbox that was frozen wakes up with dead connections.
                .pool_max_idle_per_host(0)
                .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
                .build()
        })
    }
}

/// Asks an issuer for its JWKS.
pub struct Fetcher {
    pub client: HttpClient,
    /// The issuer's name.
    pub issuer: String,
    pub keys_at: KeysAt,
}

impl Fetcher {
    /// Fetches the keys, in `limit` at most. What fails in passing is tried again, after pauses that grow.
    ///
    /// # Errors
    /// Why the last attempt gave no keys.
    pub async fn fetch(&self, limit: Duration) -> Result<JwkSet, Failure> {
        let end = Instant::now() + limit;
        let mut found = None;
        let mut attempts = 0;
        let mut before = Failure::TIMEOUT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let failure = match timeout(ATTEMPT_TIME.min(left), self.attempt(&mut found)).await {
                Ok(Ok(keys)) => return Ok(keys),
                Ok(Err(failure)) => failure,
                // Cut short by the end, it says less than the one before.
                Err(_) if left < ATTEMPT_TIME => return Err(before),
                Err(_) => Failure::TIMEOUT,
            };
            attempts += 1;
            let now = Instant::now();
            let asked_for = failure.retry_after.map_or(Duration::ZERO, |wait| spread(wait, end.duration_since(now)));
            let next = now.checked_add(pause_after(attempts).max(asked_for)).filter(|next| *next < end);
            match next.filter(|_| failure.passes) {
                Some(next) => sleep_until(next).await,
                None => return Err(failure),
            }
            before = failure;
        }
    }

    async fn attempt(&self, found: &mut Option<Url>) -> Result<JwkSet, Failure> {
        let uri: &Url = match (&self.keys_at, found) {
            (KeysAt::Jwks(uri), _) => uri,
            // Asked once a fetch, and so it is known for as long as the keys are.
            (KeysAt::Discovery(_), Some(uri)) => uri,
            (KeysAt::Discovery(issuer), found) => found.insert(self.discover(issuer).await?),
        };
        JwkSet::parse(&self.get(uri).await?).map_err(Failure::no_set)
    }

    /// Looks for the issuer's metadata in one place after the other. The first that answers 200 decides.
    async fn discover(&self, issuer: &Url) -> Result<Url, Failure> {
        let mut refused = Failure::NO_METADATA;
        for place in discovery::places(issuer) {
            match self.get(&place).await {
                Ok(metadata) => return discovery::jwks_uri(&metadata, &self.issuer, issuer),
                // Where one of the places may answer later, the fetch is worth another attempt.
                Err(failure) if failure.status.is_some() => {
                    if !refused.passes || failure.passes && failure.retry_after > refused.retry_after {
                        refused = failure;
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(refused)
    }

    async fn get(&self, uri: &Url) -> Result<Vec<u8>, Failure> {
        let mut response = self.client.made()?.get(uri.clone()).send().await?;
        // Redirects, too, are refused here: keys come from the place that was configured, and no other.
        if response.status() != StatusCode::OK {
            let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            return Err(Failure::status(response.status(), seconds.map(Duration::from_secs)));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(Failure::TOO_LARGE);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// One attempt. What Auth0's own SDKs wait.
const ATTEMPT_TIME: Duration = Duration::from_secs(5);

/// A connection takes two round trips, for TCP and TLS. A slow network does that in a tenth of this.
const CONNECT_TIME: Duration = Duration::from_millis(1500);

/// The pause behind the first attempt takes once to twice this, at random; behind each further one twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// But no longer than once to twice this.
const LONGEST_PAUSE: Duration = Duration::from_millis(800);

/// At random, so that sandboxes which were refused together do not come back together.
fn pause_after(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(10);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE).mul_f64(1.0 + fastrand::f64())
}

/// The wait that an issuer asks for, or up to twice as long where `left` has room for that: whoever was refused together was told the
/// same.
fn spread(wait: Duration, left: Duration) -> Duration {
    wait.saturating_add(wait.min(left.saturating_sub(wait)).mul_f64(fastrand::f64()))
}

/// Auth0's JWKS has 3 kB; one of 27 keys with their certificates has 90. Counted as it streams in, for a server may
/// announce another length than it sends.
const MAX_BODY: usize = 512 * 1024;

#[cfg(test)]
#[path = "../../tests/unit/fetch.rs"]
mod tests;
