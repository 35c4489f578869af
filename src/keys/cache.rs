//! A `kid`, a time and what happened before -> serve, fetch, wait or refuse. No I/O: only clocks are compared here.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::DecodingKey;

use super::set::JwkSet;
use crate::clock::Now;

/// Why there is no key for a `kid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The issuer has no usable key of this name: the last fetch says so.
    Unknown,
    /// The issuer cannot be asked, so that nobody knows.
    Unavailable,
}

/// So that a withdrawn key stops working. Auth0's own SDKs use the same.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// An outage of the issuer is not ours; but no key lives for ever.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A request that finds keys older than this waits until the fetch has ended.
const OLD: Duration = Duration::from_secs(60 * 60);

/// An issuer that is slow must not make us slow.
const STALE_WAIT: Duration = Duration::from_millis(300);

/// After a good fetch: a flood of made-up `kid`s does not reach the issuer, and a rotation works soon.
const PAUSE_AFTER_GOOD: Duration = Duration::from_secs(30);

/// After a failed fetch: an outage does not cost every request a wait.
const PAUSE_AFTER_FAILED: Duration = Duration::from_secs(10);

/// The whole time of a fetch.
pub const FETCH_TIME: Duration = Duration::from_secs(3);

/// A fetch that is older than this froze with the sandbox. Half a second more than a fetch may take, for a slow CPU.
const FROZEN: Duration = Duration::from_millis(3_500);

/// The keys, how old they are, and what became of the last fetch. `F` is a handle to the fetch that is under way.
pub struct Cache<F> {
    keys: JwkSet,
    /// When the keys were fetched, or pinned keys came with the process.
    since: Option<Now>,
    /// When the last fetch ended, and whether it was good. `None`: nobody has asked the issuer yet.
    last: Option<(Now, bool)>,
    under_way: Option<Fetch<F>>,
    /// Whether the last fetch was lost, since it froze with the sandbox.
    froze: bool,
    fetches: u64,
}

struct Fetch<F> {
    number: u64,
    started: Now,
    handle: F,
}

/// What to do about a `kid`.
pub enum Step<F> {
    /// Use this key.
    Serve(Arc<DecodingKey>),
    /// Start a fetch, wait for it at most so long (`None`: until it ends), then ask again.
    Start(Option<Duration>),
    /// Wait for the fetch that is under way to end, then ask again.
    Wait(F),
    /// There is none.
    Refuse(NoKey),
}

impl<F: Clone> Cache<F> {
    /// Starts with the keys that were pinned at deployment, if any. Their age counts from now, but no fetch has ended.
    pub fn new(pinned: Option<JwkSet>, now: Now) -> Self {
        let since = pinned.is_some().then_some(now);
        Self { keys: pinned.unwrap_or_default(), since, last: None, under_way: None, froze: false, fetches: 0 }
    }

    /// What to do for a token that names `kid`. [`Step::Start`] only if the request `may_start` a fetch.
    pub fn ask(&mut self, kid: &str, may_start: bool, now: Now) -> Step<F> {
        // The keys that a frozen fetch would still bring are of an unknown age.
        self.froze |= self.under_way.take_if(|fetch| now.since(fetch.started) > FROZEN).is_some();

        let age = self.age(now).unwrap_or(Duration::MAX);
        let known = self.keys.get(kid).filter(|_| age <= STALE);
        let pausing = self.pausing(now);
        match (known, &self.under_way) {
            (Some(key), _) if age < FRESH => Step::Serve(key),
            (Some(_), None) if may_start && !pausing => {
                // Where the last fetch froze, requests are far apart; after a short wait the next would freeze, too:
                // wait until it has ended.
                Step::Start((age <= OLD && !self.froze).then_some(STALE_WAIT))
            }
            (Some(key), _) => Step::Serve(key),
            (None, Some(fetch)) => Step::Wait(fetch.handle.clone()),
            (None, None) if may_start && !pausing => Step::Start(None),
            (None, None) => Step::Refuse(match self.last {
                Some((_, true)) if pausing => NoKey::Unknown,
                _ => NoKey::Unavailable, // the issuer may have a new key that we could not learn of
            }),
        }
    }

    /// A fetch starts. Returns its number, for [`Cache::end`].
    pub fn start(&mut self, handle: F, now: Now) -> u64 {
        self.fetches += 1;
        self.under_way = Some(Fetch { number: self.fetches, started: now, handle });
        self.fetches
    }

    /// A fetch has ended. It changes nothing if it was given up before, or froze with the sandbox. A failure of the
    /// init phase (`first`) starts no pause: no request has asked the issuer yet.
    pub fn end(&mut self, number: u64, outcome: Result<JwkSet, &'static str>, first: bool, now: Now) {
        let Some(fetch) = self.under_way.take_if(|fetch| fetch.number == number) else { return };
        self.froze = now.since(fetch.started) > FROZEN;
        if self.froze {
            return;
        }
        match outcome {
            Ok(keys) => {
                self.keys = keys;
                self.since = Some(now);
                self.last = Some((now, true));
            }
            Err(_) if first => {}
            Err(_) => self.last = Some((now, false)),
        }
    }

    /// How old the keys are. `None` if there are none.
    pub fn age(&self, now: Now) -> Option<Duration> {
        self.since.map(|since| now.since(since))
    }

    fn pausing(&self, now: Now) -> bool {
        self.last.is_some_and(|(at, good)| now.since(at) < if good { PAUSE_AFTER_GOOD } else { PAUSE_AFTER_FAILED })
    }
}
