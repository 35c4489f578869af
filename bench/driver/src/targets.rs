//! Figures -> the targets, each with what was measured.

use crate::line_up::{BARE, FLASK, JWT_VERIFY, OURS, PINNED};
use crate::measure::Figures;

/// A ratio or a size that must not be above its limit (or below, where more is better).
pub struct Target {
    pub what: String,
    pub measured: f64,
    pub limit: f64,
    /// Whether more is better.
    pub at_least: bool,
}

impl Target {
    pub fn met(&self) -> bool {
        if self.at_least { self.measured >= self.limit } else { self.measured <= self.limit }
    }
}

pub fn all(figures: &Figures) -> Vec<Target> {
    let cold = |name: &str| figures.cold[name].best();
    let warm = |name: &str| figures.warm[name].median.best();
    let cpu = |name: &str| figures.warm[name].cpu.best();
    let throughput = &figures.throughput[OURS];
    let (early, late) = figures.memory[OURS];
    #[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    let (first, last, zip) = (early as f64, late.unwrap_or(early) as f64, figures.zips[OURS] as f64);

    let at_most = |what: &str, measured, limit| Target { what: what.to_owned(), measured, limit, at_least: false };
    let mut targets = vec![
        at_most("cold start / aws-jwt-verify", cold(OURS) / cold(JWT_VERIFY), 1.0 / 25.0),
        at_most("cold start / Flask quickstart", cold(OURS) / cold(FLASK), 1.0 / 40.0),
        at_most("cold start / (bare + curl)", cold(OURS) / (cold(BARE) + figures.curl.best()), 1.5),
        at_most("cold start with PINNED_JWKS / bare", cold(PINNED) / cold(BARE), 1.4),
        at_most("warm: (authorised - bare) / RS256", (warm(OURS) - warm(BARE)) / figures.floor.best(), 2.2),
        at_most("CPU of an authorised request / aws-jwt-verify", cpu(OURS) / cpu(JWT_VERIFY), 0.28),
    ];
    for (name, refused) in &figures.refused {
        targets.push(at_most(&format!("refusal / authorised: {name}"), refused.median.best() / warm(OURS), 1.05));
    }
    targets.extend([
        Target {
            what: "throughput: 8 workers / 1".to_owned(),
            measured: throughput[1].most() / throughput[0].most(),
            limit: 1.7,
            at_least: true,
        },
        at_most("peak memory after 10,000 requests, MiB", last / 1024.0, 10.0),
        at_most("peak memory after 10,000 / after 1,000", last / first, 1.01),
        at_most("zipped bootstrap, MB", zip / 1e6, 2.5),
    ]);
    targets
}
