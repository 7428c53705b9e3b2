//! From scores to probabilities, and to a decision whether to answer at all.
//!
//! Scores sort within one query; they are not probabilities, and 0.9 from one model is not 0.9 from
//! another. A [`Calibration`] is fitted for one model on a dev split: a monotone map from score to
//! the probability that a candidate is relevant ([`MonotoneMap`]), and the threshold on the best
//! candidate's probability below which it is better to say that no candidate answers the query. A
//! [`CalibrationReport`] says on a test split how true the probabilities are and what the threshold
//! does, for queries that have no answer too.
//!
//! Fitting sees the dev split alone, and a fitted calibration does not change: reporting borrows it.
//! [`calibrate`] does both, and refuses splits that share a query.

mod abstention;
mod error;
mod fit;
#[cfg(test)]
mod golden;
mod isotonic;
mod map;
mod platt;
mod reliability;
mod report;
mod scored;

pub use abstention::{Abstained, Abstention};
pub use error::CalibrationError;
pub use fit::{Calibration, CrossValidated, Loss, MapChoice, Options};
pub use isotonic::Isotonic;
pub use map::{MapKind, MonotoneMap};
pub use platt::Platt;
pub use reliability::{BINS, Bin, Reliability, reliability};
pub use report::{CalibrationReport, calibrate};
pub use scored::{ScoredPair, ScoredQuery};
