use serde::{Deserialize, Serialize};

use super::map::MonotoneMap;
use super::scored::ScoredQuery;

/// Shares that differ by less are equal but for rounding.
const ROUNDING: f64 = 1e-12;

/// What answering only above a threshold does. A query is answered where its best candidate's
/// probability reaches the threshold, and answered rightly where that candidate is relevant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Abstention {
    /// Queries in all, those without any candidate included: they are never answered.
    pub queries: usize,
    /// Queries with a relevant candidate.
    pub answerable: usize,
    /// Queries answered.
    pub answered: usize,
    /// Of these, queries whose best candidate is relevant.
    pub correct: usize,
    /// Share of the queries that is answered, 0 to 1.
    pub coverage: f64,
    /// Share of the answers that is right; `None` where nothing is answered.
    pub precision: Option<f64>,
    /// Share of the answerable queries that is answered rightly; `None` where there is none.
    pub recall: Option<f64>,
    /// Of the queries not answered, the share without a relevant candidate; `None` where all are
    /// answered.
    pub abstention_precision: Option<f64>,
    /// Of the queries without a relevant candidate, the share not answered; `None` where there is
    /// none.
    pub abstention_recall: Option<f64>,
    /// Queries that have no answer in the corpus.
    pub no_answer: Abstained,
    /// Queries that have one, which did not come into the candidates.
    pub missed: Abstained,
}

/// How many of some queries were not answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abstained {
    /// Queries.
    pub queries: usize,
    /// Of these, not answered.
    pub abstained: usize,
}

/// The lowest threshold at which the share of right answers is at least `precision`: of all that
/// keep it, the one that answers most. `None` where none keeps it.
pub(super) fn threshold(queries: &[ScoredQuery], map: &MonotoneMap, precision: f64) -> Option<f64> {
    let mut tops: Vec<(f64, bool)> = queries
        .iter()
        .filter_map(ScoredQuery::top)
        .map(|top| (map.probability(top.score), top.relevant))
        .collect();
    tops.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut answered, mut correct, mut lowest) = (0, 0, None);
    for tied in tops.chunk_by(|a, b| a.0 == b.0) {
        answered += tied.len();
        correct += tied.iter().filter(|top| top.1).count();
        if correct as f64 >= (precision - ROUNDING) * answered as f64 {
            lowest = Some(tied[0].0);
        }
    }
    lowest
}

/// What a threshold does; `None` answers nothing.
pub(super) fn abstention(
    queries: &[ScoredQuery],
    map: &MonotoneMap,
    threshold: Option<f64>,
) -> Abstention {
    let (mut answerable, mut answered, mut correct) = (0, 0, 0);
    let (mut no_answer, mut missed) = (Abstained::default(), Abstained::default());
    for query in queries {
        let top = query.top().filter(|top| {
            threshold.is_some_and(|threshold| map.probability(top.score) >= threshold)
        });
        answered += usize::from(top.is_some());
        correct += usize::from(top.is_some_and(|top| top.relevant));
        if query.has_relevant() {
            answerable += 1;
            continue;
        }
        let group = if query.has_answer { &mut missed } else { &mut no_answer };
        group.queries += 1;
        group.abstained += usize::from(top.is_none());
    }
    let without_relevant = queries.len() - answerable;
    let rightly = no_answer.abstained + missed.abstained;
    Abstention {
        queries: queries.len(),
        answerable,
        answered,
        correct,
        coverage: share(answered, queries.len()).unwrap_or(0.0),
        precision: share(correct, answered),
        recall: share(correct, answerable),
        abstention_precision: share(rightly, queries.len() - answered),
        abstention_recall: share(rightly, without_relevant),
        no_answer,
        missed,
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::super::map::MapKind;
    use super::super::scored::{ScoredPair, pairs};
    use super::*;

    /// Queries of two candidates: the top's score and label, and another far below it.
    fn queries(tops: &[(f64, bool)]) -> Vec<ScoredQuery> {
        let query = |(index, &(score, relevant)): (usize, &(f64, bool))| ScoredQuery {
            query: format!("q{index}").as_str().into(),
            pairs: vec![
                ScoredPair { score: -9.0, relevant: false },
                ScoredPair { score, relevant },
            ],
            has_answer: relevant,
        };
        tops.iter().enumerate().map(query).collect()
    }

    #[test]
    fn the_lowest_threshold_that_keeps_the_precision() {
        let dev = queries(&[(5.0, true), (4.0, false), (3.0, true), (2.0, true), (1.0, false)]);
        let map = MapKind::Platt.fit(&pairs(&dev));
        let at = |precision| threshold(&dev, &map, precision);
        // From the top: 1 of 1, 1 of 2, 2 of 3, 3 of 4, 3 of 5.
        assert_eq!(at(0.9), Some(map.probability(5.0)));
        assert_eq!(at(0.75), Some(map.probability(2.0)), "past a threshold that misses it");
        assert_eq!(at(0.6), Some(map.probability(1.0)));
        let never = queries(&[(5.0, false), (4.0, true)]);
        assert_eq!(threshold(&never, &map, 0.9), None);
    }

    #[test]
    fn what_a_threshold_does_by_hand() {
        let mut test = queries(&[(5.0, true), (4.0, false), (1.0, true), (0.0, false)]);
        test[3].has_answer = true;
        test.push(ScoredQuery { query: "none".into(), pairs: Vec::new(), has_answer: true });
        let map = MapKind::Platt.fit(&pairs(&test));
        let found = abstention(&test, &map, Some(map.probability(3.0)));
        assert_eq!((found.queries, found.answerable, found.answered, found.correct), (5, 2, 2, 1));
        assert_eq!((found.coverage, found.precision, found.recall), (0.4, Some(0.5), Some(0.5)));
        assert_eq!(found.abstention_precision, Some(2.0 / 3.0));
        assert_eq!(found.abstention_recall, Some(2.0 / 3.0));
        assert_eq!(found.no_answer, Abstained { queries: 1, abstained: 0 });
        assert_eq!(found.missed, Abstained { queries: 2, abstained: 2 });
    }

    #[test]
    fn without_a_threshold_nothing_is_answered() {
        let test = queries(&[(5.0, true), (4.0, false)]);
        let map = MapKind::Platt.fit(&pairs(&test));
        let found = abstention(&test, &map, None);
        assert_eq!((found.answered, found.precision, found.recall), (0, None, Some(0.0)));
        assert_eq!((found.abstention_precision, found.abstention_recall), (Some(0.5), Some(1.0)));
    }
}
