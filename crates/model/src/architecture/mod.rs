//! One architecture a file, chosen by the config's `model_type`.

mod bert;
mod body;
mod roberta;
mod xlm_roberta;

use burn::tensor::{DType, Tensor};

pub(crate) use body::Body;

use crate::layers::cast;
use crate::padded::Padded;
use crate::weights::{Parameters, Slot, Source, WeightsError};
use crate::{ModelConfig, ModelType};

/// A cross-encoder of any architecture: pairs in, one logit each out.
#[derive(Clone, Debug)]
pub(crate) enum Network {
    XlmRoberta(xlm_roberta::XlmRoberta),
    Roberta(roberta::Roberta),
    Bert(bert::Bert),
}

impl Network {
    pub fn build(source: &mut dyn Source, config: &ModelConfig) -> Result<Self, WeightsError> {
        Ok(match config.model_type {
            ModelType::XlmRoberta => {
                Self::XlmRoberta(xlm_roberta::XlmRoberta::build(source, config)?)
            }
            ModelType::Roberta => Self::Roberta(roberta::Roberta::build(source, config)?),
            ModelType::Bert => Self::Bert(bert::Bert::build(source, config)?),
        })
    }

    /// The encoder's output.
    ///
    /// # Shapes
    /// - result: `[batch, tokens, hidden]`
    pub fn encode(&self, batch: &Padded) -> Tensor<3> {
        match self {
            Self::XlmRoberta(network) => network.encode(batch),
            Self::Roberta(network) => network.encode(batch),
            Self::Bert(network) => network.encode(batch),
        }
    }

    /// The logit of each sequence, from the encoder's output.
    ///
    /// # Shapes
    /// - encoded: `[batch, tokens, hidden]`
    /// - result: `[batch]`
    pub fn head(&self, encoded: Tensor<3>) -> Tensor<1> {
        // [batch, tokens, hidden] -> [batch, hidden]: the first token stands for the pair.
        self.head_of_first(encoded.narrow(1, 0, 1).squeeze_dim::<2>(1))
    }

    /// The same from the first tokens' output alone, in f32 whatever format the encoder computes in: the
    /// head is a ten-thousandth of the work, and its rounding all of a logit's.
    ///
    /// # Shapes
    /// - first: `[batch, hidden]`
    /// - result: `[batch]`
    pub fn head_of_first(&self, first: Tensor<2>) -> Tensor<1> {
        let first = cast(first, DType::F32);
        let logits = match self {
            Self::XlmRoberta(network) => network.head(first),
            Self::Roberta(network) => network.head(first),
            Self::Bert(network) => network.head(first),
        };
        // [batch, 1] -> [batch]
        logits.squeeze_dim::<1>(1)
    }
}

impl Network {
    /// All below the head.
    pub fn body_mut(&mut self) -> &mut Body {
        match self {
            Self::XlmRoberta(network) => &mut network.body,
            Self::Roberta(network) => &mut network.body,
            Self::Bert(network) => &mut network.body,
        }
    }
}

impl Parameters for Network {
    fn visit(&mut self, path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        match self {
            Self::XlmRoberta(network) => network.visit(path, visit),
            Self::Roberta(network) => network.visit(path, visit),
            Self::Bert(network) => network.visit(path, visit),
        }
    }
}

/// Where a file of this architecture keeps its encoder and the first tensor of its head.
pub(crate) fn names(model_type: ModelType) -> (&'static str, &'static str) {
    match model_type {
        ModelType::XlmRoberta | ModelType::Roberta => ("roberta", "classifier.dense.weight"),
        ModelType::Bert => ("bert", "classifier.weight"),
    }
}
