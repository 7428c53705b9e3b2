use std::sync::Arc;

use crate::TokenBatch;

/// Why a model could not score.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// A sequence the model has no positions for.
    #[error(
        "a sequence of {length} tokens exceeds the model's {limit} positions; lower max_length to \
         {limit} or less"
    )]
    TooLong {
        /// Its length.
        length: usize,
        /// The longest the model takes.
        limit: usize,
    },
    /// An id outside the model's vocabulary.
    #[error(
        "token id {id} is outside the model's vocabulary of {vocabulary}; tokenizer.json and the \
         weights do not belong together"
    )]
    UnknownToken {
        /// The id.
        id: u32,
        /// The vocabulary's size.
        vocabulary: usize,
    },
    /// A type id the model has no embedding for.
    #[error(
        "token type {id} is outside the model's {types} types; tokenizer.json and the weights do \
         not belong together"
    )]
    UnknownType {
        /// The type id.
        id: u32,
        /// How many the model has.
        types: usize,
    },
    /// The device has no memory for a batch; a smaller one may do.
    #[error(
        "no memory for a batch: {0}; close other programs, or lower the tokens of a batch or max_length"
    )]
    OutOfMemory(String),
    /// A logit is no number, as something before it was beyond the format's range.
    #[error(
        "a score is not finite in {dtype}, whose largest number is {largest}; use --dtype bf16 or f32"
    )]
    NotFinite {
        /// The number format.
        dtype: String,
        /// Its largest number.
        largest: u32,
    },
    /// The model's file holds what cannot be computed with.
    #[error("{0}")]
    Damaged(String),
    /// The device failed.
    #[error("the device failed: {0}")]
    Device(String),
}

/// Scores token sequences: a cross-encoder's forward pass behind plain data.
pub trait Scorer: Send + Sync {
    /// One logit a sequence, in the order of the batches and of the sequences in them. The clock of
    /// a caller may stop when this returns: results have been read back from the device.
    ///
    /// # Errors
    /// Sequences the model cannot take, or a failing device.
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError>;

    /// Bytes of this process's memory that a batch of so many sequences, none longer than `longest`
    /// tokens, takes beside the weights, estimated from above; `None` where nobody can tell.
    fn batch_bytes(&self, _sequences: usize, _longest: usize) -> Option<u64> {
        None
    }
}

/// A scorer that several share scores as it would alone.
impl<T: Scorer + ?Sized> Scorer for Arc<T> {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        T::score(self, batches)
    }

    fn batch_bytes(&self, sequences: usize, longest: usize) -> Option<u64> {
        T::batch_bytes(self, sequences, longest)
    }
}
