use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use secondpass_text::GroupBatch;

/// Cross-entropy between each group's targets and the softmax over its logits, mean over groups.
///
/// # Shapes
/// - logits: `[sequences]`, group after group
/// - result: `[1]`
pub(crate) fn group_softmax(logits: Tensor<1>, batch: &GroupBatch, device: &Device) -> Tensor<1> {
    let (groups, widest) = (batch.sizes.len(), batch.sizes.iter().copied().max().unwrap_or(1));
    let slots = groups * widest;
    let mut indexes = Vec::with_capacity(slots);
    let mut targets = Vec::with_capacity(slots);
    let mut empty = Vec::with_capacity(slots);
    let mut start = 0;
    for &size in &batch.sizes {
        for slot in 0..widest {
            let there = slot < size;
            indexes.push(if there { (start + slot) as i64 } else { 0 });
            targets.push(if there { batch.targets[start + slot] } else { 0.0 });
            empty.push(!there);
        }
        start += size;
    }
    let indexes: Tensor<1, Int> = Tensor::from_data(TensorData::new(indexes, [slots]), device);
    let shape = [groups, widest];
    let targets: Tensor<2> = Tensor::from_data(TensorData::new(targets, shape), device);
    let empty = Tensor::from_data(TensorData::new(empty, shape), device);
    // [sequences] -> [groups, widest], empty slots out of the softmax's reach
    let logits = logits.select(0, indexes).reshape(shape).mask_fill(empty, EMPTY);
    (log_softmax(logits, 1) * targets).sum().neg() / groups as f64
}

/// Low enough to vanish in f32's softmax, finite so that 0 x it stays 0.
const EMPTY: f32 = -1e9;
