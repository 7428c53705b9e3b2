use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use secondpass_core::QueryId;
use serde::Serialize;

use crate::quantile::quantile;
use crate::record::QueryRow;
use crate::statistics::{Middle, signed_rank_interval};

/// The percentiles that are held against each other.
pub(super) const SHARES: [f64; 2] = [0.5, 0.95];
/// Resamples that an interval over queries rests on.
const RESAMPLES: usize = 5000;
/// The chance that the truth lies below an interval of stored times, and that it lies above: 99.8%
/// intervals. A gate is asked on every change; at the usual 2.5%, noise alone would shut it once in a
/// hundred times.
const BEYOND: f64 = 0.001;
/// The same for two builds side by side: 99.5% intervals. Noise would have to reach the tolerance, too.
const BEYOND_ROUNDS: f64 = 0.0025;
/// Fixed, so that the same times give the same interval everywhere.
const SEED: u64 = 20_261_126;

/// The times of the same queries by both builds, in the same order, in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Round {
    /// By the baseline.
    pub baseline: Vec<f64>,
    /// By the current build.
    pub current: Vec<f64>,
}

/// How much slower, as a factor, with its interval: 1.15 is 15% slower.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// Now over before.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// One percentile of a query's time, before and now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LatencyComparison {
    /// What was timed, where it is not the whole experiment: a cell of a bench.
    pub cell: Option<String>,
    /// Which: 0.95 for p95.
    pub share: f64,
    /// Before, in seconds.
    pub baseline: f64,
    /// Now, in seconds.
    pub current: f64,
    /// Now over before.
    pub ratio: Ratio,
    /// The growth that is let through, as a share.
    pub tolerance: f64,
    /// Times on each side.
    pub samples: usize,
    /// How the two came about.
    pub basis: LatencyBasis,
    /// In a word.
    pub verdict: LatencyVerdict,
}

/// How two latencies came about, and so what they can decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "basis")]
pub enum LatencyBasis {
    /// Side by side, so that whatever the machine did met both: decides.
    Interleaved {
        /// Rounds.
        rounds: usize,
    },
    /// One after the other on a machine declared pinned, in equal environments: decides.
    Pinned,
    /// One after the other: warns at most.
    Stored {
        /// Why.
        because: String,
    },
}

/// What became of a percentile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyVerdict {
    /// The whole interval is beyond the tolerance.
    Slower,
    /// The whole interval is within it.
    NotSlower,
    /// Neither.
    Inconclusive,
}

impl LatencyBasis {
    /// Whether a slower percentile shuts the gate.
    pub fn decides(&self) -> bool {
        !matches!(self, Self::Stored { .. })
    }
}

/// Holds both builds' times against each other, with an interval over rounds. Nothing where no query
/// was timed on both sides, or a round's times are not above 0.
///
/// Each round gives one ratio, so that what the machine did to both builds cancels out: of p50 the
/// median query's own ratio, of p95 the ratio of both percentiles over the queries. Since either build
/// goes first in turn, noise pushes a round's ratio up as often as down, and the signed-rank interval
/// of the rounds' logarithms holds whatever the noise is. With too few rounds for one nothing is
/// decided, and the interval is all that the rounds gave.
pub fn interleaved(rounds: &[Round], tolerance: f64) -> Vec<LatencyComparison> {
    if rounds.is_empty() || !rounds.iter().all(|round| round.is_timed_as(&rounds[0])) {
        return Vec::new();
    }
    let compare = |&share: &f64| {
        let mut ratios: Vec<f64> = rounds.iter().map(|round| round.ratio(share).ln()).collect();
        let middle = signed_rank_interval(&ratios, BEYOND_ROUNDS);
        let decided = middle.is_some();
        let middle = middle.unwrap_or_else(|| {
            ratios.sort_unstable_by(f64::total_cmp);
            let (low, high) = (ratios[0], ratios[ratios.len() - 1]);
            Middle { value: quantile(&ratios, 0.5), low, high }
        });
        let [value, low, high] = [middle.value, middle.low, middle.high].map(f64::exp);
        let ratio = Ratio { value, low, high };
        let median = |of: fn(&Round) -> &Vec<f64>| {
            percentile(rounds.iter().map(|round| percentile(of(round).iter().copied(), share)), 0.5)
        };
        LatencyComparison {
            cell: None,
            share,
            baseline: median(|round| &round.baseline),
            current: median(|round| &round.current),
            ratio,
            tolerance,
            samples: rounds[0].baseline.len() * rounds.len(),
            basis: LatencyBasis::Interleaved { rounds: rounds.len() },
            verdict: match decided {
                true => verdict(&ratio, tolerance),
                false => LatencyVerdict::Inconclusive,
            },
        }
    };
    SHARES.iter().map(compare).collect()
}

