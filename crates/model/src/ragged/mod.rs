//! Inference through burn without padding: linear layers and norms over the tokens of a batch one after
//! another, attention over groups of sequences of like lengths, and a last layer that computes
//! little but what the first tokens need.

mod attend;
mod layer;
mod layout;
#[cfg(test)]
mod tests;

use burn::tensor::{Device, Tensor};
use secondpass_text::{ScoreError, Scorer, TokenBatch};

use attend::Ways;
use layer::{LastLayer, Layer};
use layout::Layout;

use crate::architecture::Network;
use crate::failure::{caught, failed};
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
    ways: Ways,
}

impl Ragged {
    /// Takes over a model's weights. Queries, keys and values become one matrix, layer by layer, so
    /// that little is held twice.
    pub fn new(model: Model) -> Self {
        let ways = Ways::of(model.device(), model.dtype());
        Self::with(model, ways)
    }

    fn with(model: Model, ways: Ways) -> Self {
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
                true => last = Some(LastLayer::new(layer, &ways)),
                false => layers.push(Layer::new(layer, &ways)),
            }
        }
        // A config without layers is refused when it is read.
        #[allow(clippy::expect_used)]
        let last = last.expect("a network has layers");
        Self { config, device, spec, dtype, embeddings, layers, last, network, ways }
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

    /// A batch's logits, which a card computes while this goes on.
    fn begin(&self, batch: &TokenBatch) -> Result<Tensor<1>, ScoreError> {
        let layout = Layout::new(batch, &self.config, &self.device, &self.ways)?;
        // [tokens, hidden]
        let embedded = self.embeddings.look_up(&layout.ids, &layout.types, &layout.positions);
        let x = self.layers.iter().fold(embedded, |x, layer| layer.forward(x, &layout, &self.ways));
        // [tokens, hidden] -> [batch, hidden] -> [batch]
        Ok(self.network.head_of_first(self.last.forward(x, &layout, &self.ways)))
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

impl Ragged {
    /// Begins all batches before it waits for the first: a card that has nothing to do waits for us.
    fn one_after_another(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        let batches = batches.iter().filter(|batch| !batch.is_empty());
        let begun = batches.map(|batch| self.begin(batch)).collect::<Result<Vec<_>, _>>()?;
        let mut logits = Vec::new();
        for batch in begun {
            logits.extend(self.read(batch)?);
        }
        Ok(logits)
    }
}

impl Scorer for Ragged {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        match self.spec {
            DeviceSpec::Cuda(_) => caught(|| self.one_after_another(batches)).flatten(),
            _ => on_all_cores(self.spec, batches, |batch| self.read(self.begin(batch)?)),
        }
    }
}
