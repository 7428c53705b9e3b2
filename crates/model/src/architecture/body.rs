use burn::tensor::Tensor;

use crate::ModelConfig;
use crate::layers::{Embeddings, Encoder};
use crate::padded::Padded;
use crate::weights::{Parameters, Slot, Source, WeightsError};

/// What stands below every head, in the BERT family as in the RoBERTa family: embeddings and
/// layers. `name` is what Hugging Face's files call it (`bert`, `roberta`).
#[derive(Clone, Debug)]
pub(crate) struct Body {
    name: &'static str,
    pub(crate) embeddings: Embeddings,
    pub(crate) encoder: Encoder,
}

impl Body {
    pub fn build(
        source: &mut dyn Source,
        name: &'static str,
        config: &ModelConfig,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            name,
            embeddings: Embeddings::build(source, &format!("{name}.embeddings"), config)?,
            encoder: Encoder::build(source, &format!("{name}.encoder"), config)?,
        })
    }

    /// # Shapes
    /// - result: `[batch, tokens, hidden]`
    pub fn encode(&self, batch: &Padded) -> Tensor<3> {
        self.encoder.forward(self.embeddings.forward(batch), batch.padding.as_ref())
    }
}

impl Parameters for Body {
    fn visit(&mut self, _path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        self.embeddings.visit(&format!("{}.embeddings", self.name), visit);
        self.encoder.visit(&format!("{}.encoder", self.name), visit);
    }
}
