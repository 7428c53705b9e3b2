mod error;
mod more;
mod parse;
mod seeded;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use secondpass_core::ContentHash;
use secondpass_data::training::Layout;
use secondpass_evaluation::{NamedMeasure, Pool};
use secondpass_text::{AdamW, Trained, Truncation};

pub use error::RecipeError;
pub use seeded::with_seed;

use crate::losses::LossKind;
use crate::{Decay, MicroBatch};

/// How a model is to be trained: a validated TOML file.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// The file it was read from.
    pub file: String,
    /// The hash of the file's text.
    pub hash: ContentHash,
    /// What the trained model is called.
    pub name: String,
    /// Decides weights, order, negatives and dropout.
    pub seed: u64,
    /// What is trained.
    pub model: ModelSource,
    /// What it learns from.
    pub data: DataSource,
    /// Whether training queries may be evaluation queries, and dev queries tested on, too.
    pub allow_overlap: bool,
    /// Where each group's negatives come from.
    pub sampling: NegativeCounts,
    /// What is wrong with a step's scores.
    pub loss: LossKind,
    /// Which weights change.
    pub trained: Trained,
    /// The optimization.
    pub training: Training,
    /// How checkpoints are compared.
    pub dev: DevSettings,
    /// What is kept on disk.
    pub keep: Keeping,
    /// What the model is tested on, before and after.
    pub tests: Vec<TestSpec>,
}

/// Where training starts.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelSource {
    /// Random weights of this shape, with a tokenizer trained on the training texts.
    Random {
        /// The encoder's sizes.
        shape: Shape,
        /// Tokens of the tokenizer, special ones included.
        vocabulary: usize,
    },
    /// A model on disk.
    Folder {
        /// Its folder in the Hugging Face layout (`./` and `../` start at the recipe's folder), or its
        /// name on the hub.
        path: PathBuf,
        /// What becomes of its head.
        head: Head,
        /// Its dropout while it is trained.
        dropout: Dropout,
    },
}

/// Dropout in place of what a model's `config.json` says; `None` leaves that.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dropout {
    /// On embeddings, layer outputs and, unless the config has another for it, in the head.
    pub hidden: Option<f64>,
    /// On attention weights.
    pub attention: Option<f64>,
}

/// What becomes of the head of a model on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// A random one is put on.
    New,
    /// It is trained on.
    Kept,
}

/// The sizes of an XLM-R cross-encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Encoder layers.
    pub num_hidden_layers: usize,
    /// Attention heads; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width inside the feed-forward part.
    pub intermediate_size: usize,
    /// The longest sequence it has positions for, in tokens.
    pub max_length: usize,
    /// Dropout on embeddings and layer outputs.
    pub hidden_dropout: f64,
    /// Dropout on attention weights.
    pub attention_dropout: f64,
    /// Standard deviation of the random weights.
    pub initializer_range: f64,
    /// How attention starts.
    pub initialization: Initialization,
}

/// How a random model's attention starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initialization {
    /// Like all other weights.
    Normal,
    /// Queries and keys alike, so that a token attends to those like it.
    Mimetic,
}

/// What a model learns from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// A set compiled into the program, by name.
    Embedded(String),
    /// The judgements of a set in BEIR's layout.
    Beir {
        /// What is learnt.
        train: JudgedSplit,
        /// What checkpoints are compared on.
        dev: JudgedSplit,
    },
    /// The judgements of a set in BEIR's layout, with hard negatives from what a first stage found.
    BeirAndRun {
        /// What is learnt.
        train: JudgedSplit,
        /// What checkpoints are compared on.
        dev: JudgedSplit,
        /// A TREC run of the training queries.
        run: PathBuf,
        /// The ranks of the run that negatives are taken from, from 1, both included.
        ranks: (usize, usize),
        /// Negatives a query, at most.
        negatives: usize,
    },
    /// Files of texts.
    Files {
        /// Triples or groups.
        layout: Layout,
        /// The files, which make one set; relative paths start at the recipe's folder.
        paths: Vec<PathBuf>,
        /// What checkpoints are compared on.
        dev: DevSet,
    },
}

/// What a model is evaluated on: what checkpoints are compared on where training reads files, and what
/// is tested on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DevSet {
    /// A split of a set in BEIR's layout.
    Beir(JudgedSplit),
    /// A golden set.
    Golden {
        /// Its lines.
        path: PathBuf,
        /// The documents that they name; `None` where they hold texts.
        corpus: Option<PathBuf>,
    },
}

/// A split of a set in BEIR's layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedSplit {
    /// The set's folder; relative paths start at the recipe's folder.
    pub path: PathBuf,
    /// The split.
    pub split: String,
}

/// Negatives of each group, by source. A source that has too few is filled up by the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NegativeCounts {
    /// From the group's own list.
    pub hard: usize,
    /// From the first stage's candidates that are not judged relevant.
    pub first_stage: usize,
    /// From the whole corpus.
    pub random: usize,
}

impl NegativeCounts {
    /// Negatives in a group.
    pub fn total(&self) -> usize {
        self.hard + self.first_stage + self.random
    }
}

/// The optimization.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// When it ends.
    pub length: Length,
    /// Groups that one optimizer step averages over.
    pub groups_per_step: usize,
    /// What is computed at once: memory, not learning.
    pub micro_batch: MicroBatch,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// How long the rate rises.
    pub warmup: Warmup,
    /// How the rate falls then.
    pub decay: Decay,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// The optimizer's constants.
    pub adamw: AdamW,
    /// Global gradient norm above which gradients are scaled down.
    pub clip_norm: Option<f64>,
    /// The longest pair, in tokens, special ones included.
    pub max_length: usize,
    /// What happens to longer ones.
    pub truncation: Truncation,
}

/// When training ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Each group is seen this many times.
    Epochs(usize),
    /// After this many optimizer steps.
    Steps(usize),
}

/// How long the learning rate rises.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Warmup {
    /// A share of all steps, from 0 to 1.
    Share(f64),
    /// A number of steps.
    Steps(usize),
}

/// How checkpoints are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct DevSettings {
    /// The higher its mean over the dev queries, the better the checkpoint.
    pub measure: NamedMeasure,
    /// Steps between two evaluations.
    pub every: usize,
    /// Candidates per query.
    pub depth: usize,
    /// What may be a candidate.
    pub pool: Pool,
    /// How many dev queries, drawn by the seed; `None` for all.
    pub queries: Option<usize>,
    /// Evaluations without a new best after which training ends; `None` for never.
    pub patience: Option<usize>,
}

/// What is kept on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Steps between two states to go on from.
    pub every: usize,
    /// How many of them are kept, the latest ones.
    pub last: usize,
    /// Whether the trained weights are 16-bit floats, otherwise 32-bit ones.
    pub half: bool,
}

/// A set that a model is tested on.
#[derive(Clone, Debug, PartialEq)]
pub struct TestSpec {
    /// What reports call it.
    pub name: String,
    /// Where it is.
    pub set: DevSet,
    /// Candidates per query.
    pub depth: usize,
    /// What may be a candidate.
    pub pool: Pool,
    /// What it is measured by.
    pub measure: NamedMeasure,
    /// Whether it is from another domain than what is learnt.
    pub other_domain: bool,
}
