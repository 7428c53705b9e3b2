//! One file a measure, one registry of their names.
//!
//! All follow trec_eval: a document is relevant at grade 1 and above (or at `rel` and above), gains
//! are linear unless the name says otherwise, negative grades gain nothing, a query without relevant
//! documents scores 0. Names are those of ir_measures. Each measure's documentation names its
//! reference and how near it is held.

mod ap;
mod bpref;
mod counts;
mod iprec;
mod joined;
mod judged;
pub mod logged;
mod ndcg;
mod parameters;
mod precision;
mod recall;
mod registry;
mod rprec;
mod rr;
mod sets;
mod success;
mod ties;
mod unjudged;

pub use ap::Ap;
pub use bpref::Bpref;
pub use counts::{NumQueries, NumRelevant, NumRetrieved};
pub use iprec::{Iprec, RecallRounding};
pub use joined::JudgedRanking;
pub use judged::Judged;
pub use ndcg::{Gain, Ndcg};
pub use precision::Precision;
pub use recall::Recall;
pub use registry::{MeasureError, NamedMeasure, Summary};
pub use rprec::Rprec;
pub use rr::Rr;
pub use sets::{SetAp, SetF, SetPrecision, SetRecall};
pub use success::Success;
pub use ties::tie_bounds;
pub use unjudged::unjudged_bounds;

/// The least and the most that a measure can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

/// How good one query's ranking is.
pub trait Measure: Send + Sync {
    /// The value for one query: 0 to 1, or a count from 0; NaN where the measure is **not
    /// applicable** to the query.
    ///
    /// Whether it applies rests on the judgements alone, never on the ranking, so that two systems
    /// always have values for the same queries.
    fn of(&self, joined: &JudgedRanking) -> f64;
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod official;
#[cfg(test)]
mod properties;
