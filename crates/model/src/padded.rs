use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use secondpass_text::{ScoreError, TokenBatch};

use crate::{ModelConfig, ModelType};

/// A ragged batch laid out as the encoder reads it here: every sequence padded to the longest.
pub(crate) struct Padded {
    /// Sequences.
    pub batch: usize,
    /// Tokens of the longest.
    pub tokens: usize,
    /// `[batch * tokens]`
    pub ids: Tensor<1, Int>,
    /// `[batch * tokens]`
    pub types: Tensor<1, Int>,
    /// `[batch * tokens]`
    pub positions: Tensor<1, Int>,
    /// `[batch, tokens]`, true where there is padding; `None` when there is none at all.
    pub padding: Option<Tensor<2, Bool>>,
}

impl Padded {
    /// Checks the batch against the model and lays it out. The batch has at least one sequence of
    /// at least one token.
    pub fn new(
        batch: &TokenBatch,
        config: &ModelConfig,
        device: &Device,
    ) -> Result<Self, ScoreError> {
        check(batch, config)?;
        let (count, tokens) = (batch.len(), batch.longest().max(1));
        let size = count * tokens;
        let pad = config.pad_token_id;
        let mut ids = Vec::with_capacity(size);
        let mut types = Vec::with_capacity(size);
        let mut places = Vec::with_capacity(size);
        let mut padding = Vec::with_capacity(size);
        let padding_position = padding_position(config);
        for (sequence, sequence_types) in batch.sequences() {
            ids.extend(sequence.iter().map(|&id| i64::from(id)));
            places.extend(positions(sequence, config));
            // An empty sequence keeps one visible padding token: attention needs something to see.
            let seen = sequence.len().max(1);
            padding.extend((0..tokens).map(|token| token >= seen));
            if config.model_type == ModelType::Bert {
                types.extend(sequence_types.iter().map(|&id| i64::from(id)));
            }
            ids.resize(padding.len(), i64::from(pad));
            types.resize(padding.len(), 0);
            places.resize(padding.len(), padding_position);
        }
        let ints = |values: Vec<i64>| Tensor::from_data(TensorData::new(values, [size]), device);
        let any = padding.iter().any(|&hidden| hidden);
        Ok(Self {
            batch: count,
            tokens,
            ids: ints(ids),
            types: ints(types),
            positions: ints(places),
            padding: any
                .then(|| Tensor::from_data(TensorData::new(padding, [count, tokens]), device)),
        })
    }
}

/// The position of each token of a sequence. As transformers: the RoBERTa family counts over tokens
/// that are not padding, also when a text holds the padding token's own name.
pub(crate) fn positions(ids: &[u32], config: &ModelConfig) -> impl Iterator<Item = i64> {
    let (skips, pad) = (config.first_position() > 0, config.pad_token_id);
    let at_padding = padding_position(config);
    let mut next = config.first_position() as i64;
    ids.iter().map(move |&id| {
        if skips && id == pad {
            return at_padding;
        }
        next += 1;
        next - 1
    })
}

fn padding_position(config: &ModelConfig) -> i64 {
    (config.first_position() as i64 - 1).max(0)
}

/// Whether the model takes the batch.
pub(crate) fn check(batch: &TokenBatch, config: &ModelConfig) -> Result<(), ScoreError> {
    let (length, limit) = (batch.longest(), config.max_length());
    if length > limit {
        return Err(ScoreError::TooLong { length, limit });
    }
    if let Some(&id) = batch.ids().iter().find(|&&id| id as usize >= config.vocab_size) {
        return Err(ScoreError::UnknownToken { id, vocabulary: config.vocab_size });
    }
    // transformers never hands type ids to the RoBERTa family, whatever its tokenizer says.
    let types = config.type_vocab_size;
    match batch.type_ids().iter().find(|&&id| id as usize >= types) {
        Some(&id) if config.model_type == ModelType::Bert => {
            Err(ScoreError::UnknownType { id, types })
        }
        _ => Ok(()),
    }
}
