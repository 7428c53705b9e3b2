//! Percentiles with bounds that assume nothing of the distribution: the number of samples below a
//! quantile is binomial, so that order statistics bound it (David and Nagaraja 2003, section 7.1).
//! Samples that hang together count as fewer: their number is divided by the design effect that time
//! blocks show (Kish 1965; for quantiles Woodruff 1952).

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF};

use crate::quantile::quantile;

/// How sure each bound is by itself; both together are an interval of 90%.
pub const CONFIDENCE: f64 = 0.95;
/// Blocks of consecutive samples that show whether samples hang together.
const BLOCKS: usize = 20;
/// Samples that must be expected above a quantile for blocks to say something of it.
const EXPECTED_ABOVE: f64 = 20.0;
/// Below this chance that independent samples scatter as much, they hang together.
const CHANCE: f64 = 0.05;
/// Chances that differ by rounding alone are equal.
const ROUNDING: f64 = 1e-12;

/// A quantile of measured values with its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentile {
    /// Which: 0.95 for p95.
    pub share: f64,
    /// The quantile of the samples, in their unit (type 7, as everywhere here).
    pub value: f64,
    /// What the true quantile is above with [`CONFIDENCE`]; `None` with too few samples.
    pub low: Option<f64>,
    /// What the true quantile is below with [`CONFIDENCE`]; `None` with too few samples.
    pub high: Option<f64>,
    /// How many samples in a row say as much as one that is independent; 1 where they scatter over
    /// time blocks as independent ones do.
    pub design_effect: f64,
}

/// A quantile of values in the order of time. `None` without any.
pub fn percentile(in_time: &[f64], share: f64) -> Option<Percentile> {
    percentiles(in_time, &[share]).pop()
}

/// Several quantiles of values in the order of time; none without any value.
pub fn percentiles(in_time: &[f64], shares: &[f64]) -> Vec<Percentile> {
    let count = in_time.len();
    if count == 0 {
        return Vec::new();
    }
    let mut ascending = in_time.to_vec();
    ascending.sort_unstable_by(f64::total_cmp);
    let of = |&share: &f64| {
        let design_effect = design_effect(in_time, &ascending, share);
        let effective = ((count as f64 / design_effect) as usize).clamp(1, count);
        // A rank among the effective samples stands at the same share of all.
        let scale = count as f64 / effective as f64;
        let low =
            rank_below(effective, share, CONFIDENCE).map(|rank| (rank as f64 * scale) as usize);
        let high = rank_above(effective, share, CONFIDENCE)
            .map(|rank| ((rank as f64 * scale).ceil() as usize).min(count));
        Percentile {
            share,
            value: quantile(&ascending, share),
            low: low.map(|rank| ascending[rank.max(1) - 1]),
            high: high.map(|rank| ascending[rank.max(1) - 1]),
            design_effect,
        }
    };
    shares.iter().map(of).collect()
}

/// The fewest independent samples with an upper bound on a quantile: the largest of `n` is above it
/// with chance `1 - share^n`.
///
/// ```
/// assert_eq!(secondpass_evaluation::bench::samples_needed(0.99), 299);
/// ```
pub fn samples_needed(share: f64) -> usize {
    fewest(share, CONFIDENCE)
}

fn fewest(share: f64, confidence: f64) -> usize {
    let count = (1.0 - confidence).ln() / share.ln();
    // Rounded first, so that a whole number stays itself.
    (count - 1e-9).ceil().max(1.0) as usize
}

/// The largest rank (from 1) whose order statistic is below the quantile with this confidence.
fn rank_below(count: usize, share: f64, confidence: f64) -> Option<usize> {
    // The k-th smallest is above the quantile when fewer than k samples are below it.
    first_rank(count, share, 1.0 - confidence + 2.0 * ROUNDING)
        .unwrap_or(count + 1)
        .checked_sub(1)
        .filter(|&rank| rank > 0)
}

/// The smallest rank (from 1) whose order statistic is above the quantile with this confidence.
fn rank_above(count: usize, share: f64, confidence: f64) -> Option<usize> {
    first_rank(count, share, confidence)
}

