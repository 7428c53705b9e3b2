use std::path::PathBuf;

use secondpass_core::{DocId, QueryId};
use secondpass_text::{ScoreError, TokenizeError, TrainError, Truncation};

use crate::Leak;

/// Why there is no trained model, or none beyond the checkpoint that was kept.
#[derive(Debug, thiserror::Error)]
pub enum FinetuneError {
    /// Nothing to learn from.
    #[error("there are no training groups; the triples are empty")]
    NoGroups,
    /// A group names a query that is not there.
    #[error("a training triple names query '{0}', which is not among the queries; add it")]
    UnknownQuery(QueryId),
    /// A group, or a query's candidates, name a document that is not there.
    #[error("query '{query}' names document '{document}', which is not in the corpus; add it")]
    UnknownDocument {
        /// Whose triple or candidate it is.
        query: QueryId,
        /// The missing document.
        document: DocId,
    },
    /// Negatives are wanted from candidates that nobody gave.
    #[error(
        "the recipe takes {wanted} negatives a group from the first stage, and no candidates were \
         given; set sampling.first_stage to 0 or retrieve them"
    )]
    NoCandidates {
        /// How many a group.
        wanted: usize,
    },
    /// A query whose positive has nothing to stand against.
    #[error("query '{0}' has no negative: every document of the corpus is judged relevant to it")]
    NoNegatives(QueryId),
    /// A query stands in training and in dev.
    #[error(
        "{count} of the training queries are dev queries too, the first '{}' ('{}' in dev: \"{}\"); \
         remove them from one side, or dev scores show what was memorized",
        first.training, first.dev, first.text
    )]
    Leak {
        /// Training queries that stand in dev.
        count: usize,
        /// The first of them.
        first: Leak,
    },
    /// The tokenizer cuts otherwise than the recipe says.
    #[error(
        "the tokenizer cuts pairs at {found} tokens ({found_truncation}), and the recipe says \
         {expected} ({expected_truncation}); make the tokenizer with the recipe's settings"
    )]
    TokenizerSettings {
        /// The tokenizer's limit.
        found: usize,
        /// The tokenizer's mode.
        found_truncation: Truncation,
        /// The recipe's limit.
        expected: usize,
        /// The recipe's mode.
        expected_truncation: Truncation,
    },
    /// No dev query has candidates.
    #[error("no dev query has a candidate to score; check that the run belongs to the dev split")]
    NoDevPairs,
    /// A query's pairs make no tokens.
    #[error("query '{query}': {source}")]
    Tokenize {
        /// Which query.
        query: QueryId,
        /// Why not.
        source: TokenizeError,
    },
    /// The model could not score the dev pairs.
    #[error("the dev evaluation after step {step}: {source}")]
    Score {
        /// Steps made.
        step: usize,
        /// Why not.
        source: ScoreError,
    },
    /// The model could not learn.
    #[error("step {step}: {source}")]
    Learn {
        /// The step, from 1.
        step: usize,
        /// Why not.
        source: TrainError,
    },
    /// A loss, gradient or score that is NaN or infinite.
    #[error(
        "step {step}: the {what} is not finite; lower training.learning_rate or lengthen \
         training.warmup. {}", kept(*.best)
    )]
    NotFinite {
        /// What.
        what: &'static str,
        /// The step, from 1; for a dev score, the steps made.
        step: usize,
        /// The step whose weights the checkpoint folder holds.
        best: Option<usize>,
    },
    /// The model never told documents apart.
    #[error(
        "after {steps} steps every document of a dev query still scores alike: the model has \
         collapsed and nothing was saved; lower training.learning_rate or lengthen training.warmup"
    )]
    Collapsed {
        /// Steps made.
        steps: usize,
    },
    /// Something stands where the checkpoint goes.
    #[error("{0} exists and is not empty; remove it or choose another folder for the checkpoint")]
    CheckpointExists(PathBuf),
    /// The checkpoint cannot be written.
    #[error("cannot write the checkpoint {path}: {source}")]
    Checkpoint {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The model's own files cannot be written.
    #[error("the checkpoint of step {step}: {source}")]
    Save {
        /// Steps made.
        step: usize,
        /// Why not.
        source: TrainError,
    },
}

fn kept(best: Option<usize>) -> String {
    match best {
        Some(step) => format!("The checkpoint of step {step} is kept"),
        None => "No checkpoint was saved".to_owned(),
    }
}
