use serde::{Deserialize, Serialize};

/// Bins of a reliability table.
pub const BINS: usize = 15;

/// Probabilities are kept this far from 0 and 1 in a log loss: one certain error would make it
/// infinite otherwise.
const CERTAIN: f64 = 1e-6;

/// How true probabilities are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Predictions it is over.
    pub predictions: usize,
    /// Share of them that came true, 0 to 1: what a forecaster who knows nothing else would say.
    pub base_rate: f64,
    /// Mean squared error of the probabilities (Brier 1950), 0 to 1; lower is better, and always to
    /// say the base rate gives `base_rate * (1 - base_rate)`.
    pub brier: f64,
    /// Mean cross-entropy in nats; probabilities are kept a millionth from 0 and 1.
    pub log_loss: f64,
    /// Expected calibration error over at most [`BINS`] bins of equal mass, 0 to 1.
    pub ece: f64,
    /// Expected calibration error over [`BINS`] bins of equal width, 0 to 1.
    pub ece_equal_width: f64,
    /// The bins of equal mass, ascending: what a reliability diagram draws.
    pub equal_mass: Vec<Bin>,
    /// The bins of equal width that are not empty, ascending.
    pub equal_width: Vec<Bin>,
}

/// Predictions of like probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// The lowest probability in it.
    pub low: f64,
    /// The highest.
    pub high: f64,
    /// Predictions.
    pub count: usize,
    /// Their mean probability.
    pub predicted: f64,
    /// Share of them that came true.
    pub observed: f64,
}

/// How true probabilities are, each with what came of it. Zeros and no bins without any.
///
/// The expected calibration error is the mean over bins, weighted by their counts, of the distance
/// between mean probability and observed share (Naeini, Cooper and Hauskrecht 2015; Guo, Pleiss, Sun
/// and Weinberger 2017, with 15 bins of equal width), here of the probability of relevance rather
/// than of a chosen class. Most candidates are not relevant and most probabilities small, so that
/// bins of equal width are nearly all empty: equal mass is what to look at. Equal probabilities are
/// never parted by an edge; they go where their middle rank falls.
pub fn reliability(predictions: &[(f64, bool)]) -> Reliability {
    let count = predictions.len();
    let mean = |of: &dyn Fn(f64, bool) -> f64| {
        let sum: f64 = predictions.iter().map(|&(p, relevant)| of(p, relevant)).sum();
        sum / count.max(1) as f64
    };
    let mut ascending = predictions.to_vec();
    ascending.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let equal_mass = equal_mass(&ascending);
    let equal_width = bins(&ascending, |a, b| width_bin(a.0) == width_bin(b.0));
    Reliability {
        predictions: count,
        base_rate: mean(&|_, relevant| label(relevant)),
        brier: mean(&squared_error),
        log_loss: mean(&log_loss),
        ece: expected_error(&equal_mass, count),
        ece_equal_width: expected_error(&equal_width, count),
        equal_mass,
        equal_width,
    }
}

/// The squared error of one prediction.
pub(super) fn squared_error(p: f64, relevant: bool) -> f64 {
    (p - label(relevant)).powi(2)
}

/// The cross-entropy of one prediction, in nats.
pub(super) fn log_loss(p: f64, relevant: bool) -> f64 {
    let p = p.clamp(CERTAIN, 1.0 - CERTAIN);
    -(if relevant { p } else { 1.0 - p }).ln()
}

fn label(relevant: bool) -> f64 {
    f64::from(u8::from(relevant))
}

fn width_bin(p: f64) -> usize {
    ((p * BINS as f64) as usize).min(BINS - 1)
}

fn equal_mass(ascending: &[(f64, bool)]) -> Vec<Bin> {
    let mut place_of = Vec::with_capacity(ascending.len());
    for tied in ascending.chunk_by(|a, b| a.0 == b.0) {
        let twice_middle = 2 * place_of.len() + tied.len() - 1;
        let bin = twice_middle * BINS / (2 * ascending.len());
        place_of.extend(std::iter::repeat_n(bin, tied.len()));
    }
    let mut start = 0;
    let runs = place_of.chunk_by(|a, b| a == b).map(|run| {
        let members = &ascending[start..start + run.len()];
        start += run.len();
        bin(members)
    });
    runs.collect()
}

