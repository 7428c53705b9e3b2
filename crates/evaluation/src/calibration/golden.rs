//! Equality with scikit-learn, through goldens that it made.

use serde::Deserialize;

use super::map::MapKind;
use super::reliability::reliability;
use super::scored::ScoredPair;

const GOLDENS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/calibration/cases.json");

/// scikit-learn's optimizer of Platt's curve stops at a gradient of about 1e-6, ours at 1e-12.
const PLATT: f64 = 1e-4;

#[derive(Deserialize)]
struct Goldens {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    scores: Vec<f64>,
    labels: Vec<u8>,
    at: Vec<f64>,
    isotonic: Vec<f64>,
    platt: Vec<f64>,
    isotonic_brier: f64,
    platt_probabilities: Vec<f64>,
    platt_brier: f64,
    platt_log_loss: f64,
    platt_ece_equal_width: f64,
}

#[test]
fn equal_to_scikit_learn() {
    let text = std::fs::read_to_string(GOLDENS).unwrap();
    let goldens: Goldens = serde_json::from_str(&text).unwrap();
    assert!(!goldens.cases.is_empty());
    for case in &goldens.cases {
        let close = |what: &str, found: f64, expected: f64, tolerance: f64| {
            assert!(
                (found - expected).abs() <= tolerance,
                "{}: {what} is {found}, scikit-learn has {expected}",
                case.name
            );
        };
        let labels: Vec<bool> = case.labels.iter().map(|label| *label == 1).collect();
        let pairs: Vec<ScoredPair> = case
            .scores
            .iter()
            .zip(&labels)
            .map(|(&score, &relevant)| ScoredPair { score, relevant })
            .collect();
        let (isotonic, platt) = (MapKind::Isotonic.fit(&pairs), MapKind::Platt.fit(&pairs));
        for ((&score, &flat), &smooth) in case.at.iter().zip(&case.isotonic).zip(&case.platt) {
            close("isotonic regression", isotonic.probability(score), flat, 1e-9);
            close("Platt's curve", platt.probability(score), smooth, PLATT);
        }
        let of_isotonic: Vec<(f64, bool)> =
            pairs.iter().map(|pair| (isotonic.probability(pair.score), pair.relevant)).collect();
        close("the Brier score", reliability(&of_isotonic).brier, case.isotonic_brier, 1e-9);
        // Losses are held on scikit-learn's own probabilities, so that no fit comes between.
        let theirs: Vec<(f64, bool)> =
            case.platt_probabilities.iter().copied().zip(labels).collect();
        let found = reliability(&theirs);
        close("the Brier score", found.brier, case.platt_brier, 1e-9);
        close("the log loss", found.log_loss, case.platt_log_loss, 1e-9);
        close("the calibration error", found.ece_equal_width, case.platt_ece_equal_width, 1e-9);
    }
}
