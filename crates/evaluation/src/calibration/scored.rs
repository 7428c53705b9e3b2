use std::collections::HashSet;

use secondpass_core::{Qrels, QueryId, Run};

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
    /// Joins a reranker's run with judgements, for the queries given: those that nobody found an
    /// answer to belong among them. A grade from 1 is relevant, as everywhere. A candidate that came
    /// back unscored is left out; a query without a ranking has no pairs; one without a relevant
    /// judgement has no answer.
    pub fn join<'a>(
        queries: impl IntoIterator<Item = &'a QueryId>,
        run: &Run,
        qrels: &Qrels,
    ) -> Vec<Self> {
        let of_query = |query: &QueryId| {
            let relevant = |id| qrels.grade(query, id).is_some_and(|grade| grade > 0);
            let ranked = run.rankings.get(query).map_or(&[][..], |ranking| ranking.ranked());
            let pairs = ranked.iter().filter_map(|ranked| {
                Some(ScoredPair { score: ranked.score?, relevant: relevant(&ranked.document) })
            });
            let grades = qrels.of(query).into_iter().flat_map(|grades| grades.values());
            Self {
                query: query.clone(),
                pairs: pairs.collect(),
                has_answer: grades.into_iter().any(|grade| *grade > 0),
            }
        };
        queries.into_iter().map(of_query).collect()
    }

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

#[cfg(test)]
mod tests {
    use secondpass_core::Ranking;

    use super::*;

    #[test]
    fn a_run_and_judgements_are_joined() {
        let mut run = Run::new("mini");
        let ranking = Ranking::with_unscored(
            [("d1".into(), 0.5), ("d2".into(), 1.5), ("d3".into(), 0.1)],
            ["d4".into()],
        );
        run.rankings.insert("q1".into(), ranking.unwrap());
        let mut qrels = Qrels::new();
        for (query, document, grade) in
            [("q1", "d1", 2), ("q1", "d3", 0), ("q1", "d4", 1), ("q2", "d1", -1), ("q3", "d9", 1)]
        {
            qrels.insert(query.into(), document.into(), grade);
        }
        let ids: Vec<QueryId> = ["q1", "q2", "q3", "q4"].map(QueryId::from).into();
        let joined = ScoredQuery::join(&ids, &run, &qrels);
        let pair = |score, relevant| ScoredPair { score, relevant };
        assert_eq!(joined[0].pairs, [pair(1.5, false), pair(0.5, true), pair(0.1, false)]);
        let have: Vec<bool> = joined.iter().map(|query| query.has_answer).collect();
        assert_eq!(have, [true, false, true, false]);
        assert!(joined[1..].iter().all(|query| query.pairs.is_empty()));
    }

    #[test]
    fn of_equal_scores_the_first_is_the_top() {
        let pairs = [(1.0, false), (2.0, true), (2.0, false)];
        let pairs = pairs.map(|(score, relevant)| ScoredPair { score, relevant }).into();
        let query = ScoredQuery { query: "q".into(), pairs, has_answer: true };
        assert_eq!(query.top(), Some(ScoredPair { score: 2.0, relevant: true }));
    }
}
