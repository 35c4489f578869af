//! Figures -> the targets, each with what was measured.

use crate::line_up::{
    AUTHORIZER, BARE_HTTP, BARE_RUNTIME, FIRST, FIRST_AGAIN, FLASK, HYDRATED, JWT_VERIFY, OURS, PINNED, POWERTOOLS,
    POWERTOOLS_HYDRATED,
};
use crate::measure::Figures;
use crate::noise;
use crate::samples::{Figure, Samples};

/// A ratio or a size that must not be above its limit (or below, where more is better).
pub struct Target {
    pub what: String,
    pub measured: Figure,
    pub limit: f64,
    /// Whether more is better.
    pub at_least: bool,
}

impl Target {
    /// By the medians.
    pub fn met(&self) -> bool {
        if self.at_least { self.measured.median >= self.limit } else { self.measured.median <= self.limit }
    }
}

/// Those for which all was measured.
pub fn all(figures: &Figures) -> Vec<Target> {
    let cold = |name: &str| figures.cold.get(name).map(Samples::least_is_best);
    let far = |name: &str| figures.far.get(name).map(Samples::least_is_best);
    let warm = |name: &str| figures.warm.get(name).map(|warm| warm.latency.least_is_best());
    let cpu = |name: &str| figures.warm.get(name).map(|warm| warm.cpu.least_is_best());
    let early = |name: &str| figures.memory.get(name).map(|memory| memory.early.least_is_best());
    let late = |name: &str| figures.memory.get(name)?.late.as_ref().map(Samples::least_is_best);
    #[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    let zip = |name: &str| figures.zips.get(name).map(|bytes| Figure::exactly(*bytes as f64));
    let workers = |index: usize| figures.throughput.get(OURS).map(|workers| workers[index].most_is_best());
    let bare_and_curl = cold(BARE_HTTP).map(|bare| bare + figures.curl.least_is_best());

    let mut targets = vec![
        at_most("cold start / first edition", ratio(cold(OURS), cold(FIRST)), cold_start_noise(figures)),
        at_most("cold start / aws-jwt-verify", ratio(cold(OURS), cold(JWT_VERIFY)), 1.0 / 25.0),
        at_most("cold start / Flask quickstart", ratio(cold(OURS), cold(FLASK)), 1.0 / 40.0),
        at_most("cold start / (bare lambda_http + curl)", ratio(cold(OURS), bare_and_curl), 1.5),
        at_most("cold start with PINNED_JWKS / bare lambda_http", ratio(cold(PINNED), cold(BARE_HTTP)), 1.4),
        at_most("cold start with PINNED_JWKS / bare lambda_runtime", ratio(cold(PINNED), cold(BARE_RUNTIME)), 1.7),
        at_most("far cold start with PINNED_JWKS / first edition without", ratio(far(PINNED), far(FIRST)), 1.0 / 100.0),
        at_most("far cold start with PINNED_JWKS / aws-jwt-verify", ratio(far(PINNED), far(HYDRATED)), 1.0 / 120.0),
        at_most("far cold start with PINNED_JWKS / bare lambda_http", ratio(far(PINNED), far(BARE_HTTP)), 1.25),
        at_most("far cold start / first edition", ratio(far(OURS), far(FIRST)), 1.05),
        at_most("authorised request / first edition", ratio(warm(OURS), warm(FIRST)), 1.45),
        at_most("CPU of an authorised request / aws-jwt-verify", ratio(cpu(OURS), cpu(JWT_VERIFY)), 0.4),
    ];
    for (name, refused) in &figures.refused {
        let refused = Some(refused.latency.least_is_best());
        targets.push(at_most(&format!("refusal / authorised: {name}"), ratio(refused, warm(OURS)), 1.05));
    }
    targets.extend([
        ratio(workers(1), workers(0)).map(|measured| Target {
            what: "throughput: 8 workers / 1".to_owned(),
            measured,
            limit: 1.7,
            at_least: true,
        }),
        at_most("peak memory / first edition", ratio(late(OURS), late(FIRST)), 0.95),
        at_most("peak memory after 10,000 / after 1,000", ratio(late(OURS), early(OURS)), 1.01),
        at_most("peak memory after 10,000 requests, MiB", ratio(late(OURS), Some(Figure::exactly(1024.0))), 10.0),
        at_most("zip / first edition", ratio(zip(OURS), zip(FIRST)), 0.93),
        at_most("zip, MB", ratio(zip(OURS), Some(Figure::exactly(1e6))), 2.5),
        at_most("authorizer: cold start / Powertools", ratio(cold(AUTHORIZER), cold(POWERTOOLS)), 1.0 / 30.0),
        at_most(
            "authorizer: cold start / Powertools, keys and imports in init",
            ratio(cold(AUTHORIZER), cold(POWERTOOLS_HYDRATED)),
            1.0 / 30.0,
        ),
        at_most("authorizer: CPU of an Allow / Powertools", ratio(cpu(AUTHORIZER), cpu(POWERTOOLS)), 0.1),
        at_most("authorizer: peak memory / Powertools", ratio(late(AUTHORIZER), late(POWERTOOLS)), 0.2),
    ]);
    targets.into_iter().flatten().collect()
}

/// No slower than the first edition, as far as that can be told from the first edition itself.
pub fn cold_start_noise(figures: &Figures) -> f64 {
    match (figures.cold.get(FIRST), figures.cold.get(FIRST_AGAIN)) {
        (Some(first), Some(again)) => noise::of_ratio(first, again),
        _ => 1.0,
    }
}

fn at_most(what: &str, measured: Option<Figure>, limit: f64) -> Option<Target> {
    measured.map(|measured| Target { what: what.to_owned(), measured, limit, at_least: false })
}

fn ratio(one: Option<Figure>, other: Option<Figure>) -> Option<Figure> {
    Some(one? / other?)
}
