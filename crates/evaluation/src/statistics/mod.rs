//! What a paired difference between two systems shows: tests, corrections and verdicts.
//!
//! Everything here works on one number a query: the primary measure of a reranker minus that of the
//! first stage. [`compare`] takes these differences for all rerankers of an experiment and gives
//! their [`Comparison`](crate::Comparison)s; the tests it is made of can be called by themselves.
//!
//! There is no observed power: it is a function of the p-value and tells nothing new (Hoenig and
//! Heisey 2001). The smallest difference that could have been shown ([`detectable`]) takes its place.

mod compare;
mod detectable;
mod equivalence;
#[cfg(test)]
mod golden;
mod holm;
mod interval;
mod paired;
#[cfg(test)]
mod properties;
mod randomization;
mod settings;
mod signed_rank;
#[cfg(test)]
mod simulation;
mod t_test;

pub(crate) use compare::can_show;
pub use compare::compare;
pub use detectable::detectable;
pub use equivalence::{equivalence, non_inferiority};
pub use holm::holm;
pub use interval::interval;
pub use randomization::{Randomization, randomization};
pub use settings::{Settings, SettingsError};
pub use signed_rank::{Middle, fewest, signed_rank_interval};
pub use t_test::{TTest, t_test};
