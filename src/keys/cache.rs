//! A `kid`, a time and what happened before -> serve, fetch, wait or refuse. No I/O: only clocks are compared here.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::DecodingKey;

use super::set::JwkSet;
use crate::clock::Now;

/// So that a withdrawn key stops working. Auth0's own SDKs use the same. A share of up to a fifth, drawn at each fetch, is
/// taken off, so that sandboxes which started together do not fetch together again.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// An outage of the issuer is not ours; but no key lives for ever.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A request that finds keys older than this waits until the fetch has ended.
const OLD: Duration = Duration::from_secs(60 * 60);

/// An issuer that is slow must not make us slow.
const STALE_WAIT: Duration = Duration::from_millis(300);

/// In seconds, after fetches that failed one after the other; the last one repeats. Each is more or less by a fifth at random.
/// An outage must not cost every request a wait, nor last much longer than it does.
const PAUSES: [f64; 5] = [1.0, 2.0, 4.0, 8.0, 10.0];

/// An unknown `kid` may start a fetch once in this time: a flood of made-up ones does not reach the issuer.
const UNKNOWN_KID_PAUSE: Duration = Duration::from_secs(30);

/// How much of that time is saved up at most: two fetches, so that the first token of a new key works at once.
const SAVED_UP: Duration = Duration::from_secs(60);

/// The whole time of a fetch.
pub const FETCH_TIME: Duration = Duration::from_secs(8);

/// A fetch that is older than its own time froze with the sandbox. For a slow CPU, this is added.
const SLOW_CPU: Duration = Duration::from_millis(500);

/// Some clients give up at once where they are told to wait for long.
const MAX_RETRY_AFTER: u64 = 12;

/// Why there is no key for a `kid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The issuer has no usable key of this name, as far as anybody has asked.
    Unknown,
    /// The issuer cannot be asked, so that nobody knows. It may be asked again in so many seconds, 1 to 12.
    Unavailable(u64),
}

/// The keys, how old they are, and what became of the last fetch. `F` is a handle to the fetch that is under way.
pub struct Cache<F> {
    keys: JwkSet,
    /// When the keys were fetched, or pinned keys came with the process.
    since: Option<Now>,
    /// How long they are fresh from then on. Pinned keys never are: they are a start, until the first fetch.
    fresh_for: Duration,
    /// How the last fetch ended. `None`: nobody has asked the issuer yet.
    last: Option<Last>,
    /// How many fetches have failed since the last good one.
    failures: usize,
    under_way: Option<Fetch<F>>,
    /// Whether the last fetch froze with the sandbox, although a request had waited for it.
    froze: bool,
    fetches: u64,
    /// At which time, how much of the pause of unknown `kid`s was saved up.
    saved_up: (Now, Duration),
}

enum Last {
    /// The fetch of this number was good.
    Good(u64),
    /// It failed at this time, and none starts for so long.
    Failed(Now, Duration),
}

struct Fetch<F> {
    number: u64,
    started: Now,
    /// How long it takes at most.
    limit: Duration,
    handle: F,
}

/// Who asks for a key, and what may be done for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Asks for the first time.
    First,
    /// Has waited already, for the fetch of this number.
    Again(u64),
    /// Has no time left for a fetch.
    Late,
    /// Brings a token that could not be accepted whatever its key.
    Hopeless,
}

/// What to do about a `kid`.
pub enum Step<F> {
    /// Use this key.
    Serve(Arc<DecodingKey>),
    /// Use this key, and start a fetch that nobody waits for.
    ServeAndStart(Arc<DecodingKey>),
    /// Start a fetch, wait for it, at most so long where there is a stale key to go on with, then ask again.
    Start(Option<Duration>),
    /// The same with the fetch of this number, which is under way.
    Wait((F, u64), Option<Duration>),
    /// There is none.
    Refuse(NoKey),
}

impl<F: Clone> Cache<F> {
    /// Starts with the keys that were pinned at deployment, if any. Their age counts from now, but no fetch has ended.
    pub fn new(pinned: Option<JwkSet>, now: Now) -> Self {
        Self {
            since: pinned.is_some().then_some(now),
            keys: pinned.unwrap_or_default(),
            fresh_for: Duration::ZERO,
            last: None,
            failures: 0,
            under_way: None,
            froze: false,
            fetches: 0,
            saved_up: (now, SAVED_UP),
        }
    }

