//! What the rounds gave -> the median of them, and the best beside it.

use std::ops::{Add, Div};
use std::time::Duration;

/// One value a round; of throughput four, of memory one a process.
#[derive(Clone, Default)]
pub struct Samples(pub Vec<f64>);

/// Two views of the same samples. Figures are compared median with median, and best with best.
#[derive(Clone, Copy)]
pub struct Figure {
    pub median: f64,
    /// What is left when the machine was not busy with something else.
    pub best: f64,
}

impl Samples {
    /// In microseconds.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e6);
    }

    /// Of times and sizes, the least is the best.
    pub fn least_is_best(&self) -> Figure {
        Figure { median: self.median(), best: self.0.iter().copied().fold(f64::INFINITY, f64::min) }
    }

    /// Of rates, the most is the best.
    pub fn most_is_best(&self) -> Figure {
        Figure { median: self.median(), best: self.0.iter().copied().fold(0.0, f64::max) }
    }

    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        match (sorted.get(sorted.len().wrapping_sub(1) / 2), sorted.get(sorted.len() / 2)) {
            (Some(below), Some(above)) => f64::midpoint(*below, *above),
            _ => f64::NAN,
        }
    }
}

impl Figure {
    /// Of what is the same each time.
    pub fn exactly(value: f64) -> Self {
        Self { median: value, best: value }
    }
}

impl Add for Figure {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { median: self.median + other.median, best: self.best + other.best }
    }
}

impl Div for Figure {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        Self { median: self.median / other.median, best: self.best / other.best }
    }
}
