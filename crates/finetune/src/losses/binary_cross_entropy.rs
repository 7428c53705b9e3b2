use super::{Loss, minus_log_sigmoid};
use crate::GroupBatch;

/// Binary cross-entropy between each target, from 0 to 1, and the logit's sigmoid, positives counted
/// `pos_weight` times; the mean is over sequences. As torch's `BCEWithLogitsLoss`, on which
/// sentence-transformers' `BinaryCrossEntropyLoss` rests.
///
/// # Shapes
/// - logits: `[sequences]`, group after group
pub fn binary_cross_entropy(logits: &[f32], batch: &GroupBatch, pos_weight: f64) -> Loss {
    let mut loss = Loss { sum: 0.0, derivatives: Vec::with_capacity(logits.len()) };
    for (&logit, &target) in logits.iter().zip(&batch.targets) {
        let (logit, target) = (f64::from(logit), f64::from(target));
        let (positive, by_positive) = minus_log_sigmoid(logit);
        let (negative, by_negative) = minus_log_sigmoid(-logit);
        loss.sum += pos_weight * target * positive + (1.0 - target) * negative;
        let derivative = pos_weight * target * by_positive - (1.0 - target) * by_negative;
        loss.derivatives.push(derivative);
    }
    loss
}
