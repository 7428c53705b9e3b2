use crate::{ScoreError, TokenBatch};

/// Turns token sequences into vectors: an encoder's forward pass with its pooling, behind plain
/// data.
pub trait Embedder: Send + Sync {
    /// Numbers in a vector.
    fn dimensions(&self) -> usize;

    /// One pooled vector a sequence, in the order of the batches and of the sequences in them, each
    /// of [`Embedder::dimensions`] numbers and not normalised. Results have been read back from the
    /// device when this returns.
    ///
    /// # Errors
    /// Sequences the model cannot take, or a failing device.
    fn embed(&self, batches: &[TokenBatch]) -> Result<Vec<Vec<f32>>, ScoreError>;
}
