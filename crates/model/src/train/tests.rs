//! Gradients against finite differences, the optimizer against its formula, and a batch learnt by
//! heart.

use burn::tensor::{Tensor, TensorData};
use secondpass_text::{Learner, Rates, Scorer, TokenBatch, TrainError};

use super::Trainee;
use super::adamw::AdamW;
use crate::weights::{Kind, Parameters, Slot};
use crate::{DeviceSpec, Dtype, Initialization, Model, ModelConfig};

fn config() -> ModelConfig {
    let json = serde_json::json!({
        "model_type": "xlm-roberta", "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 40,
        "max_position_embeddings": 20, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
        "hidden_act": "gelu", "pad_token_id": 1, "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0
    });
    ModelConfig::from_bytes(json.to_string().as_bytes(), "test").unwrap()
}

fn model() -> Model {
    Model::random(config(), 3, Initialization::Normal(0.2), DeviceSpec::Flex).unwrap()
}

/// Five sequences, all of different lengths.
fn batch() -> TokenBatch {
    let mut tokens = TokenBatch::new();
    for ids in [
        &[0, 5, 6, 2, 2, 5, 6, 7, 2][..],
        &[0, 5, 6, 2, 2, 8, 2],
        &[0, 5, 6, 2, 2, 9, 10, 11, 12, 2],
        &[0, 13, 2, 2, 14, 2],
        &[0, 13, 2, 2, 13, 15, 16, 2],
    ] {
        tokens.push(ids, &[]);
    }
    tokens
}

/// What the logits should become.
const AIMS: [f64; 5] = [1.0, -1.0, -1.0, -1.0, 1.0];

/// Half the squared distance from the aims.
fn loss(logits: &[f32]) -> f64 {
    let squares = logits.iter().zip(AIMS).map(|(&logit, aim)| (f64::from(logit) - aim).powi(2));
    squares.sum::<f64>() / 2.0
}

/// The loss's derivatives, times `share`.
fn derivatives(logits: &[f32], share: f32) -> Vec<f32> {
    logits.iter().zip(AIMS).map(|(&logit, aim)| share * (logit - aim as f32)).collect()
}

#[test]
fn the_logits_that_are_learnt_from_are_the_scores() {
    let mut trainee = Trainee::new(model());
    let mut seen = Vec::new();
    let mut look = |logits: &[f32]| {
        seen = logits.to_vec();
        Ok(derivatives(logits, 1.0))
    };
    trainee.accumulate(&batch(), 0, &mut look).unwrap();
    let scores = trainee.score(&[batch()]).unwrap();
    assert!(seen.iter().zip(&scores).all(|(a, b)| (a - b).abs() < 1e-5), "{seen:?} {scores:?}");
}

/// Every parameter tensor's gradient against central differences of the loss.
#[test]
fn gradients_are_the_losss() {
    let mut trainee = Trainee::new(model());
    // Two micro-batches of half a share each add up to the whole.
    for _ in 0..2 {
        trainee.accumulate(&batch(), 0, &mut |logits| Ok(derivatives(logits, 0.5))).unwrap();
    }
    let gradients = trainee.gradients_for_tests();
    let mut names = Vec::new();
    trainee.model().network.clone().visit("", &mut |name, _| names.push(name));
    assert_eq!(names.len(), gradients.len());
    let mut checked = 0;
    for (index, gradient) in gradients.iter().enumerate() {
        // The element that matters most: small ones drown in f32's rounding of the loss.
        let (element, &expected) =
            gradient.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
        let shifted = |by: f32| {
            let mut model = trainee.model().clone();
            shift(&mut model, index, element, by);
            loss(&model.score(&[batch()]).unwrap())
        };
        let step = 1e-2;
        let found = (shifted(step) - shifted(-step)) / (2.0 * f64::from(step));
        let error = (found - f64::from(expected)).abs();
        assert!(error <= 2e-3 + 0.02 * found.abs(), "{}: {expected} for {found}", names[index]);
        checked += usize::from(expected.abs() > 1e-2);
    }
    assert!(checked > 15, "only {checked} gradients are large enough to tell");
}

