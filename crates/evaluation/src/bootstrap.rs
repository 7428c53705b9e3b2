//! Percentile bootstrap over queries (Efron and Tibshirani 1993, chapter 13): how far a mean might
//! move had other queries of the same kind been drawn.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::quantile::quantile;

/// Resamples an interval rests on.
pub const RESAMPLES: usize = 10_000;

/// Fixed, so that the same values give the same interval on every machine and in every run.
const SEED: u64 = 20_261_122;

/// Resamples that one thread draws at a time, each part from a stream of its own, so that the number
/// of threads changes nothing.
const PART: usize = 500;

/// A mean with its 95% interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The mean of the values themselves.
    pub mean: f64,
    /// The 2.5th percentile of the resampled means.
    pub low: f64,
    /// The 97.5th percentile of the resampled means.
    pub high: f64,
}

/// The mean of one value a query, with its interval. One value gives an interval of no width, none
/// gives zeros.
pub fn bootstrap_mean(values: &[f64]) -> Interval {
    let mean = mean(values);
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    if count < 2 {
        return Interval { mean, low: mean, high: mean };
    }
    let part = |part: usize| -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        random.set_stream(part as u64);
        let mean = |_| resampled_sum(values, count, &mut random) / f64::from(count);
        (0..PART).map(mean).collect()
    };
    let parts = RESAMPLES.div_ceil(PART);
    let mut means: Vec<f64> = (0..parts).into_par_iter().flat_map_iter(part).collect();
    means.sort_unstable_by(f64::total_cmp);
    Interval { mean, low: quantile(&means, 0.025), high: quantile(&means, 0.975) }
}

/// The sum of as many values as there are, drawn with replacement. Each word of 64 bits gives two
/// indices, as the upper half of a product: one is at most `count / 2^32` likelier than another.
fn resampled_sum(values: &[f64], count: u32, random: &mut ChaCha8Rng) -> f64 {
    let value = |half: u32| values[((u64::from(half) * u64::from(count)) >> 32) as usize];
    let mut sum = 0.0;
    for _ in 0..count / 2 {
        let word = random.next_u64();
        sum += value(word as u32) + value((word >> 32) as u32);
    }
    match count % 2 {
        0 => sum,
        _ => sum + value(random.next_u64() as u32),
    }
}

/// The mean difference `ours - theirs` of two systems on the same queries, with its interval:
/// queries are drawn in pairs, so that what makes a query hard for both cancels out. Where one is
/// longer, its rest is left out.
pub fn bootstrap_difference(ours: &[f64], theirs: &[f64]) -> Interval {
    bootstrap_mean(&differences(ours, theirs))
}

/// `ours - theirs`, query by query.
pub fn differences(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours - theirs).collect()
}

/// The mean; 0 without any value.
pub fn mean(values: &[f64]) -> f64 {
    match values.len() {
        0 => 0.0,
        count => values.iter().sum::<f64>() / count as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_the_normal_interval_on_many_values() {
        // Bernoulli(0.3), 400 values: standard error sqrt(0.3 * 0.7 / 400) = 0.0229.
        let values: Vec<f64> = (0..400).map(|i| f64::from(u8::from(i % 10 < 3))).collect();
        let interval = bootstrap_mean(&values);
        assert!((interval.mean - 0.3).abs() < 1e-12);
        assert!((interval.low - (0.3 - 1.96 * 0.0229)).abs() < 0.004, "{interval:?}");
        assert!((interval.high - (0.3 + 1.96 * 0.0229)).abs() < 0.004, "{interval:?}");
    }

    #[test]
    fn the_same_every_time() {
        let values = [0.1, 0.9, 0.4, 0.4, 1.0];
        assert_eq!(bootstrap_mean(&values), bootstrap_mean(&values));
    }

    #[test]
    fn pairing_cancels_what_both_share() {
        let theirs: Vec<f64> = (0..50).map(|i| f64::from(i) / 50.0).collect();
        let ours: Vec<f64> = theirs.iter().map(|value| value + 0.01).collect();
        let interval = bootstrap_difference(&ours, &theirs);
        assert!((interval.low - 0.01).abs() < 1e-9 && (interval.high - 0.01).abs() < 1e-9);
    }

    #[test]
    fn one_query_or_none_has_no_nan() {
        assert_eq!(bootstrap_mean(&[0.5]), Interval { mean: 0.5, low: 0.5, high: 0.5 });
        assert_eq!(bootstrap_mean(&[]), Interval { mean: 0.0, low: 0.0, high: 0.0 });
    }
}
