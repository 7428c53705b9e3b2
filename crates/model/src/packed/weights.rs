use std::collections::HashMap;

use secondpass_kernels::{LayerWeights, LinearWeights, NormWeights};

use super::PackError;
use crate::ModelConfig;
use crate::weights::{Files, Kind, Parameters, Rows, take};

/// Where the parameters of a network come from, by their names in Hugging Face's files. Each is asked for
/// once.
pub(super) trait Plain {
    /// A projection `[in, out]`, or anything else in its shape, instead of what `into` holds.
    fn numbers(
        &mut self,
        name: &str,
        shape: &[usize],
        kind: Kind,
        into: &mut Vec<f32>,
    ) -> Result<(), PackError>;

    /// An embedding's rows.
    fn rows(&mut self, name: &str, shape: [usize; 2]) -> Result<Rows, PackError> {
        Ok(Rows::held(self.table(name, shape)?, shape[1]))
    }

    /// An embedding that is small enough to hold.
    fn table(&mut self, name: &str, shape: [usize; 2]) -> Result<Vec<f32>, PackError> {
        let mut values = Vec::new();
        self.numbers(name, &shape, Kind::Embedding, &mut values)?;
        Ok(values)
    }
}

/// Tensor by tensor, so that memory never holds two copies of a model.
impl Plain for Files {
    fn numbers(
        &mut self,
        name: &str,
        shape: &[usize],
        kind: Kind,
        into: &mut Vec<f32>,
    ) -> Result<(), PackError> {
        Ok(Self::numbers(self, name, shape, kind, into)?)
    }

    fn rows(&mut self, name: &str, shape: [usize; 2]) -> Result<Rows, PackError> {
        Ok(Self::rows(self, name, shape)?)
    }
}

/// Parameters at hand.
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
}

impl Plain for Taken {
    fn numbers(
        &mut self,
        name: &str,
        _: &[usize],
        _: Kind,
        into: &mut Vec<f32>,
    ) -> Result<(), PackError> {
        let found = self.0.remove(name);
        *into = found.ok_or_else(|| PackError::Read(format!("there is no '{name}'")))?;
        Ok(())
    }
}

impl dyn Plain + '_ {
    pub fn linear(
        &mut self,
        path: &str,
        inputs: usize,
        outputs: usize,
        into: &mut LinearWeights,
    ) -> Result<(), PackError> {
        let shape = [inputs, outputs];
        self.numbers(&format!("{path}.weight"), &shape, Kind::Projection, &mut into.weight)?;
        self.numbers(&format!("{path}.bias"), &[outputs], Kind::Bias, &mut into.bias)
    }

    pub fn norm(
        &mut self,
        path: &str,
        width: usize,
        into: &mut NormWeights,
    ) -> Result<(), PackError> {
        self.numbers(&format!("{path}.weight"), &[width], Kind::Scale, &mut into.gamma)?;
        self.numbers(&format!("{path}.bias"), &[width], Kind::Shift, &mut into.beta)
    }

    /// The layer at `path` (`roberta.encoder.layer.0`).
    pub fn layer(
        &mut self,
        path: &str,
        config: &ModelConfig,
        into: &mut LayerWeights,
    ) -> Result<(), PackError> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        for (name, inputs, outputs, into) in [
            ("attention.self.query", hidden, hidden, &mut into.query),
            ("attention.self.key", hidden, hidden, &mut into.key),
            ("attention.self.value", hidden, hidden, &mut into.value),
            ("attention.output.dense", hidden, hidden, &mut into.attention_output),
            ("intermediate.dense", hidden, wide, &mut into.intermediate),
            ("output.dense", wide, hidden, &mut into.output),
        ] {
            self.linear(&format!("{path}.{name}"), inputs, outputs, into)?;
        }
        self.norm(&format!("{path}.attention.output.LayerNorm"), hidden, &mut into.attention_norm)?;
        self.norm(&format!("{path}.output.LayerNorm"), hidden, &mut into.output_norm)
    }
}
