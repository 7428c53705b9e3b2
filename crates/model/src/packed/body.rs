use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use secondpass_kernels::{
    Activation, Encoder, EncoderConfig, Instructions, LayerNorm, NormWeights, Threads,
    ThreadsError, Workspace,
};
use secondpass_text::{ScoreError, TokenBatch};

use super::weights::Plain;
use super::{PackError, device, dtype_is_ours};
use crate::padded::{check, positions};
use crate::weights::{Files, NotFinite, Rows};
use crate::{Dtype, ModelConfig, ModelType, config};

/// Embeddings and layers on plain slices.
#[derive(Debug)]
pub(crate) struct Body {
    /// `[vocabulary, hidden]`
    words: Rows,
    /// `[positions, hidden]`
    positions: Vec<f32>,
    /// `[types, hidden]`
    types: Vec<f32>,
    norm: LayerNorm,
    encoder: Encoder,
    hidden: usize,
    threads: Threads,
    /// Memory of calls that are over.
    spaces: Mutex<Vec<Workspace>>,
}

/// One thread a core that this process may use.
pub(crate) fn all_cores() -> Result<Threads, ThreadsError> {
    Threads::new(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
}

impl Body {
    /// `name` is what Hugging Face's files call it (`bert`, `roberta`).
    pub(super) fn new(
        plain: &mut dyn Plain,
        name: &str,
        config: &ModelConfig,
        instructions: Instructions,
        threads: Threads,
    ) -> Result<Self, PackError> {
        let table = |table: &str| format!("{name}.embeddings.{table}.weight");
        let hidden = config.hidden_size;
        let words = plain.rows(&table("word_embeddings"), [config.vocab_size, hidden])?;
        let positions = table("position_embeddings");
        let positions = plain.table(&positions, [config.max_position_embeddings, hidden])?;
        let types = table("token_type_embeddings");
        let types = plain.table(&types, [config.type_vocab_size, hidden])?;
        let mut norm = NormWeights::default();
        plain.norm(&format!("{name}.embeddings.LayerNorm"), hidden, &mut norm)?;
        let epsilon = config.layer_norm_eps as f32;
        let read = |layer, into: &mut _| {
            plain.layer(&format!("{name}.encoder.layer.{layer}"), config, into)
        };
        let shape = EncoderConfig {
            hidden: config.hidden_size,
            heads: config.num_attention_heads,
            intermediate: config.intermediate_size,
            layers: config.num_hidden_layers,
            epsilon,
            activation: match config.hidden_act {
                config::Activation::Gelu => Activation::Gelu,
                config::Activation::GeluTanh => Activation::GeluTanh,
                config::Activation::Relu => Activation::Relu,
            },
        };
        let encoder = Encoder::of_layers(shape, read, instructions)?;
        Ok(Self {
            words,
            positions,
            types,
            norm: LayerNorm::new(norm.gamma, norm.beta, epsilon, instructions)?,
            encoder,
            hidden,
            threads,
            spaces: Mutex::default(),
        })
    }

    /// Reads an encoder's weights, laid out for this machine and all of its cores.
    pub fn of(
        files: &mut Files,
        name: &str,
        config: &ModelConfig,
        dtype: Dtype,
    ) -> Result<Self, PackError> {
        dtype_is_ours(dtype)?;
        Self::new(files, name, config, Instructions::detect(), all_cores()?)
    }

    pub(super) fn threads(&self) -> &Threads {
        &self.threads
    }

    /// The encoder's output at the first token of each sequence.
    ///
    /// # Shapes
    /// - result: `[sequences, hidden]`
    pub fn first(&self, batch: &TokenBatch, config: &ModelConfig) -> Result<Vec<f32>, ScoreError> {
        let (mut x, offsets) = self.embeddings(batch, config)?;
        self.with_space(|space| {
            self.encoder.forward_first(&mut x, &offsets, space, &self.threads).map_err(device)
        })
    }

    /// The encoder's output at every token, and where each sequence starts.
    ///
    /// # Shapes
    /// - result: `[tokens, hidden]`, `[sequences + 1]`
    pub fn all(
        &self,
        batch: &TokenBatch,
        config: &ModelConfig,
    ) -> Result<(Vec<f32>, Vec<usize>), ScoreError> {
        let (mut x, offsets) = self.embeddings(batch, config)?;
        self.with_space(|space| {
            self.encoder.forward(&mut x, &offsets, space, &self.threads).map_err(device)
        })?;
        Ok((x, offsets))
    }

    fn embeddings(
        &self,
        batch: &TokenBatch,
        config: &ModelConfig,
    ) -> Result<(Vec<f32>, Vec<usize>), ScoreError> {
        check(batch, config)?;
        let hidden = self.hidden;
        let mut x = Vec::with_capacity(batch.tokens().max(batch.len()) * hidden);
        let mut offsets = Vec::with_capacity(batch.len() + 1);
        offsets.push(0);
        // An empty sequence keeps one padding token: attention needs something to see.
        let padding = [config.pad_token_id];
        for (ids, types) in batch.sequences() {
            let ids = if ids.is_empty() { &padding } else { ids };
            for (place, (&id, position)) in ids.iter().zip(positions(ids, config)).enumerate() {
                let kind = match config.model_type {
                    ModelType::Bert => types.get(place).copied().unwrap_or(0) as usize,
                    // transformers never hands type ids to the RoBERTa family.
                    ModelType::XlmRoberta | ModelType::Roberta => 0,
                };
                let token = x.len();
                let damaged = |error: NotFinite| ScoreError::Damaged(error.to_string());
                self.words.append(id as usize, &mut x).map_err(damaged)?;
                let position = &self.positions[position as usize * hidden..][..hidden];
                let kind = &self.types[kind * hidden..][..hidden];
                for ((x, kind), at) in x[token..].iter_mut().zip(kind).zip(position) {
                    *x = *x + kind + at;
                }
            }
            offsets.push(x.len() / hidden);
        }
        self.norm.apply(&mut x).map_err(device)?;
        Ok((x, offsets))
    }

    fn with_space<T>(&self, work: impl FnOnce(&mut Workspace) -> T) -> T {
        let lock = || self.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        let mut space = lock().pop().unwrap_or_default();
        let done = work(&mut space);
        lock().push(space);
        done
    }
}
