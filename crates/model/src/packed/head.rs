use secondpass_kernels::{Activation, Instructions, Linear, LinearWeights, ShapeError, Threads};

use super::PackError;
use super::weights::Plain;
use crate::{ModelConfig, ModelType};

/// Dense, tanh, projection to one logit: RoBERTa's head, and BERT's pooler with its classifier.
#[derive(Debug)]
pub(super) struct Head {
    dense: Linear,
    project: Linear,
}

impl Head {
    pub fn new(
        plain: &mut dyn Plain,
        config: &ModelConfig,
        instructions: Instructions,
    ) -> Result<Self, PackError> {
        let (dense, project) = match config.model_type {
            ModelType::XlmRoberta | ModelType::Roberta => {
                ("classifier.dense", "classifier.out_proj")
            }
            ModelType::Bert => ("bert.pooler.dense", "classifier"),
        };
        let hidden = config.hidden_size;
        let mut linear = |path: &str, outputs| -> Result<Linear, PackError> {
            let mut weights = LinearWeights::default();
            plain.linear(path, hidden, outputs, &mut weights)?;
            Ok(Linear::new(&weights.weight, Some(&weights.bias), hidden, outputs, instructions)?)
        };
        Ok(Self { dense: linear(dense, hidden)?, project: linear(project, 1)? })
    }

    /// # Shapes
    /// - first: `[batch, hidden]`, the encoder's output at each first token
    /// - result: `[batch]`
    pub fn logits(&self, first: &[f32], threads: &Threads) -> Result<Vec<f32>, ShapeError> {
        let mut pooled = vec![0.0; first.len()];
        self.dense.apply(first, &mut pooled, Activation::Tanh, threads)?;
        let mut logits = vec![0.0; first.len() / self.dense.outputs()];
        self.project.apply(&pooled, &mut logits, Activation::Identity, threads)?;
        Ok(logits)
    }
}
