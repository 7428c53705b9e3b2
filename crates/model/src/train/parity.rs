//! Training steps against PyTorch's (`tests/golden/training`): gradients of the first step, 50 losses,
//! the weights at the end. On every engine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use secondpass_text::{Learner, Lora, Rates, TokenBatch, TrainError, Trained};
use serde::Deserialize;

use super::Trainee;
use crate::{DeviceSpec, Dtype, Head, Model};

/// Relative, of a gradient's norm.
const GRADIENT: f64 = 1e-5;
/// Relative, of a loss above 1.
const LOSS: f64 = 1e-3;
/// Relative, of a weight's norm.
const WEIGHT: f64 = 1e-2;

#[derive(Deserialize)]
struct Golden {
    /// Sequences of a group; the first is the positive.
    group: usize,
    /// Sequences of a step.
    a_step: usize,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    name: String,
    model: String,
    /// Sequences of a micro-batch.
    micro: usize,
    rate: f64,
    decay: f64,
    clip: Option<f64>,
    lora: Option<Adapters>,
    losses: Vec<f64>,
    /// Tensors whose gradient is zero but for rounding, of which AdamW makes steps.
    nothing: Vec<String>,
    gradients: Vec<Probe>,
    weights: Vec<Probe>,
}

#[derive(Deserialize)]
struct Adapters {
    targets: Vec<String>,
    rank: usize,
    alpha: f64,
}

/// A tensor's norm, and its inner products with vectors of signs.
#[derive(Deserialize)]
struct Probe {
    name: String,
    norm: f64,
    products: Vec<f64>,
}

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    ids: Vec<u32>,
    type_ids: Vec<u32>,
}

impl Probe {
    /// An estimate of the norm of the difference from `values`.
    fn distance(&self, values: &[f32]) -> f64 {
        let mut products = vec![0.0; self.products.len()];
        let mut state = 1_u32;
        for &value in values {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            for (i, product) in products.iter_mut().enumerate() {
                let sign = if state >> (31 - i) & 1 == 1 { 1.0 } else { -1.0 };
                *product += sign * f64::from(value);
            }
        }
        let squares =
            products.iter().zip(&self.products).map(|(ours, theirs)| (ours - theirs).powi(2));
        (squares.sum::<f64>() / products.len() as f64).sqrt()
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name)
}

