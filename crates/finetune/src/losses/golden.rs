//! Equality with PyTorch, through goldens that it made.

use serde::Deserialize;

use super::LossKind;
use super::testing::batch;

const GOLDENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/losses/cases.json");

#[derive(Deserialize)]
struct Goldens {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    loss: String,
    #[serde(default)]
    parameters: Vec<f64>,
    sizes: Vec<usize>,
    logits: Vec<f32>,
    targets: Vec<f32>,
    teacher: Vec<f32>,
    value: f64,
    derivatives: Vec<f64>,
}

impl Case {
    fn kind(&self) -> LossKind {
        match (self.loss.as_str(), &self.parameters[..]) {
            ("group-softmax", []) => LossKind::GroupSoftmax,
            ("ranknet", []) => LossKind::RankNet,
            ("binary-cross-entropy", &[pos_weight]) => LossKind::BinaryCrossEntropy { pos_weight },
            ("margin-mse", []) => LossKind::MarginMse,
            ("distillation", &[weight, temperature]) => {
                LossKind::Distillation { weight, temperature }
            }
            ("lambda", &[mu]) => LossKind::Lambda { mu },
            other => panic!("{}: {other:?}", self.name),
        }
    }
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(GOLDENS).unwrap();
    let goldens: Goldens = serde_json::from_str(&text).unwrap();
    assert!(goldens.cases.len() >= 30, "{} cases", goldens.cases.len());
    goldens.cases
}

#[test]
fn values_and_derivatives_are_pytorchs() {
    for case in cases() {
        let (kind, name) = (case.kind(), format!("{} of {}", case.loss, case.name));
        let batch = batch(&case.sizes, &case.targets, &case.teacher);
        let units = kind.units(&batch).max(1) as f64;
        let found = kind.of(&case.logits, &batch);
        let close = |what: &str, found: f64, expected: f64| {
            let error = (found - expected).abs();
            let allowed = 1e-5 * expected.abs().max(1.0);
            assert!(error <= allowed, "{name}: {what} is {found}, PyTorch has {expected}");
        };
        close("the value", found.sum / units, case.value);
        assert_eq!(found.derivatives.len(), case.derivatives.len(), "{name}");
        for (place, (found, expected)) in
            found.derivatives.iter().zip(&case.derivatives).enumerate()
        {
            close(&format!("derivative {place}"), found / units, *expected);
        }
    }
}

/// A loss that forgot its constants, or took another's place, would not pass.
#[test]
fn another_loss_is_told_apart() {
    for case in cases().iter().filter(|case| case.name == "mixed") {
        let batch = batch(&case.sizes, &case.targets, &case.teacher);
        let mean =
            |kind: LossKind| kind.of(&case.logits, &batch).sum / kind.units(&batch).max(1) as f64;
        let others = [
            LossKind::GroupSoftmax,
            LossKind::RankNet,
            LossKind::BinaryCrossEntropy { pos_weight: 1.0 },
            LossKind::MarginMse,
            LossKind::Distillation { weight: 1.0, temperature: 1.0 },
            LossKind::Lambda { mu: 10.0 },
        ];
        for other in others.into_iter().filter(|&other| other != case.kind()) {
            let difference = (mean(other) - case.value).abs();
            assert!(difference > 1e-3, "{other} passes for {}", case.kind());
        }
    }
}

#[test]
fn micro_batches_add_up() {
    for case in cases().iter().filter(|case| case.sizes.len() > 1) {
        let kind = case.kind();
        let whole = batch(&case.sizes, &case.targets, &case.teacher);
        let mut parts = super::Loss { sum: 0.0, derivatives: Vec::new() };
        let mut units = 0;
        for group in whole.ranges() {
            let teacher = case.teacher.get(group.clone()).unwrap_or_default();
            let part = batch(&[group.len()], &case.targets[group.clone()], teacher);
            let loss = kind.of(&case.logits[group], &part);
            parts.sum += loss.sum;
            parts.derivatives.extend(loss.derivatives);
            units += kind.units(&part);
        }
        let together = kind.of(&case.logits, &whole);
        assert_eq!(units, kind.units(&whole));
        assert!((parts.sum - together.sum).abs() < 1e-9, "{}", case.name);
        assert_eq!(parts.derivatives, together.derivatives, "{}", case.name);
    }
}
