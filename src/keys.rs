//! `kid` -> key: the cache of the issuer's signing keys, and the one place that fetches them.
//!
//! Requests alone drive the cache: a Lambda sandbox is frozen between them, so no timer can be relied on.
//! When to fetch is decided in `cache.rs`, how in `fetch.rs`, and which keys count in `set.rs`.

mod cache;
mod fetch;
#[cfg(test)]
#[path = "../tests/unit/model.rs"]
mod model;
mod set;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use jsonwebtoken::DecodingKey;
use reqwest::{Certificate, Url};
use tokio::sync::watch;
use tokio::time::Instant;

pub use self::cache::NoKey;
use self::cache::{Cache, FETCH_TIME, Step};
use self::fetch::Fetcher;
pub use self::set::JwkSet;
use crate::clock::{Clock, Now};

/// The signing keys. A handle: clones share one cache, and a fetch outlives the request that started it.
#[derive(Clone)]
pub struct KeyStore(Arc<Shared>);

/// Where the keys come from.
pub struct Source {
    /// The address of the issuer's JWKS.
    pub uri: Url,
    /// The roots to trust for it in place of the web's own, if any.
    pub roots: Option<Vec<Certificate>>,
    /// The keys to start with, if any.
    pub pinned: Option<JwkSet>,
}

struct Shared {
    cache: Mutex<Cache<Ended>>,
    fetcher: Fetcher,
    clock: Clock,
}

/// Closes when a fetch has ended, however it did.
type Ended = watch::Receiver<()>;

impl KeyStore {
    /// An empty cache, or one that holds the pinned keys.
    ///
    /// # Errors
    /// Where the HTTP client cannot be set up.
    pub fn new(source: Source, clock: Clock) -> Result<Self, reqwest::Error> {
        let cache = Mutex::new(Cache::new(source.pinned, clock.now()));
        let fetcher = Fetcher::new(source.uri, source.roots)?;
        Ok(Self(Arc::new(Shared { cache, fetcher, clock })))
    }

    /// Makes the first fetch in the init phase, where Lambda gives a full core whatever the function's memory size.
    /// Waits 1.5 s for it at most. Its failure is logged, and no more: public routes need no keys.
    pub async fn warm_up(&self) {
        if self.age().is_none() {
            let ended = self.start(&mut self.cache(), FETCH_TIME, true);
            wait(ended, Some(INIT_WAIT)).await;
        }
    }

    /// The key that a token's `kid` names. `left` is the time that the invocation has left, if it is known: neither this
    /// call nor a fetch that it starts takes longer.
    ///
    /// # Errors
    /// [`NoKey`].
    pub async fn key(&self, kid: &str, left: Option<Duration>) -> Result<Arc<DecodingKey>, NoKey> {
        let deadline = left.map(|left| Instant::now() + left.saturating_sub(ANSWER_TIME));
        for step in 1..=MAX_STEPS {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let limit = left.map_or(FETCH_TIME, |left| left.min(FETCH_TIME));
            let (ended, at_most) = {
                let mut cache = self.cache();
                match cache.ask(kid, step < MAX_STEPS && limit >= LEAST_FETCH, self.now()) {
                    Step::Serve(key) => return Ok(key),
                    Step::Refuse(no_key) => return Err(no_key),
                    Step::Wait(ended) => (ended, None),
                    Step::Start(at_most) => (self.start(&mut cache, limit, false), at_most),
                }
            };
            wait(ended, [at_most, left].into_iter().flatten().min()).await;
        }
        Err(NoKey::Unavailable)
    }

    /// How old the keys are. `None` if there are none.
    pub fn age(&self) -> Option<Duration> {
        self.cache().age(self.now())
    }

    /// The time, by the clocks that the keys are aged by.
    pub fn now(&self) -> Now {
        self.0.clock.now()
    }

    /// Starts a fetch of at most `limit`, as a task of its own: it goes on when the request that started it is gone.
    fn start(&self, cache: &mut Cache<Ended>, limit: Duration, first: bool) -> Ended {
        let (open, ended) = watch::channel(());
        let number = cache.start(ended.clone(), self.now());
        let store = self.clone();
        tokio::spawn(async move {
            let _open = open; // closed when this ends, come what may
            let outcome = AssertUnwindSafe(store.0.fetcher.fetch(limit)).catch_unwind().await;
            let outcome = outcome.unwrap_or(Err("a panic"));
            match &outcome {
                Ok(keys) => tracing::info!(keys = keys.len(), "JWKS fetched"),
                Err(reason) => tracing::warn!(reason, "JWKS not fetched"),
            }
            let now = store.now();
            store.cache().end(number, outcome, first, now);
        });
        ended
    }

    /// Never held across an `await`, so that a request with a usable key waits for nobody. A panic leaves the cache
    /// whole: each change is one assignment, or one call that cannot panic.
    fn cache(&self) -> MutexGuard<'_, Cache<Ended>> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the init phase waits for the first fetch.
const INIT_WAIT: Duration = Duration::from_millis(1500);

/// Time of an invocation that is kept back for the answer that there are no keys.
const ANSWER_TIME: Duration = Duration::from_millis(100);

/// With less time than this, a fetch would only fail, and make others pause.
const LEAST_FETCH: Duration = Duration::from_millis(300);

/// Wait for the init phase's fetch, then for one's own, then look: three. Two more are for fetches that froze.
const MAX_STEPS: usize = 5;

/// Waits until a fetch has ended, or for `at_most`.
async fn wait(mut ended: Ended, at_most: Option<Duration>) {
    let ended = async { while ended.changed().await.is_ok() {} };
    match at_most {
        Some(at_most) => _ = tokio::time::timeout(at_most, ended).await,
        None => ended.await,
    }
}