/// The first rank `k` for which fewer than `k` of the samples are below the quantile with at least
/// this chance.
fn first_rank(count: usize, share: f64, chance: f64) -> Option<usize> {
    let binomial = Binomial::new(share, count as u64).ok()?;
    let reaches = |rank: usize| binomial.cdf(rank as u64 - 1) >= chance - ROUNDING;
    let (mut low, mut high) = (1, count + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match reaches(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    (low <= count).then_some(low)
}

/// By how much the share of samples above a quantile scatters more from block to block than that of
/// independent samples would; 1 where it does not, or could by chance.
fn design_effect(in_time: &[f64], ascending: &[f64], share: f64) -> f64 {
    let count = in_time.len();
    let length = count / BLOCKS;
    // The highest quantile that enough samples are above.
    let share = share.min(1.0 - EXPECTED_ABOVE / count as f64);
    if length < 2 || share <= 0.0 {
        return 1.0;
    }
    let limit = quantile(ascending, share);
    let above = |value: &f64| *value > limit;
    let used = &in_time[..length * BLOCKS];
    let mean = used.iter().filter(|value| above(value)).count() as f64 / used.len() as f64;
    let independent = mean * (1.0 - mean) / length as f64;
    if independent <= 0.0 {
        return 1.0;
    }
    let squares = used.chunks_exact(length).map(|block| {
        let share = block.iter().filter(|value| above(value)).count() as f64 / length as f64;
        (share - mean).powi(2)
    });
    let freedom = (BLOCKS - 1) as f64;
    let ratio = squares.sum::<f64>() / freedom / independent;
    let chance = ChiSquared::new(freedom).map_or(1.0, |spread| spread.sf(ratio * freedom));
    if chance < CHANCE { ratio.max(1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::bench::testing::golden;

    #[test]
    fn ranks_are_scipys() {
        let golden = golden();
        assert!(golden.ranks.len() > 300);
        for &(count, share, confidence, low, high) in &golden.ranks {
            let found =
                (rank_below(count, share, confidence), rank_above(count, share, confidence));
            assert_eq!(found, (low, high), "{count} samples, {share}, {confidence}");
        }
        for &(share, confidence, count) in &golden.needed {
            assert_eq!(fewest(share, confidence), count, "{share}, {confidence}");
            assert_eq!(rank_above(count, share, confidence), Some(count));
            assert_eq!(rank_above(count - 1, share, confidence), None);
        }
    }

    #[test]
    fn no_bound_with_too_few_samples() {
        // Nothing repeats, and blocks hold equal shares of large values.
        let values = |count: usize| -> Vec<f64> {
            (0..count).map(|place| ((place * 7919) % 10_007) as f64).collect()
        };
        assert_eq!(percentile(&[], 0.5), None);
        assert_eq!(percentile(&values(298), 0.99).unwrap().high, None);
        let enough = percentile(&values(299), 0.99).unwrap();
        assert_eq!(enough.high, values(299).into_iter().reduce(f64::max));
        assert!(enough.low.is_some_and(|low| low < enough.value));
        let one = percentile(&[3.0], 0.5).unwrap();
        assert_eq!((one.value, one.low, one.high), (3.0, None, None));
    }

    #[test]
    fn equal_values_are_their_own_bounds() {
        let percentile = percentile(&[2.0; 400], 0.95).unwrap();
        assert_eq!(
            (percentile.low, percentile.high, percentile.design_effect),
            (Some(2.0), Some(2.0), 1.0)
        );
    }

    /// How often bounds hold on queues, and how often the plain ones would: shares of runs whose true
    /// quantile is above `low`, below `high`, below the high that takes samples for independent.
    fn coverage(load: f64, count: usize, runs: usize, share: f64) -> [f64; 3] {
        let mut held = [0.0; 3];
        for run in 0..runs {
            let mut random = ChaCha8Rng::seed_from_u64(run as u64);
            let mut exponential = |rate: f64| -(1.0 - random.random::<f64>()).ln() / rate;
            // M/M/1 by Lindley's recursion, from its stationary state: a wait with chance `load`.
            let stays = |wait: f64, service: f64| wait + service;
            let waits = exponential(1.0) < -(1.0 - load).ln();
            let mut wait = if waits { exponential(1.0 - load) } else { 0.0 };
            let values: Vec<f64> = (0..count)
                .map(|_| {
                    let stay = stays(wait, exponential(1.0));
                    wait = (stay - exponential(load)).max(0.0);
                    stay
                })
                .collect();
            let truth = -(1.0 - share).ln() / (1.0 - load);
            let found = percentile(&values, share).unwrap();
            let mut ascending = values;
            ascending.sort_unstable_by(f64::total_cmp);
            let plain = rank_above(count, share, CONFIDENCE).map(|rank| ascending[rank - 1]);
            held[0] += f64::from(u8::from(found.low.is_none_or(|low| low <= truth)));
            held[1] += f64::from(u8::from(found.high.is_none_or(|high| high >= truth)));
            held[2] += f64::from(u8::from(plain.is_none_or(|high| high >= truth)));
        }
        held.map(|held| held / runs as f64)
    }

    #[test]
    fn bounds_hold_as_often_as_they_say() {
        // Almost independent: an empty system. Standard error 0.7%.
        for share in [0.5, 0.95] {
            let [low, high, _] = coverage(0.001, 600, 1000, share);
            assert!(low > 0.93 && high > 0.93, "{share}: {low} {high}");
        }
        // Samples that hang together over dozens of queries: taken for independent, they promise far
        // too much.
        for share in [0.5, 0.95] {
            let [low, high, plain] = coverage(0.7, 3000, 200, share);
            assert!(plain < 0.85, "{share}: {plain}");
            assert!(low > 0.9 && high > 0.9, "{share}: {low} {high}");
        }
    }
}
