//! The record of a training run: what was learnt from what, how it went, and what it changed. A
//! trainer writes it, a report is rendered from it.

use std::fmt;

use secondpass_core::{ContentHash, QueryId, TruncationAudit};
use serde::{Deserialize, Serialize};

use crate::{Comparison, Difference, Estimate};

/// The version of [`TrainingRecord`]'s layout.
pub const TRAINING_SCHEMA: u32 = 2;

/// What a training run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The version of this layout.
    pub schema: u32,
    /// The recipe's name.
    pub name: String,
    /// The recipe's seed.
    pub seed: u64,
    /// What decides its course.
    pub identity: TrainingIdentity,
    /// What was learnt from: the loss, in words.
    pub loss: String,
    /// Dev queries that checkpoints were compared on.
    pub dev_queries: usize,
    /// What they were compared by.
    pub measure: String,
    /// Steps that were to be made.
    pub of: usize,
    /// Whether it was stopped before its end; the same command goes on.
    pub stopped: bool,
    /// Whether it ended early, because dev got no better.
    pub ended_early: bool,
    /// Groups learned from, repeated ones counted again.
    pub groups: usize,
    /// Tokens learned from, padding excluded.
    pub tokens: u64,
    /// Wall-clock seconds over all starts, evaluations included.
    pub seconds: f64,
    /// Every step made, in order.
    pub steps: Vec<TrainingStep>,
    /// Every evaluation, the first before any step.
    pub evaluations: Vec<Evaluated>,
    /// The one whose weights were saved; at step 0 they are those that training started from.
    /// `None` when it was stopped before any.
    pub best: Option<Evaluated>,
    /// What went otherwise than hoped.
    pub warnings: Vec<TrainingWarning>,
    /// What was cut from the training pairs.
    pub truncation: TruncationAudit,
    /// What was cut from the dev pairs.
    pub dev_truncation: TruncationAudit,
    /// The model before and after, on sets that nothing was chosen on.
    #[serde(default)]
    pub tested: Vec<Tested>,
}

/// What decides the course of a training run. Two runs with the same make the same steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingIdentity {
    /// The hash of the recipe's text.
    pub recipe: ContentHash,
    /// The hash of queries, documents, judgements, groups and candidates that are learnt from.
    pub data: ContentHash,
    /// The hash of the dev split.
    pub dev: ContentHash,
    /// The hash of the dev queries' candidates, at all depths.
    pub dev_candidates: ContentHash,
    /// The hash of the weights it starts from; of nothing where the seed makes them.
    pub weights: ContentHash,
    /// The hash of the tokenizer.
    pub tokenizer: ContentHash,
    /// Where it computes.
    pub device: String,
}

impl TrainingIdentity {
    /// What differs from another one, in words.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        [
            ("the recipe", self.recipe != other.recipe),
            ("the training data", self.data != other.data),
            ("the dev split", self.dev != other.dev),
            ("the dev candidates", self.dev_candidates != other.dev_candidates),
            ("the weights it starts from", self.weights != other.weights),
            ("the tokenizer", self.tokenizer != other.tokenizer),
            ("the device", self.device != other.device),
        ]
        .into_iter()
        .filter_map(|(what, differs)| differs.then_some(what))
        .collect()
    }
}

/// One optimizer step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingStep {
    /// Its number, from 1.
    pub step: usize,
    /// The loss, a mean as the loss defines it.
    pub loss: f64,
    /// Share of its groups whose positive scored highest, 0 to 1.
    pub accuracy: f64,
    /// Its learning rate.
    pub learning_rate: f64,
    /// Global gradient norm before clipping.
    pub gradient_norm: f64,
    /// Tokens learned from in a second of it, padding excluded.
    pub tokens_per_second: f64,
}

/// One evaluation on the dev queries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// Steps made before it.
    pub step: usize,
    /// The measure's mean.
    pub value: f64,
}

