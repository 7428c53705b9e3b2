use serde::{Deserialize, Serialize};

use super::error::CalibrationError;
use super::scored::ScoredPair;

/// Isotonic regression: of all maps that never fall, the one with the least squared error, found by
/// pooling adjacent violators (Ayer et al. 1955; for calibration Zadrozny and Elkan 2002). Between
/// its knots it is linear, beyond them constant, as scikit-learn's `IsotonicRegression` with
/// `out_of_bounds="clip"`. It needs no shape, and some hundred relevant pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Knots", into = "Knots")]
pub struct Isotonic {
    knots: Vec<(f64, f64)>,
}

/// How it is stored: two columns, scores ascending.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Knots {
    scores: Vec<f64>,
    probabilities: Vec<f64>,
}

/// Neighbouring scores with one probability.
struct Block {
    first: f64,
    last: f64,
    relevant: f64,
    pairs: f64,
}

impl Block {
    fn mean(&self) -> f64 {
        self.relevant / self.pairs
    }
}

impl Isotonic {
    /// Fits pairs with finite scores, at least one. Pairs with equal scores get one probability.
    pub(super) fn fit(pairs: &[ScoredPair]) -> Self {
        let mut ascending = pairs.to_vec();
        ascending.sort_by(|a, b| a.score.total_cmp(&b.score));
        let mut blocks: Vec<Block> = Vec::new();
        for tied in ascending.chunk_by(|a, b| a.score == b.score) {
            let (score, count) = (tied[0].score, tied.len() as f64);
            let relevant = tied.iter().filter(|pair| pair.relevant).count() as f64;
            blocks.push(Block { first: score, last: score, relevant, pairs: count });
            // A block that is not above the one before it is pooled with it.
            while let [.., before, last] = &blocks[..]
                && before.mean() >= last.mean()
            {
                let (last_score, relevant, pairs) = (last.last, last.relevant, last.pairs);
                blocks.pop();
                if let Some(pooled) = blocks.last_mut() {
                    pooled.last = last_score;
                    pooled.relevant += relevant;
                    pooled.pairs += pairs;
                }
            }
        }
        let ends = |block: &Block| match block.first < block.last {
            true => vec![(block.first, block.mean()), (block.last, block.mean())],
            false => vec![(block.first, block.mean())],
        };
        Self { knots: blocks.iter().flat_map(ends).collect() }
    }

    /// The probability at a score; NaN for NaN.
    pub fn probability(&self, score: f64) -> f64 {
        if score.is_nan() {
            return f64::NAN;
        }
        let above = self.knots.partition_point(|knot| knot.0 < score);
        match (above.checked_sub(1).map(|below| self.knots[below]), self.knots.get(above)) {
            (Some(below), Some(&above)) => {
                let share = (score - below.0) / (above.0 - below.0);
                below.1 + (above.1 - below.1) * share
            }
            (Some(last), None) => last.1,
            (None, Some(first)) => first.1,
            (None, None) => f64::NAN,
        }
    }

    /// Scores ascending, each with its probability: what a chart of the map draws.
    pub fn knots(&self) -> &[(f64, f64)] {
        &self.knots
    }
}

impl From<Isotonic> for Knots {
    fn from(map: Isotonic) -> Self {
        let (scores, probabilities) = map.knots.into_iter().unzip();
        Self { scores, probabilities }
    }
}

impl TryFrom<Knots> for Isotonic {
    type Error = CalibrationError;

