//! Measures, statistics, latency, the experiment runner and its record. Knows only the core.

mod agreement;
mod answer;
pub mod bench;
mod bootstrap;
mod cache;
pub mod calibration;
pub mod checked;
pub mod compare;
pub mod cost;
pub mod decision;
mod evaluate;
mod expectation;
mod experiment;
mod files;
mod finding;
mod journal;
mod keys;
mod latency;
mod machine;
pub mod measures;
mod money;
mod plural;
pub mod prices;
mod quantile;
mod record;
mod runner;
pub mod statistics;
pub mod store;
mod table;
#[cfg(test)]
mod testing;
pub mod training;
mod warning;

pub use agreement::{Changes, overlap};
pub use bootstrap::{Interval, RESAMPLES, bootstrap_difference, bootstrap_mean, differences, mean};
pub use cache::{CacheError, CacheSize, ScoreCache};
pub use evaluate::{
    Evaluation, GEOMETRIC_FLOOR, Queries, QueryValues, RowsError, Ties, answered_by_all, evaluate,
    evaluate_on, evaluate_rows, mean_tie_bounds, unjudged,
};
pub use expectation::{ExpectationResult, check};
pub use experiment::{
    BenchLength, BenchSetting, BenchSpec, BenchTexts, ConfigError, CrossEncoderSpec, DatasetSource,
    DatasetSpec, DenseSpec, EmbeddingsSpec, Expectation, Experiment, FIRST_STAGE, FindRate,
    FirstStageKind, FirstStageSpec, HOSTED_KINDS, HostedSpec, ModelSpec, ORACLE, OnnxSpec,
    PartSpec, Pool, QuerySample, RerankerKind, RerankerSpec, RetrieverSpec, SweepSpec,
    TimeoutsSpec,
};
pub use finding::finding;
pub use journal::{InFlight, JOURNAL_FOLDER, Journal, JournalError};
pub use latency::{Sample, latency};
pub use measures::{Bounds, JudgedRanking, Measure, MeasureError, NamedMeasure, Summary};
pub use quantile::quantile;
pub use record::{
    Agreement, CandidatesInfo, Comparison, Cost, DatasetInfo, DepthPoint, Difference, Estimate,
    ExperimentInfo, KEPT_PLACES, Latency, LatencyParts, LengthPoint, Machine, QueryChange,
    QueryRow, Record, Role, SCHEMA, ScoreDistribution, ShownDocument, Slice, Spent, StatisticsInfo,
    SystemRecord, UnitCost, Unjudged, UnknownCall, Verdict,
};
pub use runner::{
    Contender, Forecast, LengthVariant, Plan, Progress, Retriever, RunError, Sweep, forecast, run,
};
pub use secondpass_core::rfc3339;
pub use store::{RECORD_FILE, StoreError, TABLE_FILE};
pub use table::TableError;
pub use warning::{HIGH_AGREEMENT, HostedWarning, LOW_CEILING, Warning};
