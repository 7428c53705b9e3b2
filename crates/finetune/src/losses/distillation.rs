use super::Loss;
use super::softmax::{cross_entropy, log_softmax};
use crate::GroupBatch;

/// FlagEmbedding's distillation (`AbsRerankerModel.forward`): [`super::group_softmax`] plus `weight`
/// times the cross-entropy between the softmax over the teacher's scores and that over the logits;
/// the mean is over groups. FlagEmbedding has a weight and a temperature of 1. At another
/// temperature both softmaxes are taken of scores divided by it, and the second part is multiplied
/// by its square, so that its derivatives keep their size (Hinton et al., 2015).
///
/// # Shapes
/// - logits: `[sequences]`, group after group; `batch.teacher` has as many scores
pub fn distillation(logits: &[f32], batch: &GroupBatch, weight: f64, temperature: f64) -> Loss {
    let mut loss = super::group_softmax(logits, batch);
    for group in batch.ranges() {
        let start = group.start;
        let logs = log_softmax(&logits[group.clone()], temperature);
        let teacher = log_softmax(&batch.teacher[group], temperature);
        let soft =
            cross_entropy(&logs, teacher.iter().map(|log| log.exp()), |place, derivative| {
                loss.derivatives[start + place] += weight * temperature * derivative;
            });
        loss.sum += weight * temperature * temperature * soft;
    }
    loss
}
