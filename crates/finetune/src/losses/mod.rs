//! Losses: what is wrong with a batch's logits, and which way they should go. All count in f64 and
//! add up over groups, so that a step's loss does not depend on how it is cut into micro-batches.

mod binary_cross_entropy;
mod distillation;
#[cfg(test)]
mod golden;
mod group_softmax;
mod lambda;
mod margin_mse;
mod ranknet;
mod softmax;
#[cfg(test)]
mod testing;

use std::fmt;

pub use binary_cross_entropy::binary_cross_entropy;
pub use distillation::distillation;
pub use group_softmax::group_softmax;
pub use lambda::lambda;
pub use margin_mse::margin_mse;
pub use ranknet::ranknet;

use crate::GroupBatch;

/// A loss over a batch, added up, and its derivatives. What it is the mean over are the batch's
/// [`LossKind::units`].
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Sum over the batch's units.
    pub sum: f64,
    /// The derivative of the sum by each logit, in the batch's order.
    pub derivatives: Vec<f64>,
}

/// Which loss, with its constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LossKind {
    /// [`group_softmax`].
    GroupSoftmax,
    /// [`ranknet`].
    RankNet,
    /// [`binary_cross_entropy`].
    BinaryCrossEntropy {
        /// How many times a positive counts; above 0.
        pos_weight: f64,
    },
    /// [`margin_mse`].
    MarginMse,
    /// [`distillation`].
    Distillation {
        /// The teacher's part; above 0.
        weight: f64,
        /// What logits are divided by before the softmax; above 0.
        temperature: f64,
    },
    /// [`lambda`].
    Lambda {
        /// How much NDCG-Loss2 counts beside LambdaRank; from 0.
        mu: f64,
    },
}

impl LossKind {
    /// The loss of a batch's logits.
    ///
    /// # Shapes
    /// - logits: `[sequences]`, group after group
    pub fn of(self, logits: &[f32], batch: &GroupBatch) -> Loss {
        match self {
            Self::GroupSoftmax => group_softmax(logits, batch),
            Self::RankNet => ranknet(logits, batch),
            Self::BinaryCrossEntropy { pos_weight } => {
                binary_cross_entropy(logits, batch, pos_weight)
            }
            Self::MarginMse => margin_mse(logits, batch),
            Self::Distillation { weight, temperature } => {
                distillation(logits, batch, weight, temperature)
            }
            Self::Lambda { mu } => lambda(logits, batch, mu),
        }
    }

    /// What the mean is taken over, in this batch: groups, sequences, or pairs of a better and a
    /// worse document. It depends on targets alone.
    pub fn units(self, batch: &GroupBatch) -> usize {
        match self {
            Self::GroupSoftmax | Self::Distillation { .. } => batch.sizes.len(),
            Self::BinaryCrossEntropy { .. } => batch.targets.len(),
            Self::RankNet | Self::MarginMse | Self::Lambda { .. } => {
                batch.ranges().map(|group| pairs(&batch.targets[group]).count()).sum()
            }
        }
    }

    /// Whether it learns from a teacher's scores.
    pub fn needs_teacher(self) -> bool {
        matches!(self, Self::MarginMse | Self::Distillation { .. })
    }
}

impl fmt::Display for LossKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GroupSoftmax => f.write_str("softmax over groups"),
            Self::RankNet => f.write_str("RankNet"),
            Self::BinaryCrossEntropy { pos_weight } => {
                write!(f, "binary cross-entropy, positives x {pos_weight}")
            }
            Self::MarginMse => f.write_str("MarginMSE"),
            Self::Distillation { weight, temperature } => {
                write!(f, "distillation, weight {weight}, temperature {temperature}")
            }
            Self::Lambda { mu } => write!(f, "LambdaLoss, mu {mu}"),
        }
    }
}

/// Every pair of a group's places of which the first has the higher target.
fn pairs(targets: &[f32]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let places = 0..targets.len();
    let all =
        places.clone().flat_map(move |better| places.clone().map(move |worse| (better, worse)));
    all.filter(move |&(better, worse)| targets[better] > targets[worse])
}

/// `-ln(sigmoid(x))` and its derivative by `x`, without overflow.
fn minus_log_sigmoid(x: f64) -> (f64, f64) {
    let value = (-x.abs()).exp().ln_1p() + (-x).max(0.0);
    let small = (-x.abs()).exp();
    // sigmoid(-x), from the side where the exponential is at most 1.
    let other = if x >= 0.0 { small / (1.0 + small) } else { 1.0 / (1.0 + small) };
    (value, -other)
}
