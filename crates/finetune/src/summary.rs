use secondpass_core::{ContentHash, TruncationAudit};
use serde::{Deserialize, Serialize};

/// What a training run did, to be kept beside its checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The recipe's name.
    pub name: String,
    /// The hash of the recipe's text.
    pub recipe: ContentHash,
    /// The recipe's seed.
    pub seed: u64,
    /// The hash of the dev split.
    pub dev: ContentHash,
    /// The hash of the dev queries' candidates, at all depths.
    pub dev_candidates: ContentHash,
    /// Dev queries that checkpoints were compared on.
    pub dev_queries: usize,
    /// What they were compared by.
    pub measure: String,
    /// Steps made.
    pub steps: usize,
    /// Steps that were to be made.
    pub of: usize,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// Groups learned from, repeated ones counted again.
    pub groups: usize,
    /// Tokens learned from, padding excluded.
    pub tokens: u64,
    /// Wall-clock seconds, evaluations included.
    pub seconds: f64,
    /// The mean loss of every step's groups.
    pub losses: Vec<f32>,
    /// Every evaluation, the first before any step.
    pub evaluations: Vec<Evaluated>,
    /// The one whose weights were saved; at step 0 they are those that training started from.
    /// `None` when it was stopped before any.
    pub best: Option<Evaluated>,
    /// What was cut from the training pairs.
    pub truncation: TruncationAudit,
    /// What was cut from the dev pairs.
    pub dev_truncation: TruncationAudit,
}

/// One evaluation on the dev queries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// Steps made before it.
    pub step: usize,
    /// The measure's mean.
    pub value: f64,
}
