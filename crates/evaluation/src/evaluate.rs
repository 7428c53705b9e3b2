mod bounds;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use secondpass_core::{DocId, Grade, Qrels, QueryId, Ranking, Run};

use crate::measures::{JudgedRanking, Measure, NamedMeasure, Summary};

pub use bounds::{mean_tie_bounds, unjudged};
pub use rows::{RowsError, Ties, evaluate_rows};

/// The lowest average precision that [`Evaluation::geometric_mean`] takes into account, as in
/// trec_eval: one query without any result must not make the whole mean 0.
pub const GEOMETRIC_FLOOR: f64 = 1e-5;

/// Which judged queries a mean is over. Queries without judgements never count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Queries<'a> {
    /// All judged queries; one that the run does not answer scores 0 and is counted as missing, so
    /// that leaving hard queries out never raises a mean (trec_eval with `-c`).
    #[default]
    Judged,
    /// Only those that the run has a document for (trec_eval without `-c`). Means of two runs are
    /// then over other queries each, unless both answer the same ones.
    Answered,
    /// The judged ones among these, answered or not: with [`answered_by_all`], those that every run
    /// of a comparison answers.
    Among(&'a BTreeSet<QueryId>),
}

/// A run's values on the judged queries.
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
    /// One value a measure; NaN where the measure is not applicable to the query (see
    /// [`Measure::of`]).
    pub values: Vec<f64>,
    /// Whether the run had no document for it, so that it scored as an empty ranking does.
    pub missing: bool,
}

/// Measures a run on **all** judged queries, as [`Queries::Judged`] says.
pub fn evaluate(run: &Run, qrels: &Qrels, measures: &[NamedMeasure]) -> Evaluation {
    evaluate_on(Queries::Judged, run, qrels, measures)
}

/// Measures a run on the judged queries that are told.
pub fn evaluate_on(
    which: Queries<'_>,
    run: &Run,
    qrels: &Qrels,
    measures: &[NamedMeasure],
) -> Evaluation {
    let queries = chosen(which, run, qrels).map(|(query, judged, ranking)| {
        let joined = match ranking {
            Some(ranking) => JudgedRanking::join(ranking, judged),
            None => JudgedRanking::new(Vec::new(), judged.values().copied()),
        };
        QueryValues {
            query: query.clone(),
            values: measures.iter().map(|measure| measure.of(&joined)).collect(),
            missing: ranking.is_none(),
        }
    });
    Evaluation { measures: measures.to_vec(), queries: queries.collect() }
}

/// The queries that every one of these runs has a document for.
pub fn answered_by_all<'a>(runs: impl IntoIterator<Item = &'a Run>) -> BTreeSet<QueryId> {
    let mut runs = runs.into_iter();
    let Some(first) = runs.next() else { return BTreeSet::new() };
    let mut common: BTreeSet<QueryId> =
        first.rankings.keys().filter(|query| answer(first, query).is_some()).cloned().collect();
    for run in runs {
        common.retain(|query| answer(run, query).is_some());
    }
    common
}

impl Evaluation {
    /// The values of one measure, by query id; NaN where it is not applicable.
    pub fn column(&self, measure: usize) -> Vec<f64> {
        self.queries.iter().map(|row| row.values.get(measure).copied().unwrap_or(0.0)).collect()
    }

    /// The mean of one measure over the queries to which it applies; 0 without any query, NaN where
    /// it applies to none of them.
    pub fn mean(&self, measure: usize) -> f64 {
        let values = self.applicable(measure);
        match (values.is_empty(), self.queries.is_empty()) {
            (true, false) => f64::NAN,
            _ => crate::bootstrap::mean(&values),
        }
    }

    /// One measure as it is told over all queries: the mean of shares, the sum of counts.
    pub fn summary(&self, measure: usize) -> f64 {
        match self.measures.get(measure).map(NamedMeasure::summary) {
            Some(Summary::Sum) => self.applicable(measure).iter().sum::<f64>() + 0.0,
            _ => self.mean(measure),
        }
    }

    /// The geometric mean of one measure over the queries to which it applies, each value counted as
    /// [`GEOMETRIC_FLOOR`] at least: of `AP`, trec_eval's `gm_map`. It weighs the hard queries. As
    /// [`Evaluation::mean`] without values.
    pub fn geometric_mean(&self, measure: usize) -> f64 {
        let values = self.applicable(measure);
        match values.is_empty() {
            true => self.mean(measure),
            false => {
                let logs = values.iter().map(|value| value.max(GEOMETRIC_FLOOR).ln());
                (logs.sum::<f64>() / values.len() as f64).exp()
            }
        }
    }

    /// Queries to which one measure is not applicable, and which its mean leaves out.
    pub fn not_applicable(&self, measure: usize) -> usize {
        self.queries.len() - self.applicable(measure).len()
    }

