//! Adapters that make a model, a baseline or an oracle a Reranker.

mod batching;
mod cross_encoder;
mod first_stage;
pub mod hosted;
mod long_documents;
mod oracle;
mod sequential;

pub use batching::{AvailableMemory, TUNING_QUERIES, TUNING_TOKENS, Trial, Tuned, Tuning};
pub use cross_encoder::{CrossEncoder, NoMemory, PairTooLong, WrongScoreCount};
pub use first_stage::FirstStageOrder;
pub use long_documents::{LongDocuments, UnknownLongDocuments};
pub use oracle::Oracle;
