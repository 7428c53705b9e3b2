use serde::{Deserialize, Serialize};

use super::error::CalibrationError;
use super::scored::ScoredPair;

/// Newton steps at most; convergence takes about ten.
const STEPS: usize = 200;
/// A fit has converged where no component of the mean gradient is larger.
const CONVERGED: f64 = 1e-12;

/// Platt scaling (Platt 1999): a logistic curve over the score, `1 / (1 + exp(-(slope * score +
/// intercept)))`. Two parameters, so that few relevant pairs do. Fitted by Newton's method with a
/// line search (Lin, Lin and Weng 2007); labels are drawn in by Platt's smoothing, `(n+ + 1) / (n+ +
/// 2)` and `1 / (n- + 2)`, so that scores that part the labels perfectly have a finite fit too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Curve", into = "Curve")]
pub struct Platt {
    slope: f64,
    intercept: f64,
}

/// How it is stored.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Curve {
    slope: f64,
    intercept: f64,
}

impl Platt {
    /// Fits pairs with finite scores, at least one. Where relevance falls with the score no rising
    /// curve is better than a level one, and the slope is 0.
    pub(super) fn fit(pairs: &[ScoredPair]) -> Self {
        let count = pairs.len() as f64;
        let largest = pairs.iter().fold(f64::MIN_POSITIVE, |most, pair| most.max(pair.score.abs()));
        let relative = |pair: &ScoredPair| pair.score / largest;
        let middle = pairs.iter().map(relative).sum::<f64>() / count;
        let squares: f64 = pairs.iter().map(|pair| (relative(pair) - middle).powi(2)).sum();
        let spread = (squares / count).sqrt();
        let targets = targets(pairs);
        let level = Self { slope: 0.0, intercept: log_odds(&targets) };
        if spread < 1e-12 {
            return level;
        }
        // Scores of any size are brought to mean 0 and deviation 1, where Newton's steps are sound.
        let points: Vec<Point> = pairs
            .iter()
            .zip(targets)
            .map(|(pair, target)| Point { x: (relative(pair) - middle) / spread, target })
            .collect();
        let (slope, intercept) = newton(&points, level.intercept);
        let slope_of_score = slope / spread / largest;
        match slope > 0.0 && slope_of_score.is_finite() {
            true => Self { slope: slope_of_score, intercept: intercept - slope * middle / spread },
            false => level,
        }
    }

    /// The probability at a score; NaN for NaN.
    pub fn probability(&self, score: f64) -> f64 {
        match self.slope {
            // Nothing but NaN may make a level curve undefined: 0 times infinity would.
            0.0 if !score.is_nan() => logistic(self.intercept),
            slope => logistic(slope * score + self.intercept),
        }
    }

    /// How fast the log odds rise with the score, from 0.
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// The log odds at a score of 0.
    pub fn intercept(&self) -> f64 {
        self.intercept
    }
}

impl From<Platt> for Curve {
    fn from(Platt { slope, intercept }: Platt) -> Self {
        Self { slope, intercept }
    }
}

impl TryFrom<Curve> for Platt {
    type Error = CalibrationError;

    fn try_from(Curve { slope, intercept }: Curve) -> Result<Self, CalibrationError> {
        match slope >= 0.0 && slope.is_finite() && intercept.is_finite() {
            true => Ok(Self { slope, intercept }),
            false => Err(CalibrationError::Map("its slope is not a number from 0")),
        }
    }
}

#[derive(Clone, Copy)]
struct Point {
    x: f64,
    target: f64,
}

/// The labels, smoothed.
fn targets(pairs: &[ScoredPair]) -> Vec<f64> {
    let relevant = pairs.iter().filter(|pair| pair.relevant).count() as f64;
    let others = pairs.len() as f64 - relevant;
    let (high, low) = ((relevant + 1.0) / (relevant + 2.0), 1.0 / (others + 2.0));
    pairs.iter().map(|pair| if pair.relevant { high } else { low }).collect()
}

