//! Fusion against what ranx makes of the same runs (`tests/golden/fusion`).

// A test file as a whole: a missing field fails the test where it is read.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use secondpass_core::{Ranking, Run};
use secondpass_retrieval::{Fusion, Normalization};

/// Relative to a score's size, above 1: both sum the same 64-bit floats in the same order, and the
/// means and deviations of z-scores in another.
const TOLERANCE: f64 = 1e-9;

#[derive(serde::Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    runs: Vec<Vec<(String, f64)>>,
    weights: Vec<f64>,
    expected: BTreeMap<String, BTreeMap<String, f64>>,
}

#[test]
fn every_fusion_is_ranxs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/fusion/cases.json");
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(golden.cases.len(), 10);
    let fusions = Normalization::ALL.map(Fusion::WeightedSum).into_iter();
    let fusions: Vec<Fusion> =
        fusions.chain([60.0, 1.0].map(|k| Fusion::ReciprocalRank { k })).collect();
    for case in golden.cases {
        let runs: Vec<Run> = case.runs.iter().map(|scores| run(scores)).collect();
        assert_eq!(case.expected.len(), fusions.len());
        for fusion in &fusions {
            let weight = |at: usize| match fusion {
                Fusion::WeightedSum(_) => case.weights[at],
                Fusion::ReciprocalRank { .. } => 1.0,
            };
            let weighted: Vec<(&Run, f64)> =
                runs.iter().enumerate().map(|(at, run)| (run, weight(at))).collect();
            let fused = fusion.fuse(&weighted).unwrap();
            let expected = &case.expected[&fusion.to_string()];
            let places = fused.rankings["q"].ranked();
            assert_eq!(places.len(), expected.len(), "{} {fusion}", case.name);
            for place in places {
                let (found, expected) = (place.score.unwrap(), expected[place.document.as_str()]);
                assert!(
                    (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
                    "{} {fusion} {}: {found} is not {expected}",
                    case.name,
                    place.document
                );
            }
        }
    }
}

fn run(scores: &[(String, f64)]) -> Run {
    let ranking =
        Ranking::from_scores(scores.iter().map(|(id, score)| (id.as_str().into(), *score)))
            .unwrap();
    // The file's order is the one that ranx ranked by.
    assert!(ranking.documents().map(|id| id.as_str()).eq(scores.iter().map(|(id, _)| id.as_str())));
    let mut run = Run::new("r");
    run.rankings.insert("q".into(), ranking);
    run
}
