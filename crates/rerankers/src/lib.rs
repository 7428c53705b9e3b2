//! Adapters that make a model, a baseline or an oracle a Reranker.

mod cross_encoder;
mod first_stage;
pub mod hosted;
mod long_documents;
mod oracle;
mod sequential;

pub use cross_encoder::{CrossEncoder, WrongScoreCount};
pub use first_stage::FirstStageOrder;
pub use long_documents::{LongDocuments, UnknownLongDocuments};
pub use oracle::Oracle;
