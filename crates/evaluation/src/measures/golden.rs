//! Equality with trec_eval, through goldens that pytrec_eval and ir_measures made.

use std::collections::BTreeMap;

use secondpass_core::{QrelsRow, QueryId, QueryRows, Ranking, Run, RunRow};
use serde::Deserialize;

use super::NamedMeasure;
use crate::evaluate::{Evaluation, Queries, Ties, evaluate_on, evaluate_rows};

const GOLDENS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/measures/cases.json");
const TOLERANCE: f64 = 1e-6;

type Table<T> = BTreeMap<String, BTreeMap<String, T>>;

#[derive(Deserialize)]
struct Goldens {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    qrels: Table<i32>,
    run: Table<f64>,
    measures: Vec<String>,
    /// A value a measure for every judged query; none where it is not applicable.
    expected: BTreeMap<String, Vec<Option<f64>>>,
    over_judged: Vec<Option<f64>>,
    over_answered: Vec<Option<f64>>,
}

#[test]
fn equal_to_trec_eval() {
    let text = std::fs::read_to_string(GOLDENS).unwrap();
    let goldens: Goldens = serde_json::from_str(&text).unwrap();
    assert!(!goldens.cases.is_empty());
    for case in &goldens.cases {
        let measures: Vec<NamedMeasure> =
            case.measures.iter().map(|name| name.parse().unwrap()).collect();
        for (which, summaries) in
            [(Queries::Judged, &case.over_judged), (Queries::Answered, &case.over_answered)]
        {
            let owned = evaluate_on(which, &run(case), &qrels(case), &measures);
            let (ranked, judged) = rows(case);
            let borrowed = evaluate_rows(
                &of_queries(&ranked),
                &of_queries(&judged),
                &measures,
                which,
                Ties::ByDocument,
            );
            for evaluation in [owned, borrowed.unwrap()] {
                compare(case, &evaluation, summaries);
            }
        }
    }
}

fn compare(case: &Case, evaluation: &Evaluation, summaries: &[Option<f64>]) {
    let close = |column: usize, value: f64, expected: Option<f64>, of: &str| {
        let name = &case.measures[column];
        let expected = expected.unwrap_or(f64::NAN);
        assert!(
            (value - expected).abs() <= TOLERANCE || value.is_nan() && expected.is_nan(),
            "{}: {name} of {of} is {value}, trec_eval has {expected}",
            case.name
        );
    };
    for row in &evaluation.queries {
        let expected = &case.expected[row.query.as_str()];
        for (column, expected) in expected.iter().enumerate() {
            close(column, row.values[column], *expected, row.query.as_str());
        }
    }
    for (column, expected) in summaries.iter().enumerate() {
        close(column, evaluation.summary(column), *expected, "all queries");
    }
}

fn run(case: &Case) -> Run {
    let mut run = Run::new("golden");
    for (query, scores) in &case.run {
        let scores = scores.iter().map(|(id, &score)| (id.as_str().into(), score));
        run.rankings.insert(QueryId::from(query.as_str()), Ranking::from_scores(scores).unwrap());
    }
    run
}

fn qrels(case: &Case) -> secondpass_core::Qrels {
    let mut qrels = secondpass_core::Qrels::new();
    for (query, grades) in &case.qrels {
        for (document, &grade) in grades {
            qrels.insert(query.as_str().into(), document.as_str().into(), grade);
        }
    }
    qrels
}

type Rows<'a, R> = Vec<(&'a str, Vec<R>)>;

fn rows(case: &Case) -> (Rows<'_, RunRow<'_>>, Rows<'_, QrelsRow<'_>>) {
    let ranked = case.run.iter().map(|(query, scores)| {
        let rows = scores.iter().map(|(id, &score)| (id.as_str(), score));
        let rows = rows.map(|(document, score)| RunRow { document, score, rank: None });
        (query.as_str(), rows.collect())
    });
    let judged = case.qrels.iter().map(|(query, grades)| {
        let rows = grades.iter().map(|(id, &grade)| QrelsRow { document: id.as_str(), grade });
        (query.as_str(), rows.collect())
    });
    (ranked.collect(), judged.collect())
}

fn of_queries<'a, R>(all: &'a Rows<'_, R>) -> Vec<QueryRows<'a, R>> {
    all.iter().map(|(query, rows)| QueryRows { query, rows }).collect()
}
