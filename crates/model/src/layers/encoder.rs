use burn::tensor::activation::{gelu, gelu_approximate, relu};
use burn::tensor::{Bool, DType, Tensor};

use super::attention::Attention;
use super::{LayerNorm, Linear, cast, dropout};
use crate::ModelConfig;
use crate::config::Activation;
use crate::weights::{Parameters, Slot, Source, WeightsError};

/// A stack of post-norm transformer layers.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    pub layers: Vec<Layer>,
}

/// Attention and feed-forward, each followed by residual and LayerNorm.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub attention: Attention,
    pub attention_norm: LayerNorm,
    pub widen: Linear,
    pub narrow: Linear,
    pub output_norm: LayerNorm,
    pub activation: Activation,
    dropout: f64,
}

impl Encoder {
    pub fn build(
        source: &mut dyn Source,
        path: &str,
        config: &ModelConfig,
    ) -> Result<Self, WeightsError> {
        let layers = (0..config.num_hidden_layers)
            .map(|layer| Layer::build(source, &format!("{path}.layer.{layer}"), config));
        Ok(Self { layers: layers.collect::<Result<_, _>>()? })
    }

    /// # Shapes
    /// - x and result: `[batch, tokens, hidden]`
    /// - padding: `[batch, tokens]`, true where there is padding
    pub fn forward(&self, x: Tensor<3>, padding: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        self.layers.iter().fold(x, |x, layer| layer.forward(layer.narrowed(x), padding))
    }
}

impl Layer {
    fn build(
        source: &mut dyn Source,
        path: &str,
        config: &ModelConfig,
    ) -> Result<Self, WeightsError> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let epsilon = config.layer_norm_eps;
        let norm = |name: &str, source: &mut dyn Source| {
            LayerNorm::build(source, &format!("{path}.{name}.LayerNorm"), hidden, epsilon)
        };
        Ok(Self {
            attention: Attention::build(source, &format!("{path}.attention"), config)?,
            attention_norm: norm("attention.output", source)?,
            widen: Linear::build(source, &format!("{path}.intermediate.dense"), hidden, wide)?,
            narrow: Linear::build(source, &format!("{path}.output.dense"), wide, hidden)?,
            output_norm: norm("output", source)?,
            activation: config.hidden_act,
            dropout: config.hidden_dropout_prob,
        })
    }

    /// In the format that its products are computed in: embeddings may be in another.
    fn narrowed(&self, x: Tensor<3>) -> Tensor<3> {
        cast(x, self.widen.weight.dtype())
    }

    fn forward(&self, x: Tensor<3>, padding: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        let attended = dropout(self.attention.forward(x.clone(), padding), self.dropout);
        let x = self.attention_norm.forward(x + attended);
        // [batch, tokens, hidden] -> [batch, tokens, intermediate] and back
        let wide = activate(self.activation, self.widen.forward(x.clone()));
        let narrow = dropout(self.narrow.forward(wide), self.dropout);
        self.output_norm.forward(x + narrow)
    }
}

/// What stands between a layer's two wide projections, in f32 whatever it is given: of several operations
/// each would round in a narrow format, and f16 has no cube of 41.
pub(crate) fn activate<const D: usize>(activation: Activation, x: Tensor<D>) -> Tensor<D> {
    let (dtype, wide) = (x.dtype(), |x| cast(x, DType::F32));
    match activation {
        Activation::Gelu => cast(gelu(wide(x)), dtype),
        Activation::GeluTanh => cast(gelu_approximate(wide(x)), dtype),
        Activation::Relu => relu(x),
    }
}

impl Parameters for Encoder {
    fn visit(&mut self, path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let path = format!("{path}.layer.{index}");
            layer.attention.visit(&format!("{path}.attention"), visit);
            layer.attention_norm.visit(&format!("{path}.attention.output.LayerNorm"), visit);
            layer.widen.visit(&format!("{path}.intermediate.dense"), visit);
            layer.narrow.visit(&format!("{path}.output.dense"), visit);
            layer.output_norm.visit(&format!("{path}.output.LayerNorm"), visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeviceSpec, Dtype};

    /// A cube of 60 is beyond f16, and tanh's argument then infinite or no number.
    #[test]
    fn activations_of_narrow_numbers_are_computed_in_f32() {
        let device = DeviceSpec::Flex.open(Dtype::F32).unwrap();
        let values = [-60.0, -3.0, -0.5, 0.0, 0.75, 2.0, 60.0, 5000.0f32];
        for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
            let wide = Tensor::<1>::from_data(values, &device);
            let expected = activate(activation, wide.clone()).try_into_vec_as::<f32>().unwrap();
            for (dtype, tolerance) in [(DType::F16, 1e-3), (DType::BF16, 8e-3)] {
                let found = activate(activation, cast(wide.clone(), dtype));
                assert_eq!(found.dtype(), dtype);
                let found = found.try_into_vec_as::<f32>().unwrap();
                for (found, expected) in found.iter().zip(&expected) {
                    let off = (found - expected).abs();
                    assert!(off <= tolerance * expected.abs().max(0.1), "{activation:?} {dtype:?}");
                }
            }
        }
    }
}
