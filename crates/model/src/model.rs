use std::path::{Path, PathBuf};

use burn::tensor::Device;
use secondpass_text::{ScoreError, Scorer, TokenBatch};

use crate::architecture::{Network, names};
use crate::failure::failed;
use crate::padded::Padded;
use crate::parallel::on_all_cores;
use crate::weights::{Files, Initialization, Parameters, Random, Slot, WithNewHead, onto};
use crate::{
    ConfigError, DeviceError, DeviceSpec, Dtype, ModelBytes, ModelConfig, PackError, WeightsError,
};

/// Where the classification head comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// From the file; an encoder without one is an error.
    FromFile,
    /// Made anew from a seed: what fine-tuning an encoder starts from.
    New {
        /// Decides the head's first weights.
        seed: u64,
    },
}

/// A cross-encoder on a device.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) network: Network,
    pub(crate) config: ModelConfig,
    pub(crate) device: Device,
    spec: DeviceSpec,
    dtype: Dtype,
}

/// Why a model could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its weights.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Its layout for the CPU.
    #[error(transparent)]
    Pack(PackError),
}

impl From<PackError> for LoadError {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Weights(error) => Self::Weights(error),
            other => Self::Pack(other),
        }
    }
}

/// Tensors of published files that no cross-encoder here uses: a buffer of old transformers
/// versions, and the pooler that the RoBERTa family's head does without.
pub(crate) const UNUSED: [&str; 2] = ["position_ids", "roberta.pooler."];

/// What else an encoder saved for another purpose may carry.
const UNUSED_OF_ENCODERS: [&str; 4] = ["position_ids", "pooler.", "lm_head.", "cls."];

impl Model {
    /// Reads `config.json` and the safetensors files of a Hugging Face folder.
    ///
    /// # Errors
    /// Unsupported configs, weights that are damaged or belong to another architecture, devices
    /// that are not there.
    pub fn load(
        config: &Path,
        weights: &[PathBuf],
        device: DeviceSpec,
        dtype: Dtype,
        head: Head,
    ) -> Result<Self, LoadError> {
        let config = match head {
            Head::FromFile => ModelConfig::from_file(config)?,
            Head::New { .. } => ModelConfig::of_encoder(config)?,
        };
        Self::load_as(config, weights, device, dtype, head)
    }

    /// Reads the weights of a model whose config is at hand, perhaps with other dropouts than its file
    /// says.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_as(
        config: ModelConfig,
        weights: &[PathBuf],
        device: DeviceSpec,
        dtype: Dtype,
        head: Head,
    ) -> Result<Self, LoadError> {
        let opened = device.open_for(&config, dtype)?;
        let files = Files::open(weights, opened.clone(), dtype)?;
        Self::from_files(files, config, opened, device, dtype, head)
    }

    /// Reads a model that is compiled into the program.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_bytes(
        bytes: ModelBytes,
        device: DeviceSpec,
        dtype: Dtype,
    ) -> Result<Self, LoadError> {
        let config = ModelConfig::from_bytes(bytes.config, bytes.name)?;
        let opened = device.open_for(&config, dtype)?;
        let files = Files::in_memory(bytes.weights, bytes.name, opened.clone(), dtype)?;
        Self::from_files(files, config, opened, device, dtype, Head::FromFile)
    }

    /// A model of this shape with fresh weights, in f32.
    ///
    /// # Errors
    /// A device that is not there.
    pub fn random(
        config: ModelConfig,
        seed: u64,
        initialization: Initialization,
        device: DeviceSpec,
    ) -> Result<Self, LoadError> {
        let opened = device.open_for(&config, Dtype::F32)?;
        let mut source = Random::new(seed, initialization, opened.clone());
        let network = onto(device, || Network::build(&mut source, &config))?;
        Ok(Self { network, config, device: opened, spec: device.chosen(), dtype: Dtype::F32 })
    }

    fn from_files(
        files: Files,
        config: ModelConfig,
        opened: Device,
        device: DeviceSpec,
        dtype: Dtype,
        head: Head,
    ) -> Result<Self, LoadError> {
        let config = match head {
            Head::FromFile => config,
            Head::New { .. } => config.with_new_head(),
        };
        let (encoder, head_name) = names(config.model_type);
        let network = match head {
            Head::FromFile => {
                let mut files = files.of_reranker(encoder, head_name)?;
                let network = onto(device, || Network::build(&mut files, &config))?;
                files.finish(&UNUSED)?;
                network
            }
            Head::New { seed } => {
                let files = files.without_prefix(encoder);
                let random = Random::new(seed, FRESH_HEAD, opened.clone());
                let mut source = WithNewHead { files, random };
                let network = onto(device, || Network::build(&mut source, &config))?;
                source.files.finish(&UNUSED_OF_ENCODERS)?;
                network
            }
        };
        Ok(Self { network, config, device: opened, spec: device.chosen(), dtype })
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

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        let mut count = 0;
        self.network.clone().visit("", &mut |_, slot| {
            count += match slot {
                Slot::Matrix(tensor, _) => tensor.shape().num_elements(),
                Slot::Vector(tensor, _) => tensor.shape().num_elements(),
            };
        });
        count
    }
}

/// As BERT starts its heads.
const FRESH_HEAD: Initialization = Initialization::Normal(0.02);

impl Scorer for Model {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        on_all_cores(self.spec, batches, |batch| self.score_one(batch))
    }
}

impl Model {
    fn score_one(&self, batch: &TokenBatch) -> Result<Vec<f32>, ScoreError> {
        let padded = Padded::new(batch, &self.config, &self.device)?;
        let logits = self.network.head(self.network.encode(&padded)).try_into_vec_as::<f32>();
        logits.map_err(|error| failed(&error.to_string()))
    }
}

#[cfg(test)]
mod bad_files;
#[cfg(test)]
mod parity;
