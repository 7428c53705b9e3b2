//! Equality with SciPy, through goldens that it made.

use serde::Deserialize;

use super::{detectable, equivalence, non_inferiority, randomization, t_test};

const GOLDENS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/statistics/cases.json");

#[derive(Deserialize)]
struct Goldens {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    differences: Vec<f64>,
    t: f64,
    t_test: f64,
    randomization: Option<f64>,
    /// Margin, p of equivalence, p of non-inferiority.
    margins: Vec<(f64, f64, f64)>,
    /// Alpha, power, difference.
    detectable: Vec<(f64, f64, f64)>,
}

#[test]
fn equal_to_scipy() {
    let text = std::fs::read_to_string(GOLDENS).unwrap();
    let goldens: Goldens = serde_json::from_str(&text).unwrap();
    assert!(goldens.cases.iter().filter(|case| case.randomization.is_some()).count() > 5);
    for case in &goldens.cases {
        let Case { name, differences, .. } = case;
        let close = |what: &str, found: f64, expected: f64, tolerance: f64| {
            assert!(
                (found - expected).abs() <= tolerance * expected.abs().min(1.0),
                "{name}: {what} is {found}, SciPy has {expected}"
            );
        };
        let test = t_test(differences).unwrap();
        close("t", test.statistic, case.t, 1e-9);
        close("p of the t test", test.p, case.t_test, 1e-9);
        if let Some(expected) = case.randomization {
            let found = randomization(differences, 10, 1);
            assert!(found.exact, "{name}");
            close("p of the randomization test", found.p, expected, 1e-12);
        }
        for &(margin, equivalent, not_inferior) in &case.margins {
            close("equivalence", equivalence(differences, margin).unwrap(), equivalent, 1e-9);
            let found = non_inferiority(differences, margin).unwrap();
            close("non-inferiority", found, not_inferior, 1e-9);
        }
        for &(alpha, power, expected) in &case.detectable {
            let found = detectable(differences, alpha, power).unwrap();
            close("the detectable difference", found, expected, 1e-6);
        }
    }
}
