/// The logarithms of the softmax over a group's logits, each divided by `temperature` before.
pub(super) fn log_softmax(logits: &[f32], temperature: f64) -> Vec<f64> {
    let logits: Vec<f64> = logits.iter().map(|&logit| f64::from(logit) / temperature).collect();
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - highest).exp()).sum();
    logits.into_iter().map(|logit| logit - highest - sum.ln()).collect()
}

/// Cross-entropy between targets and a softmax given by its logarithms; its derivatives by what the
/// softmax was taken of go to `add`, in order.
pub(super) fn cross_entropy(
    logs: &[f64],
    targets: impl Iterator<Item = f64> + Clone,
    mut add: impl FnMut(usize, f64),
) -> f64 {
    let mass: f64 = targets.clone().sum();
    let mut value = 0.0;
    for (place, (log, target)) in logs.iter().zip(targets).enumerate() {
        value -= target * log;
        add(place, mass * log.exp() - target);
    }
    value
}
