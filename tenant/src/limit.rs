//! Turns the time of a request into whether a limit grants it.

use std::time::Instant;

/// A bucket of grants that fills up with time. It starts full.
pub(crate) struct Limit {
    burst: f64,
    per_second: f64,
    left: f64,
    since: Instant,
}

impl Limit {
    /// Grants `burst` requests at once, and `per_second` more in each second that passes.
    pub(crate) fn new(burst: u32, per_second: u32, now: Instant) -> Limit {
        Limit { burst: burst.into(), per_second: per_second.into(), left: burst.into(), since: now }
    }

    /// Whether one more request is granted. One that is refused takes nothing.
    pub(crate) fn grants(&mut self, now: Instant) -> bool {
        let filled = now.duration_since(self.since).as_secs_f64() * self.per_second;
        self.left = self.burst.min(self.left + filled);
        self.since = now;
        let granted = self.left >= 1.0;
        if granted {
            self.left -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_at_once_and_so_many_a_second() {
        let start = Instant::now();
        let mut limit = Limit::new(3, 2, start);
        for (milliseconds, asked, granted) in [
            (0, 5, 3),
            (250, 2, 0),
            (500, 2, 1),    // what was refused has cost nothing
            (1_500, 3, 2),  // two for a second
            (60_000, 5, 3), // no more than the burst is saved up
        ] {
            let now = start + Duration::from_millis(milliseconds);
            assert_eq!((0..asked).filter(|_| limit.grants(now)).count(), granted, "after {milliseconds} ms");
        }
    }
}
