//! The words everything shares: queries, candidates, rankings, runs, judgements, and the traits
//! that stand between the rooms of this workspace. Knows nobody.

mod context;
mod dataset;
mod document;
mod hash;
mod identity;
mod ids;
mod qrels;
mod query;
mod ranking;
mod reranker;
mod rows;
mod run;
mod text_policy;
mod timings;
mod truncation;
mod usage;

pub use context::{Cancel, Context};
pub use dataset::{Dataset, DatasetError};
pub use document::{Corpus, CorpusError, Document};
pub use hash::{ContentHash, Hasher};
pub use identity::{Identity, Scoring};
pub use ids::{DocId, QueryId};
pub use qrels::{Grade, Qrels};
pub use query::Query;
pub use ranking::{Ranked, Ranking, RankingError, by_score, by_score_then_id};
pub use reranker::{
    Candidate, Failed, FirstStage, FirstStageError, Job, RerankError, Reranked, Reranker,
};
pub use rows::{IdIndex, QrelsRow, QueryRows, RunRow};
pub use run::Run;
pub use text_policy::{TextKey, TextKeyError, TextPolicy, Texts, UnknownTexts};
pub use timings::Timings;
pub use truncation::TruncationAudit;
pub use usage::Usage;
