//! What an experiment found: the one thing that reports are rendered from.
//!
//! A record is a JSON manifest (this type) and a Parquet table with one row per query and system
//! ([`QueryRow`]). Every figure a report shows stands in one of the two.

use std::collections::BTreeMap;

use secondpass_core::{
    ContentHash, Destination, DocId, Grade, Identity, Origin, QueryId, Ranking, Tariff,
    TruncationAudit, Usage,
};
use serde::{Deserialize, Serialize};

use crate::experiment::QuerySample;

/// The version of this layout; a reader refuses others.
pub const SCHEMA: u32 = 3;

/// Places of each ranking that the table keeps, so that a later run can be held against them. Enough
/// for what anybody reads, and little beside what a run holds in memory.
pub const KEPT_PLACES: usize = 100;

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
    /// How verdicts were reached.
    pub statistics: StatisticsInfo,
    /// Queries a month for which costs are told, ascending.
    pub volumes: Vec<u64>,
    /// First stage, other first stages, rerankers in the order of the config, oracle.
    pub systems: Vec<SystemRecord>,
}

impl Record {
    /// Whether no query has a relevant judgement, so that no measure says anything.
    pub(crate) fn has_nothing_relevant(&self) -> bool {
        self.dataset.queries > 0 && self.dataset.unanswerable >= self.dataset.queries
    }
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
    /// How the queries were drawn from the split; `None` where all of them count.
    pub sample: Option<QuerySample>,
    /// Queries without any relevant judgement: nothing that was judged answers them, and no first
    /// stage or reranker can score on them.
    pub unanswerable: usize,
}

/// How verdicts were reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatisticsInfo {
    /// The level of every test, 0 to 1 (0.05: intervals hold 95%).
    pub alpha: f64,
    /// The margin on the primary measure within which two systems count as equivalent.
    pub margin: f64,
    /// Permutations drawn by the randomization tests.
    pub permutations: usize,
    /// Resamples drawn by the bootstrap intervals.
    pub resamples: usize,
    /// Rerankers over which p-values on the primary measure are corrected (Holm).
    pub corrected_over: usize,
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
    /// Share of the first stage's top 10 that was judged, mean over the queries with candidates, 0 to
    /// 1.
    pub judged_at_10: f64,
    /// Time the first stage took for all queries, in seconds; `None` where the candidates came from
    /// elsewhere or from a cache.
    pub seconds: Option<f64>,
}

impl CandidatesInfo {
    /// Whether agreement on the top `k` tells anything: where these are more than half of the
    /// candidates, any two orders have most of them in common.
    pub fn is_selective(&self, k: usize) -> bool {
        2.0 * k as f64 <= self.mean
    }
}

/// What a system is in the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The candidates as they came.
    FirstStage,
    /// Another first stage, for comparison: its own documents, as it ranks them.
    Retriever,
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
    /// Where its answers came from: of anything but live ones, the first that is not.
    pub origin: Origin,
    /// Where the users' texts went; `None` where they did not leave the process.
    pub destination: Option<Destination>,
    /// One entry a measure, in the order of [`Record::measures`].
    pub quality: Vec<Estimate>,
    /// Against the first stage on the primary measure; `None` for the first stage.
    pub versus_first_stage: Option<Difference>,
    /// What that difference shows; `None` for the first stage, for the oracle, for a mock's answers,
    /// where queries failed, and where the primary measure applies to no query. Of other first stages
    /// it is exploratory.
    pub comparison: Option<Comparison>,
    /// How much the unjudged documents could change the primary measure.
    pub unjudged: Unjudged,
    /// The primary measure by number of candidates, from few to many; empty where no sweep was asked
    /// for, where all queries have fewer candidates than any depth of it, and for the first stage.
    pub depths: Vec<DepthPoint>,
    /// The primary measure by maximum length of a pair, from short to long; empty where no sweep was
    /// asked for.
    pub lengths: Vec<LengthPoint>,
    /// How its scores lie; `None` for the first stage and the oracle.
    pub scores: Option<ScoreDistribution>,
    /// The queries that lost most against the first stage, worst first, at most ten; those that
    /// failed are not among them. Empty but for rerankers, as is `most_helped`.
    pub most_hurt: Vec<QueryChange>,
    /// The queries that gained most, best first.
    pub most_helped: Vec<QueryChange>,
    /// Agreement with the first stage on the top k; empty for the first stage and for others of its
    /// kind.
    pub agreement: Vec<Agreement>,
    /// Queries whose scores came from the cache; they count for quality, never for latency.
    pub cached: usize,
    /// Time a query over all repetitions; `None` where it was not measured (first stage and oracle do
    /// no work here).
    pub latency: Option<Latency>,
    /// What was cut over all pairs; `None` where it does not apply or is unknown for any query (as
    /// where scores of pairs came from the cache, but not from the same candidates).
    pub truncation: Option<TruncationAudit>,
    /// What was consumed for all queries once, at the full depth and length: nothing for those from
    /// the cache; repetitions and sweeps do not count.
    pub usage: Usage,
    /// What it costs; `None` where nobody bills a call.
    pub cost: Option<Cost>,
    /// Calls that a killed start of this run had sent and whose answers it did not keep: they were
    /// made again, and may be on the bill twice.
    pub possibly_billed_twice: Vec<UnknownCall>,
    /// Queries that failed, with the reason; they score 0 and are listed.
    pub failures: BTreeMap<QueryId, String>,
    /// The primary measure by slice.
    pub slices: Vec<Slice>,
}

