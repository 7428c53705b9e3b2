use std::sync::Arc;

use crate::{
    Context, Dataset, Destination, DocId, Document, Identity, Origin, Query, Quote, Ranking,
    RankingError, Run, Tariff, Timings, TruncationAudit, Usage,
};

/// A document that the first stage found, with what it said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The document, with its text.
    pub document: Document,
    /// The first stage's score.
    pub score: f64,
    /// The first stage's rank, from 1.
    pub rank: usize,
}

/// One query to rerank with its candidates, in first-stage order.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What was asked.
    pub query: Query,
    /// What the first stage gave, best first.
    pub candidates: Vec<Candidate>,
}

impl Job {
    /// A query with its first `depth` candidates of a run; those that the dataset lacks are left
    /// out.
    pub fn new(dataset: &Dataset, query: &Query, candidates: &Run, depth: usize) -> Self {
        let ranked = candidates.rankings.get(&query.id).map_or(&[][..], Ranking::ranked);
        let candidates = (1..).zip(ranked.iter().take(depth)).filter_map(|(rank, ranked)| {
            let document = dataset.corpus().get(&ranked.document)?.clone();
            // Unscored candidates stand below all scored ones.
            Some(Candidate { document, score: ranked.score.unwrap_or(f64::NEG_INFINITY), rank })
        });
        Self { query: query.clone(), candidates: candidates.collect() }
    }
}

/// A reranked query.
#[derive(Clone, Debug, PartialEq)]
pub struct Reranked {
    /// Every candidate of the job, best first.
    pub ranking: Ranking,
    /// What it consumed.
    pub usage: Usage,
    /// Where the time went.
    pub timings: Timings,
    /// What was cut; `None` where the provider does not tell.
    pub truncation: Option<TruncationAudit>,
    /// Where it came from.
    pub origin: Origin,
}

/// A query that could not be reranked, and what the attempt consumed all the same.
#[derive(Debug)]
pub struct Failed {
    /// Why.
    pub error: RerankError,
    /// What was consumed before it failed.
    pub usage: Usage,
}

/// Why a query could not be reranked.
#[derive(Debug, thiserror::Error)]
pub enum RerankError {
    /// The scores make no ranking.
    #[error(transparent)]
    Ranking(#[from] RankingError),
    /// The text could not become tokens, or the model could not score them.
    #[error("query '{query}': {source}")]
    Scoring {
        /// Which query.
        query: crate::QueryId,
        /// What went wrong beneath.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The reranker will answer no later query either: a wrong key, an exhausted account, a provider
    /// that has been given up.
    #[error("query '{query}': {source}")]
    Unavailable {
        /// Which query.
        query: crate::QueryId,
        /// What went wrong beneath.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Stopped by the user or by the deadline.
    #[error("stopped before query '{0}' was reranked")]
    Stopped(crate::QueryId),
}

/// Reorders candidates. Synchronous on purpose: HTTP clients own their runtime.
pub trait Reranker: Send + Sync {
    /// Which reranker this is.
    fn identity(&self) -> &Identity;

    /// Where the users' texts go; `None` where they do not leave this process.
    fn destination(&self) -> Option<&Destination> {
        None
    }

    /// How calls are billed; `None` where nobody bills a call.
    fn tariff(&self) -> Option<&Tariff> {
        None
    }

    /// What a job will be billed; `None` where nobody bills a call.
    fn quote(&self, _job: &Job) -> Option<Quote> {
        None
    }

    /// Reranks many queries; `done` is called with the job's index as each finishes, in any order,
    /// once a job.
    fn rerank_many(
        &self,
        jobs: &[Job],
        context: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    );
}

/// Why the first stage gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum FirstStageError {
    /// Its scores make no ranking.
    #[error("query '{query}': {source}")]
    Ranking {
        /// Which query.
        query: crate::QueryId,
        /// What is wrong with the scores.
        source: RankingError,
    },
    /// A run names a document that is not in the corpus.
    #[error(
        "{origin}: query '{query}' was given document '{document}', which is not in the corpus; the \
         other system must search the same documents under the same ids"
    )]
    UnknownDocument {
        /// The file that the run came from, or the run's name.
        origin: String,
        /// Which query.
        query: crate::QueryId,
        /// The document.
        document: DocId,
    },
    /// Stopped by the user or by the deadline.
    #[error("stopped before candidates were found for every query")]
    Stopped,
    /// Something beneath it failed: an encoder, an endpoint, a file.
    #[error("the first stage failed: {source}")]
    Failed {
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Finds candidates for queries.
pub trait FirstStage: Send + Sync {
    /// A line that names it and all its settings, part of a result's identity
    /// (`BM25 k1=0.9 b=0.4 english-porter title+text`).
    fn describe(&self) -> String;

    /// The best `depth` documents of every query; a query that matches nothing has an empty ranking.
    ///
    /// # Errors
    /// Scores that make no ranking; a stage that was stopped or failed.
    fn retrieve(&self, queries: &[Query], depth: usize) -> Result<Run, FirstStageError>;
}

/// A stage that several share finds what it would find alone.
impl<T: FirstStage + ?Sized> FirstStage for Arc<T> {
    fn describe(&self) -> String {
        T::describe(self)
    }

    fn retrieve(&self, queries: &[Query], depth: usize) -> Result<Run, FirstStageError> {
        T::retrieve(self, queries, depth)
    }
}
