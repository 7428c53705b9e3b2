//! Inference through burn without padding: linear layers and norms over the tokens of a batch one after
//! another, attention over groups of sequences of like lengths, and a last layer that computes
//! little but what the first tokens need.

mod layer;
mod layout;
#[cfg(test)]
mod tests;

use burn::tensor::{Device, Tensor};
use secondpass_text::{ScoreError, Scorer, TokenBatch};

use layer::{LastLayer, Layer};
use layout::Layout;

use crate::architecture::Network;
use crate::failure::failed;
use crate::layers::Embeddings;
use crate::parallel::on_all_cores;
use crate::{DeviceSpec, Dtype, Model, ModelConfig};

/// A cross-encoder that scores through burn. Copies share the weights.
#[derive(Clone, Debug)]
pub struct Ragged {
    config: ModelConfig,
    device: Device,
    spec: DeviceSpec,
    dtype: Dtype,
    embeddings: Embeddings,
    layers: Vec<Layer>,
    last: LastLayer,
    /// For its head.
    network: Network,
}

impl Ragged {
    /// Takes over a model's weights. Queries, keys and values become one matrix, layer by layer, so
    /// that little is held twice.
    pub fn new(model: Model) -> Self {
        let (config, device) = (model.config().clone(), model.device.clone());
        let (spec, dtype) = (model.device(), model.dtype());
        let mut network = model.network;
        let body = network.body_mut();
        let embeddings = body.embeddings.clone();
        let all = std::mem::take(&mut body.encoder.layers);
        let count = all.len();
        let mut layers = Vec::with_capacity(count);
        let mut last = None;
        for (index, layer) in all.into_iter().enumerate() {
            match index + 1 == count {
                true => last = Some(LastLayer::new(layer)),
                false => layers.push(Layer::new(layer)),
            }
        }
        // A config without layers is refused when it is read.
        #[allow(clippy::expect_used)]
        let last = last.expect("a network has layers");
        Self { config, device, spec, dtype, embeddings, layers, last, network }
    }

    /// What `config.json` said.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The device it is on; never `auto`.
    pub fn device(&self) -> DeviceSpec {
        self.spec
    }

    /// The number format it computes in.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn score_one(&self, batch: &TokenBatch) -> Result<Vec<f32>, ScoreError> {
        let layout = Layout::new(batch, &self.config, &self.device)?;
        // [tokens, hidden]
        let embedded = self.embeddings.look_up(&layout.ids, &layout.types, &layout.positions);
        let x = self.layers.iter().fold(embedded, |x, layer| layer.forward(x, &layout));
        // [tokens, hidden] -> [batch, hidden] -> [batch]
        let logits: Tensor<1> = self.network.head_of_first(self.last.forward(x, &layout));
        self.read(logits)
    }

    fn read(&self, logits: Tensor<1>) -> Result<Vec<f32>, ScoreError> {
        let read = logits.try_into_vec_as::<f32>();
        let logits = read.map_err(|error| failed(&error.to_string()))?;
        // Other formats have f32's range: what is not finite there is said by who ranks.
        match self.dtype == Dtype::F16 && logits.iter().any(|logit| !logit.is_finite()) {
            true => {
                let (dtype, largest) = (self.dtype.to_string(), half::f16::MAX.to_f32() as u32);
                Err(ScoreError::NotFinite { dtype, largest })
            }
            false => Ok(logits),
        }
    }
}

impl Scorer for Ragged {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        on_all_cores(self.spec, batches, |batch| self.score_one(batch))
    }
}
