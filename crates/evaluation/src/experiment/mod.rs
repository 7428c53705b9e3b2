//! What to run: a TOML config, validated into its own type.

mod bench;
mod dataset;
mod error;
mod first_stage;
mod hosted;
mod keys;
mod onnx;
mod parse;
mod reranker;
mod settings;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use secondpass_core::ContentHash;

pub use bench::{BenchLength, BenchSetting, BenchSpec, BenchTexts, FindRate};
pub use dataset::{DatasetSource, DatasetSpec, QuerySample};
pub use error::ConfigError;
pub use first_stage::{
    DenseSpec, EmbeddingsSpec, FirstStageKind, FirstStageSpec, PartSpec, Pool, RetrieverSpec,
};
pub use hosted::{HOSTED_KINDS, HostedSpec, TimeoutsSpec};
pub use onnx::OnnxSpec;
pub use reranker::{CrossEncoderSpec, ModelSpec, RerankerKind, RerankerSpec};
pub use settings::SweepSpec;

use crate::measures::NamedMeasure;
use crate::statistics::Settings;

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
    /// Other first stages to compare with, names unique.
    pub retrievers: Vec<RetrieverSpec>,
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
    /// How often each reranker reranks everything, from 1.
    pub repetitions: usize,
    /// How verdicts are reached.
    pub statistics: Settings,
    /// Which other depths and lengths are tried.
    pub sweep: SweepSpec,
    /// What of latency is measured after quality; `None` for nothing.
    pub bench: Option<BenchSpec>,
    /// Where users' texts may go: `self-hosted` and names of regions; `None` for anywhere.
    pub residency: Option<Vec<String>>,
    /// A file of prices that override the program's own.
    pub prices: Option<PathBuf>,
    /// Queries a month for which costs are told, ascending, each once.
    pub volumes: Vec<u64>,
    /// The figures this experiment is known to give.
    pub expect: Vec<Expectation>,
}

/// A figure the experiment is known to give.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Whose: a retriever's or reranker's name, [`FIRST_STAGE`] or [`ORACLE`].
    pub system: String,
    /// One of the experiment's measures.
    pub measure: NamedMeasure,
    /// The mean that is expected.
    pub value: f64,
    /// How far it may be off, from 0.
    pub tolerance: f64,
}
