use std::collections::HashMap;

use secondpass_kernels::{LayerWeights, LinearWeights, NormWeights};

use super::PackError;
use crate::weights::{Parameters, take};

/// The parameters of a network as plain numbers, by their names in Hugging Face's files.
pub(super) struct Taken(HashMap<String, Vec<f32>>);

impl Taken {
    /// Takes every parameter out of a network, which is of no use afterwards.
    pub fn from(network: &mut dyn Parameters) -> Result<Self, PackError> {
        let all = take(network).map_err(PackError::Read)?;
        Ok(Self(all.into_iter().map(|(name, _, _, values)| (name, values)).collect()))
    }

    /// Parameters by their names.
    pub fn of(parameters: HashMap<String, Vec<f32>>) -> Self {
        Self(parameters)
    }

    /// A parameter, given once.
    pub fn take(&mut self, name: &str) -> Result<Vec<f32>, PackError> {
        self.0.remove(name).ok_or_else(|| PackError::Read(format!("there is no '{name}'")))
    }

    pub fn linear(&mut self, path: &str) -> Result<LinearWeights, PackError> {
        let weight = self.take(&format!("{path}.weight"))?;
        Ok(LinearWeights { weight, bias: self.take(&format!("{path}.bias"))? })
    }

    pub fn norm(&mut self, path: &str) -> Result<NormWeights, PackError> {
        let gamma = self.take(&format!("{path}.weight"))?;
        Ok(NormWeights { gamma, beta: self.take(&format!("{path}.bias"))? })
    }

    /// The layer at `path` (`roberta.encoder.layer.0`).
    pub fn layer(&mut self, path: &str) -> Result<LayerWeights, PackError> {
        Ok(LayerWeights {
            query: self.linear(&format!("{path}.attention.self.query"))?,
            key: self.linear(&format!("{path}.attention.self.key"))?,
            value: self.linear(&format!("{path}.attention.self.value"))?,
            attention_output: self.linear(&format!("{path}.attention.output.dense"))?,
            attention_norm: self.norm(&format!("{path}.attention.output.LayerNorm"))?,
            intermediate: self.linear(&format!("{path}.intermediate.dense"))?,
            output: self.linear(&format!("{path}.output.dense"))?,
            output_norm: self.norm(&format!("{path}.output.LayerNorm"))?,
        })
    }
}