/// Holds two records' percentiles against each other, with an interval over queries.
pub(super) fn over_queries(
    times: &Round,
    tolerance: f64,
    basis: &LatencyBasis,
) -> Vec<LatencyComparison> {
    if !times.is_timed_as(times) {
        return Vec::new();
    }
    let compare = |&share: &f64| {
        let ratio = ratio_over_queries(times, share);
        LatencyComparison {
            cell: None,
            share,
            baseline: percentile(times.baseline.iter().copied(), share),
            current: percentile(times.current.iter().copied(), share),
            ratio,
            tolerance,
            samples: times.baseline.len(),
            basis: basis.clone(),
            verdict: verdict(&ratio, tolerance),
        }
    };
    SHARES.iter().map(compare).collect()
}

pub(super) fn verdict(ratio: &Ratio, tolerance: f64) -> LatencyVerdict {
    let most = 1.0 + tolerance;
    if ratio.low > most {
        LatencyVerdict::Slower
    } else if ratio.high <= most {
        LatencyVerdict::NotSlower
    } else {
        LatencyVerdict::Inconclusive
    }
}

impl Round {
    /// Whether it holds as many times as another, some, all of them above 0.
    fn is_timed_as(&self, other: &Self) -> bool {
        let fine = |times: &Vec<f64>| {
            times.len() == other.baseline.len()
                && times.iter().all(|time| *time > 0.0 && time.is_finite())
        };
        !self.baseline.is_empty() && fine(&self.baseline) && fine(&self.current)
    }

    fn ratio(&self, share: f64) -> f64 {
        let (old, new) = (self.baseline.iter().copied(), self.current.iter().copied());
        match share {
            // Queries differ from each other more than builds do: each is held against itself.
            0.5 => percentile(new.zip(old).map(|(new, old)| new / old), share),
            _ => percentile(new, share) / percentile(old, share),
        }
    }
}

fn ratio_over_queries(times: &Round, share: f64) -> Ratio {
    let queries = times.baseline.len();
    let ratio = |drawn: &[usize]| {
        let of = |side: &[f64]| percentile(drawn.iter().map(|&query| side[query]), share);
        of(&times.current) / of(&times.baseline)
    };
    let value = ratio(&(0..queries).collect::<Vec<usize>>());
    let [low, high] = resampled(SEED, |random| {
        let mut draw = || (random.next_u64() % queries as u64) as usize;
        ratio(&(0..queries).map(|_| draw()).collect::<Vec<usize>>())
    });
    Ratio { value, low, high }
}

/// The ends of a ratio's interval, [`BEYOND`] outside each, from drawing it anew. Each draw has random
/// numbers of its own, whatever thread it is on.
pub(super) fn resampled(seed: u64, draw: impl Fn(&mut ChaCha8Rng) -> f64 + Sync) -> [f64; 2] {
    let resample = |number: usize| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number as u64);
        draw(&mut random)
    };
    let mut ratios: Vec<f64> = (0..RESAMPLES).into_par_iter().map(resample).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    [BEYOND, 1.0 - BEYOND].map(|share| quantile(&ratios, share))
}

fn percentile(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, share)
}

/// One system's rows by query.
pub(super) type Rows<'a> = BTreeMap<&'a QueryId, &'a QueryRow>;

