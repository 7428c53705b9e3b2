//! The words everything shares: queries, candidates, rankings, runs, judgements, and the traits
//! that stand between the rooms of this workspace. Knows nobody.

mod budget;
mod context;
mod dataset;
mod destination;
mod document;
mod hash;
mod identity;
mod ids;
mod line;
mod memory;
mod origin;
mod qrels;
mod query;
mod ranking;
mod reranker;
mod rows;
mod run;
mod tariff;
mod text_policy;
mod time;
mod timings;
mod truncation;
mod usage;

pub use budget::{Budget, OverBudget, Reservation};
pub use context::{Cancel, Context};
pub use dataset::{Dataset, DatasetError};
pub use destination::Destination;
pub use document::{Corpus, CorpusError, Document};
pub use hash::{ContentHash, Hasher};
pub use identity::{Identity, Scoring};
pub use ids::{DocId, QueryId};
pub use line::line_of;
pub use memory::Memory;
pub use origin::Origin;
pub use qrels::{Grade, Qrels};
pub use query::Query;
pub use ranking::{Ranked, Ranking, RankingError, by_score, by_score_then_id};
pub use reranker::{
    Candidate, Failed, FirstStage, FirstStageError, Job, RerankError, Reranked, Reranker,
};
pub use rows::{IdIndex, QrelsRow, QueryRows, RunRow};
pub use run::Run;
pub use tariff::{BillingUnit, Price, Quote, Tariff};
pub use text_policy::{TextKey, TextKeyError, TextPolicy, Texts, UnknownTexts};
pub use time::rfc3339;
pub use timings::Timings;
pub use truncation::TruncationAudit;
pub use usage::{Billed, Usage};
