//! Which reranker to run, or none: constraints first, then the cheapest choice whose quality is not
//! inferior by more than a margin. Nothing is weighed against anything else.
//!
//! [`Case::from_records`] gathers what is known, [`decide`] judges it, [`sentences`] words it. A
//! decision says how often it stands when queries, prices and throughput are drawn anew together.

mod against;
mod answer;
mod bench;
mod case;
mod changes;
mod config;
mod constraints;
mod decide;
mod error;
mod gather;
mod licence;
mod pareto;
mod priors;
mod resample;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
mod words;

pub use against::Against;
pub use answer::{Change, Decision, Judged, NamedFigure, Outcome, Range, Why};
pub use bench::BenchEvidence;
pub use case::{Case, Ceiling, Choice, Timing};
pub use config::{ChoiceSpec, Constraints, DecideConfig, Given, GivenFigure, Volume};
pub use constraints::Failed;
pub use decide::decide;
pub use error::DecideError;
pub use gather::Evidence;
pub use licence::{LICENCES, Licence, licence};
pub use priors::{FAST, Prior, Rule, SMALL_CORPUS};
pub use words::{Reasons, Told, sentences, told, volumes_in_words};
