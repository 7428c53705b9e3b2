//! BERT for sequence classification (the ms-marco-MiniLM family): token types tell query from
//! document, and the head is the pooler (dense, tanh on `[CLS]`) and a projection. Follows
//! transformers' `BertForSequenceClassification`.

use burn::tensor::Tensor;

use super::body::Body;
use crate::ModelConfig;
use crate::layers::{Linear, dropout};
use crate::padded::Padded;
use crate::weights::{Parameters, Slot, Source, WeightsError};

/// BERT with a head for one label.
#[derive(Clone, Debug)]
pub(crate) struct Bert {
    pub(crate) body: Body,
    pub(crate) pooler: Linear,
    pub(crate) classifier: Linear,
    dropout: f64,
}

impl Bert {
    pub fn build(source: &mut dyn Source, config: &ModelConfig) -> Result<Self, WeightsError> {
        let hidden = config.hidden_size;
        Ok(Self {
            body: Body::build(source, "bert", config)?,
            pooler: Linear::build(source, "bert.pooler.dense", hidden, hidden)?,
            classifier: Linear::build(source, "classifier", hidden, 1)?,
            dropout: config.head_dropout(),
        })
    }

    /// # Shapes
    /// - result: `[batch, tokens, hidden]`
    pub fn encode(&self, batch: &Padded) -> Tensor<3> {
        self.body.encode(batch)
    }

    /// # Shapes
    /// - first: `[batch, hidden]`, the encoder's output at `[CLS]`
    /// - result: `[batch, 1]`
    pub fn head(&self, first: Tensor<2>) -> Tensor<2> {
        let pooled = self.pooler.forward(first).tanh();
        self.classifier.forward(dropout(pooled, self.dropout))
    }
}

impl Parameters for Bert {
    fn visit(&mut self, _path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        self.body.visit("", visit);
        self.pooler.visit("bert.pooler.dense", visit);
        self.classifier.visit("classifier", visit);
    }
}
