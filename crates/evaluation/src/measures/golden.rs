//! Equality with trec_eval, through goldens that pytrec_eval made.

use std::collections::BTreeMap;

use secondpass_core::{QueryId, Ranking, Run};
use serde::Deserialize;

use super::NamedMeasure;
use crate::evaluate::evaluate;

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
    expected: Table<f64>,
    mean_over_judged: BTreeMap<String, f64>,
}

#[test]
fn equal_to_trec_eval() {
    let text = std::fs::read_to_string(GOLDENS).unwrap();
    let goldens: Goldens = serde_json::from_str(&text).unwrap();
    assert!(!goldens.cases.is_empty());
    for case in &goldens.cases {
        let names: Vec<&String> = case.mean_over_judged.keys().collect();
        let measures: Vec<NamedMeasure> = names.iter().map(|name| name.parse().unwrap()).collect();
        let evaluation = evaluate(&run(case), &qrels(case), &measures);
        for (column, name) in names.iter().enumerate() {
            let close = |value: f64, expected: f64, of: &str| {
                assert!(
                    (value - expected).abs() <= TOLERANCE,
                    "{}: {name} of {of} is {value}, trec_eval has {expected}",
                    case.name
                );
            };
            for row in &evaluation.queries {
                match case.expected.get(row.query.as_str()) {
                    Some(expected) => {
                        close(row.values[column], expected[name.as_str()], row.query.as_str());
                    }
                    None => close(row.values[column], 0.0, row.query.as_str()),
                }
            }
            close(evaluation.mean(column), case.mean_over_judged[name.as_str()], "all queries");
        }
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
