//! From texts to what a model reads: tokenization of pairs and of single texts, truncation and its
//! audit, ragged batches and their plan; and the seams [`Scorer`], [`Embedder`] and [`Learner`]
//! behind which a model stands.

mod batch;
mod chunk;
mod counter;
mod embedder;
mod guard;
mod learner;
mod pair;
mod plan;
mod scorer;
mod single;
mod trained;
mod truncation;
mod unigram;

pub use batch::TokenBatch;
pub use chunk::{Chunks, OVERLAP};
pub use counter::TokenCounter;
pub use embedder::Embedder;
pub use learner::{AdamW, Derivatives, Learner, Rates, StepReport, TrainError};
pub use pair::{EncodedPair, PairTokenizer, TokenizeError};
pub use plan::plan;
pub use scorer::{ScoreError, Scorer};
pub use single::{EncodedText, TextTokenizer};
pub use trained::{Compute, Lora, LoraTarget, Trained, UnknownCompute, UnknownLoraTarget};
pub use truncation::{Truncation, UnknownTruncation};
pub use unigram::{UnigramError, train_unigram};
