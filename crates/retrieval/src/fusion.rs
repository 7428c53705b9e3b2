use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use secondpass_core::{DocId, QueryId, Ranking, RankingError, Run};

/// How the rankings of several systems become one. Documents that one of them did not find add
/// nothing for it and stay in. Scores of two systems are never added as they are: they become ranks,
/// or are first scaled within each query and system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fusion {
    /// Reciprocal rank fusion: the sum of `weight / (k + rank)`, ranks from 1. Cormack, Clarke and
    /// Büttcher, *Reciprocal rank fusion outperforms Condorcet and individual rank learning methods*,
    /// SIGIR 2009, with k = 60.
    ReciprocalRank {
        /// How little the first places stand out: the larger, the less.
        k: f64,
    },
    /// The sum of `weight * normalised score`. Candidates without a score add nothing.
    WeightedSum(Normalization),
}

/// Reciprocal ranks with the paper's k.
impl Default for Fusion {
    fn default() -> Self {
        Self::ReciprocalRank { k: 60.0 }
    }
}

/// What is done to the scores of one system for one query before they are added to others'; names and
/// formulas are those of ranx 0.3. A spread below 1e-9 counts as 1e-9, so that equal scores become 0
/// in all but [`Normalization::Max`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Normalization {
    /// `(score - least) / (greatest - least)`: from 0 to 1. The last document of a list gets as much
    /// as one that was not found.
    MinMax,
    /// `score / greatest`; for scores above zero.
    Max,
    /// `(score - least) / sum of (score - least)`.
    Sum,
    /// Zero mean and unit variance (z-score). A document that was not found counts as an average one,
    /// above half of those that were.
    Zmuv,
}

impl Normalization {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::MinMax, Self::Max, Self::Sum, Self::Zmuv];

    /// Scales the scores of one list.
    pub fn apply(self, scores: &[f64]) -> Vec<f64> {
        let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let count = scores.len() as f64;
        let sum: f64 = scores.iter().sum();
        let (zero, spread) = match self {
            Self::MinMax => (least, greatest - least),
            Self::Max => (0.0, greatest),
            Self::Sum => (least, sum - least * count),
            Self::Zmuv => {
                let mean = sum / count;
                let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
                (mean, (squares / count).sqrt())
            }
        };
        scores.iter().map(|score| (score - zero) / spread.max(LEAST_SPREAD)).collect()
    }
}

const LEAST_SPREAD: f64 = 1e-9;

impl fmt::Display for Normalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::MinMax => "min-max",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::Zmuv => "zmuv",
        })
    }
}

/// A normalisation that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown normalisation '{0}'; use min-max, max, sum or zmuv (z-score)")]
pub struct UnknownNormalization(String);

impl FromStr for Normalization {
    type Err = UnknownNormalization;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|normalization| normalization.to_string() == name);
        found.ok_or_else(|| UnknownNormalization(name.to_owned()))
    }
}

/// As it stands in a first stage's description: `rrf k=60`, `wsum min-max`.
impl fmt::Display for Fusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReciprocalRank { k } => write!(f, "rrf k={k}"),
            Self::WeightedSum(normalization) => write!(f, "wsum {normalization}"),
        }
    }
}

/// Why rankings could not be fused.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum FusionError {
    /// Fewer than two.
    #[error("fusion needs two runs or more, and there are {0}")]
    TooFew(usize),
    /// A weight that is no positive number.
    #[error("weight {0} of a run must be a finite number above 0; leave the run out instead")]
    Weight(f64),
    /// A k that is no number of at least 0.
    #[error(
        "k of reciprocal rank fusion is {0}, but must be a finite number of at least 0; 60 is usual"
    )]
    K(f64),
    /// The scores make no ranking.
    #[error("query '{query}': {source}")]
    Ranking {
        /// Which query.
        query: QueryId,
        /// What is wrong with the scores.
        source: RankingError,
    },
}

impl Fusion {
    /// Whether these weights and settings can fuse.
    ///
    /// # Errors
    /// Fewer than two weights, weights that are not finite and above 0, a k below 0.
    pub fn check(self, weights: &[f64]) -> Result<(), FusionError> {
        if weights.len() < 2 {
            return Err(FusionError::TooFew(weights.len()));
        }
        let is_weight = |weight: f64| weight.is_finite() && weight > 0.0;
        if let Some(&weight) = weights.iter().find(|&&weight| !is_weight(weight)) {
            return Err(FusionError::Weight(weight));
        }
        match self {
            Self::ReciprocalRank { k } if !(k.is_finite() && k >= 0.0) => Err(FusionError::K(k)),
            _ => Ok(()),
        }
    }

    /// Fuses runs, each with its weight: of every query that one of them has, every document that one
    /// of them found.
    ///
    /// # Errors
    /// As [`Fusion::check`]; scores that are infinite and so make no ranking.
    pub fn fuse(self, runs: &[(&Run, f64)]) -> Result<Run, FusionError> {
        self.check(&runs.iter().map(|(_, weight)| *weight).collect::<Vec<_>>())?;
        let queries: BTreeSet<&QueryId> =
            runs.iter().flat_map(|(run, _)| run.rankings.keys()).collect();
        let mut fused = Run::new(self.to_string());
        for query in queries {
            let mut sums: HashMap<&DocId, f64> = HashMap::new();
            for (run, weight) in runs {
                let Some(ranking) = run.rankings.get(query) else { continue };
                for (place, value) in ranking.ranked().iter().zip(self.values(ranking)) {
                    *sums.entry(&place.document).or_default() += weight * value;
                }
            }
            let sums = sums.into_iter().map(|(document, sum)| (document.clone(), sum));
            let ranking = Ranking::from_scores(sums)
                .map_err(|source| FusionError::Ranking { query: query.clone(), source })?;
            fused.rankings.insert(query.clone(), ranking);
        }
        Ok(fused)
    }

