//! The first stage: BM25 and the candidates it gives.

mod analysis;
mod bm25;
mod embedding;
mod parameters;
mod pool;
mod run_candidates;
mod stem;
mod vector_cache;

pub use analysis::english_terms;
pub use bm25::{Bm25, Bm25Error};
pub use embedding::{EmbedError, Side, TextEmbedder, normalise};
pub use parameters::{Bm25Parameters, ParameterError};
pub use pool::judged_pool;
pub use run_candidates::RunCandidates;
pub use vector_cache::VectorCacheError;
