use std::path::{Path, PathBuf};

use secondpass_text::{ScoreError, Scorer, TokenBatch};

use crate::weights::Files;
use crate::{DeviceSpec, Dtype, Head, LoadError, Model, ModelBytes, ModelConfig, Packed, Ragged};

/// A cross-encoder that only scores, on whatever computes for its device: our own kernels on the CPU,
/// burn elsewhere.
#[derive(Clone, Debug)]
pub enum Engine {
    /// Through burn.
    Burn(Box<Ragged>),
    /// Through our own kernels.
    Packed(Packed),
}

impl Engine {
    /// As [`Model::load`] with the head from the file.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load(
        config: &Path,
        weights: &[PathBuf],
        device: DeviceSpec,
        dtype: Dtype,
    ) -> Result<Self, LoadError> {
        Self::load_as(ModelConfig::from_file(config)?, weights, device, dtype)
    }

    /// As [`Engine::load`], of a model whose config was read already.
    ///
    /// # Errors
    /// As [`Model::load_as`].
    pub fn load_as(
        config: ModelConfig,
        weights: &[PathBuf],
        device: DeviceSpec,
        dtype: Dtype,
    ) -> Result<Self, LoadError> {
        let opened = device.open_for(&config, dtype)?;
        match device.chosen() {
            DeviceSpec::Cpu => Self::packed(Files::open(weights, opened, dtype)?, config, dtype),
            _ => Self::of(Model::load_as(config, weights, device, dtype, Head::FromFile)?),
        }
    }

    /// As [`Model::from_bytes`].
    ///
    /// # Errors
    /// As [`Model::from_bytes`].
    pub fn from_bytes(
        bytes: ModelBytes,
        device: DeviceSpec,
        dtype: Dtype,
    ) -> Result<Self, LoadError> {
        if device.chosen() != DeviceSpec::Cpu {
            return Self::of(Model::from_bytes(bytes, device, dtype)?);
        }
        let config = ModelConfig::from_bytes(bytes.config, bytes.name)?;
        let opened = device.open_for(&config, dtype)?;
        Self::packed(Files::in_memory(bytes.weights, bytes.name, opened, dtype)?, config, dtype)
    }

    /// Straight from the files: burn's tensors would be copies.
    fn packed(files: Files, config: ModelConfig, dtype: Dtype) -> Result<Self, LoadError> {
        Ok(Self::Packed(Packed::of_files(files, config, dtype)?))
    }

    /// A loaded model, laid out for its device.
    ///
    /// # Errors
    /// Shapes that the device does not take.
    pub fn of(model: Model) -> Result<Self, LoadError> {
        Ok(match model.device() {
            DeviceSpec::Cpu => Self::Packed(Packed::new(model)?),
            _ => Self::Burn(Box::new(Ragged::new(model))),
        })
    }

    /// What `config.json` said.
    pub fn config(&self) -> &ModelConfig {
        match self {
            Self::Burn(model) => model.config(),
            Self::Packed(model) => model.config(),
        }
    }

    /// The device it is on; never `auto`.
    pub fn device(&self) -> DeviceSpec {
        match self {
            Self::Burn(model) => model.device(),
            Self::Packed(model) => model.device(),
        }
    }

    /// The number format it computes in.
    pub fn dtype(&self) -> Dtype {
        match self {
            Self::Burn(model) => model.dtype(),
            Self::Packed(model) => model.dtype(),
        }
    }
}

impl Scorer for Engine {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        match self {
            Self::Burn(model) => model.score(batches),
            Self::Packed(model) => model.score(batches),
        }
    }

    fn batch_bytes(&self, sequences: usize, longest: usize) -> Option<u64> {
        self.config().batch_bytes(self.device(), sequences, longest)
    }
}