    /// What each place of a ranking adds, before its weight.
    fn values(self, ranking: &Ranking) -> Vec<f64> {
        match self {
            Self::ReciprocalRank { k } => {
                (1..=ranking.len()).map(|rank| 1.0 / (k + rank as f64)).collect()
            }
            Self::WeightedSum(normalization) => {
                // Those without a score stand last.
                let scores = ranking.ranked().iter().map_while(|place| place.score);
                let mut values = normalization.apply(&scores.collect::<Vec<_>>());
                values.resize(ranking.len(), 0.0);
                values
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(scores: &[(&str, f64)]) -> Run {
        let mut run = Run::new("r");
        let scores = scores.iter().map(|&(id, score)| (id.into(), score));
        run.rankings.insert("q".into(), Ranking::from_scores(scores).unwrap());
        run
    }

    fn fused(fusion: Fusion, runs: &[(&Run, f64)]) -> Vec<(String, f64)> {
        let fused = fusion.fuse(runs).unwrap();
        let places = fused.rankings["q"].ranked().iter();
        places.map(|place| (place.document.to_string(), place.score.unwrap())).collect()
    }

    #[test]
    fn a_document_that_both_found_wins_by_rank() {
        let (one, other) = (run(&[("a", 9.0), ("b", 8.0)]), run(&[("c", 0.2), ("b", 0.1)]));
        let found = fused(Fusion::default(), &[(&one, 1.0), (&other, 2.0)]);
        let expected = [("b", 3.0 / 62.0), ("c", 2.0 / 61.0), ("a", 1.0 / 61.0)];
        for ((id, score), (expected_id, expected)) in found.iter().zip(expected) {
            assert_eq!(id, expected_id);
            assert!((score - expected).abs() < 1e-15);
        }
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_query_of_one_run_is_fused_too_and_unscored_candidates_stay() {
        let mut one = run(&[("a", 3.0), ("b", 1.0)]);
        let unscored = Ranking::with_unscored([("x".into(), 1.0)], ["y".into()]).unwrap();
        one.rankings.insert("r".into(), unscored);
        let other = run(&[("a", 5.0)]);
        let sum = Fusion::WeightedSum(Normalization::MinMax);
        let fused = sum.fuse(&[(&one, 1.0), (&other, 1.0)]).unwrap();
        assert_eq!(fused.rankings["r"].len(), 2);
        assert_eq!(fused.rankings["q"].ranked()[0].score, Some(1.0));
        assert_eq!(fused.name, "wsum min-max");
    }

    #[test]
    fn what_cannot_fuse_is_refused() {
        let one = run(&[("a", 1.0), ("b", f64::INFINITY)]);
        let rrf = Fusion::default();
        assert_eq!(rrf.fuse(&[(&one, 1.0)]), Err(FusionError::TooFew(1)));
        assert_eq!(rrf.fuse(&[(&one, 1.0), (&one, 0.0)]), Err(FusionError::Weight(0.0)));
        assert!(rrf.fuse(&[(&one, 1.0), (&one, f64::NAN)]).is_err());
        let k = Fusion::ReciprocalRank { k: -1.0 };
        assert_eq!(k.fuse(&[(&one, 1.0), (&one, 1.0)]), Err(FusionError::K(-1.0)));
        let sum = Fusion::WeightedSum(Normalization::MinMax);
        let error = sum.fuse(&[(&one, 1.0), (&one, 1.0)]).unwrap_err();
        assert!(matches!(error, FusionError::Ranking { .. }));
    }

    #[test]
    fn names_round_trip() {
        for normalization in Normalization::ALL {
            assert_eq!(normalization.to_string().parse(), Ok(normalization));
        }
        assert!("z".parse::<Normalization>().unwrap_err().to_string().contains("zmuv"));
    }

    proptest! {
        #[test]
        fn no_normalisation_turns_an_order_around(
            scores in prop::collection::vec(0.0..100.0_f64, 1..30),
            normalization in prop::sample::select(&Normalization::ALL[..]),
        ) {
            let normal = normalization.apply(&scores);
            prop_assert!(normal.iter().all(|score| score.is_finite()));
            for (a, normal_a) in scores.iter().zip(&normal) {
                for (b, normal_b) in scores.iter().zip(&normal) {
                    prop_assert!(a < b || normal_a >= normal_b);
                }
            }
        }

        #[test]
        fn the_order_of_runs_does_not_matter(
            lists in prop::collection::vec(
                prop::collection::btree_map("[a-h]", 0.0..9.0_f64, 0..8), 2..4,
            ),
        ) {
            let runs: Vec<Run> = lists
                .iter()
                .map(|list| run(&list.iter().map(|(id, score)| (id.as_str(), *score)).collect::<Vec<_>>()))
                .collect();
            let mut weighted: Vec<(&Run, f64)> = runs.iter().zip([1.0, 0.5, 2.0]).collect();
            for fusion in [Fusion::default(), Fusion::WeightedSum(Normalization::Zmuv)] {
                let forward: HashMap<_, _> = fused(fusion, &weighted).into_iter().collect();
                weighted.reverse();
                for (id, score) in fused(fusion, &weighted) {
                    prop_assert!((forward[&id] - score).abs() < 1e-9);
                }
            }
        }
    }
}