fn log_odds(targets: &[f64]) -> f64 {
    let mean = crate::mean(targets);
    (mean / (1.0 - mean)).ln()
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Slope and intercept with the least mean cross-entropy, from a level start.
fn newton(points: &[Point], intercept: f64) -> (f64, f64) {
    let mut at = (0.0, intercept);
    let mut loss = cross_entropy(points, at);
    for _ in 0..STEPS {
        let (gradient, curvature) = derivatives(points, at);
        if gradient.0.abs().max(gradient.1.abs()) < CONVERGED {
            break;
        }
        let (aa, ab, bb) = curvature;
        let determinant = (aa * bb - ab * ab).max(f64::MIN_POSITIVE);
        let step = (
            -(bb * gradient.0 - ab * gradient.1) / determinant,
            -(aa * gradient.1 - ab * gradient.0) / determinant,
        );
        // Half the step until it helps; where none does, this is as near as numbers come.
        let halved = (0..40).map(|halvings| 0.5_f64.powi(halvings)).find_map(|share| {
            let next = (at.0 + share * step.0, at.1 + share * step.1);
            let next_loss = cross_entropy(points, next);
            (next_loss < loss).then_some((next, next_loss))
        });
        let Some((next, next_loss)) = halved else { break };
        (at, loss) = (next, next_loss);
    }
    at
}

fn cross_entropy(points: &[Point], (slope, intercept): (f64, f64)) -> f64 {
    let of = |point: &Point| {
        let z = slope * point.x + intercept;
        // -t ln p - (1 - t) ln(1 - p), without the overflow of either logarithm.
        (-z.abs()).exp().ln_1p() + z.max(0.0) - point.target * z
    };
    points.iter().map(of).sum::<f64>() / points.len() as f64
}

/// The mean gradient by slope and intercept, and the second derivatives: slope twice, both,
/// intercept twice.
fn derivatives(points: &[Point], (slope, intercept): (f64, f64)) -> ((f64, f64), (f64, f64, f64)) {
    let (mut gradient, mut curvature) = ((0.0, 0.0), (0.0, 0.0, 0.0));
    for point in points {
        let p = logistic(slope * point.x + intercept);
        let (error, weight) = (p - point.target, p * (1.0 - p));
        gradient = (gradient.0 + error * point.x, gradient.1 + error);
        curvature = (
            curvature.0 + weight * point.x * point.x,
            curvature.1 + weight * point.x,
            curvature.2 + weight,
        );
    }
    let count = points.len() as f64;
    (
        (gradient.0 / count, gradient.1 / count),
        (curvature.0 / count, curvature.1 / count, curvature.2 / count),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(labels: &[(f64, bool)]) -> Vec<ScoredPair> {
        labels.iter().map(|&(score, relevant)| ScoredPair { score, relevant }).collect()
    }

    /// The gradient in the score's own unit: the mean error, alone and times the score.
    fn gradient(pairs: &[ScoredPair], map: &Platt) -> (f64, f64) {
        let errors: Vec<f64> = pairs
            .iter()
            .zip(targets(pairs))
            .map(|(pair, target)| map.probability(pair.score) - target)
            .collect();
        let by_score: f64 = pairs.iter().zip(&errors).map(|(pair, error)| pair.score * error).sum();
        (by_score / pairs.len() as f64, crate::mean(&errors))
    }

    proptest! {
        #[test]
        fn no_direction_leads_down_from_the_optimum(
            pairs in prop::collection::vec((-8.0..8.0_f64, any::<bool>()), 2..60),
        ) {
            let pairs = of(&pairs);
            let map = Platt::fit(&pairs);
            let (by_slope, by_intercept) = gradient(&pairs, &map);
            prop_assert!(by_intercept.abs() < 1e-7, "{map:?} {by_intercept}");
            match map.slope() > 0.0 {
                true => prop_assert!(by_slope.abs() < 1e-6, "{map:?} {by_slope}"),
                // A level curve is the best rising one where a rise would make it worse.
                false => prop_assert!(by_slope > -1e-6, "{map:?} {by_slope}"),
            }
        }

        #[test]
        fn the_unit_of_the_score_does_not_matter(
            pairs in prop::collection::vec((-8.0..8.0_f64, any::<bool>()), 5..60),
            scale in prop::sample::select(vec![1e-6, 0.01, 1000.0, 1e9]),
            shift in -3.0..3.0_f64,
        ) {
            let moved: Vec<(f64, bool)> =
                pairs.iter().map(|&(score, label)| ((score + shift) * scale, label)).collect();
            let (map, of_moved) = (Platt::fit(&of(&pairs)), Platt::fit(&of(&moved)));
            for (pair, moved) in pairs.iter().zip(&moved) {
                let (a, b) = (map.probability(pair.0), of_moved.probability(moved.0));
                prop_assert!((a - b).abs() < 1e-6, "{map:?} {of_moved:?} {a} {b}");
            }
        }
    }

    #[test]
    fn finds_the_curve_that_made_the_labels() {
        // At each score as many labels as the curve 1 / (1 + exp(-(1.5 s - 1))) says, of 10,000.
        let mut pairs = Vec::new();
        for step in -8..=8 {
            let score = f64::from(step) / 2.0;
            let relevant = (10_000.0 * logistic(1.5 * score - 1.0)).round() as usize;
            pairs.extend((0..10_000).map(|i| ScoredPair { score, relevant: i < relevant }));
        }
        let map = Platt::fit(&pairs);
        assert!(
            (map.slope() - 1.5).abs() < 2e-3 && (map.intercept() + 1.0).abs() < 2e-3,
            "{map:?}"
        );
    }

    #[test]
    fn labels_parted_perfectly_have_a_finite_fit() {
        let map = Platt::fit(&of(&[(-2.0, false), (-1.0, false), (1.0, true), (2.0, true)]));
        assert!(map.slope().is_finite() && map.slope() > 0.5);
        assert!(map.probability(2.0) < 0.99, "smoothing keeps it from certainty: {map:?}");
    }

    #[test]
    fn degenerate_scores_give_the_share_of_relevant_pairs() {
        let tied = Platt::fit(&of(&[(3.0, true), (3.0, false), (3.0, false), (3.0, true)]));
        assert_eq!(tied.slope(), 0.0);
        assert!((tied.probability(3.0) - 0.5).abs() < 1e-12);
        let falling = Platt::fit(&of(&[(-1.0, true), (1.0, false)]));
        assert_eq!((falling.slope(), falling.probability(f64::INFINITY)), (0.0, 0.5));
        let huge = Platt::fit(&of(&[(-1e300, false), (1e300, true)]));
        assert!(huge.probability(1e300) > 0.5 && huge.probability(-1e300) < 0.5, "{huge:?}");
    }
}
