//! RoBERTa for sequence classification: post-norm encoder, positions that start after the padding
//! token's id, and a head of dense, tanh and projection on `<s>`. Follows transformers'
//! `RobertaForSequenceClassification`.

use burn::tensor::Tensor;

use super::body::Body;
use crate::ModelConfig;
use crate::layers::{Linear, dropout};
use crate::padded::Padded;
use crate::weights::{Parameters, Slot, Source, WeightsError};

/// RoBERTa with a head for one label.
#[derive(Clone, Debug)]
pub(crate) struct Roberta {
    pub(crate) body: Body,
    pub(crate) head: RobertaHead,
}

/// Dense, tanh, projection.
#[derive(Clone, Debug)]
pub(crate) struct RobertaHead {
    pub(crate) dense: Linear,
    pub(crate) out_proj: Linear,
    dropout: f64,
}

impl Roberta {
    pub fn build(source: &mut dyn Source, config: &ModelConfig) -> Result<Self, WeightsError> {
        Ok(Self {
            body: Body::build(source, "roberta", config)?,
            head: RobertaHead::build(source, config)?,
        })
    }

    /// # Shapes
    /// - result: `[batch, tokens, hidden]`
    pub fn encode(&self, batch: &Padded) -> Tensor<3> {
        self.body.encode(batch)
    }

    /// # Shapes
    /// - first: `[batch, hidden]`, the encoder's output at `<s>`
    /// - result: `[batch, 1]`
    pub fn head(&self, first: Tensor<2>) -> Tensor<2> {
        self.head.forward(first)
    }
}

impl RobertaHead {
    fn build(source: &mut dyn Source, config: &ModelConfig) -> Result<Self, WeightsError> {
        let hidden = config.hidden_size;
        Ok(Self {
            dense: Linear::build(source, "classifier.dense", hidden, hidden)?,
            out_proj: Linear::build(source, "classifier.out_proj", hidden, 1)?,
            dropout: config.head_dropout(),
        })
    }

    fn forward(&self, first: Tensor<2>) -> Tensor<2> {
        let x = self.dense.forward(dropout(first, self.dropout)).tanh();
        self.out_proj.forward(dropout(x, self.dropout))
    }
}

impl Parameters for Roberta {
    fn visit(&mut self, _path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        self.body.visit("", visit);
        self.head.dense.visit("classifier.dense", visit);
        self.head.out_proj.visit("classifier.out_proj", visit);
    }
}
