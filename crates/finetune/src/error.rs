use std::path::PathBuf;

use secondpass_core::{DocId, QueryId};
use secondpass_text::{ScoreError, TokenizeError, TrainError, Truncation};

use crate::{Leak, RankError};

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
    #[error(
        "query '{0}' has no negative: every document of the corpus is relevant to it, or says the same as \
         one that is; write negatives for it, or remove it"
    )]
    NoNegatives(QueryId),
    /// The loss learns from a teacher, and a group has none.
    #[error(
        "the group of query '{0}' has no teacher's scores, and the recipe's loss learns from them; \
         mine negatives with a teacher, or choose another loss"
    )]
    NoTeacher(QueryId),
    /// A taught group has nothing to compare its positive with.
    #[error(
        "the group of query '{0}' has no negatives, and the recipe's loss takes only those that a \
         teacher scored; remove the group, or mine negatives for it"
    )]
    NothingTaught(QueryId),
    /// A text with nothing in it.
    #[error("document '{document}' of query '{query}' has no text; remove it from the triples")]
    EmptyDocument {
        /// Whose triple it is.
        query: QueryId,
        /// The document.
        document: DocId,
    },
    /// A query with nothing in it.
    #[error("query '{0}' has no text; remove it from the triples")]
    EmptyQuery(QueryId),
    /// A query stands in training and in a set that the model is evaluated on.
    #[error(
        "{count} of the training queries are queries of '{set}' too, the first '{}' ('{}' there: \
         \"{}\"); remove them from one side, or its figures show what was memorized \
         (allow_overlap = true under [data] lets them stay)",
        first.training, first.dev, first.text
    )]
    Leak {
        /// `dev`, or the set's name.
        set: String,
        /// Training queries that stand in it.
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
    /// The measure applies to no dev query.
    #[error("{measure} applies to no dev query; choose another dev.measure")]
    NoDevValue {
        /// The measure.
        measure: String,
    },
    /// A set could not be tested on.
    #[error("the test on '{set}': {source}")]
    Test {
        /// What the recipe calls it.
        set: String,
        /// Why not.
        source: Box<RankError>,
    },
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
        "step {step}: the {what} is not finite{}; lower training.learning_rate or lengthen \
         training.warmup, and look at these texts. {}", among(.queries), kept(*.best)
    )]
    NotFinite {
        /// What.
        what: &'static str,
        /// The queries of the batch it was in; none for a dev score.
        queries: Vec<QueryId>,
        /// The step, from 1; for a dev score, the steps made.
        step: usize,
        /// The step whose weights the checkpoint folder holds.
        best: Option<usize>,
    },
    /// A loss beyond all bounds.
    #[error(
        "step {step}: the loss is {loss:.3e}, after {before:.3} in the first steps: training \
         diverges{}; lower training.learning_rate, lengthen training.warmup or set training.clip_norm. {}",
        among(.queries), kept(*.best)
    )]
    Exploded {
        /// The step, from 1.
        step: usize,
        /// Its loss.
        loss: f64,
        /// The mean of the first steps.
        before: f64,
        /// The queries of the micro-batch with the largest part of it.
        queries: Vec<QueryId>,
        /// The step whose weights the checkpoint folder holds.
        best: Option<usize>,
    },
    /// Not even one group fits into memory.
    #[error(
        "step {step}: the group of query '{query}' alone ({tokens} tokens) does not fit into memory \
         ({reason}); lower training.max_length or sampling.negatives. {}", kept(*.best)
    )]
    OutOfMemory {
        /// The step, from 1.
        step: usize,
        /// Whose group.
        query: QueryId,
        /// Its tokens.
        tokens: usize,
        /// What the device said.
        reason: String,
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
    /// Another process trains into the folder.
    #[error("another training into {0} is at work; wait for it, or choose another folder")]
    InUse(PathBuf),
    /// The best weights so far are not what the stopped run saved.
    #[error(
        "the best weights so far, in {folder}, were changed or removed since the run was stopped, and \
         cannot be made again without all its steps; put them back, or remove {folder} and start anew \
         with --fresh"
    )]
    CheckpointChanged {
        /// The model's folder.
        folder: PathBuf,
    },
    /// A file cannot be read back.
    #[error("{0}")]
    Read(String),
    /// A run was stopped here that was another one.
    #[error(
        "{folder} holds a training run that was stopped, and {} differ; use what it was started with, \
         choose another folder, or start anew with --fresh", .differences.join(", ")
    )]
    OtherRun {
        /// The folder of its states.
        folder: PathBuf,
        /// What is not as it was.
        differences: Vec<&'static str>,
    },
    /// None of the states can be used.
    #[error(
        "{folder} holds a training run that was stopped, and none of its states can be used ({reason}); \
         start anew with --fresh"
    )]
    DamagedStates {
        /// The folder of the states.
        folder: PathBuf,
        /// What is wrong with the latest.
        reason: String,
    },
    /// A state to go on from cannot be written.
    #[error(
        "cannot keep the state of step {step} in {folder}: {reason}; free some space or choose \
         another folder, then run the same command again"
    )]
    State {
        /// Steps made.
        step: usize,
        /// The folder of the states.
        folder: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The checkpoint cannot be written.
    #[error(
        "cannot write the checkpoint {path}: {source}; free some space or choose another folder, then run \
         the same command again"
    )]
    Checkpoint {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The model's own files cannot be written.
    #[error(
        "the checkpoint of step {step}: {source}; free some space or choose another folder, then run the \
         same command again"
    )]
    Save {
        /// Steps made.
        step: usize,
        /// Why not.
        source: TrainError,
    },
    /// What checkpoints are chosen on is tested on, too.
    #[error(
        "{count} of the dev queries are queries of '{set}' too, the first '{}' ('{}' there: \"{}\"); \
         the checkpoint is the one that is best on them, so its figures would be too high: test on \
         others (allow_overlap = true under [data] lets them stay)",
        first.training, first.dev, first.text
    )]
    DevLeak {
        /// The set's name.
        set: String,
        /// Dev queries that stand in it.
        count: usize,
        /// The first of them; `training` is its id in dev.
        first: Leak,
    },
}

fn among(queries: &[QueryId]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = queries.iter().take(SHOWN).map(|query| format!("'{query}'")).collect();
    match queries.len() {
        0 => String::new(),
        1 => format!(" in the batch of query {}", shown[0]),
        count if count > SHOWN => {
            format!(" in the batch of queries {} and {} more", shown.join(", "), count - SHOWN)
        }
        _ => format!(" in the batch of queries {}", shown.join(", ")),
    }
}

fn kept(best: Option<usize>) -> String {
    match best {
        Some(step) => format!("The checkpoint of step {step} is kept"),
        None => "No checkpoint was saved".to_owned(),
    }
}
