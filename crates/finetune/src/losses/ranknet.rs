use super::{Loss, minus_log_sigmoid, pairs};
use crate::GroupBatch;

/// The pairwise logistic loss of RankNet (Burges et al., 2005): `-ln(sigmoid(better - worse))` for
/// every pair of a group whose targets differ; the mean is over pairs. sentence-transformers'
/// `RankNetLoss` is the same with a logarithm to the base 2, a constant factor.
///
/// # Shapes
/// - logits: `[sequences]`, group after group
pub fn ranknet(logits: &[f32], batch: &GroupBatch) -> Loss {
    let mut loss = Loss { sum: 0.0, derivatives: vec![0.0; logits.len()] };
    for group in batch.ranges() {
        let start = group.start;
        for (better, worse) in pairs(&batch.targets[group]) {
            let (better, worse) = (start + better, start + worse);
            let difference = f64::from(logits[better]) - f64::from(logits[worse]);
            let (value, derivative) = minus_log_sigmoid(difference);
            loss.sum += value;
            loss.derivatives[better] += derivative;
            loss.derivatives[worse] -= derivative;
        }
    }
    loss
}