/// A mean over queries with its 95% bootstrap interval. Where the measure applies to none of them,
/// `queries` is 0 and the figures are 0 and mean nothing: readers show `n/a`.
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
    /// Of these queries, those without any result: they score as an empty ranking does.
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

/// What the difference from the first stage shows, on the primary measure over the same queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// In a word.
    pub verdict: Verdict,
    /// Queries compared.
    pub queries: usize,
    /// Two-sided p-value of the paired t test; `None` below two queries or without any spread.
    pub t_test: Option<f64>,
    /// Two-sided p-value of Fisher's randomization test.
    pub randomization: f64,
    /// Whether that test went through every permutation.
    pub exact: bool,
    /// The randomization p-value after Holm's correction over the experiment's rerankers, or, for
    /// another first stage, over these; verdicts of difference rest on it.
    pub corrected: f64,
    /// The larger p-value of the two one-sided tests of equivalence within the margin.
    pub equivalence: Option<f64>,
    /// p-value of the one-sided test that it is not worse by the margin.
    pub non_inferiority: Option<f64>,
    /// The smallest true difference that these queries, with their spread, show with a probability
    /// of 80%; `None` without any spread, and where queries are too few to show any difference.
    pub detectable: Option<f64>,
}

/// What a comparison shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Shown to be better.
    Better,
    /// Shown to be worse.
    Worse,
    /// Shown to differ by less than the margin.
    Equivalent,
    /// Shown not to be worse by the margin or more.
    NonInferior,
    /// Nothing shown.
    CannotTell,
}

/// How much unjudged documents could change the primary measure, mean over queries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unjudged {
    /// Share of the top 10 that was judged, mean over the queries with results, 0 to 1.
    pub judged_at_10: f64,
    /// The measure if no unjudged document were relevant: as it is reported.
    pub low: f64,
    /// The measure if every retrieved unjudged document were relevant at grade 1.
    pub high: f64,
    /// The measure over judged documents only (condensed list): it favours systems that rank
    /// unjudged documents high.
    pub condensed: f64,
}

/// The primary measure at one number of candidates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DepthPoint {
    /// Candidates a query at most.
    pub depth: usize,
    /// The measure after reranking these candidates only.
    pub estimate: Estimate,
    /// Against the first stage.
    pub versus_first_stage: Difference,
    /// What the best order of these candidates reaches.
    pub oracle: f64,
    /// Pairs a query on average.
    pub pairs: f64,
    /// Time a query at this depth; `None` where it was not measured.
    pub latency: Option<Latency>,
}

/// The primary measure at one maximum length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LengthPoint {
    /// The longest pair in tokens.
    pub max_length: usize,
    /// The measure at this length.
    pub estimate: Estimate,
    /// What was cut.
    pub truncation: Option<TruncationAudit>,
    /// Time a query; `None` where it was not measured.
    pub latency: Option<Latency>,
}

