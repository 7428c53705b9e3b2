use super::Loss;
use super::softmax::{cross_entropy, log_softmax};
use crate::GroupBatch;

/// Cross-entropy between each group's targets and the softmax over its logits; the mean is over
/// groups. With one positive a group it is what FlagEmbedding's rerankers and sentence-transformers'
/// `MultipleNegativesRankingLoss` without in-batch negatives learn from.
///
/// # Shapes
/// - logits: `[sequences]`, group after group
pub fn group_softmax(logits: &[f32], batch: &GroupBatch) -> Loss {
    let mut loss = Loss { sum: 0.0, derivatives: vec![0.0; logits.len()] };
    for group in batch.ranges() {
        let start = group.start;
        let logs = log_softmax(&logits[group.clone()], 1.0);
        let targets = batch.targets[group].iter().map(|&target| f64::from(target));
        loss.sum += cross_entropy(&logs, targets, |place, derivative| {
            loss.derivatives[start + place] += derivative;
        });
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::testing::batch;

    #[test]
    fn the_value_is_the_definition() {
        // Large logits, a tie, groups of different sizes.
        let batch = batch(&[3, 2], &[1.0, 0.0, 0.0, 0.0, 1.0], &[]);
        let loss = group_softmax(&[30.0, 29.0, -50.0, 0.5, 0.5], &batch);
        let expected = (1.0f64 + (-1.0f64).exp()).ln() + 2.0f64.ln();
        assert!((loss.sum - expected).abs() < 1e-12, "{}", loss.sum);
    }
}
