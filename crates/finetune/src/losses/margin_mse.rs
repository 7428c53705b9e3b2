use super::{Loss, pairs};
use crate::GroupBatch;

/// MarginMSE (Hofstätter et al., 2020): the squared difference between the student's margin of a
/// better over a worse document and the teacher's; the mean is over pairs. As sentence-transformers'
/// `MarginMSELoss` of a positive with its negatives. The teacher's scores must be logits: margins of
/// probabilities are another aim.
///
/// # Shapes
/// - logits: `[sequences]`, group after group; `batch.teacher` has as many scores
pub fn margin_mse(logits: &[f32], batch: &GroupBatch) -> Loss {
    let mut loss = Loss { sum: 0.0, derivatives: vec![0.0; logits.len()] };
    for group in batch.ranges() {
        let start = group.start;
        for (better, worse) in pairs(&batch.targets[group]) {
            let (better, worse) = (start + better, start + worse);
            let margin = |of: &[f32]| f64::from(of[better]) - f64::from(of[worse]);
            let error = margin(logits) - margin(&batch.teacher);
            loss.sum += error * error;
            loss.derivatives[better] += 2.0 * error;
            loss.derivatives[worse] -= 2.0 * error;
        }
    }
    loss
}
