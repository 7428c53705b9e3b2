//! A linear layer's weights laid out for both directions.

use pulp::Simd;

use super::panels;
use crate::Activation;
use crate::Instructions;
use crate::matmul::{Panels, Product, Start, panels_len, width};
use crate::reserve::reserve;

/// `x W + b`, and `y W^T` on the way back.
#[derive(Debug, Default)]
pub(super) struct Dense {
    forward: Vec<f32>,
    backward: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

impl Dense {
    pub fn new(inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, ..Self::default() }
    }

    /// Lays out new weights, `[inputs, outputs]`.
    pub fn pack(&mut self, weight: &[f32], bias: &[f32], instructions: Instructions) {
        let Self { inputs, outputs, .. } = *self;
        let width = width(instructions);
        let forward = reserve(&mut self.forward, panels_len(inputs, outputs, width));
        panels::of_rows(weight, outputs, inputs, outputs, width, forward);
        let backward = reserve(&mut self.backward, panels_len(outputs, inputs, width));
        panels::of_columns(weight, outputs, outputs, inputs, width, backward);
        let padded = reserve(&mut self.bias, outputs.next_multiple_of(width));
        padded[..outputs].copy_from_slice(bias);
    }

    /// `result = activation(x W + b)`, row by row.
    #[inline(always)]
    pub fn forward<S: Simd>(&self, simd: S, x: &[f32], result: &mut [f32], activation: Activation) {
        let (b, inner) = (&self.forward, self.inputs);
        let start = Start::Bias(&self.bias);
        multiply(simd, x, b, [inner, self.outputs], result, start, activation);
    }

    /// `result = gradient W^T`, or that much more.
    #[inline(always)]
    pub fn back<S: Simd>(&self, simd: S, gradient: &[f32], result: &mut [f32], add: bool) {
        let (b, inner) = (&self.backward, self.outputs);
        let start = if add { Start::Result } else { Start::Zero };
        multiply(simd, gradient, b, [inner, self.inputs], result, start, Activation::Identity);
    }
}

#[inline(always)]
fn multiply<S: Simd>(
    simd: S,
    a: &[f32],
    b: &[f32],
    [inner, columns]: [usize; 2],
    c: &mut [f32],
    start: Start<'_>,
    activation: Activation,
) {
    Product {
        rows: a.len() / inner,
        a,
        a_stride: inner,
        b: Panels { values: b, depth: inner },
        depth: 0..inner,
        columns: 0..columns,
        c,
        c_stride: columns,
        start,
        activation,
    }
    .run(simd);
}
