use std::path::Path;

use crate::{Compute, ScoreError, Scorer, TokenBatch};

/// How far one optimizer step goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decoupled weight decay; biases and LayerNorm parameters have none.
    pub weight_decay: f64,
    /// Global gradient norm above which all gradients are scaled down; `None` for no clipping.
    pub clip_norm: Option<f64>,
    /// The optimizer's constants.
    pub adamw: AdamW,
}

/// The constants of AdamW (Loshchilov and Hutter, 2019).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// How much of the gradients' mean a step keeps; from 0 to below 1.
    pub beta_1: f64,
    /// How much of the squared gradients' mean a step keeps; from 0 to below 1.
    pub beta_2: f64,
    /// Added to the root of the squared gradients' mean; above 0.
    pub epsilon: f64,
}

impl Default for AdamW {
    /// PyTorch's.
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }
    }
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
    /// The loss gave another number of derivatives than there are sequences.
    #[error("a batch of {sequences} sequences has {derivatives} derivatives")]
    Shape {
        /// Sequences in the batch.
        sequences: usize,
        /// Derivatives given.
        derivatives: usize,
    },
    /// The loss or a gradient is NaN or infinite.
    #[error("the {0} is not finite; lower the learning rate, or look at this step's texts")]
    NotFinite(&'static str),
    /// The device has too little memory for a batch; a smaller one may fit.
    #[error("out of memory: {0}")]
    OutOfMemory(String),
    /// A step without gradients.
    #[error("no batch was accumulated before the step")]
    NothingAccumulated,
    /// The weights could not be written.
    #[error("cannot write the model: {0}")]
    Save(String),
    /// A number format that this device does not train in.
    #[error(
        "{device} trains in f32 only, not in {compute}; use --device cuda, or set training.compute to \"f32\""
    )]
    Compute {
        /// The device.
        device: String,
        /// The format.
        compute: Compute,
    },
    /// Parts of a model that cannot be trained, or not on this device.
    #[error("the model cannot be trained so: {0}")]
    Trained(String),
    /// A state that does not belong to this model, or is damaged.
    #[error("cannot go on from the saved state: {0}")]
    State(String),
}

/// What a loss makes of a micro-batch's logits: the derivative of the step's loss by each of them,
/// in the batch's order.
pub type Derivatives<'a> = dyn FnMut(&[f32]) -> Result<Vec<f32>, TrainError> + 'a;

/// A model that can be trained: gradients are accumulated batch by batch, then applied. What is
/// learnt, the loss, is the caller's; a learner knows only its derivatives.
pub trait Learner: Scorer {
    /// Runs one micro-batch forward, with dropout drawn from `seed`, asks `derivatives` what to make
    /// of its logits, and adds the gradients that follow to those of the step.
    ///
    /// # Errors
    /// Batches the model cannot take or has no memory for, what `derivatives` refuses; nothing is
    /// accumulated then.
    fn accumulate(
        &mut self,
        batch: &TokenBatch,
        seed: u64,
        derivatives: &mut Derivatives<'_>,
    ) -> Result<(), TrainError>;

    /// Makes one optimizer step with all that was accumulated, and forgets it.
    ///
    /// # Errors
    /// Gradients that are not finite or not there; the weights are left as they were.
    fn apply(&mut self, rates: &Rates) -> Result<StepReport, TrainError>;

    /// The most bytes that training needs at once, weights, gradients and moments included, with
    /// micro-batches of sequences of these lengths, in tokens. `None` where nobody can tell.
    fn memory(&self, lengths: &[usize]) -> Option<u64> {
        let _ = lengths;
        None
    }

    /// Writes the weights as `config.json` and `model.safetensors` into an existing folder, in
    /// 16-bit floats when `half` is set.
    ///
    /// # Errors
    /// When a file cannot be written.
    fn save(&self, folder: &Path, half: bool) -> Result<(), TrainError>;

    /// Writes all that the next steps depend on into an existing folder: the exact weights, the
    /// optimizer's moments, the number of steps. To be called between steps.
    ///
    /// # Errors
    /// When a file cannot be written, and of learners that keep no state.
    fn save_state(&self, folder: &Path) -> Result<(), TrainError> {
        let _ = folder;
        Err(TrainError::State("this learner keeps none".to_owned()))
    }

    /// Goes back to what [`Learner::save_state`] wrote. A learner of the same model that reads it
    /// makes the same next steps as the one that wrote it.
    ///
    /// # Errors
    /// Files that are missing, damaged or another model's; the learner is left as it was.
    fn load_state(&mut self, folder: &Path) -> Result<(), TrainError> {
        let _ = folder;
        Err(TrainError::State("this learner keeps none".to_owned()))
    }
}
