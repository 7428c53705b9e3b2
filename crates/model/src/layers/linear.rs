use burn::tensor::Tensor;
use burn::tensor::module::linear;

use crate::weights::{Kind, Parameters, Slot, Source, WeightsError};

/// `x W + b`.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    /// `[in, out]`
    pub weight: Tensor<2>,
    /// `[out]`
    pub bias: Tensor<1>,
}

impl Linear {
    pub fn build(
        source: &mut dyn Source,
        path: &str,
        input: usize,
        output: usize,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: source.matrix(&format!("{path}.weight"), [input, output], Kind::Projection)?,
            bias: source.vector(&format!("{path}.bias"), output, Kind::Bias)?,
        })
    }

    /// # Shapes
    /// - x: `[..., in]`
    /// - result: `[..., out]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        linear(x, self.weight.clone(), Some(self.bias.clone()))
    }

    /// `x W` alone, for who adds the bias in a later pass over the result: on a card each pass is read and
    /// written memory.
    ///
    /// # Shapes
    /// - x: `[..., in]`
    /// - result: `[..., out]`
    pub fn product<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        linear(x, self.weight.clone(), None)
    }
}

impl Parameters for Linear {
    fn visit(&mut self, path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        visit(format!("{path}.weight"), Slot::Matrix(&mut self.weight, Kind::Projection));
        visit(format!("{path}.bias"), Slot::Vector(&mut self.bias, Kind::Bias));
    }
}
