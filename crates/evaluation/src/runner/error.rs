use secondpass_core::{DocId, QueryId};

use crate::journal::JournalError;

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
    /// Stopped by the user or by the deadline.
    #[error("stopped after {done} of {queries} queries of '{system}'; {}", what_next(*.kept))]
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

fn what_next(kept: bool) -> &'static str {
    match kept {
        true => "what is finished is kept: the same command goes on from here",
        false => "nothing was written, run it again",
    }
}
