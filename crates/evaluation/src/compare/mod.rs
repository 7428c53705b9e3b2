//! Two records of the same experiment held against each other: did this change make it worse?
//!
//! [`experiments`] compares what `eval` wrote, [`benches`] what a bench wrote, and [`interleaved`]
//! what two builds took side by side. All give a [`Comparison`], which says what is to be done
//! ([`Comparison::outcome`]). Nothing here reads a file but the [`History`].

mod bench;
mod canary;
mod config;
mod cost;
mod experiment;
mod history;
mod latency;
mod outcome;
mod quality;
mod ranks;
#[cfg(test)]
mod replays;
mod same;
#[cfg(test)]
mod tests;
mod words;

pub use bench::{BenchEvidence, benches};
pub use canary::{Canary, CanaryError, CanaryQuery, Drift, QueryDrift};
pub use config::{
    CanaryRules, CostRules, GateConfig, GateError, InterleavedRules, LatencyRules, OnFinding,
    QualityRules, RankRules, Runner,
};
pub use cost::{CostComparison, CostVerdict};
pub use experiment::{Evidence, experiments, interleaved};
pub use history::{History, HistoryRow};
pub use latency::{LatencyBasis, LatencyComparison, LatencyVerdict, Ratio, Round};
pub use outcome::{Comparison, Finding, Outcome, Side, SystemComparison, Weight};
pub use quality::{QualityComparison, QualityVerdict};
pub use ranks::{Moved, RankCheck, RankVerdict, RanksOf};
pub use same::{Difference, differences};