/// How scores lie, by relevance. Scores sort within one query; they are not probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreDistribution {
    /// Edges of the bins, ascending: one more than there are bins.
    pub edges: Vec<f64>,
    /// Pairs judged relevant, a bin.
    pub relevant: Vec<u64>,
    /// Pairs judged not relevant, a bin.
    pub not_relevant: Vec<u64>,
    /// Pairs nobody judged, a bin.
    pub unjudged: Vec<u64>,
}

/// One query before and after reranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryChange {
    /// Which query.
    pub query: QueryId,
    /// Its text, or its keyed hash; `None` where texts are left out.
    pub text: Option<String>,
    /// The primary measure in first-stage order.
    pub before: f64,
    /// The primary measure after reranking.
    pub after: f64,
    /// The first documents in first-stage order, at most three.
    pub top_before: Vec<ShownDocument>,
    /// The first documents after reranking, at most three.
    pub top_after: Vec<ShownDocument>,
}

/// A document in a list that people read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownDocument {
    /// Which document.
    pub document: DocId,
    /// The beginning of its text, or its keyed hash; `None` where texts are left out.
    pub text: Option<String>,
    /// Its grade; `None` where nobody judged it.
    pub grade: Option<Grade>,
    /// Its rank in the first stage, from 1.
    pub first_stage_rank: usize,
}

/// How alike this system's top k is to the first stage's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The cutoff.
    pub k: usize,
    /// Share of the top k documents that both have, mean over queries, 0 to 1.
    pub overlap: f64,
}

/// What a reranker costs, in US dollars where its price is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// What is counted, and its price.
    pub tariff: Tariff,
    /// What this run spent on it, over all passes and starts: what was billed, and the most that
    /// lost answers may add.
    pub spent: Spent,
    /// A query at the experiment's depth; `None` where no query was answered.
    pub query: Option<UnitCost>,
    /// A query with its first 50 candidates, by estimate; `None` where no query has as many.
    pub per_50: Option<UnitCost>,
}

/// What a run spent, in units and US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Calls that went out, each attempt counted.
    pub calls: u64,
    /// Units by our reading of the provider's rules.
    pub estimated: u64,
    /// Units that the answers reported.
    pub reported: u64,
    /// Units, by estimate, of answers that reported none.
    pub untold: u64,
    /// Units, by estimate, of attempts whose answers were lost: they may be billed or not.
    pub doubtful: u64,
    /// Reported and untold units at the price; `None` where no price is known.
    pub usd: Option<f64>,
    /// The doubtful ones.
    pub doubtful_usd: Option<f64>,
}

/// What one query costs on average.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitCost {
    /// Queries the mean is over.
    pub queries: usize,
    /// Candidates a query on average.
    pub candidates: f64,
    /// Units a query.
    pub units: f64,
    /// US dollars a query; `None` where no price is known.
    pub usd: Option<f64>,
}

/// A call whose answer nobody kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnknownCall {
    /// For which query.
    pub query: QueryId,
    /// In which pass; empty for the first.
    pub pass: String,
    /// The most it can have cost, in US dollars; `None` where no price is known.
    pub most: Option<f64>,
}

/// Time to rerank one query's candidates.
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
    /// Queries in flight at a time.
    pub concurrency: usize,
    /// Where the time went, mean over the timed queries.
    pub parts: LatencyParts,
}

/// Where a query's time went, in seconds, mean over the timed queries. Parts that do not apply are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyParts {
    /// Waiting: for a turn, for the limits of a provider's tier, and between attempts.
    pub queue: f64,
    /// Turning text into tokens.
    pub tokenize: f64,
    /// The forward pass.
    pub compute: f64,
    /// From sending a request to the last byte of its answer, without what the server says it took.
    pub network: f64,
    /// What the server says it took; `None` where no answer told.
    pub server: Option<f64>,
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
    /// Against the first stage over these queries; `None` for the first stage. Exploratory: no test
    /// is corrected for the number of slices.
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
    /// The first [`KEPT_PLACES`] places with their scores; `None` without any result, and in tables
    /// that were written before rankings were kept.
    pub ranking: Option<Ranking>,
}
