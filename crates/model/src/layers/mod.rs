//! The parts that all architectures share.

mod attention;
mod embeddings;
mod encoder;
mod layer_norm;
mod linear;

pub(crate) use attention::unfused;
use burn::tensor::{DType, Distribution, Tensor};
pub(crate) use embeddings::Embeddings;
pub(crate) use encoder::{Encoder, Layer as EncoderLayer, activate};
pub(crate) use layer_norm::LayerNorm;
pub(crate) use linear::Linear;

/// In another number format, where it is not in that one already.
pub(crate) fn cast<const D: usize>(x: Tensor<D>, dtype: DType) -> Tensor<D> {
    match x.dtype() == dtype {
        true => x,
        false => x.cast(dtype),
    }
}

/// Zeroes a share of the elements and scales the others up, while training only: a tensor without
/// autodiff passes unchanged.
pub(crate) fn dropout<const D: usize>(x: Tensor<D>, share: f64) -> Tensor<D> {
    if share == 0.0 || !x.is_autodiff() {
        return x;
    }
    let kept = x.random_like(Distribution::Bernoulli(1.0 - share));
    x * kept * (1.0 / (1.0 - share))
}
