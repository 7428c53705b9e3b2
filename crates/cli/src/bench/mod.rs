//! Latency of an experiment's rerankers, one after the other: what both `bench` and `eval` do.

mod child;
mod dry_run;
mod forecast;
mod measure;
mod summary;
mod timed;
mod watched;

pub use child::first_score;
#[cfg(test)]
pub use child::job;
pub use dry_run::dry_run;
pub use forecast::forecasts;
pub use measure::{Bench, measure};
pub use summary::print;
pub use timed::{Source, Timed};
