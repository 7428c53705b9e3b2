use secondpass_core::QueryId;

/// Why scores could not be calibrated. `split` is `dev` or `test`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// Nothing to fit or to report on.
    #[error("the {split} split has no scored pair; give it queries with reranked candidates")]
    Empty {
        /// Which split.
        split: &'static str,
    },
    /// All dev pairs have the same label.
    #[error(
        "all {pairs} pairs of the dev split are {label}, so no score tells relevant from not \
         relevant; take a split with both"
    )]
    OneLabel {
        /// How many pairs.
        pairs: usize,
        /// What they all are.
        label: &'static str,
    },
    /// A score is no number.
    #[error(
        "{split}: candidate {candidate} of query '{query}' has the score {score}; score it again \
         or leave the query out"
    )]
    Score {
        /// Which split.
        split: &'static str,
        /// Whose.
        query: QueryId,
        /// Which of its candidates, from 1.
        candidate: usize,
        /// The score.
        score: f64,
    },
    /// A query has no answer and a relevant candidate.
    #[error(
        "{split}: query '{query}' is said to have no answer, and one of its candidates is \
         relevant; correct its judgements"
    )]
    Contradiction {
        /// Which split.
        split: &'static str,
        /// Which query.
        query: QueryId,
    },
    /// A query stands twice.
    #[error("{split}: query '{query}' stands there twice; keep one of them")]
    Duplicate {
        /// Which split.
        split: &'static str,
        /// Which query.
        query: QueryId,
    },
    /// A query is in both splits.
    #[error(
        "query '{query}' is in dev and in test, so the report would tell of queries that the fit \
         has seen; take it out of one"
    )]
    Shared {
        /// Which query.
        query: QueryId,
    },
    /// A precision that is none.
    #[error("the precision asked for is {0}, and must be above 0 and at most 1, such as 0.9")]
    Precision(f64),
    /// Folds that are none.
    #[error("{0} folds cannot be cross-validated; take 2 or more, such as 5")]
    Folds(usize),
    /// A stored map is not monotone.
    #[error("the stored map is damaged: {0}; run the calibration again")]
    Map(&'static str),
}