    /// What to do for a token that names `kid`.
    pub fn ask(&mut self, kid: &str, asker: Asker, now: Now) -> Step<F> {
        // The keys that a frozen fetch would still bring are of an unknown age.
        if let Some(fetch) = self.under_way.take_if(|fetch| fetch.is_frozen(now)) {
            self.froze |= fetch.was_waited_for();
        }

        let age = self.age(now).unwrap_or(Duration::MAX);
        let may_start = matches!(asker, Asker::First | Asker::Again(_)) && !self.pausing(now);
        // Pinned keys that nobody has compared with the issuer's yet.
        let unchecked = self.last.is_none();
        // Whether the fetch that this request has waited for, or a later one, has shown what keys the issuer has.
        let seen = matches!((&self.last, asker), (Some(Last::Good(good)), Asker::Again(waited)) if *good >= waited);
        let known = self.keys.get(kid).filter(|_| age <= STALE);
        let under_way = self.under_way.as_ref().map(|fetch| (fetch.handle.clone(), fetch.number));
        match (known, under_way) {
            (Some(key), _) if age < self.fresh_for => Step::Serve(key),
            (Some(key), None) if may_start && unchecked && self.fetches == 0 => Step::ServeAndStart(key),
            // Where the last fetch froze, requests are far apart; after a short wait the next would freeze, too: wait until
            // it has ended.
            (Some(_), None) if may_start => {
                Step::Start(Some(if age <= OLD && !self.froze { STALE_WAIT } else { FETCH_TIME }))
            }
            (Some(_), Some(fetch)) if unchecked && asker == Asker::First => Step::Wait(fetch, Some(STALE_WAIT)),
            (Some(key), _) => Step::Serve(key),
            (None, Some(fetch)) if !seen => Step::Wait(fetch, None),
            (None, None) if may_start && (age >= self.fresh_for || !seen && self.may_look_for_another(now)) => {
                Step::Start(None)
            }
            (None, _) => Step::Refuse(match self.last {
                Some(Last::Good(_)) | None if asker != Asker::Late => NoKey::Unknown,
                _ => NoKey::Unavailable(self.retry_after(now)),
            }),
        }
    }

    /// A fetch of at most `limit` starts. Returns its number, for [`Cache::end`].
    pub fn start(&mut self, handle: F, limit: Duration, now: Now) -> u64 {
        self.fetches += 1;
        self.under_way = Some(Fetch { number: self.fetches, started: now, limit, handle });
        self.fetches
    }

    /// A fetch has ended. It changes nothing if it was given up before, or froze with the sandbox. A failure of the
    /// init phase (`first`) starts no pause: no request has asked the issuer yet. `draw` is a number from 0 to 1.
    pub fn end<E>(&mut self, number: u64, outcome: Result<JwkSet, E>, first: bool, draw: f64, now: Now) {
        let Some(fetch) = self.under_way.take_if(|fetch| fetch.number == number) else { return };
        if fetch.is_frozen(now) {
            self.froze |= fetch.was_waited_for();
            return;
        }
        self.froze = false;
        match outcome {
            Ok(keys) => {
                self.keys = keys;
                self.since = Some(now);
                self.fresh_for = FRESH.mul_f64(1.0 - draw / 5.0);
                self.last = Some(Last::Good(number));
                self.failures = 0;
            }
            Err(_) if first => {}
            Err(_) => {
                self.last = Some(Last::Failed(now, self.next_pause(draw)));
                self.failures = self.failures.saturating_add(1);
            }
        }
    }

    /// How old the keys are. `None` if there are none.
    pub fn age(&self, now: Now) -> Option<Duration> {
        self.since.map(|since| now.since(since))
    }

    /// In how many seconds a fetch may start: when the pause is over, or when the fetch that is under way and the longest
    /// pause that may follow are.
    pub fn retry_after(&self, now: Now) -> u64 {
        let left = match (&self.under_way, &self.last) {
            (Some(fetch), _) => fetch.limit.saturating_sub(now.since(fetch.started)) + self.next_pause(1.0),
            (None, Some(Last::Failed(at, pause))) => pause.saturating_sub(now.since(*at)),
            _ => Duration::ZERO,
        };
        (left.as_secs() + u64::from(left.subsec_nanos() > 0)).clamp(1, MAX_RETRY_AFTER)
    }

    /// Whether fresh keys without the `kid` are reason for a fetch.
    fn may_look_for_another(&mut self, now: Now) -> bool {
        match self.last {
            Some(Last::Good(_)) => {
                let (then, saved) = self.saved_up;
                let saved = SAVED_UP.min(saved.saturating_add(now.since(then)));
                let Some(left) = saved.checked_sub(UNKNOWN_KID_PAUSE) else { return false };
                self.saved_up = (now, left);
                true
            }
            // The pauses of failed fetches hold instead.
            _ => true,
        }
    }

    fn pausing(&self, now: Now) -> bool {
        matches!(self.last, Some(Last::Failed(at, pause)) if now.since(at) < pause)
    }

    /// How long none would start after a fetch that fails now.
    fn next_pause(&self, draw: f64) -> Duration {
        let seconds = PAUSES.get(self.failures).or(PAUSES.last()).copied().unwrap_or_default();
        Duration::from_secs_f64(seconds * (0.8 + 0.4 * draw))
    }
}

impl<F> Fetch<F> {
    fn is_frozen(&self, now: Now) -> bool {
        now.since(self.started) > self.limit + SLOW_CPU
    }

    /// The first fetch behind pinned keys is not: that it froze says nothing of how slow the issuer is.
    fn was_waited_for(&self) -> bool {
        self.number > 1
    }
}
