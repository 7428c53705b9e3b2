//! One encoder layer, forward and backward, but for attention.

use pulp::Simd;

use super::dense::Dense;
use super::dropout::{Dropout, Site};
use super::work::{Space, Work};
use super::{activation, layout, norm};
use crate::reserve::reserve;
use crate::{Activation, EncoderConfig, Instructions};

/// A layer's linear layers, laid out.
#[derive(Debug)]
pub(super) struct Layer {
    pub query: Dense,
    pub key: Dense,
    pub value: Dense,
    pub attention_output: Dense,
    pub wide: Dense,
    pub narrow: Dense,
}

impl Layer {
    pub fn new(config: &EncoderConfig) -> Self {
        let EncoderConfig { hidden, intermediate, .. } = *config;
        let square = || Dense::new(hidden, hidden);
        Self {
            query: square(),
            key: square(),
            value: square(),
            attention_output: square(),
            wide: Dense::new(hidden, intermediate),
            narrow: Dense::new(intermediate, hidden),
        }
    }

    /// Each of them, with the place of its weight within the layer.
    pub fn linears(&mut self) -> [(&mut Dense, usize); 6] {
        [
            (&mut self.query, layout::QUERY),
            (&mut self.key, layout::KEY),
            (&mut self.value, layout::VALUE),
            (&mut self.attention_output, layout::ATTENTION_OUTPUT),
            (&mut self.wide, layout::WIDE),
            (&mut self.narrow, layout::NARROW),
        ]
    }
}

/// Lays out one linear layer's new weights.
pub(super) struct Repack<'a> {
    pub dense: &'a mut Dense,
    pub weight: &'a [f32],
    pub bias: &'a [f32],
    pub instructions: Instructions,
}

impl Work for Repack<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S, _: &mut Space) {
        self.dense.pack(self.weight, self.bias, self.instructions);
    }
}

/// What the backward pass needs of a layer. The last layer has queries, and all that follows from
/// them, for each sequence's first token only.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// `[queries, hidden]`
    pub queries: Vec<f32>,
    /// `[tokens, hidden]`
    pub keys: Vec<f32>,
    /// `[tokens, hidden]`
    pub values: Vec<f32>,
    /// `[queries, hidden]`
    pub context: Vec<f32>,
    /// `[queries, heads]`
    pub log_sums: Vec<f32>,
    /// `[queries, hidden]`: the attention norm's results before scale and shift.
    pub attended: Vec<f32>,
    /// `[queries]`
    pub attended_factors: Vec<f32>,
    /// `[queries, intermediate]`: before the activation.
    pub wide: Vec<f32>,
    /// `[queries, hidden]`: the output norm's results before scale and shift.
    pub output: Vec<f32>,
    /// `[queries]`
    pub output_factors: Vec<f32>,
}

impl Saved {
    /// Gives its memory to another one and takes that one's, all but what the next layer's input is
    /// made from.
    pub fn swap_all_but_output(&mut self, other: &mut Self) {
        std::mem::swap(self, other);
        std::mem::swap(&mut self.output, &mut other.output);
        std::mem::swap(&mut self.output_factors, &mut other.output_factors);
    }
}

/// What every block of rows of a layer reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common<'a> {
    pub layer: &'a Layer,
    /// Scale and shift of the attention norm, then of the output norm.
    pub norms: [&'a [f32]; 4],
    pub epsilon: f32,
    pub activation: Activation,
    pub dropout: Dropout,
    /// Of the attention's output and of the feed-forward's.
    pub sites: [Site; 2],
}

/// Linear layers over a block of rows.
pub(super) struct Project<'a, const N: usize> {
    pub linears: [(&'a Dense, &'a mut [f32]); N],
    pub x: &'a [f32],
}

impl<const N: usize> Work for Project<'_, N> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, _: &mut Space) {
        for (dense, result) in self.linears {
            dense.forward(simd, self.x, result, Activation::Identity);
        }
    }
}

/// From a block of the context to the layer's output.
pub(super) struct Rows<'a> {
    pub common: Common<'a>,
    /// The first row's place.
    pub first: usize,
    pub context: &'a [f32],
    /// The layer's input, which becomes its output.
    pub x: &'a mut [f32],
    pub attended: &'a mut [f32],
    pub attended_factors: &'a mut [f32],
    pub wide: &'a mut [f32],
    pub output: &'a mut [f32],
    pub output_factors: &'a mut [f32],
}