/// The times of the queries that all of these tables timed, as rounds.
pub(super) fn rounds(pairs: &[(Rows<'_>, Rows<'_>)]) -> Vec<Round> {
    let Some((first, _)) = pairs.first() else { return Vec::new() };
    let time = |rows: &Rows<'_>, query: &QueryId| {
        rows.get(query).and_then(|row| row.seconds).filter(|seconds| *seconds > 0.0)
    };
    let timed: Vec<&QueryId> = first
        .keys()
        .copied()
        .filter(|query| {
            pairs.iter().all(|(old, new)| time(old, query).is_some() && time(new, query).is_some())
        })
        .collect();
    let of = |rows: &Rows<'_>| timed.iter().filter_map(|query| time(rows, query)).collect();
    pairs.iter().map(|(old, new)| Round { baseline: of(old), current: of(new) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::fewest;

    fn round(noise: f64, slower: f64) -> Round {
        let time = |query: u32| 0.010 + 0.001 * f64::from(query % 7);
        Round {
            baseline: (0..40).map(|query| time(query) * noise).collect(),
            current: (0..40).map(|query| time(query) * noise * slower).collect(),
        }
    }

    #[test]
    fn what_meets_both_builds_cancels_out() {
        let noises = [1.0, 1.3, 0.9, 2.0, 1.1, 1.0, 5.0, 0.8, 1.2, 1.0];
        let rounds: Vec<Round> = noises.map(|noise| round(noise, 1.15)).into();
        for comparison in interleaved(&rounds, 0.05) {
            assert!((comparison.ratio.value - 1.15).abs() < 1e-9, "{comparison:?}");
            assert_eq!(comparison.verdict, LatencyVerdict::Slower);
            assert_eq!(comparison.samples, 400);
        }
        let same: Vec<Round> = rounds.iter().map(|_| round(1.0, 1.0)).collect();
        assert!(interleaved(&same, 0.05).iter().all(|c| c.verdict == LatencyVerdict::NotSlower));
    }

    #[test]
    fn one_bad_round_and_too_few_rounds_decide_nothing() {
        let mut rounds = vec![round(1.0, 1.0); 12];
        rounds[3] = round(1.0, 3.0);
        assert!(interleaved(&rounds, 0.05).iter().all(|c| (c.ratio.value - 1.0).abs() < 1e-9));
        assert!(interleaved(&rounds, 0.05).iter().all(|c| c.verdict != LatencyVerdict::Slower));
        let few = vec![round(1.0, 1.5); fewest(BEYOND_ROUNDS) - 1];
        assert!(interleaved(&few, 0.05).iter().all(|c| c.verdict == LatencyVerdict::Inconclusive));
        let enough = vec![round(1.0, 1.5); fewest(BEYOND_ROUNDS)];
        assert!(interleaved(&enough, 0.05).iter().all(|c| c.verdict == LatencyVerdict::Slower));
    }

    #[test]
    fn a_slower_tail_is_seen_where_the_typical_query_is_as_fast() {
        let mut tail = round(1.0, 1.0);
        tail.current[34..].iter_mut().for_each(|time| *time *= 2.0);
        let compared = interleaved(&vec![tail; 12], 0.05);
        let verdicts: Vec<_> = compared.iter().map(|c| c.verdict).collect();
        assert_eq!(verdicts, [LatencyVerdict::NotSlower, LatencyVerdict::Slower]);
    }

    #[test]
    fn what_was_not_timed_gives_nothing() {
        assert_eq!(interleaved(&[], 0.05), []);
        assert_eq!(interleaved(&[Round::default()], 0.05), []);
        let zero = Round { baseline: vec![0.0], current: vec![1.0] };
        assert_eq!(interleaved(std::slice::from_ref(&zero), 0.05), []);
        assert_eq!(over_queries(&zero, 0.05, &LatencyBasis::Pinned), []);
        let uneven = Round { baseline: vec![1.0], current: vec![1.0, 2.0] };
        assert_eq!(interleaved(&[round(1.0, 1.0), uneven], 0.05), []);
    }
}