    fn try_from(Knots { scores, probabilities }: Knots) -> Result<Self, CalibrationError> {
        let damaged = |why| Err(CalibrationError::Map(why));
        if scores.is_empty() || scores.len() != probabilities.len() {
            return damaged("it needs one probability a score, and at least one");
        }
        if !scores.iter().all(|score| score.is_finite()) || !scores.is_sorted_by(|a, b| a < b) {
            return damaged("its scores do not ascend");
        }
        let chances = probabilities.iter().all(|p| (0.0..=1.0).contains(p));
        if !chances || !probabilities.is_sorted() {
            return damaged("its probabilities do not ascend from 0 to 1");
        }
        Ok(Self { knots: scores.into_iter().zip(probabilities).collect() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs() -> impl Strategy<Value = Vec<ScoredPair>> {
        let pair = (-3..4_i32, any::<bool>())
            .prop_map(|(score, relevant)| ScoredPair { score: f64::from(score), relevant });
        prop::collection::vec(pair, 1..24)
    }

    fn squared_error(pairs: &[ScoredPair], at: impl Fn(f64) -> f64) -> f64 {
        pairs.iter().map(|pair| (f64::from(u8::from(pair.relevant)) - at(pair.score)).powi(2)).sum()
    }

    /// The least squared error of all ways to cut the scores into runs with one mean each whose
    /// means never fall.
    fn least(pairs: &[ScoredPair]) -> f64 {
        let mut scores: Vec<f64> = pairs.iter().map(|pair| pair.score).collect();
        scores.sort_by(f64::total_cmp);
        scores.dedup();
        let mut least = f64::INFINITY;
        for cuts in 0..1_u32 << (scores.len() - 1) {
            let part = |score: f64| {
                let index = scores.iter().position(|other| *other == score).unwrap();
                (cuts & ((1 << index) - 1)).count_ones()
            };
            let mean = |which: u32| {
                let of: Vec<bool> = pairs
                    .iter()
                    .filter(|pair| part(pair.score) == which)
                    .map(|pair| pair.relevant)
                    .collect();
                of.iter().filter(|relevant| **relevant).count() as f64 / of.len() as f64
            };
            let means: Vec<f64> = (0..=cuts.count_ones()).map(mean).collect();
            if means.is_sorted() {
                least = least.min(squared_error(pairs, |score| means[part(score) as usize]));
            }
        }
        least
    }

    proptest! {
        #[test]
        fn no_monotone_map_has_a_smaller_error(pairs in pairs()) {
            let map = Isotonic::fit(&pairs);
            let error = squared_error(&pairs, |score| map.probability(score));
            prop_assert!((error - least(&pairs)).abs() < 1e-9, "{map:?}");
        }

        #[test]
        fn never_falls_and_keeps_the_mean(pairs in pairs(), at in prop::collection::vec(-5.0..5.0, 2..9)) {
            let map = Isotonic::fit(&pairs);
            let mut at: Vec<f64> = at;
            at.sort_by(f64::total_cmp);
            let probabilities: Vec<f64> = at.iter().map(|score| map.probability(*score)).collect();
            prop_assert!(probabilities.is_sorted());
            prop_assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
            let told: f64 = pairs.iter().map(|pair| map.probability(pair.score)).sum();
            let relevant = pairs.iter().filter(|pair| pair.relevant).count() as f64;
            prop_assert!((told - relevant).abs() < 1e-9, "calibrated in the large");
        }

        #[test]
        fn the_order_of_the_pairs_does_not_matter(
            (pairs, shuffled) in pairs().prop_flat_map(|pairs| {
                (Just(pairs.clone()), Just(pairs).prop_shuffle())
            }),
        ) {
            prop_assert_eq!(Isotonic::fit(&pairs), Isotonic::fit(&shuffled));
        }
    }

    #[test]
    fn by_hand() {
        let labels = [(1.0, false), (2.0, true), (3.0, false), (4.0, true), (4.0, true)];
        let pairs = labels.map(|(score, relevant)| ScoredPair { score, relevant });
        let map = Isotonic::fit(&pairs);
        assert_eq!(map.knots(), [(1.0, 0.0), (2.0, 0.5), (3.0, 0.5), (4.0, 1.0)]);
        assert_eq!(map.probability(1.5), 0.25);
        assert_eq!((map.probability(-9.0), map.probability(9.0)), (0.0, 1.0));
        assert!(map.probability(f64::NAN).is_nan());
    }

    #[test]
    fn a_damaged_map_is_not_read() {
        let read = |json: &str| serde_json::from_str::<Isotonic>(json);
        assert!(read(r#"{"scores": [0, 1], "probabilities": [0.1, 0.4]}"#).is_ok());
        for damaged in [
            r#"{"scores": [], "probabilities": []}"#,
            r#"{"scores": [0, 1], "probabilities": [0.1]}"#,
            r#"{"scores": [1, 1], "probabilities": [0.1, 0.4]}"#,
            r#"{"scores": [0, 1], "probabilities": [0.4, 0.1]}"#,
            r#"{"scores": [0, 1], "probabilities": [0.4, 1.1]}"#,
        ] {
            assert!(read(damaged).unwrap_err().to_string().contains("damaged"), "{damaged}");
        }
    }
}