fn shift(model: &mut Model, parameter: usize, element: usize, by: f32) {
    let device = model.device.clone();
    let mut index = 0;
    model.network.visit("", &mut |_, slot| {
        if index == parameter {
            match slot {
                Slot::Matrix(tensor, _) => {
                    let shape = tensor.dims();
                    let mut values = tensor.clone().try_into_vec_as::<f32>().unwrap();
                    values[element] += by;
                    *tensor = Tensor::from_data(TensorData::new(values, shape), &device);
                }
                Slot::Vector(tensor, _) => {
                    let shape = tensor.dims();
                    let mut values = tensor.clone().try_into_vec_as::<f32>().unwrap();
                    values[element] += by;
                    *tensor = Tensor::from_data(TensorData::new(values, shape), &device);
                }
            }
        }
        index += 1;
    });
}

#[test]
fn adamw_steps_as_its_formula() {
    let device = DeviceSpec::Flex.open(Dtype::F32).unwrap();
    let tensor = |values: [f32; 2]| Tensor::<1>::from_data(values, &device);
    let rates =
        Rates { learning_rate: 0.1, weight_decay: 0.5, clip_norm: None, adamw: Default::default() };
    for (kind, decay) in [(Kind::Projection, 0.5), (Kind::Bias, 0.0)] {
        let mut optimizer = AdamW::default();
        let mut parameter = tensor([1.0, -2.0]);
        let mut expected = [1.0f64, -2.0];
        let (mut first, mut second) = ([0.0f64; 2], [0.0f64; 2]);
        for (step, gradient) in [[0.5f32, -0.25], [0.1, 0.3], [-0.7, 0.2]].into_iter().enumerate() {
            optimizer.begin(1);
            parameter = optimizer.vector(0, kind, parameter, tensor(gradient), &rates);
            for i in 0..2 {
                let g = f64::from(gradient[i]);
                first[i] = 0.9 * first[i] + 0.1 * g;
                second[i] = 0.999 * second[i] + 0.001 * g * g;
                let power = step as i32 + 1;
                let mean = first[i] / (1.0 - 0.9f64.powi(power));
                let spread = (second[i] / (1.0 - 0.999f64.powi(power))).sqrt();
                expected[i] -= 0.1 * decay * expected[i];
                expected[i] -= 0.1 * mean / (spread + 1e-8);
            }
        }
        let found = parameter.try_into_vec_as::<f32>().unwrap();
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{kind:?}: {found} {expected}");
        }
    }
}

#[test]
fn a_batch_is_learnt_by_heart() {
    let mut trainee = Trainee::new(model());
    let rates = Rates {
        learning_rate: 3e-3,
        weight_decay: 0.01,
        clip_norm: Some(1.0),
        adamw: Default::default(),
    };
    let mut losses = Vec::new();
    for _ in 0..60 {
        let mut note = |logits: &[f32]| {
            losses.push(loss(logits));
            Ok(derivatives(logits, 1.0))
        };
        trainee.accumulate(&batch(), 0, &mut note).unwrap();
        trainee.apply(&rates).unwrap();
    }
    assert!(losses[0] > 1.0 && losses[59] < 0.1, "{losses:?}");
}

#[test]
fn what_is_saved_loads_as_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    let trainee = Trainee::new(model());
    trainee.save(folder.path(), false).unwrap();
    let weights = folder.path().join("model.safetensors");
    let loaded = Model::load(
        &folder.path().join("config.json"),
        &[weights],
        DeviceSpec::Flex,
        Dtype::F32,
        crate::Head::FromFile,
    )
    .unwrap();
    let batches = [batch()];
    assert_eq!(loaded.score(&batches).unwrap(), trainee.score(&batches).unwrap());
    assert!(trainee.save(&folder.path().join("nowhere"), false).is_err());
}

#[test]
fn misfits_are_refused() {
    let mut trainee = Trainee::new(model());
    let error = trainee.accumulate(&batch(), 0, &mut |_| Ok(vec![0.5; 4])).unwrap_err();
    assert!(matches!(error, TrainError::Shape { sequences: 5, derivatives: 4 }), "{error}");
    let refused = trainee.accumulate(&batch(), 0, &mut |_| Err(TrainError::NotFinite("loss")));
    assert!(matches!(refused, Err(TrainError::NotFinite("loss"))));
    let rates = Rates {
        learning_rate: 1e-3,
        weight_decay: 0.0,
        clip_norm: None,
        adamw: Default::default(),
    };
    assert!(matches!(trainee.apply(&rates), Err(TrainError::NothingAccumulated)));
}
