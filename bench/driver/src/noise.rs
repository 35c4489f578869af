//! Two series of the same candidate -> how far apart chance alone puts their medians.

use fastrand::Rng;

use crate::samples::Samples;

/// The ratio of the two medians that chance exceeds once in twenty.
///
/// A draw is as many rounds as there were, any of them several times. Each round has measured both in an order drawn by
/// lot, so nothing but a lot has said which of the two is the first: the draw says so anew.
pub fn of_ratio(first: &Samples, again: &Samples) -> f64 {
    let rounds: Vec<_> = first.0.iter().copied().zip(again.0.iter().copied()).collect();
    let mut rng = Rng::with_seed(0); // the same figures give the same noise
    let mut ratios: Vec<_> = (0..DRAWS).map(|_| ratio_of_a_draw(&rounds, &mut rng)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios[DRAWS * 19 / 20]
}

fn ratio_of_a_draw(rounds: &[(f64, f64)], rng: &mut Rng) -> f64 {
    let drawn = rounds.iter().filter_map(|_| {
        let (one, other) = *rng.choice(rounds)?;
        Some(if rng.bool() { (one, other) } else { (other, one) })
    });
    let (above, below): (Vec<f64>, Vec<f64>) = drawn.unzip();
    Samples(above).median() / Samples(below).median()
}

const DRAWS: usize = 10_000;
