//! Low-rank adapters (Hu et al. 2021) as another way to write a weight.

use pulp::{Simd, WithSimd};

use super::norm::dot;
use crate::Instructions;

/// A weight written as `base + scale * down * up`: `down` is `[inputs, rank]`, `up` `[rank, outputs]`.
/// Both are transposed against PEFT's `lora_A` and `lora_B`.
///
/// Without dropout on the adapter's input this is exact: the gradients of both parts follow from the
/// whole weight's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adapter {
    /// Features of an input.
    pub inputs: usize,
    /// Features of a result.
    pub outputs: usize,
    /// The rank.
    pub rank: usize,
    /// `alpha / rank`
    pub scale: f32,
}

impl Adapter {
    /// The weight, `[inputs, outputs]`.
    pub fn merge(&self, base: &[f32], down: &[f32], up: &[f32], weight: &mut [f32]) {
        weight.copy_from_slice(base);
        for (row, down) in weight.chunks_exact_mut(self.outputs).zip(down.chunks_exact(self.rank)) {
            for (down, up) in down.iter().zip(up.chunks_exact(self.outputs)) {
                let down = down * self.scale;
                row.iter_mut().zip(up).for_each(|(weight, up)| *weight += down * up);
            }
        }
    }

    /// The gradients by `down` and `up`, from that by the weight.
    pub fn gradients(
        &self,
        weight: &[f32],
        down: &[f32],
        up: &[f32],
        instructions: Instructions,
    ) -> (Vec<f32>, Vec<f32>) {
        let mut down_gradient = vec![0.0; down.len()];
        let mut up_gradient = vec![0.0; up.len()];
        instructions.run(Gradients {
            adapter: *self,
            weight,
            down,
            up,
            down_gradient: &mut down_gradient,
            up_gradient: &mut up_gradient,
        });
        (down_gradient, up_gradient)
    }
}

struct Gradients<'a> {
    adapter: Adapter,
    weight: &'a [f32],
    down: &'a [f32],
    up: &'a [f32],
    down_gradient: &'a mut [f32],
    up_gradient: &'a mut [f32],
}

impl WithSimd for Gradients<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Adapter { outputs, rank, scale, .. } = self.adapter;
        let rows = self.weight.chunks_exact(outputs).zip(self.down.chunks_exact(rank));
        for ((row, down), to) in rows.zip(self.down_gradient.chunks_exact_mut(rank)) {
            for (to, up) in to.iter_mut().zip(self.up.chunks_exact(outputs)) {
                *to = scale * dot(simd, row, up);
            }
            let up = self.up_gradient.chunks_exact_mut(outputs);
            for (down, up) in down.iter().zip(up) {
                let down = down * scale;
                up.iter_mut().zip(row).for_each(|(up, weight)| *up += down * weight);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{self, Numbers};

    #[test]
    fn gradients_are_those_of_the_merged_weight() {
        let adapter = Adapter { inputs: 19, outputs: 21, rank: 3, scale: 2.0 };
        let mut numbers = Numbers::new(8);
        let (base, gradient) = (numbers.take(19 * 21, 1.0), numbers.take(19 * 21, 1.0));
        let (down, up) = (numbers.take(19 * 3, 1.0), numbers.take(3 * 21, 1.0));
        // The loss is the inner product of the weight and what stands for its gradient.
        let loss = |down: &[f32], up: &[f32]| {
            let mut weight = vec![0.0; 19 * 21];
            adapter.merge(&base, down, up, &mut weight);
            weight.iter().zip(&gradient).map(|(w, g)| f64::from(*w) * f64::from(*g)).sum::<f64>()
        };
        let slope = |values: &[f32], loss: &dyn Fn(&[f32]) -> f64| -> Vec<f64> {
            let shifted = |place: usize, by: f32| {
                let mut values = values.to_vec();
                values[place] += by;
                loss(&values)
            };
            (0..values.len()).map(|i| (shifted(i, 0.5) - shifted(i, -0.5)) / 1.0).collect()
        };
        let down_slopes = slope(&down, &|down| loss(down, &up));
        let up_slopes = slope(&up, &|up| loss(&down, up));
        for set in Instructions::available() {
            let (by_down, by_up) = adapter.gradients(&gradient, &down, &up, set);
            reference::assert_close(&by_down, &down_slopes, 1e-5);
            reference::assert_close(&by_up, &up_slopes, 1e-5);
        }
    }
}