    /// Queries without any result.
    pub fn missing(&self) -> usize {
        self.queries.iter().filter(|row| row.missing).count()
    }

    fn applicable(&self, measure: usize) -> Vec<f64> {
        self.column(measure).into_iter().filter(|value| !value.is_nan()).collect()
    }
}

/// The judged queries that count, with their judgements and, where the run answers, its ranking.
fn chosen<'a>(
    which: Queries<'a>,
    run: &'a Run,
    qrels: &'a Qrels,
) -> impl Iterator<Item = (&'a QueryId, &'a BTreeMap<DocId, Grade>, Option<&'a Ranking>)> {
    qrels
        .iter()
        .map(|(query, judged)| (query, judged, answer(run, query)))
        .filter(move |(query, _, ranking)| which.counts(query.as_str(), ranking.is_some()))
}

fn answer<'a>(run: &'a Run, query: &QueryId) -> Option<&'a Ranking> {
    run.rankings.get(query).filter(|ranking| !ranking.is_empty())
}

impl Queries<'_> {
    fn counts(self, query: &str, answered: bool) -> bool {
        match self {
            Self::Judged => true,
            Self::Answered => answered,
            Self::Among(queries) => queries.contains(query),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(document: &str) -> Ranking {
        Ranking::from_scores([(document.into(), 1.0)]).unwrap()
    }

    fn three_queries() -> (Run, Qrels) {
        let mut qrels = Qrels::new();
        for query in ["a", "b", "c"] {
            qrels.insert(query.into(), "d".into(), 1);
        }
        let mut run = Run::new("run");
        run.rankings.insert("a".into(), found("d"));
        run.rankings.insert("b".into(), Ranking::default());
        run.rankings.insert("unjudged".into(), found("d"));
        (run, qrels)
    }

    fn measures<const N: usize>(names: [&str; N]) -> Vec<NamedMeasure> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn missing_queries_score_zero_and_are_counted() {
        let (run, qrels) = three_queries();
        let evaluation = evaluate(&run, &qrels, &measures(["RR"]));
        assert_eq!(evaluation.column(0), [1.0, 0.0, 0.0]);
        assert_eq!(evaluation.missing(), 2);
        assert!((evaluation.mean(0) - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn which_queries_count() {
        let (run, qrels) = three_queries();
        let over = |which| {
            let evaluation = evaluate_on(which, &run, &qrels, &measures(["RR"]));
            let ids: Vec<String> =
                evaluation.queries.iter().map(|row| row.query.to_string()).collect();
            (ids.concat(), evaluation.mean(0), evaluation.missing())
        };
        assert_eq!(over(Queries::Answered), ("a".to_owned(), 1.0, 0));
        let mut other = Run::new("other");
        other.rankings.insert("a".into(), found("x"));
        other.rankings.insert("b".into(), found("x"));
        let common = answered_by_all([&run, &other]);
        assert_eq!(over(Queries::Among(&common)), ("a".to_owned(), 1.0, 0));
        let two: BTreeSet<QueryId> = ["a".into(), "b".into(), "elsewhere".into()].into();
        assert_eq!(over(Queries::Among(&two)), ("ab".to_owned(), 0.5, 1));
        assert!(answered_by_all([]).is_empty());
    }

    #[test]
    fn not_applicable_is_left_out_and_counted() {
        let (mut run, mut qrels) = three_queries();
        qrels.insert("a".into(), "worse".into(), 0);
        let bpref = measures(["Bpref", "RR"]);
        let evaluation = evaluate(&run, &qrels, &bpref);
        assert_eq!((evaluation.mean(0), evaluation.not_applicable(0)), (1.0, 2));
        assert_eq!(evaluation.not_applicable(1), 0);
        run.rankings.clear();
        assert_eq!(evaluate(&run, &qrels, &bpref).not_applicable(0), 2);
        let mut only_relevant = Qrels::new();
        only_relevant.insert("a".into(), "d".into(), 1);
        let evaluation = evaluate(&run, &only_relevant, &bpref);
        assert!(evaluation.mean(0).is_nan() && evaluation.geometric_mean(0).is_nan());
        assert_eq!(evaluate(&run, &Qrels::new(), &bpref).mean(0), 0.0);
    }

    #[test]
    fn counts_are_summed_and_the_geometric_mean_has_a_floor() {
        let (run, qrels) = three_queries();
        let evaluation = evaluate(&run, &qrels, &measures(["NumRel", "NumQ", "AP"]));
        assert_eq!((evaluation.summary(0), evaluation.summary(1)), (3.0, 3.0));
        assert!((evaluation.summary(2) - 1.0 / 3.0).abs() < 1e-12);
        assert!((evaluation.geometric_mean(2) - 1e-10_f64.cbrt()).abs() < 1e-12);
    }
}
