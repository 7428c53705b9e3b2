use std::path::PathBuf;

use secondpass_core::{DocId, QueryId, RerankError};

/// Why nothing was mined.
#[derive(Debug, thiserror::Error)]
pub enum MineError {
    /// An option that cannot be.
    #[error("{option} is {found}; allowed: {allowed}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What was given.
        found: String,
        /// What may be.
        allowed: &'static str,
    },
    /// No query has a positive.
    #[error(
        "no query of the set has a document that is judged relevant; there is nothing to mine for"
    )]
    NoPositives,
    /// A candidate that is not in the corpus.
    #[error(
        "query '{query}' was given document '{document}', which is not in the corpus; mine from a run \
         over the same documents"
    )]
    UnknownDocument {
        /// Which query.
        query: QueryId,
        /// The document.
        document: DocId,
    },
    /// A share of a score that has no zero.
    #[error(
        "query '{query}': the score {score} is not from 0 to 1, nor a cosine, and a share of a score means something \
         only there: of BM25's scores or logits, 0.95 of the positive's is no distance that stays the \
         same from query to query. Use an absolute margin, or a teacher"
    )]
    RelativeMargin {
        /// The first query with such a score.
        query: QueryId,
        /// The score.
        score: f64,
    },
    /// Candidates of other queries.
    #[error(
        "the candidates '{run}' have none of the {queries} queries that have a relevant document ('{example}', \
         say); take the run of this split, with the set's ids of queries"
    )]
    OtherRun {
        /// The run's name.
        run: String,
        /// Queries with a positive.
        queries: usize,
        /// The first of them.
        example: QueryId,
    },
    /// The teacher failed.
    #[error("the teacher: {0}")]
    Teacher(#[from] RerankError),
    /// The teacher left out a document that it was given.
    #[error("the teacher gave document '{document}' of query '{query}' no score; take another one")]
    Unscored {
        /// Which query.
        query: QueryId,
        /// The document.
        document: DocId,
    },
    /// The journal cannot be read or written.
    #[error("cannot {doing} the journal {}: {source}", path.display())]
    Journal {
        /// `read`, `write` or `remove`.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
