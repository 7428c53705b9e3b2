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
        "query '{query}': the score {score} is not from 0 to 1, and a share of a score means something \
         only there: of BM25's scores or logits, 0.95 of the positive's is no distance that stays the \
         same from query to query. Use an absolute margin, or a teacher"
    )]
    RelativeMargin {
        /// The first query with such a score.
        query: QueryId,
        /// The score.
        score: f64,
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
