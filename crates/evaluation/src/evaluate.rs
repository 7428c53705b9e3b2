use secondpass_core::{Qrels, QueryId, Run};

use crate::measures::{JudgedRanking, Measure, NamedMeasure};

/// A run's values on every judged query.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The measures, one a column.
    pub measures: Vec<NamedMeasure>,
    /// One row a judged query, by query id.
    pub queries: Vec<QueryValues>,
}

/// One query's values.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryValues {
    /// The query.
    pub query: QueryId,
    /// One value a measure.
    pub values: Vec<f64>,
    /// Whether the run had no document for it, so that it scored 0.
    pub missing: bool,
}

/// Measures a run on **all** judged queries: one that the run does not answer scores 0 and is
/// counted as missing, so that leaving hard queries out never raises a mean. Queries without
/// judgements are left out.
pub fn evaluate(run: &Run, qrels: &Qrels, measures: &[NamedMeasure]) -> Evaluation {
    let queries = qrels.iter().map(|(query, judged)| {
        let ranking = run.rankings.get(query).filter(|ranking| !ranking.is_empty());
        let values = match ranking {
            Some(ranking) => {
                let joined = JudgedRanking::join(ranking, judged);
                measures.iter().map(|measure| measure.of(&joined)).collect()
            }
            None => vec![0.0; measures.len()],
        };
        QueryValues { query: query.clone(), values, missing: ranking.is_none() }
    });
    Evaluation { measures: measures.to_vec(), queries: queries.collect() }
}

impl Evaluation {
    /// The values of one measure, by query id.
    pub fn column(&self, measure: usize) -> Vec<f64> {
        self.queries.iter().map(|row| row.values.get(measure).copied().unwrap_or(0.0)).collect()
    }

    /// The mean of one measure over all judged queries; 0 without any.
    pub fn mean(&self, measure: usize) -> f64 {
        crate::bootstrap::mean(&self.column(measure))
    }

    /// Queries without any result.
    pub fn missing(&self) -> usize {
        self.queries.iter().filter(|row| row.missing).count()
    }
}

#[cfg(test)]
mod tests {
    use secondpass_core::Ranking;

    use super::*;

    #[test]
    fn missing_queries_score_zero_and_are_counted() {
        let mut qrels = Qrels::new();
        for query in ["a", "b", "c"] {
            qrels.insert(query.into(), "d".into(), 1);
        }
        let mut run = Run::new("run");
        let found = Ranking::from_scores([("d".into(), 1.0)]).unwrap();
        run.rankings.insert("a".into(), found.clone());
        run.rankings.insert("b".into(), Ranking::default());
        run.rankings.insert("unjudged".into(), found);
        let evaluation = evaluate(&run, &qrels, &["RR".parse().unwrap()]);
        assert_eq!(evaluation.column(0), [1.0, 0.0, 0.0]);
        assert_eq!(evaluation.missing(), 2);
        assert!((evaluation.mean(0) - 1.0 / 3.0).abs() < 1e-12);
    }
}
