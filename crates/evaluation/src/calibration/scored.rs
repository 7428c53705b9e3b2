use std::collections::HashSet;

use secondpass_core::QueryId;

use super::error::CalibrationError;

/// One candidate as one model scored it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredPair {
    /// The score, any finite number; higher is better.
    pub score: f64,
    /// Whether it was judged relevant; unjudged counts as not relevant.
    pub relevant: bool,
}

/// One query with all its scored candidates, possibly none.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredQuery {
    /// Which query.
    pub query: QueryId,
    /// Its candidates in the order of the ranking: of equal scores, the first counts as the top.
    pub pairs: Vec<ScoredPair>,
    /// Whether the corpus holds a relevant document at all, among the candidates or not.
    pub has_answer: bool,
}

impl ScoredQuery {
    /// The candidate with the highest score; `None` without candidates.
    pub(super) fn top(&self) -> Option<ScoredPair> {
        self.pairs.iter().copied().reduce(|best, pair| match pair.score > best.score {
            true => pair,
            false => best,
        })
    }

    /// Whether a candidate is relevant.
    pub(super) fn has_relevant(&self) -> bool {
        self.pairs.iter().any(|pair| pair.relevant)
    }
}

/// All pairs of all queries.
pub(super) fn pairs(queries: &[ScoredQuery]) -> Vec<ScoredPair> {
    queries.iter().flat_map(|query| query.pairs.iter().copied()).collect()
}

/// Holds a split against what the rest of this module takes for granted.
pub(super) fn validate(
    queries: &[ScoredQuery],
    split: &'static str,
) -> Result<(), CalibrationError> {
    let mut seen = HashSet::new();
    for scored in queries {
        let query = || scored.query.clone();
        if !seen.insert(&scored.query) {
            return Err(CalibrationError::Duplicate { split, query: query() });
        }
        if let Some(index) = scored.pairs.iter().position(|pair| !pair.score.is_finite()) {
            let score = scored.pairs[index].score;
            let candidate = index + 1;
            return Err(CalibrationError::Score { split, query: query(), candidate, score });
        }
        if !scored.has_answer && scored.has_relevant() {
            return Err(CalibrationError::Contradiction { split, query: query() });
        }
    }
    match queries.iter().all(|query| query.pairs.is_empty()) {
        true => Err(CalibrationError::Empty { split }),
        false => Ok(()),
    }
}
