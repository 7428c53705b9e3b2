use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use secondpass_core::QueryId;
use serde::Serialize;

use crate::quantile::quantile;
use crate::record::QueryRow;

/// The percentiles that are held against each other.
pub(super) const SHARES: [f64; 2] = [0.5, 0.95];
/// Resamples that an interval rests on.
pub(super) const RESAMPLES: usize = 5000;
/// The chance that the truth lies below an interval, and that it lies above: 99.8% intervals. A gate
/// is asked on every change; at the usual 2.5%, noise alone would shut it once in a hundred times
/// (3 of 300 replays of the recorded noise; at this level none).
pub(super) const BEYOND: f64 = 0.001;
/// Fixed, so that the same times give the same interval everywhere.
const SEED: u64 = 20_261_126;
/// With fewer rounds a bad one cannot be told from a slower build, and nothing is decided.
pub(super) const FEWEST_ROUNDS: usize = 5;

/// The times of the same queries by both builds, in the same order, in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Round {
    /// By the baseline.
    pub baseline: Vec<f64>,
    /// By the current build.
    pub current: Vec<f64>,
}

/// How much slower, as a factor, with its 99.8% interval: 1.15 is 15% slower.
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

/// Holds the rounds' percentiles against each other, with an interval over rounds and queries.
/// Nothing where no query was timed on both sides.
///
/// A query's time is its median over the rounds, so that what disturbed a few of them counts for
/// nothing; the percentile is over the queries. For the interval rounds are drawn anew, each with
/// both its builds, and queries.
pub fn interleaved(rounds: &[Round], tolerance: f64) -> Vec<LatencyComparison> {
    let basis = LatencyBasis::Interleaved { rounds: rounds.len() };
    let mut compared = over_rounds(rounds, tolerance, basis);
    if rounds.len() < FEWEST_ROUNDS {
        for comparison in &mut compared {
            comparison.verdict = LatencyVerdict::Inconclusive;
        }
    }
    compared
}

pub(super) fn over_rounds(
    rounds: &[Round],
    tolerance: f64,
    basis: LatencyBasis,
) -> Vec<LatencyComparison> {
    let compare = |&share: &f64| {
        let ratio = ratio_over_rounds(rounds, share)?;
        let queries = rounds.first().map_or(0, |round| round.baseline.len());
        let all: Vec<usize> = (0..queries).collect();
        let drawn: Vec<usize> = (0..rounds.len()).collect();
        let side = |of: Side| percentile(rounds, of, &drawn, &all, share);
        Some(LatencyComparison {
            cell: None,
            share,
            baseline: side(|round| &round.baseline),
            current: side(|round| &round.current),
            ratio,
            tolerance,
            samples: queries * rounds.len(),
            basis: basis.clone(),
            verdict: verdict(&ratio, tolerance),
        })
    };
    SHARES.iter().filter_map(compare).collect()
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

type Side = fn(&Round) -> &Vec<f64>;

/// The current build's percentile over the baseline's. `None` without any query, and where rounds
/// hold different numbers of them or times that are not above 0.
pub fn ratio_over_rounds(rounds: &[Round], share: f64) -> Option<Ratio> {
    let queries = rounds.first()?.baseline.len();
    let fine = |times: &Vec<f64>| {
        times.len() == queries && times.iter().all(|time| *time > 0.0 && time.is_finite())
    };
    if queries == 0 || !rounds.iter().all(|round| fine(&round.baseline) && fine(&round.current)) {
        return None;
    }
    let ratio = |drawn: &[usize], asked: &[usize]| {
        let side = |of: Side| percentile(rounds, of, drawn, asked, share);
        side(|round| &round.current) / side(|round| &round.baseline)
    };
    let each = |count: usize| (0..count).collect::<Vec<usize>>();
    let value = ratio(&each(rounds.len()), &each(queries));
    let resample = |number: usize| {
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        random.set_stream(number as u64);
        let mut draw = |count: usize| -> Vec<usize> {
            (0..count).map(|_| (random.next_u64() % count as u64) as usize).collect()
        };
        let (drawn, asked) = (draw(rounds.len()), draw(queries));
        ratio(&drawn, &asked)
    };
    let mut ratios: Vec<f64> = (0..RESAMPLES).into_par_iter().map(resample).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let [low, high] = [BEYOND, 1.0 - BEYOND].map(|share| quantile(&ratios, share));
    Some(Ratio { value, low, high })
}

/// A percentile over the queries drawn, each by its median over the rounds drawn.
fn percentile(rounds: &[Round], of: Side, drawn: &[usize], asked: &[usize], share: f64) -> f64 {
    let mut over_rounds = Vec::with_capacity(drawn.len());
    let mut times: Vec<f64> = asked
        .iter()
        .map(|&query| {
            over_rounds.clear();
            over_rounds.extend(drawn.iter().map(|&round| of(&rounds[round])[query]));
            over_rounds.sort_unstable_by(f64::total_cmp);
            quantile(&over_rounds, 0.5)
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    quantile(&times, share)
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

    fn round(noise: f64, slower: f64) -> Round {
        let time = |query: u32| 0.010 + 0.001 * f64::from(query % 7);
        Round {
            baseline: (0..40).map(|query| time(query) * noise).collect(),
            current: (0..40).map(|query| time(query) * noise * slower).collect(),
        }
    }

    #[test]
    fn what_meets_both_builds_cancels_out() {
        let rounds: Vec<Round> = [1.0, 1.3, 0.9, 2.0, 1.1].map(|noise| round(noise, 1.15)).into();
        for comparison in interleaved(&rounds, 0.05) {
            assert!((comparison.ratio.value - 1.15).abs() < 1e-9, "{comparison:?}");
            assert_eq!(comparison.verdict, LatencyVerdict::Slower);
            assert_eq!(comparison.samples, 200);
        }
        let same: Vec<Round> = rounds.iter().map(|_| round(1.0, 1.0)).collect();
        assert!(interleaved(&same, 0.05).iter().all(|c| c.verdict == LatencyVerdict::NotSlower));
    }

    #[test]
    fn one_bad_round_and_too_few_rounds_decide_nothing() {
        let mut rounds = vec![round(1.0, 1.0); 7];
        rounds[3] = round(1.0, 3.0);
        assert!(interleaved(&rounds, 0.05).iter().all(|c| c.ratio.value == 1.0));
        assert!(interleaved(&rounds, 0.05).iter().all(|c| c.verdict != LatencyVerdict::Slower));
        let few = vec![round(1.0, 1.5); FEWEST_ROUNDS - 1];
        assert!(interleaved(&few, 0.05).iter().all(|c| c.verdict == LatencyVerdict::Inconclusive));
    }

    #[test]
    fn what_was_not_timed_gives_nothing() {
        assert_eq!(interleaved(&[], 0.05), []);
        assert_eq!(interleaved(&[Round::default()], 0.05), []);
        let zero = Round { baseline: vec![0.0], current: vec![1.0] };
        assert_eq!(ratio_over_rounds(&[zero], 0.5), None);
        let uneven = Round { baseline: vec![1.0], current: vec![1.0, 2.0] };
        assert_eq!(ratio_over_rounds(&[uneven], 0.5), None);
    }
}
