use serde::{Deserialize, Serialize};

use super::against::Against;
use super::config::Constraints;
use super::constraints::Failed;
use super::priors::Prior;
use crate::cost::{Bill, BreakEven, CostPoint, Figure, LlmSpend};
use crate::record::Comparison;

/// What to run, how sure that is, and on what it rests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What to do.
    pub outcome: Outcome,
    /// The share of the resamples in which that choice is the best one, 0 to 1; 0 where nothing was
    /// decided.
    pub confidence: f64,
    /// Whether that share is as large as was asked for.
    pub sure: bool,
    /// The share from which on a decision is called sure.
    pub sure_from: f64,
    /// The choice that would come next: of the others that keep the rules, the one that is best most
    /// often; where none ever is, the one that would be chosen without the first. `None` where nothing
    /// was decided, or there is no other.
    pub runner_up: Option<String>,
    /// How often all figures were drawn anew.
    pub resamples: usize,
    /// The measure that quality is.
    pub measure: String,
    /// By how much a choice may be inferior.
    pub margin: f64,
    /// Queries that quality rests on.
    pub queries: usize,
    /// What every choice must keep.
    pub rules: Constraints,
    /// Queries a month.
    pub volume: f64,
    /// The share by which they grow every month.
    pub growth_per_month: f64,
    /// Queries a second at the peak of the day.
    pub peak: f64,
    /// What the language model costs that reads the results; `None` where that is not stated.
    pub llm: Option<LlmSpend>,
    /// The first stage, then the choices in the order of their records.
    pub choices: Vec<Judged>,
    /// What speaks against reranking: reasons where that is the outcome, else what to keep in mind.
    pub against: Vec<Against>,
    /// Each choice on machines of one's own beside each that is billed.
    pub break_evens: Vec<BreakEven>,
    /// What would change the outcome.
    pub changes: Vec<Change>,
    /// Rules of thumb, and whether the measurements override them.
    pub priors: Vec<Prior>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Run this reranker.
    Rerank(String),
    /// Keep the first stage's order.
    DoNotRerank,
    /// The figures decide nothing.
    Undecided(Why),
}

/// Why figures decide nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The set is a demonstration.
    Demonstration(String),
    /// No choice has figures that count.
    NoEvidence,
}

/// Two ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The low one: 2.5% of the resamples lie below.
    pub low: f64,
    /// The high one.
    pub high: f64,
}

/// One choice, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// Mean quality.
    pub quality: f64,
    /// Where that lies over the resamples.
    pub quality_range: Range,
    /// Against the first stage; `None` for itself, and where its figures do not count.
    pub comparison: Option<Comparison>,
    /// The 95th percentile of a query's time, in seconds; `None` where nobody knows.
    pub p95: Option<Figure>,
    /// What it costs; `None` where that is not known.
    pub bill: Option<Bill>,
    /// Where a month's cost lies over the resamples.
    pub month_range: Option<Range>,
    /// The same over volumes, for a chart; empty where the cost is not known.
    pub over_volume: Vec<CostPoint>,
    /// Why it is not the one; empty for the one that is.
    pub failed: Vec<Failed>,
    /// The share of the resamples in which it is the best choice, 0 to 1.
    pub best: f64,
    /// The share of the resamples in which it keeps the limits and is not inferior by more than the
    /// margin, 0 to 1.
    pub good_enough: f64,
    /// Whether no other choice that is allowed is both better and cheaper.
    pub on_pareto_front: bool,
    /// Every number that it rests on beside its quality.
    pub figures: Vec<NamedFigure>,
}

/// A figure with what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedFigure {
    /// What it is, with its unit.
    pub name: String,
    /// The figure.
    pub figure: Figure,
}

/// What would make another choice the one. All are at the figures' own values, one at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Another volume.
    Volume {
        /// The choice to make then.
        choice: String,
        /// Whether below that volume, or above it.
        below: bool,
        /// Queries a month.
        volume: f64,
        /// Where that lies; `None` where no bound was found.
        low: Option<f64>,
        /// Its high end.
        high: Option<f64>,
    },
    /// Another margin.
    Margin {
        /// The choice to make then.
        choice: String,
        /// The margin from which it is.
        margin: f64,
        /// Whether for larger margins, or for smaller ones.
        above: bool,
    },
    /// A rule less.
    Without {
        /// The choice to make then.
        choice: String,
        /// What it fails on now.
        failed: Vec<Failed>,
    },
    /// Another price of what was chosen.
    Price {
        /// The choice to make then.
        choice: String,
        /// How many times as dear the chosen one would have to be.
        times: f64,
    },
}
