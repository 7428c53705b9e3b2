//! The classification head: dense layer, tanh, projection to one logit.

use pulp::Simd;

use super::activation;
use super::dense::Dense;
use super::dropout::{Dropout, Site};
use super::work::{Space, Work};
use crate::Activation;

/// The head's linear layers, laid out.
#[derive(Debug)]
pub(super) struct Head {
    pub dense: Dense,
    pub project: Dense,
}

impl Head {
    pub fn new(hidden: usize) -> Self {
        Self { dense: Dense::new(hidden, hidden), project: Dense::new(hidden, 1) }
    }
}

/// What the backward pass needs, one row a sequence.
#[derive(Debug, Default)]
pub(super) struct SavedHead {
    /// What the dense layer read.
    pub input: Vec<f32>,
    /// The dense layer's results, before tanh; the way back replaces them by its gradients.
    pub dense: Vec<f32>,
    /// What the projection read.
    pub pooled: Vec<f32>,
}

/// Dropout before the dense layer and before the projection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drops {
    pub before: (Dropout, Site),
    pub after: (Dropout, Site),
}

/// All sequences at once: there are few.
pub(super) struct Forward<'a> {
    pub head: &'a Head,
    pub drops: Drops,
    pub hidden: usize,
    /// The encoder's output, copied into [`SavedHead::input`].
    pub saved: &'a mut SavedHead,
    pub logits: &'a mut [f32],
}

impl Work for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, _: &mut Space) {
        let Self { head, drops, hidden, saved, logits } = self;
        let SavedHead { input, dense, pooled } = saved;
        drops.before.0.apply_rows(drops.before.1, 0, hidden, input);
        head.dense.forward(simd, input, dense, Activation::Identity);
        head.dense.forward(simd, input, pooled, Activation::Tanh);
        drops.after.0.apply_rows(drops.after.1, 0, hidden, pooled);
        head.project.forward(simd, pooled, logits, Activation::Identity);
    }
}

/// The way back.
pub(super) struct Back<'a> {
    pub head: &'a Head,
    pub drops: Drops,
    pub hidden: usize,
    pub saved: &'a mut SavedHead,
    pub derivatives: &'a [f32],
    /// Gets the gradient by the dense layer's results.
    pub dense_gradient: &'a mut [f32],
    /// Gets the gradient by the encoder's output.
    pub gradient: &'a mut [f32],
}

impl Work for Back<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, _: &mut Space) {
        let Self { head, drops, hidden, saved, derivatives, dense_gradient, gradient } = self;
        head.project.back(simd, derivatives, dense_gradient, false);
        drops.after.0.apply_rows(drops.after.1, 0, hidden, dense_gradient);
        activation::backward(simd, Activation::Tanh, &mut saved.dense, dense_gradient);
        head.dense.back(simd, dense_gradient, gradient, false);
        drops.before.0.apply_rows(drops.before.1, 0, hidden, gradient);
    }
}