fn json<T: for<'a> Deserialize<'a>>(path: &Path) -> T {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The model of a run without dropout, with the adapters' first values as `make.py` has them.
fn trainee(run: &Run, device: DeviceSpec) -> Trainee {
    let folder = golden("models").join(&run.model);
    let mut config: serde_json::Value = json(&folder.join("config.json"));
    for share in ["hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"] {
        config[share] = 0.0.into();
    }
    let changed = tempfile::tempdir().unwrap();
    let path = changed.path().join("config.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let weights = [folder.join("model.safetensors")];
    let model = Model::load(&path, &weights, device, Dtype::F32, Head::FromFile).unwrap();
    let trained = match &run.lora {
        None => Trained::default(),
        Some(Adapters { targets, rank, alpha }) => {
            let targets = targets.iter().map(|target| target.parse().unwrap()).collect();
            let lora = Lora { targets, rank: *rank, alpha: *alpha, seed: 0 };
            Trained { embeddings: false, lora: Some(lora), ..Trained::default() }
        }
    };
    let mut trainee = Trainee::new(model, &trained).unwrap();
    let mut count = 0;
    trainee.set_adapters_for_tests(&mut |down: &mut Vec<f32>| {
        for (k, value) in down.iter_mut().enumerate() {
            *value = (0.2 * (0.37 * (k + 1) as f64 + f64::from(count)).sin()) as f32;
        }
        count += 1;
    });
    trainee
}

/// Adds the gradients of one step; gives its loss, the mean over its groups of the softmax
/// cross-entropy.
fn accumulate(
    trainee: &mut Trainee,
    run: &Run,
    golden: &Golden,
    cases: &[Case],
    step: usize,
) -> f64 {
    let groups = (golden.a_step / golden.group) as f64;
    let mut total = 0.0;
    for start in (0..golden.a_step).step_by(run.micro) {
        let mut batch = TokenBatch::new();
        for i in 0..run.micro {
            let case = &cases[(step * golden.a_step + start + i) % cases.len()];
            batch.push(&case.ids, &case.type_ids);
        }
        let mut loss = |logits: &[f32]| -> Result<Vec<f32>, TrainError> {
            let mut derivatives = Vec::new();
            for group in logits.chunks(golden.group) {
                let powers: Vec<f64> = group.iter().map(|logit| f64::from(*logit).exp()).collect();
                let sum: f64 = powers.iter().sum();
                total += (sum.ln() - f64::from(group[0])) / groups;
                derivatives.extend(powers.iter().enumerate().map(|(i, power)| {
                    ((power / sum - f64::from(u8::from(i == 0))) / groups) as f32
                }));
            }
            Ok(derivatives)
        };
        trainee.accumulate(&batch, 0, &mut loss).unwrap();
    }
    total
}

#[test]
fn steps_are_pytorchs() {
    let golden_steps: Golden = json(&golden("training/steps.json"));
    assert!(golden_steps.runs.len() >= 4);
    for run in &golden_steps.runs {
        // A key's bias, or the last one, moves all scores of a softmax alike; nothing else may be left out.
        let shifts = |name: &String| {
            ["key.bias", "classifier.out_proj.bias", "classifier.bias"]
                .iter()
                .any(|end| name.ends_with(end))
        };
        assert!(run.nothing.iter().all(shifts), "{:?}", run.nothing);
        let cases: Cases = json(&golden("models").join(&run.model).join("golden.json"));
        for device in [DeviceSpec::Cpu, DeviceSpec::Flex] {
            let what = format!("{}, {device}", run.name);
            let mut trainee = trainee(run, device);
            let mut off = 0.0_f64;
            for (step, expected) in run.losses.iter().enumerate() {
                let loss = accumulate(&mut trainee, run, &golden_steps, &cases.cases, step);
                off = off.max((loss - expected).abs() / expected.max(1.0));
                if step == 0 {
                    let found: HashMap<_, _> = trainee.gradients_for_tests().into_iter().collect();
                    compare(&format!("{what}, gradient"), run, &run.gradients, &found, GRADIENT);
                }
                let rates = Rates {
                    learning_rate: run.rate,
                    weight_decay: run.decay,
                    clip_norm: run.clip,
                    adamw: Default::default(),
                };
                trainee.apply(&rates).unwrap();
            }
            assert!(off <= LOSS, "{what}: a loss is off by {off:e}");
            let found: HashMap<_, _> = trainee.weights_for_tests().into_iter().collect();
            let worst = compare(&format!("{what}, weight"), run, &run.weights, &found, WEIGHT);
            println!("{what}: losses off by {off:e}, weights by {worst:e} at most");
        }
    }
}

/// Holds tensors against what PyTorch has, but for those without a gradient. Gives the largest relative
/// distance.
fn compare(
    what: &str,
    run: &Run,
    expected: &[Probe],
    found: &HashMap<String, Vec<f32>>,
    tolerance: f64,
) -> f64 {
    assert_eq!(expected.len(), found.len(), "{what}: {:?}", found.keys());
    let mut worst = 0.0_f64;
    for probe in expected.iter().filter(|probe| !run.nothing.contains(&probe.name)) {
        let values = &found[&probe.name];
        let off = probe.distance(values);
        // An adapter's `down` has no gradient at first.
        assert!(
            off <= tolerance * probe.norm,
            "{what} of {}: {off:e} of {:e}",
            probe.name,
            probe.norm
        );
        worst = worst.max(if probe.norm > 0.0 { off / probe.norm } else { 0.0 });
    }
    worst
}

#[test]
fn another_order_of_magnitude_is_noticed() {
    let probe = Probe { name: String::new(), norm: 2.0, products: vec![0.0; 8] };
    assert!((probe.distance(&[0.0; 100])).abs() < 1e-12);
    let values: Vec<f32> = (0..100).map(|i| ((i * 37 % 19) as f32 - 9.0) * 1e-3).collect();
    let norm = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    let estimate = probe.distance(&values);
    assert!(estimate > 0.4 * norm && estimate < 2.5 * norm, "{estimate} for {norm}");
}
