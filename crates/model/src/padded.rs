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
        let mut positions = Vec::with_capacity(size);
        let mut padding = Vec::with_capacity(size);
        let padding_position = match config.first_position() {
            0 => 0,
            first => first as i64 - 1,
        };
        for (sequence, sequence_types) in batch.sequences() {
            let mut next = config.first_position() as i64;
            for &id in sequence {
                ids.push(i64::from(id));
                // As transformers: RoBERTa counts positions over tokens that are not padding, also
                // when a text holds the padding token's own name.
                if config.first_position() > 0 && id == pad {
                    positions.push(padding_position);
                } else {
                    positions.push(next);
                    next += 1;
                }
            }
            // An empty sequence keeps one visible padding token: attention needs something to see.
            let seen = sequence.len().max(1);
            padding.extend((0..tokens).map(|token| token >= seen));
            if config.model_type == ModelType::Bert {
                types.extend(sequence_types.iter().map(|&id| i64::from(id)));
            }
            ids.resize(padding.len(), i64::from(pad));
            types.resize(padding.len(), 0);
            positions.resize(padding.len(), padding_position);
        }
        let ints = |values: Vec<i64>| Tensor::from_data(TensorData::new(values, [size]), device);
        let any = padding.iter().any(|&hidden| hidden);
        Ok(Self {
            batch: count,
            tokens,
            ids: ints(ids),
            types: ints(types),
            positions: ints(positions),
            padding: any
                .then(|| Tensor::from_data(TensorData::new(padding, [count, tokens]), device)),
        })
    }
}

fn check(batch: &TokenBatch, config: &ModelConfig) -> Result<(), ScoreError> {
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
