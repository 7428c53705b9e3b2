use serde::Serialize;

use super::MinedQuery;

/// What was seen while negatives were mined.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MiningStats {
    /// Queries with a positive.
    pub queries: usize,
    /// Of them, those that the candidates have no ranking for.
    pub unranked: usize,
    /// Their positives.
    pub positives: usize,
    /// Candidates in the ranks that are not judged.
    pub candidates: usize,
    /// Of them, those that say the same as a positive; left out.
    pub same_text: usize,
    /// Of them, those that come too near the lowest positive; left out as perhaps relevant.
    pub above_margin: usize,
    /// Of them, those above or below the bounds on scores; left out.
    pub out_of_bounds: usize,
    /// Negatives that are judged not relevant.
    pub judged: usize,
    /// Negatives that were mined.
    pub mined: usize,
    /// Queries with fewer negatives than were asked for.
    pub short: usize,
    /// Queries with none.
    pub without_negatives: usize,
    /// Queries none of whose positives has a score, so that no margin can hold; nothing was mined for
    /// them.
    pub without_positive_score: usize,
    /// Scores of positives.
    pub positive_scores: Option<Distribution>,
    /// Scores of negatives that were mined.
    pub negative_scores: Option<Distribution>,
    /// Scores of negatives that are judged not relevant, for which no margin or bound holds.
    pub judged_scores: Option<Distribution>,
    /// How scores of positives, of what was mined and of what was left out lie, for the picture.
    pub histogram: Option<Histogram>,
}

/// How numbers are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// How many.
    pub count: usize,
    /// The lowest.
    pub min: f64,
    /// 5% are at most this.
    pub p05: f64,
    /// Half are at most this.
    pub median: f64,
    /// 95% are at most this.
    pub p95: f64,
    /// The highest.
    pub max: f64,
}

impl Distribution {
    /// Of finite numbers; `None` of none. Quantiles by nearest rank.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = numbers.iter().copied().filter(|n| n.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            sorted.get(rank.max(1) - 1).copied()
        };
        Some(Self {
            count: sorted.len(),
            min: at(0.0)?,
            p05: at(0.05)?,
            median: at(0.5)?,
            p95: at(0.95)?,
            max: at(1.0)?,
        })
    }
}

/// Counts of scores in bins of equal width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// Where bins begin, and the end of the last.
    pub edges: Vec<f64>,
    /// Positives in each bin.
    pub positives: Vec<u64>,
    /// Negatives that were mined in each bin.
    pub negatives: Vec<u64>,
    /// Candidates that a margin or a bound left out.
    pub left_out: Vec<u64>,
}

const BINS: usize = 30;

impl Histogram {
    fn of(positives: &[f64], negatives: &[f64], left_out: &[f64]) -> Option<Self> {
        let all = || positives.iter().chain(negatives).chain(left_out).copied();
        let (low, high) = (all().min_by(f64::total_cmp)?, all().max_by(f64::total_cmp)?);
        if !(low.is_finite() && high.is_finite()) {
            return None;
        }
        // All alike still make a bin that can be seen.
        let width = if high > low { (high - low) / BINS as f64 } else { 1.0 / BINS as f64 };
        let counts = |scores: &[f64]| {
            let mut counts = vec![0; BINS];
            for score in scores {
                counts[(((score - low) / width) as usize).min(BINS - 1)] += 1;
            }
            counts
        };
        Some(Self {
            edges: (0..=BINS).map(|bin| low + width * bin as f64).collect(),
            positives: counts(positives),
            negatives: counts(negatives),
            left_out: counts(left_out),
        })
    }
}

/// Counts as they grow.
#[derive(Default)]
pub(super) struct Tally {
    pub seen: MiningStats,
    pub left_out: Vec<f64>,
}

impl Tally {
    pub fn finish(self, queries: &[MinedQuery]) -> MiningStats {
        let scores = |side: fn(&MinedQuery) -> &[super::Mined]| -> Vec<f64> {
            queries.iter().flat_map(side).filter_map(|mined| mined.score).collect()
        };
        let positives = scores(|query| &query.positives);
        let negatives = scores(|query| &query.negatives[query.judged..]);
        let judged = scores(|query| &query.negatives[..query.judged]);
        MiningStats {
            positives: queries.iter().map(|query| query.positives.len()).sum(),
            positive_scores: Distribution::of(&positives),
            negative_scores: Distribution::of(&negatives),
            judged_scores: Distribution::of(&judged),
            histogram: Histogram::of(&positives, &negatives, &self.left_out),
            ..self.seen
        }
    }
}