fn bins(
    ascending: &[(f64, bool)],
    together: impl FnMut(&(f64, bool), &(f64, bool)) -> bool,
) -> Vec<Bin> {
    ascending.chunk_by(together).map(bin).collect()
}

/// Of members in ascending order, at least one.
fn bin(members: &[(f64, bool)]) -> Bin {
    let count = members.len() as f64;
    Bin {
        low: members[0].0,
        high: members[members.len() - 1].0,
        count: members.len(),
        predicted: members.iter().map(|member| member.0).sum::<f64>() / count,
        observed: members.iter().filter(|member| member.1).count() as f64 / count,
    }
}

fn expected_error(bins: &[Bin], count: usize) -> f64 {
    let weighted = |bin: &Bin| bin.count as f64 * (bin.observed - bin.predicted).abs();
    bins.iter().map(weighted).sum::<f64>() / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_hand() {
        let found = reliability(&[(0.05, false), (0.05, true), (0.9, true), (0.7, false)]);
        assert_eq!((found.predictions, found.base_rate), (4, 0.5));
        let brier = (0.0025 + 0.9025 + 0.01 + 0.49) / 4.0;
        assert!((found.brier - brier).abs() < 1e-12);
        let nats = -(0.95_f64.ln() + 0.05_f64.ln() + 0.9_f64.ln() + 0.3_f64.ln()) / 4.0;
        assert!((found.log_loss - nats).abs() < 1e-12);
        // Three probabilities, three bins either way: 2 * 0.45, 0.7 and 0.1, over 4.
        for (ece, bins) in
            [(found.ece, &found.equal_mass), (found.ece_equal_width, &found.equal_width)]
        {
            assert!((ece - (0.9 + 0.7 + 0.1) / 4.0).abs() < 1e-12, "{bins:?}");
            assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [2, 1, 1]);
        }
    }

    #[test]
    fn errors_within_a_bin_cancel_and_between_bins_do_not() {
        // 30 predictions, 15 bins of two: in each pair one is too high by as much as one is too low.
        let cancelling: Vec<(f64, bool)> = (0..15)
            .flat_map(|i| {
                let p = (f64::from(i) + 0.5) / 15.0;
                [(p, p < 0.5), (p + 1e-3, p < 0.5)]
            })
            .collect();
        let found = reliability(&cancelling);
        assert_eq!(found.equal_mass.len(), BINS);
        assert!(found.equal_mass.iter().all(|bin| bin.count == 2));
        assert!(found.ece > 0.4, "wrong everywhere: {}", found.ece);
        let half = reliability(&[(0.5, true), (0.5, false)]);
        assert_eq!((half.ece, half.brier), (0.0, 0.25));
    }

    #[test]
    fn the_ends_belong_to_the_outer_bins_and_nothing_gives_zeros() {
        let ends = reliability(&[(0.0, false), (1.0, true)]);
        assert_eq!((ends.ece, ends.ece_equal_width, ends.brier), (0.0, 0.0, 0.0));
        assert!(reliability(&[(1.0, false)]).log_loss < 14.0, "certain and wrong, yet finite");
        let nothing = reliability(&[]);
        assert_eq!((nothing.predictions, nothing.brier, nothing.ece), (0, 0.0, 0.0));
        assert!(nothing.equal_mass.is_empty());
    }

    proptest! {
        #[test]
        fn every_prediction_is_in_one_bin_and_ties_stay_together(
            predictions in prop::collection::vec(
                (prop_oneof![0.0..=1.0_f64, prop::sample::select(vec![0.0, 0.2, 1.0])], any::<bool>()),
                0..90,
            ).prop_shuffle(),
        ) {
            let found = reliability(&predictions);
            for bins in [&found.equal_mass, &found.equal_width] {
                prop_assert!(bins.len() <= BINS);
                prop_assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), predictions.len());
                prop_assert!(bins.iter().is_sorted_by(|a, b| a.high < b.low));
            }
            prop_assert!((0.0..=1.0).contains(&found.ece) && (0.0..=1.0).contains(&found.brier));
            // Jensen: the calibration error never exceeds the root of the Brier score.
            prop_assert!(found.ece <= found.brier.sqrt() + 1e-9);
        }
    }
}
