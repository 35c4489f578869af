//! `kid` -> key: the cache of the issuer's signing keys, and the one place that fetches them.
//!
//! Requests alone drive the cache: a Lambda sandbox is frozen between them, so no timer can be relied on.
//! When to fetch is decided in `cache.rs`, how in `fetch.rs`, from where in `discovery.rs`, what a failure means in `failure.rs`,
//! and which keys count in `set.rs`.

mod cache;
mod discovery;
mod failure;
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
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

pub use self::cache::NoKey;
use self::cache::{Asker, Cache, FETCH_TIME, Step};
use self::failure::Failure;
use self::fetch::Fetcher;
pub use self::fetch::{HttpClient, KeysAt, is_trustworthy};
pub use self::set::{JwkSet, KID_BYTES, NoSet};
use crate::clock::{Clock, Now};
use crate::log;

/// The signing keys. A handle: clones share one cache, and a fetch outlives the request that started it.
#[derive(Clone)]
pub struct KeyStore(Arc<Shared>);

/// An issuer, and where its keys come from.
#[derive(Clone)]
pub struct Source {
    /// What a token's `iss` must be, byte for byte. For a domain of Auth0 `https://{domain}/`.
    pub name: String,
    /// Where the issuer publishes its keys.
    pub keys_at: KeysAt,
    /// `PINNED_JWKS`: keys to start with, so that a cold start needs no network. By default none.
    pub pinned: Option<JwkSet>,
}

struct Shared {
    cache: Mutex<Cache<Ended>>,
    fetcher: Fetcher,
    clock: Clock,
}

/// Closes when a fetch has ended, however it did.
type Ended = watch::Receiver<()>;

/// Whether both are handles of one cache.
impl PartialEq for KeyStore {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl KeyStore {
    /// An empty cache, or one that holds the pinned keys.
    pub fn new(source: Source, client: HttpClient, clock: Clock) -> Self {
        let Source { name, keys_at, pinned } = source;
        let cache = Mutex::new(Cache::new(pinned, clock.now()));
        Self(Arc::new(Shared { cache, fetcher: Fetcher { client, issuer: name, keys_at }, clock }))
    }

    /// Makes the first fetch in the init phase, where Lambda gives a full core whatever the function's memory size.
    /// Waits 1.5 s for it at most. Its failure is logged, and no more: public routes need no keys.
    pub async fn warm_up(&self) {
        if self.age().is_none() {
            let (ended, _) = self.start(&mut self.cache(), FETCH_TIME, Why::Init);
            wait(ended, Instant::now() + INIT_WAIT).await;
        }
    }

    /// The key that a token's `kid` names. Takes no longer than `left`, the time that the invocation has, if any is
    /// known, and 6 s at most; nor does a fetch that this starts take longer than `left`. For a token that could not be
    /// accepted whatever its key (`hopeless`), none is started.
    ///
    /// # Errors
    /// [`NoKey`].
    pub async fn key(&self, kid: &str, hopeless: bool, left: Option<Duration>) -> Result<Arc<DecodingKey>, NoKey> {
        let left = left.map_or(FETCH_TIME, |left| left.saturating_sub(ANSWER_TIME).min(FETCH_TIME));
        let now = Instant::now();
        let (fetch_until, wait_until) = (now + left, now + left.min(MAX_WAIT));
        let mut asker = Asker::First;
        loop {
            let limit = fetch_until.saturating_duration_since(Instant::now());
            let asker_now = if hopeless {
                Asker::Hopeless
            } else if limit < LEAST_FETCH {
                Asker::Late
            } else {
                asker
            };
            let (ended, at_most) = {
                let mut cache = self.cache();
                match cache.ask(kid, asker_now, self.now()) {
                    Step::Serve(key) => return Ok(key),
                    Step::ServeAndStart(key) => {
                        self.start(&mut cache, limit, Why::Pinned);
                        return Ok(key);
                    }
                    Step::Refuse(no_key) => return Err(no_key),
                    Step::Wait((ended, number), at_most) => {
                        asker = Asker::Again(number);
                        (ended, at_most)
                    }
                    Step::Start(at_most) => {
                        let (ended, number) = self.start(&mut cache, limit, Why::Asked);
                        asker = Asker::Again(number);
                        (ended, at_most)
                    }
                }
            };
            let now = Instant::now();
            wait(ended, at_most.map_or(wait_until, |at_most| fetch_until.min(now + at_most))).await;
            if at_most.is_none() && Instant::now() >= wait_until {
                return Err(NoKey::Unavailable(self.cache().retry_after(self.now())));
            }
        }
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
    fn start(&self, cache: &mut Cache<Ended>, limit: Duration, why: Why) -> (Ended, u64) {
        let (open, ended) = watch::channel(());
        let number = cache.start(ended.clone(), limit, self.now());
        let store = self.clone();
        tokio::spawn(async move {
            let _open = open; // closed when this ends, come what may
            if why == Why::Pinned {
                sleep(HEAD_START).await;
            }
            let outcome = AssertUnwindSafe(store.0.fetcher.fetch(limit)).catch_unwind().await;
            let outcome = outcome.unwrap_or(Err(Failure::PANIC));
            let issuer = store.0.fetcher.issuer.as_str();
            match &outcome {
                Ok(keys) => tracing::info!(issuer, keys = keys.len(), "JWKS fetched"),
                Err(Failure { reason, status, received, .. }) => {
                    let status = status.map(|status| status.as_u16());
                    let received = received.as_deref().map(log::shown);
                    tracing::warn!(issuer, reason, status, received, "JWKS not fetched");
                }
            }
            let now = store.now();
            store.cache().end(number, outcome, why == Why::Init, fastrand::f64(), now);
        });
        (ended, number)
    }

    /// Never held across an `await`, so that a request with a usable key waits for nobody. A panic leaves the cache
    /// whole: each change is one assignment, or one call that cannot panic.
    fn cache(&self) -> MutexGuard<'_, Cache<Ended>> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a fetch starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The init phase makes it.
    Init,
    /// A request was answered with pinned keys.
    Pinned,
    /// A request needs it.
    Asked,
}

/// How much later than that answer the fetch starts. They share a thread, and the answer goes first.
const HEAD_START: Duration = Duration::from_millis(5);

/// How long the init phase waits for the first fetch.
const INIT_WAIT: Duration = Duration::from_millis(1500);

/// Time of an invocation that is kept back for the answer that there are no keys.
const ANSWER_TIME: Duration = Duration::from_millis(100);

/// With less time than this, a fetch would only fail, and make others pause.
const LEAST_FETCH: Duration = Duration::from_millis(300);

/// How long a request waits for a key that it cannot do without.
const MAX_WAIT: Duration = Duration::from_secs(6);

/// Waits for a fetch to end, until then.
async fn wait(mut ended: Ended, then: Instant) {
    _ = timeout_at(then, async { while ended.changed().await.is_ok() {} }).await;
}
