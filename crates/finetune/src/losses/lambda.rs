use std::f64::consts::LN_2;

use super::{Loss, minus_log_sigmoid, pairs};
use crate::GroupBatch;

/// NDCG-Loss2++ of the LambdaLoss framework (Wang et al., 2018): `-log2(sigmoid(better - worse))` for
/// every pair of a group whose targets differ, each weighted by what the pair means for NDCG as the
/// logits rank it now; the mean is over pairs. A group without such a pair gives 0.
///
/// The weight is `|G_i - G_j| * (mu * |1/D(|i-j|) - 1/D(|i-j|+1)| + |1/D(i) - 1/D(j)|)`, with gains
/// `G = (2^target - 1) / maxDCG`, discounts `D(r) = log2(1 + r)` and ranks from 1; equal logits rank in
/// the batch's order. It has no derivative. As sentence-transformers' `LambdaLoss` with
/// `NDCGLoss2PPScheme`, which multiplies the logarithm by the weight; allRank's `lambdaLoss` takes the
/// sigmoid to the weight's power first, and clamps it at 1e-10.
///
/// # Shapes
/// - logits: `[sequences]`, group after group
pub fn lambda(logits: &[f32], batch: &GroupBatch, mu: f64) -> Loss {
    let mut loss = Loss { sum: 0.0, derivatives: vec![0.0; logits.len()] };
    for group in batch.ranges() {
        let start = group.start;
        let targets = &batch.targets[group.clone()];
        let logits = &logits[group];
        let (gains, ranks) = (gains(targets), ranks(logits));
        for (better, worse) in pairs(targets) {
            let apart = ranks[better].abs_diff(ranks[worse]);
            let near = (1.0 / discount(apart) - 1.0 / discount(apart + 1)).abs();
            let far = (1.0 / discount(ranks[better]) - 1.0 / discount(ranks[worse])).abs();
            let weight = (gains[better] - gains[worse]).abs() * (mu * near + far) / LN_2;
            let difference = f64::from(logits[better]) - f64::from(logits[worse]);
            let (value, derivative) = minus_log_sigmoid(difference);
            loss.sum += weight * value;
            loss.derivatives[start + better] += weight * derivative;
            loss.derivatives[start + worse] -= weight * derivative;
        }
    }
    loss
}

/// `log2(1 + rank)`.
fn discount(rank: usize) -> f64 {
    (1.0 + rank as f64).log2()
}

/// Each target's gain, in shares of the best possible DCG. Targets below 0 gain nothing.
fn gains(targets: &[f32]) -> Vec<f64> {
    let gain = |target: f32| f64::from(target.max(0.0)).exp2() - 1.0;
    let mut best = targets.to_vec();
    best.sort_by(|a, b| b.total_cmp(a));
    let discounted = |(place, &target): (usize, &f32)| gain(target) / discount(place + 1);
    let best: f64 = best.iter().enumerate().map(discounted).sum();
    // The floor is sentence-transformers'; where it holds, all gains are 0.
    targets.iter().map(|&target| gain(target) / best.max(1e-10)).collect()
}

/// Each logit's rank, from 1, highest first; equal ones in their order.
fn ranks(logits: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    // 0.0 and -0.0 are equal to a sort of numbers.
    order.sort_by(|&a, &b| (logits[b] + 0.0).total_cmp(&(logits[a] + 0.0)));
    let mut ranks = vec![0; logits.len()];
    for (place, &index) in order.iter().enumerate() {
        ranks[index] = place + 1;
    }
    ranks
}
