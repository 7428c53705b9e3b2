use std::path::Path;

use crate::{ScoreError, Scorer, TokenBatch};

/// Groups of sequences to learn from: each group is one query with its candidates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupBatch {
    /// All sequences, group after group.
    pub tokens: TokenBatch,
    /// Sequences in each group; together they are all of them.
    pub sizes: Vec<usize>,
    /// What each sequence's probability within its group should be; one a sequence, adding up to 1
    /// in each group. Hard labels put 1 on the positive.
    pub targets: Vec<f32>,
}

/// Which loss to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossSpec {
    /// Cross-entropy between the targets and the softmax over each group's logits, mean over
    /// groups.
    GroupSoftmax,
}

/// What one accumulated batch gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossReport {
    /// Mean over the batch's groups.
    pub loss: f32,
    /// Groups whose highest logit stands where the highest target does.
    pub correct: usize,
    /// Groups in the batch.
    pub groups: usize,
}

/// How far one optimizer step goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decoupled weight decay; biases and LayerNorm parameters have none.
    pub weight_decay: f64,
    /// Global gradient norm above which all gradients are scaled down; `None` for no clipping.
    pub clip_norm: Option<f64>,
}

/// What one optimizer step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Global gradient norm before clipping.
    pub gradient_norm: f64,
}

/// Why a model could not learn.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A batch it could not take.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// Sizes, targets and sequences do not fit together.
    #[error("a batch of {sequences} sequences has {targets} targets and groups of {sizes} in all")]
    Shape {
        /// Sequences in the batch.
        sequences: usize,
        /// Targets given.
        targets: usize,
        /// Sum of the group sizes.
        sizes: usize,
    },
    /// The loss or a gradient is NaN or infinite.
    #[error("the {0} is not finite; lower the learning rate, or look at this step's texts")]
    NotFinite(&'static str),
    /// A step without gradients.
    #[error("no batch was accumulated before the step")]
    NothingAccumulated,
    /// The weights could not be written.
    #[error("cannot write the model: {0}")]
    Save(String),
}

/// A model that can be trained: gradients are accumulated batch by batch, then applied.
pub trait Learner: Scorer {
    /// Adds the gradients of one micro-batch. `share` is its part of the whole step's groups (1
    /// when the step is this batch alone), `seed` decides dropout.
    ///
    /// # Errors
    /// Batches the model cannot take, or a loss that is not finite; nothing is accumulated then.
    fn accumulate(
        &mut self,
        batch: &GroupBatch,
        loss: &LossSpec,
        share: f32,
        seed: u64,
    ) -> Result<LossReport, TrainError>;

    /// Makes one optimizer step with all that was accumulated, and forgets it.
    ///
    /// # Errors
    /// Gradients that are not finite or not there; the weights are left as they were.
    fn apply(&mut self, rates: &Rates) -> Result<StepReport, TrainError>;

    /// Writes the weights as `config.json` and `model.safetensors` into an existing folder, in
    /// 16-bit floats when `half` is set.
    ///
    /// # Errors
    /// When a file cannot be written.
    fn save(&self, folder: &Path, half: bool) -> Result<(), TrainError>;
}
