use burn::tensor::Tensor;
use burn::tensor::module::layer_norm;

use crate::weights::{Kind, Parameters, Slot, Source, WeightsError};

/// Layer normalization over the last axis.
#[derive(Clone, Debug)]
pub(crate) struct LayerNorm {
    /// `[width]`
    scale: Tensor<1>,
    /// `[width]`
    shift: Tensor<1>,
    epsilon: f64,
}

impl LayerNorm {
    pub fn build(
        source: &mut dyn Source,
        path: &str,
        width: usize,
        epsilon: f64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            scale: source.vector(&format!("{path}.weight"), width, Kind::Scale)?,
            shift: source.vector(&format!("{path}.bias"), width, Kind::Shift)?,
            epsilon,
        })
    }

    /// # Shapes
    /// - x and result: `[..., width]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        layer_norm(x, self.scale.clone(), Some(self.shift.clone()), self.epsilon)
    }
}

impl Parameters for LayerNorm {
    fn visit(&mut self, path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        visit(format!("{path}.weight"), Slot::Vector(&mut self.scale, Kind::Scale));
        visit(format!("{path}.bias"), Slot::Vector(&mut self.shift, Kind::Shift));
    }
}
