use secondpass_core::{DocId, QueryId};

use crate::journal::JournalError;
use crate::plural;

/// Why an experiment gave no record.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A candidate is not in the corpus.
    #[error(
        "query '{query}' has candidate '{document}', which is not in the corpus; take the candidates \
         from the same corpus"
    )]
    UnknownDocument {
        /// Which query.
        query: QueryId,
        /// The document.
        document: DocId,
    },
    /// No query has a candidate.
    #[error(
        "no query of the dataset has candidates: the dataset asks query '{query}', {}; give the \
         candidates the query ids of the dataset",
        other_queries(.other.as_ref())
    )]
    NoCandidates {
        /// A query of the dataset.
        query: QueryId,
        /// A query that the candidates are for, and that the dataset does not ask.
        other: Option<QueryId>,
    },
    /// Stopped by the user or by the deadline.
    #[error("stopped after {done} of {} of '{system}'; {}", plural::queries(*.queries), what_next(*.kept))]
    Stopped {
        /// The system that ran.
        system: String,
        /// Queries it had finished in the pass that ran.
        done: usize,
        /// Queries in all.
        queries: usize,
        /// Whether finished queries are kept in a journal.
        kept: bool,
    },
    /// A finished query could not be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn other_queries(other: Option<&QueryId>) -> String {
    match other {
        Some(query) => format!("and the candidates are for others, such as '{query}'"),
        None => "and the first stage found nothing for it or for any other".to_owned(),
    }
}

fn what_next(kept: bool) -> &'static str {
    match kept {
        true => "what is finished is kept: the same command goes on from here",
        false => "nothing was written, run it again",
    }
}
