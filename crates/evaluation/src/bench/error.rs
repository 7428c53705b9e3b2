use secondpass_core::DocId;

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A load without anybody to ask.
    #[error("a load needs at least one client or worker; set the number to 1 or more")]
    NoWorkers,
    /// A rate at which nothing arrives.
    #[error("queries cannot arrive at a rate of {rate} a second; choose a rate above 0")]
    Rate {
        /// Queries a second.
        rate: f64,
    },
    /// A setting outside its range.
    #[error("{setting} is {value}, and must be {allowed}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// No queries to ask.
    #[error(
        "there is no query with candidates to ask; check the first stage's depth and the split, or \
         use synthetic texts"
    )]
    NoJobs,
    /// More candidates are wanted than there are documents.
    #[error(
        "a cell wants {wanted} candidates a query and the corpus has {documents} documents; leave \
         this cell out, or use a larger set or synthetic texts"
    )]
    TooFewDocuments {
        /// Candidates.
        wanted: usize,
        /// Documents there are.
        documents: usize,
    },
    /// A text of the wanted length cannot be made.
    #[error(
        "a document of {wanted} tokens cannot be made of document '{document}': {problem}; choose \
         another length or another set"
    )]
    Length {
        /// Tokens.
        wanted: usize,
        /// Which document.
        document: DocId,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The reranker answered nothing while it was warmed up.
    #[error(
        "the reranker answered none of the first {asked} queries: {first}; nothing was measured"
    )]
    NoAnswer {
        /// Queries that were asked.
        asked: usize,
        /// Why the first failed.
        first: String,
    },
    /// It will answer no later query either.
    #[error("the reranker can no longer be asked: {0}; what was measured before is kept")]
    Unavailable(String),
    /// Stopped by the user or by the deadline.
    #[error("stopped before the measurement was finished; what was measured before is kept")]
    Stopped,
}
