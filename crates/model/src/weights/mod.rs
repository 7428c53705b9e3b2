//! Weights in and out, by the names Hugging Face's files give them.

mod decode;
mod files;
mod onto;
mod random;
mod rows;
#[cfg(test)]
mod served;
mod take;
mod write;

use burn::tensor::Tensor;

pub use files::WeightsError;
pub(crate) use files::{Files, WithNewHead};
pub(crate) use onto::onto;
pub use random::Initialization;
pub(crate) use random::Random;
pub(crate) use rows::{NotFinite, Rows};
pub(crate) use take::take;
pub(crate) use write::{file_tensor, finish, write, write_tensors};

/// What a parameter is for: how a file lays it out, how it starts, whether it decays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Rows are looked up: `[entries, width]` in the file too.
    Embedding,
    /// Multiplies from the right: `[in, out]` here, `[out, in]` in the file.
    Projection,
    /// Added after a projection.
    Bias,
    /// LayerNorm's factor.
    Scale,
    /// LayerNorm's summand.
    Shift,
}

/// Where a network's parameters come from.
pub(crate) trait Source {
    /// An embedding `[entries, width]` or a projection `[in, out]`.
    fn matrix(
        &mut self,
        name: &str,
        shape: [usize; 2],
        kind: Kind,
    ) -> Result<Tensor<2>, WeightsError>;

    /// A bias, scale or shift.
    fn vector(&mut self, name: &str, length: usize, kind: Kind) -> Result<Tensor<1>, WeightsError>;
}

/// One parameter of a network, to read or replace.
pub(crate) enum Slot<'a> {
    /// An embedding or a projection.
    Matrix(&'a mut Tensor<2>, Kind),
    /// A bias, scale or shift.
    Vector(&'a mut Tensor<1>, Kind),
}

/// Walks over the parameters of a network part, with their names in Hugging Face's files. The
/// order is always the same.
pub(crate) trait Parameters {
    /// Calls `visit` for each parameter below `path`.
    fn visit(&mut self, path: &str, visit: &mut dyn FnMut(String, Slot<'_>));
}
