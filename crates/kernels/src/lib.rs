//! CPU kernels on plain `f32` slices, and on top of them the forward pass of a post-norm BERT-family
//! encoder for inference.
//!
//! Nothing is padded: the tokens of a batch lie one after another and `offsets` says where each
//! sequence starts, so that linear layers run over tokens that exist and attention over one sequence
//! at a time. Every result is bit-identical whatever the number of threads, and whatever other
//! sequences share the batch. [`Instructions`] picks the vector instructions at run time; kernels are
//! written once, over [`pulp::Simd`].
//!
//! [`train`] has the forward and backward pass of training, and its optimizer.
//!
//! What was tried and measured stands in `PERFORMANCE.md` beside this crate's manifest.

mod activation;
mod attention;
mod encoder;
mod error;
mod exp;
mod instructions;
mod linear;
mod matmul;
mod norm;
mod prefetch;
mod reserve;
mod softmax;
mod threads;
pub mod train;

#[cfg(test)]
mod reference;

pub use activation::{Activation, erf};
pub use attention::Attention;
pub use encoder::{Encoder, EncoderConfig, LayerWeights, LinearWeights, NormWeights, Workspace};
pub use error::ShapeError;
pub use instructions::Instructions;
pub use linear::Linear;
pub use norm::LayerNorm;
pub use threads::{Threads, ThreadsError};
