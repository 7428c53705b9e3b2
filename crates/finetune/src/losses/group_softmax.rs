use super::Loss;
use crate::GroupBatch;

/// Cross-entropy between each group's targets and the softmax over its logits, mean over groups.
///
/// # Shapes
/// - logits: `[sequences]`, group after group
pub fn group_softmax(logits: &[f32], batch: &GroupBatch) -> Loss {
    let groups = batch.sizes.len() as f64;
    let mut value = 0.0;
    let mut derivatives = Vec::with_capacity(logits.len());
    let mut start = 0;
    for &size in &batch.sizes {
        let group = start..start + size;
        start += size;
        let targets = &batch.targets[group.clone()];
        let logits: Vec<f64> = logits[group].iter().map(|&logit| f64::from(logit)).collect();
        let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.iter().map(|logit| (logit - highest).exp()).sum();
        let mass: f64 = targets.iter().map(|&target| f64::from(target)).sum();
        for (logit, &target) in logits.iter().zip(targets) {
            let target = f64::from(target);
            let log = logit - highest - sum.ln();
            value -= target * log;
            derivatives.push(((mass * log.exp() - target) / groups) as f32);
        }
    }
    Loss { value: value / groups, derivatives }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(sizes: &[usize], targets: &[f32]) -> GroupBatch {
        GroupBatch { sizes: sizes.to_vec(), targets: targets.to_vec(), ..GroupBatch::default() }
    }

    #[test]
    fn the_value_is_the_definition() {
        // Large logits, a tie, groups of different sizes.
        let batch = batch(&[3, 2], &[1.0, 0.0, 0.0, 0.0, 1.0]);
        let loss = group_softmax(&[30.0, 29.0, -50.0, 0.5, 0.5], &batch);
        let expected = ((1.0f64 + (-1.0f64).exp()).ln() + 2.0f64.ln()) / 2.0;
        assert!((loss.value - expected).abs() < 1e-12, "{}", loss.value);
    }

    #[test]
    fn the_derivatives_are_the_values() {
        let batch = batch(&[3, 1, 2], &[0.7, 0.3, 0.0, 1.0, 0.0, 1.0]);
        let logits = [0.3f32, -1.2, 2.0, 0.4, 1.0, 1.0];
        let found = group_softmax(&logits, &batch).derivatives;
        for place in 0..logits.len() {
            let value = |by: f32| {
                let mut moved = logits;
                moved[place] += by;
                group_softmax(&moved, &batch).value
            };
            let expected = (value(1e-2) - value(-1e-2)) / 2e-2;
            assert!((f64::from(found[place]) - expected).abs() < 1e-4, "{place}");
        }
    }
}
