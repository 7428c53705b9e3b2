//! One file a measure, one registry of their names.
//!
//! All follow trec_eval: a document is relevant at grade 1 and above; gains are linear; negative
//! grades gain nothing; a query without relevant documents scores 0. Names are those of
//! ir_measures.

mod ap;
mod joined;
mod judged;
mod ndcg;
mod precision;
mod recall;
mod registry;
mod rr;
mod success;

pub use ap::Ap;
pub use joined::JudgedRanking;
pub use judged::Judged;
pub use ndcg::Ndcg;
pub use precision::Precision;
pub use recall::Recall;
pub use registry::{MeasureError, NamedMeasure};
pub use rr::Rr;
pub use success::Success;

/// How good one query's ranking is.
pub trait Measure: Send + Sync {
    /// The value for one query, 0 to 1; 0 for an empty ranking.
    fn of(&self, joined: &JudgedRanking) -> f64;
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod properties;
