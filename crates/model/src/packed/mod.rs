//! Inference on the CPU without burn: weights laid out for [`secondpass_kernels`], and the tokens of a
//! batch one after another without padding.

mod body;
mod head;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::HashMap;
use std::sync::Arc;

use secondpass_kernels::{Instructions, ShapeError, Threads, ThreadsError};
use secondpass_text::{ScoreError, Scorer, TokenBatch};

pub(crate) use body::{Body, all_cores as threads};
use head::Head;
use weights::{Plain, Taken};

use crate::architecture::names;
use crate::model::UNUSED;
use crate::weights::Files;
use crate::{DeviceSpec, Dtype, Model, ModelConfig, WeightsError, room};

/// A cross-encoder on the CPU, in f32, on all cores. Copies share the weights.
#[derive(Clone, Debug)]
pub struct Packed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: ModelConfig,
    body: Body,
    head: Head,
}

/// Why a model cannot be laid out for the CPU.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A number format that the kernels do not compute in.
    #[error("cpu computes in f32 only, not in {0}; use --dtype f32, or --device cuda")]
    Dtype(Dtype),
    /// A shape that they do not take.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// No threads to be had.
    #[error(transparent)]
    Threads(#[from] ThreadsError),
    /// The weights cannot be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The weights cannot be read back.
    #[error("the weights cannot be read: {0}")]
    Read(String),
}

impl Packed {
    /// Lays a model's weights out for this machine's instructions; the model's own are freed one by
    /// one.
    ///
    /// # Errors
    /// Number formats other than f32, and shapes that the kernels do not take.
    pub fn new(model: Model) -> Result<Self, PackError> {
        Self::with(model, Instructions::detect(), threads()?)
    }

    pub(crate) fn with(
        mut model: Model,
        instructions: Instructions,
        threads: Threads,
    ) -> Result<Self, PackError> {
        dtype_is_ours(model.dtype())?;
        let config = model.config().clone();
        let mut taken = Taken::from(&mut model.network)?;
        drop(model);
        Self::build(&mut taken, config, instructions, threads)
    }

    /// Reads a cross-encoder's files. The words' embeddings stay in theirs.
    pub(crate) fn of_files(
        files: Files,
        config: ModelConfig,
        dtype: Dtype,
    ) -> Result<Self, PackError> {
        dtype_is_ours(dtype)?;
        let (encoder, head) = names(config.model_type);
        let mut files = files.of_reranker(encoder, head)?;
        let packed = Self::build(&mut files, config, Instructions::detect(), threads()?)?;
        files.finish(&UNUSED)?;
        Ok(packed)
    }

    /// Lays out a cross-encoder's parameters, projections as `[in, out]`.
    pub(crate) fn of_parameters(
        parameters: HashMap<String, Vec<f32>>,
        config: ModelConfig,
    ) -> Result<Self, PackError> {
        let mut taken = Taken::of(parameters);
        Self::build(&mut taken, config, Instructions::detect(), threads()?)
    }

    fn build(
        plain: &mut dyn Plain,
        config: ModelConfig,
        instructions: Instructions,
        threads: Threads,
    ) -> Result<Self, PackError> {
        let (name, _) = names(config.model_type);
        let body = Body::new(plain, name, &config, instructions, threads)?;
        let head = Head::new(plain, &config, instructions)?;
        Ok(Self(Arc::new(Inner { config, body, head })))
    }

    /// What `config.json` said.
    pub fn config(&self) -> &ModelConfig {
        &self.0.config
    }

    /// Always [`DeviceSpec::Cpu`].
    pub fn device(&self) -> DeviceSpec {
        DeviceSpec::Cpu
    }

    /// Always f32.
    pub fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn score_one(&self, batch: &TokenBatch) -> Result<Vec<f32>, ScoreError> {
        let Inner { config, body, head } = &*self.0;
        make_room(config, batch)?;
        let first = body.first(batch, config)?;
        head.logits(&first, body.threads()).map_err(device)
    }
}

impl Scorer for Packed {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        let mut scores = Vec::with_capacity(batches.iter().map(TokenBatch::len).sum());
        for batch in batches.iter().filter(|batch| !batch.is_empty()) {
            scores.extend(self.score_one(batch)?);
        }
        Ok(scores)
    }
}

fn dtype_is_ours(dtype: Dtype) -> Result<(), PackError> {
    match dtype {
        Dtype::F32 => Ok(()),
        other => Err(PackError::Dtype(other)),
    }
}

/// Makes sure of a batch's memory.
fn make_room(config: &ModelConfig, batch: &TokenBatch) -> Result<(), ScoreError> {
    /// Less is never refused alone, and asking costs time.
    const LARGE: u64 = 256 << 20;
    match config.batch_bytes(DeviceSpec::Cpu, batch.len(), batch.longest()) {
        Some(bytes) if bytes >= LARGE => room::reserve(bytes).map_err(ScoreError::OutOfMemory),
        _ => Ok(()),
    }
}

/// What should not happen with shapes that were checked when the weights were laid out.
pub(crate) fn device(error: ShapeError) -> ScoreError {
    ScoreError::Device(error.to_string())
}
