//! What an experiment found: the one thing that reports are rendered from.
//!
//! A record is a JSON manifest (this type) and a Parquet table with one row per query and system
//! ([`QueryRow`]). Every figure a report shows stands in one of the two.

use std::collections::BTreeMap;

use secondpass_core::{ContentHash, Identity, QueryId, TruncationAudit, Usage};
use serde::{Deserialize, Serialize};

/// The version of this layout; a reader refuses others.
pub const SCHEMA: u32 = 1;

/// The manifest of one experiment's results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`] when it was written.
    pub schema: u32,
    /// What was run.
    pub experiment: ExperimentInfo,
    /// When it ended, RFC 3339 in UTC.
    pub finished: String,
    /// The program's own version.
    pub version: String,
    /// Where it ran.
    pub machine: Machine,
    /// On what it ran.
    pub dataset: DatasetInfo,
    /// What all systems were given.
    pub candidates: CandidatesInfo,
    /// The measures, as ir_measures writes them, in the order of the config.
    pub measures: Vec<String>,
    /// The one measure that verdicts rest on.
    pub primary: String,
    /// First stage, rerankers in the order of the config, oracle.
    pub systems: Vec<SystemRecord>,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentInfo {
    /// The name in the config.
    pub name: String,
    /// The hash of the config's text.
    pub config: ContentHash,
    /// Why these figures predict nothing, where the set is a demonstration: shown as a banner.
    pub demonstration: Option<String>,
    /// What was noticed on the way, one sentence each, with the advice that follows.
    pub warnings: Vec<String>,
}

/// The machine it ran on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model name.
    pub cpu: String,
    /// Logical cores this process may use.
    pub cores: usize,
    /// Memory in bytes; 0 when unknown.
    pub memory: u64,
    /// Operating system and architecture (`linux x86_64`).
    pub os: String,
}

/// On what it ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// Its name.
    pub name: String,
    /// Which split.
    pub split: String,
    /// Hash of corpus, queries and judgements.
    pub hash: ContentHash,
    /// Number of documents.
    pub documents: usize,
    /// Number of judged queries.
    pub queries: usize,
    /// Number of judgements.
    pub judgements: usize,
}

/// What all systems were given to rerank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidatesInfo {
    /// The first stage with its settings.
    pub first_stage: String,
    /// Candidates a query at most.
    pub depth: usize,
    /// Candidates a query on average.
    pub mean: f64,
    /// Hash of the candidates' run.
    pub hash: ContentHash,
    /// Share of the queries with a relevant document among the candidates, 0 to 1.
    pub with_relevant: f64,
    /// Share of the first stage's top 10 that was judged, mean over queries, 0 to 1.
    pub judged_at_10: f64,
}

/// What a system is in the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The candidates as they came.
    FirstStage,
    /// A reranker under test.
    Reranker,
    /// The best order of the candidates: no reranker can exceed it at this depth.
    Oracle,
}

/// One system's results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SystemRecord {
    /// The name in the config; `first stage` and `oracle` for those.
    pub name: String,
    /// What it is here.
    pub role: Role,
    /// Which reranker it is, in full.
    pub identity: Identity,
    /// One entry a measure, in the order of [`Record::measures`].
    pub quality: Vec<Estimate>,
    /// Against the first stage on the primary measure; `None` for the first stage.
    pub versus_first_stage: Option<Difference>,
    /// Agreement with the first stage on the top k; empty for the first stage.
    pub agreement: Vec<Agreement>,
    /// Time a query; `None` where it was not measured (first stage and oracle do no work here).
    pub latency: Option<Latency>,
    /// What was cut over all pairs; `None` where it is unknown or does not apply.
    pub truncation: Option<TruncationAudit>,
    /// What was consumed over all queries.
    pub usage: Usage,
    /// Queries that failed, with the reason; they score 0 and are listed.
    pub failures: BTreeMap<QueryId, String>,
    /// The primary measure by slice.
    pub slices: Vec<Slice>,
}

/// A mean over queries with its 95% bootstrap interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The measure, as ir_measures writes it.
    pub measure: String,
    /// Mean over the queries.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Queries the mean is over.
    pub queries: usize,
    /// Of these, queries without any result, which scored 0.
    pub missing: usize,
}

/// A paired difference over queries with its 95% bootstrap interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The measure.
    pub measure: String,
    /// Mean of this system minus the first stage.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Queries that gained.
    pub helped: usize,
    /// Queries that lost.
    pub hurt: usize,
    /// Queries without change.
    pub unchanged: usize,
}

/// How alike this system's top k is to the first stage's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The cutoff.
    pub k: usize,
    /// Share of the top k documents that both have, mean over queries, 0 to 1.
    pub overlap: f64,
}

/// Time to rerank one query's candidates, one query at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Queries timed.
    pub samples: usize,
    /// Candidates a query on average.
    pub candidates: f64,
    /// Median, in seconds.
    pub p50: f64,
    /// 95th percentile, in seconds.
    pub p95: f64,
    /// Mean, in seconds.
    pub mean: f64,
    /// Pairs scored a second of reranking.
    pub pairs_per_second: f64,
    /// Tokens computed a second of reranking.
    pub tokens_per_second: f64,
}

/// The primary measure over the queries that share an attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// The query attribute.
    pub attribute: String,
    /// Its value.
    pub value: String,
    /// The mean over these queries.
    pub estimate: Estimate,
    /// Against the first stage over these queries; `None` for the first stage.
    pub versus_first_stage: Option<Difference>,
}

/// One row of the Parquet table: what one system made of one query.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryRow {
    /// The query.
    pub query: QueryId,
    /// [`SystemRecord::name`].
    pub system: String,
    /// One value a measure, in the order of [`Record::measures`].
    pub values: Vec<f64>,
    /// Candidates it was given.
    pub candidates: u32,
    /// Time in seconds; `None` where it was not measured.
    pub seconds: Option<f64>,
    /// Tokens computed.
    pub tokens: u64,
    /// Pairs cut; `None` where unknown.
    pub pairs_cut: Option<u64>,
    /// The document ranked first; `None` without any result.
    pub top: Option<String>,
}
