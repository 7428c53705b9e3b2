//! What to run: a TOML config, validated into its own type.

mod error;
mod parse;

use std::path::PathBuf;

use secondpass_core::ContentHash;

pub use error::ConfigError;

use crate::measures::NamedMeasure;

/// The name of the candidates as they came, among an experiment's systems.
pub const FIRST_STAGE: &str = "first stage";
/// The name of the best order of the candidates, among an experiment's systems.
pub const ORACLE: &str = "oracle";

/// A validated experiment: which rerankers to compare, on which candidates, by which measures.
/// Paths in it are relative to the config file, and stand here joined to its folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// The file it was read from, for errors about its keys.
    pub file: String,
    /// The hash of the config's text.
    pub config: ContentHash,
    /// Its name; an output folder belongs to one name.
    pub name: String,
    /// Whether the set is a demonstration, whose figures predict nothing.
    pub demonstration: bool,
    /// On what.
    pub dataset: DatasetSpec,
    /// What finds the candidates.
    pub first_stage: FirstStageSpec,
    /// The rerankers under test, names unique.
    pub rerankers: Vec<RerankerSpec>,
    /// The measures, at least one, none twice.
    pub measures: Vec<NamedMeasure>,
    /// The one of them that verdicts rest on.
    pub primary: NamedMeasure,
    /// Query attributes by which the primary measure is told apart.
    pub slices: Vec<String>,
    /// Whether to show the best order of the candidates.
    pub oracle: bool,
    /// The figures this experiment is known to give.
    pub expect: Vec<Expectation>,
}

/// Which dataset, and which split of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSpec {
    /// Where it comes from.
    pub source: DatasetSource,
    /// The split whose queries are run.
    pub split: String,
}

/// Where a dataset comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatasetSource {
    /// Compiled into the program, by name.
    Embedded(String),
    /// A folder in BEIR's layout.
    Beir(PathBuf),
}

/// What finds the candidates, and how many of them a query.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstStageSpec {
    /// How they are found.
    pub kind: FirstStageKind,
    /// Candidates a query at most, from 1.
    pub depth: usize,
}

/// How candidates are found.
#[derive(Clone, Debug, PartialEq)]
pub enum FirstStageKind {
    /// BM25 over the corpus.
    Bm25 {
        /// Term-frequency saturation, from 0.
        k1: f64,
        /// Length normalisation, 0 to 1.
        b: f64,
    },
    /// A TREC run from elsewhere.
    Run(PathBuf),
}

/// A reranker under test. Truncation, device and number format stay as they were written: who owns
/// them validates them, and reports [`ConfigError::Value`] with this spec's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RerankerSpec {
    /// The name shown in reports.
    pub name: String,
    /// What kind of reranker.
    pub kind: RerankerKind,
    /// Where its model comes from.
    pub model: ModelSpec,
    /// A hub revision to pin.
    pub revision: Option<String>,
    /// The longest pair in tokens; `None` for the model's own limit.
    pub max_length: Option<usize>,
    /// The truncation mode.
    pub truncation: String,
    /// The device.
    pub device: String,
    /// The number format to compute in.
    pub dtype: String,
}

/// What kind of reranker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RerankerKind {
    /// A self-hosted cross-encoder.
    CrossEncoder,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSpec {
    /// Compiled into the program.
    Embedded,
    /// A folder or a hub id. One that starts with `./` or `../` stands here joined to the config's
    /// folder.
    Named(String),
}

/// A figure the experiment is known to give.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Whose: a reranker's name, [`FIRST_STAGE`] or [`ORACLE`].
    pub system: String,
    /// One of the experiment's measures.
    pub measure: NamedMeasure,
    /// The mean that is expected.
    pub value: f64,
    /// How far it may be off, from 0.
    pub tolerance: f64,
}
