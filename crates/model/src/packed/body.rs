use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use secondpass_kernels::{
    Activation, Encoder, EncoderConfig, Instructions, LayerNorm, Threads, ThreadsError, Workspace,
};
use secondpass_text::{ScoreError, TokenBatch};

use super::weights::Taken;
use super::{PackError, device};
use crate::padded::{check, positions};
use crate::weights::Parameters;
use crate::{ModelConfig, ModelType, config};

/// Embeddings and layers on plain slices.
#[derive(Debug)]
pub(crate) struct Body {
    /// `[vocabulary, hidden]`
    words: Vec<f32>,
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
        taken: &mut Taken,
        name: &str,
        config: &ModelConfig,
        instructions: Instructions,
        threads: Threads,
    ) -> Result<Self, PackError> {
        let table = |table: &str| format!("{name}.embeddings.{table}.weight");
        let words = taken.take(&table("word_embeddings"))?;
        let positions = taken.take(&table("position_embeddings"))?;
        let types = taken.take(&table("token_type_embeddings"))?;
        let norm = taken.norm(&format!("{name}.embeddings.LayerNorm"))?;
        let epsilon = config.layer_norm_eps as f32;
        let layers = (0..config.num_hidden_layers)
            .map(|layer| taken.layer(&format!("{name}.encoder.layer.{layer}")));
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
        let encoder = Encoder::new(shape, layers.collect::<Result<_, _>>()?, instructions)?;
        Ok(Self {
            words,
            positions,
            types,
            norm: LayerNorm::new(norm.gamma, norm.beta, epsilon, instructions)?,
            encoder,
            hidden: config.hidden_size,
            threads,
            spaces: Mutex::default(),
        })
    }

    /// Takes the weights out of a network's body, laid out for this machine and all of its cores.
    pub fn of(
        body: &mut dyn Parameters,
        name: &str,
        config: &ModelConfig,
    ) -> Result<Self, PackError> {
        let mut taken = Taken::from(body)?;
        Self::new(&mut taken, name, config, Instructions::detect(), all_cores()?)
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
                let word = &self.words[id as usize * hidden..][..hidden];
                let position = &self.positions[position as usize * hidden..][..hidden];
                let kind = &self.types[kind * hidden..][..hidden];
                x.extend(
                    word.iter().zip(kind).zip(position).map(|((word, kind), at)| word + kind + at),
                );
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
