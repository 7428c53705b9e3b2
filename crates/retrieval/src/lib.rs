//! The first stage: what finds candidates. BM25 for many languages, dense search over an embedder,
//! fusions of several, and the candidates of another system.

mod analysis;
mod best;
mod bm25;
mod cached_embedder;
mod candidate_lines;
mod dense;
mod embedding;
mod fusion;
mod hybrid;
mod local_embedder;
mod openai;
mod parameters;
mod pool;
mod private_file;
mod run_candidates;
mod vector_cache;

pub use analysis::{Analyzer, UnknownAnalyzer, english_terms};
pub use bm25::{Bm25, Bm25Error, IndexFileError};
pub use cached_embedder::CachedEmbedder;
pub use candidate_lines::{CandidateProblem, CandidatesError, read_candidates};
pub use dense::{Dense, DenseError};
pub use embedding::{EmbedError, Side, TextEmbedder, normalise};
pub use fusion::{Fusion, FusionError, Normalization, UnknownNormalization};
pub use hybrid::{Hybrid, HybridPart};
pub use local_embedder::{LocalEmbedder, Prefixes};
pub use openai::{EmbeddingUsage, EmptyText, OpenAiEmbedder, OpenAiError, OpenAiSettings};
pub use parameters::{Bm25Parameters, ParameterError};
pub use pool::judged_pool;
pub use run_candidates::RunCandidates;
pub use vector_cache::{VectorCache, VectorCacheError, VectorKey};
