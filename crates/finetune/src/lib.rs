//! Sampling, schedule and the training loop that makes a reranker from triples.
//!
//! A [`Recipe`] says how, a [`Task`] says on what, and [`train`] drives a learner through it: groups
//! of one positive and its negatives, softmax cross-entropy, warm-up and linear decay, and the
//! checkpoint that is best on the dev queries. Which engine learns is behind
//! [`secondpass_text::Learner`].

mod batches;
mod checkpoint;
mod dev;
mod error;
mod groups;
mod leak;
pub mod losses;
pub mod mine;
mod recipe;
mod sampling;
mod schedule;
mod seeds;
mod summary;
#[cfg(test)]
mod testing;
mod trainer;

pub use batches::{GroupBatch, SampledGroup, encode};
pub use checkpoint::Checkpoint;
pub use dev::Dev;
pub use error::FinetuneError;
pub use groups::groups_of_judgements;
pub use leak::{Leak, leak};
pub use recipe::{
    DataSource, DevSet, DevSettings, Head, Initialization, JudgedSplit, Length, ModelSource,
    NegativeCounts, Recipe, RecipeError, Shape, Training, Warmup,
};
pub use sampling::{Sampler, TrainingData};
pub use schedule::Schedule;
pub use summary::{Evaluated, Summary};
pub use trainer::{Event, Task, train};
