//! The machine's two clocks -> [`Now`]. A clock is handed in, so that no test has to wait.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Time since some fixed moment, by the clock that never goes back.
    pub monotonic: Duration,
    /// Time since 1970 (UTC), by the clock that may be set.
    pub wall: Duration,
}

impl Now {
    /// How long it is until an invocation's deadline, in milliseconds since 1970. `None` where that is past or absent:
    /// `cargo lambda watch` sends one in 1970.
    pub fn until(self, deadline: u64) -> Option<Duration> {
        Duration::from_millis(deadline).checked_sub(self.wall).filter(|left| !left.is_zero())
    }

    /// How long ago `then` was: the larger of what both clocks say, since one of them may stand still while a sandbox
    /// is frozen, and the other may be set back.
    pub fn since(self, then: Self) -> Duration {
        self.monotonic.saturating_sub(then.monotonic).max(self.wall.saturating_sub(then.wall))
    }
}

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Now + Send + Sync>);

impl Clock {
    /// The machine's own clocks. A wall clock before 1970 counts as 1970.
    pub fn system() -> Self {
        let start = Instant::now();
        Self::new(move || Now {
            monotonic: start.elapsed(),
            wall: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        })
    }

    /// Any other: for tests.
    pub fn new(read: impl Fn() -> Now + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Reads the clocks.
    pub fn now(&self) -> Now {
        (self.0)()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_the_larger_of_both_clocks() {
        let at = |monotonic, wall| Now { monotonic: Duration::from_secs(monotonic), wall: Duration::from_secs(wall) };
        let then = at(100, 1_000);
        for (now, age) in [
            (at(110, 1_010), 10),
            (at(100, 1_900), 900), // the monotonic clock stood still
            (at(110, 500), 10),    // the wall clock was set back
            (at(100, 0), 0),
        ] {
            assert_eq!(now.since(then), Duration::from_secs(age), "{now:?}");
        }
    }
}