impl Work for Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, space: &mut Space) {
        let Common { layer, norms, epsilon, activation, dropout, sites } = self.common;
        let hidden = norms[0].len();
        let Self { first, context, x, attended, wide, output, .. } = self;
        layer.attention_output.forward(simd, context, attended, Activation::Identity);
        dropout.apply_rows(sites[0], first, hidden, attended);
        add(attended, x);
        for (row, factor) in attended.chunks_exact_mut(hidden).zip(self.attended_factors) {
            *factor = norm::normalize(simd, row, epsilon);
        }
        norm::affine_rows(attended, norms[0], norms[1], x);
        layer.wide.forward(simd, x, wide, Activation::Identity);
        let activated = reserve(&mut space.wide, wide.len());
        activate(simd, activation, wide, activated);
        layer.narrow.forward(simd, activated, output, Activation::Identity);
        dropout.apply_rows(sites[1], first, hidden, output);
        add(output, x);
        for (row, factor) in output.chunks_exact_mut(hidden).zip(self.output_factors) {
            *factor = norm::normalize(simd, row, epsilon);
        }
        norm::affine_rows(output, norms[2], norms[3], x);
    }
}

/// The way back, to the gradient by the context.
pub(super) struct RowsBack<'a> {
    pub common: Common<'a>,
    pub first: usize,
    pub attended: &'a [f32],
    pub attended_factors: &'a [f32],
    pub output: &'a [f32],
    pub output_factors: &'a [f32],
    /// The activation's inputs, which become its results.
    pub wide: &'a mut [f32],
    /// The gradient by the layer's output, which becomes what its input gets past attention.
    pub gradient: &'a mut [f32],
    /// Gets the gradient by the wide projection's results.
    pub wide_gradient: &'a mut [f32],
    /// Gets the feed-forward's input.
    pub middle: &'a mut [f32],
    /// Gets the gradient by the narrow projection's results.
    pub narrow_gradient: &'a mut [f32],
    /// Gets the gradient by the attention output's results.
    pub attention_gradient: &'a mut [f32],
    /// Gets the gradient by the context.
    pub context_gradient: &'a mut [f32],
    /// `[4, hidden]`, zeros: gets this block's gradients of the norms' scales and shifts.
    pub sums: &'a mut [f32],
}

impl Work for RowsBack<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, _: &mut Space) {
        let Common { layer, norms, activation, dropout, sites, .. } = self.common;
        let hidden = norms[0].len();
        let Self { first, gradient, wide, wide_gradient, .. } = self;
        let (attention_sums, output_sums) = self.sums.split_at_mut(2 * hidden);
        let rows = gradient.chunks_exact_mut(hidden).zip(self.output.chunks_exact(hidden));
        for ((gradient, x), &factor) in rows.zip(self.output_factors) {
            norm::backward(simd, gradient, x, factor, norms[2], output_sums);
        }
        self.narrow_gradient.copy_from_slice(gradient);
        dropout.apply_rows(sites[1], first, hidden, self.narrow_gradient);
        layer.narrow.back(simd, self.narrow_gradient, wide_gradient, false);
        activation::backward(simd, activation, wide, wide_gradient);
        layer.wide.back(simd, wide_gradient, gradient, true);
        norm::affine_rows(self.attended, norms[0], norms[1], self.middle);
        let rows = gradient.chunks_exact_mut(hidden).zip(self.attended.chunks_exact(hidden));
        for ((gradient, x), &factor) in rows.zip(self.attended_factors) {
            norm::backward(simd, gradient, x, factor, norms[0], attention_sums);
        }
        self.attention_gradient.copy_from_slice(gradient);
        dropout.apply_rows(sites[0], first, hidden, self.attention_gradient);
        layer.attention_output.back(simd, self.attention_gradient, self.context_gradient, false);
    }
}

/// Adds to a block of the gradient by the layer's input what comes through queries, keys and values.
pub(super) struct InputBack<'a, const N: usize> {
    pub linears: [(&'a Dense, &'a [f32]); N],
    pub gradient: &'a mut [f32],
    /// Whether the gradient has something already.
    pub add: bool,
}

impl<const N: usize> Work for InputBack<'_, N> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, _: &mut Space) {
        let mut add = self.add;
        for (dense, gradient) in self.linears {
            dense.back(simd, gradient, self.gradient, add);
            add = true;
        }
    }
}

/// `x += y`
#[inline(always)]
pub(super) fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

#[inline(always)]
fn activate<S: Simd>(simd: S, activation: Activation, x: &[f32], result: &mut [f32]) {
    let ((x, x_rest), (to, to_rest)) = (S::as_simd_f32s(x), S::as_mut_simd_f32s(result));
    for (to, x) in to.iter_mut().zip(x) {
        *to = activation.of(simd, *x);
    }
    if !x_rest.is_empty() {
        simd.partial_store_f32s(to_rest, activation.of(simd, simd.partial_load_f32s(x_rest)));
    }
}