/// What went otherwise than hoped, and what to do about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TrainingWarning {
    /// Every document of a dev query scores alike, so nothing was saved.
    Collapsed {
        /// Steps made.
        step: usize,
    },
    /// The loss after the warm-up is not below that of the first steps.
    NotLearning {
        /// Steps made.
        step: usize,
        /// Mean loss of the first steps.
        before: f64,
        /// Mean loss of the latest.
        now: f64,
    },
    /// Dev fell twice in a row while the loss fell too.
    Overfitting {
        /// Steps made.
        step: usize,
        /// The measure now.
        value: f64,
        /// The best so far.
        best: Evaluated,
    },
    /// A micro-batch did not fit into memory.
    SmallerBatches {
        /// The step it was in, from 1.
        step: usize,
        /// What a micro-batch may hold from then on, in words.
        limit: String,
    },
    /// A saved state that was passed over.
    DamagedState {
        /// Its folder's name.
        state: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// No evaluation was better than that before the first step, so that the weights saved are those that
    /// training started from.
    NothingGained {
        /// The measure before any step.
        before: f64,
        /// Whether nobody had trained the head then.
        random_head: bool,
    },
    /// Nothing can be saved to go on from.
    NotResumable {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for TrainingWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collapsed { step } => write!(
                f,
                "step {step}: every document of a dev query scores alike; if that lasts, lower \
                 training.learning_rate or lengthen training.warmup"
            ),
            Self::NotLearning { step, before, now } => write!(
                f,
                "step {step}: the loss ({now:.4}) is not below that of the first steps \
                 ({before:.4}): nothing is learnt; raise training.learning_rate, or check that \
                 positives and negatives are not mixed up"
            ),
            Self::Overfitting { step, value, best } => write!(
                f,
                "step {step}: dev fell to {value:.4} ({:.4} at step {}) while the loss fell too: \
                 the model learns its triples by heart; set dev.patience, train for less, or add \
                 data",
                best.value, best.step
            ),
            Self::SmallerBatches { step, limit } => write!(
                f,
                "step {step}: out of memory; micro-batches hold at most {limit} from now on, the \
                 effective batch stays"
            ),
            Self::DamagedState { state, reason } => {
                write!(f, "the saved state {state} is passed over: {reason}")
            }
            Self::NothingGained { before, random_head } => write!(
                f,
                "no step made dev better than {before:.4}, where it began: what is saved is {}; lower \
                 training.learning_rate, train for longer, or look at the data",
                match random_head {
                    true => "a model whose head nobody trained",
                    false => "the model that training started from",
                }
            ),
            Self::NotResumable { reason } => {
                write!(f, "this run cannot be continued once it is stopped: {reason}")
            }
        }
    }
}

/// The model before and after training, on one set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// What the recipe calls it.
    pub name: String,
    /// Whether it is from another domain: what falls there was forgotten.
    pub other_domain: bool,
    /// Candidates per query.
    pub depth: usize,
    /// The first stage's own order.
    pub first_stage: Estimate,
    /// The model that training started from; none where its head was random.
    pub before: Option<Estimate>,
    /// The trained model.
    pub after: Estimate,
    /// Its difference from the first stage, and what that shows.
    pub against_first_stage: Change,
    /// Its difference from the model before, and what that shows.
    pub against_before: Option<Change>,
}

/// What one ranking of a set changes against another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The difference, with its interval.
    pub difference: Difference,
    /// What it shows.
    pub comparison: Comparison,
    /// The queries that gained most, the largest gain first.
    pub won: Vec<ChangedQuery>,
    /// Those that lost most, the largest loss first.
    pub lost: Vec<ChangedQuery>,
}

/// A query whose measure changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangedQuery {
    /// Which.
    pub query: QueryId,
    /// The measure before.
    pub before: f64,
    /// And after.
    pub after: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_says_what_differs() {
        let hash = ContentHash::of(b"a");
        let one = TrainingIdentity {
            recipe: hash.clone(),
            data: hash.clone(),
            dev: hash.clone(),
            dev_candidates: hash.clone(),
            weights: hash.clone(),
            tokenizer: hash,
            device: "cpu".to_owned(),
        };
        assert!(one.differences(&one).is_empty());
        let weights = ContentHash::of(b"b");
        let other = TrainingIdentity { weights, device: "cuda".to_owned(), ..one.clone() };
        assert_eq!(one.differences(&other), ["the weights it starts from", "the device"]);
    }

    #[test]
    fn warnings_survive_json() {
        let best = Evaluated { step: 2, value: 0.5 };
        let warnings = [
            TrainingWarning::Collapsed { step: 1 },
            TrainingWarning::Overfitting { step: 4, value: 0.1, best },
            TrainingWarning::NotResumable { reason: "no".to_owned() },
        ];
        let json = serde_json::to_string(&warnings).unwrap();
        assert_eq!(serde_json::from_str::<Vec<TrainingWarning>>(&json).unwrap(), warnings);
    }
}
