//! Sampling, schedule and the training loop that makes a reranker from triples.
//!
//! A [`Recipe`] says how, a [`Task`] says on what, and [`train`] drives a learner through it: groups
//! of one positive and its negatives, a loss, warm-up and decay, the checkpoint that is best on the
//! dev queries, and states to go on from. Which engine learns is behind
//! [`secondpass_text::Learner`].

mod about;
mod answers;
mod batches;
mod checkpoint;
mod dev;
mod error;
mod groups;
mod guards;
mod leak;
pub mod losses;
pub mod mine;
mod packing;
mod recipe;
mod sampling;
mod schedule;
mod seeds;
mod state;
mod tested;
#[cfg(test)]
mod testing;
mod trainer;

pub use batches::{GroupBatch, SampledGroup, encode};
pub use checkpoint::{Checkpoint, Lock};
pub use dev::{Dev, RankError};
pub use error::FinetuneError;
pub use groups::groups_of_judgements;
pub use leak::{Leak, check_dev, check_leak, leak};
pub use packing::MicroBatch;
pub use recipe::{
    DataSource, DevSet, DevSettings, Dropout, Head, Initialization, JudgedSplit, Keeping, Length,
    ModelSource, NegativeCounts, Recipe, RecipeError, Shape, TestSpec, Training, Warmup, with_seed,
};
pub use sampling::{Sampler, TrainingData};
pub use schedule::{Decay, Schedule};
pub use tested::{TestSet, test};
pub use trainer::{Event, Forecast, Start, Task, finish, forecast, train};
