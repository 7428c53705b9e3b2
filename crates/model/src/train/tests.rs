//! Gradients against finite differences and of one engine against the other's, the optimizer against
//! its formula, a batch learnt by heart, and going on from a saved state. Each on every engine.

use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use secondpass_text::{
    Compute, Learner, Lora, LoraTarget, Rates, Scorer, TokenBatch, TrainError, Trained,
};

use super::Trainee;
use super::adamw::AdamW;
use crate::weights::{Kind, Parameters, Slot};
use crate::{DeviceSpec, Dtype, Head, Initialization, Model, ModelConfig};

const ENGINES: [DeviceSpec; 2] = [DeviceSpec::Cpu, DeviceSpec::Flex];

fn config(model_type: &str, dropout: f64) -> ModelConfig {
    let json = serde_json::json!({
        "model_type": model_type, "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 40,
        "max_position_embeddings": 20, "type_vocab_size": 2, "layer_norm_eps": 1e-5,
        "hidden_act": "gelu", "pad_token_id": 1, "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout
    });
    ModelConfig::from_bytes(json.to_string().as_bytes(), "test").unwrap()
}

fn model_of(model_type: &str, device: DeviceSpec, dropout: f64) -> Model {
    let config = config(model_type, dropout);
    Model::random(config, 3, Initialization::Normal(0.2), device).unwrap()
}

fn model(device: DeviceSpec) -> Model {
    model_of("xlm-roberta", device, 0.0)
}

fn trainee(device: DeviceSpec) -> Trainee {
    Trainee::new(model(device), &Trained::default()).unwrap()
}

fn lora() -> Trained {
    let targets = vec![LoraTarget::Query, LoraTarget::Value, LoraTarget::Output];
    let lora = Lora { targets, rank: 3, alpha: 6.0, seed: 5 };
    Trained { embeddings: false, lora: Some(lora), ..Trained::default() }
}

/// All kinds of training.
fn kinds() -> [Trained; 6] {
    let frozen = Trained { embeddings: false, ..Trained::default() };
    let later = Lora { targets: LoraTarget::ALL.to_vec(), ..lora().lora.unwrap() };
    [
        Trained::default(),
        frozen.clone(),
        Trained { frozen_layers: 1, ..frozen },
        lora(),
        Trained { frozen_layers: 1, lora: Some(later), ..lora() },
        Trained { recompute: true, ..lora() },
    ]
}

fn rates(learning_rate: f64) -> Rates {
    Rates { learning_rate, weight_decay: 0.01, clip_norm: Some(1.0), adamw: Default::default() }
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
        let types: Vec<u32> = (0..ids.len()).map(|place| u32::from(place > 3)).collect();
        tokens.push(ids, &types);
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

/// Steps with seeds from `seeds`; gives the losses.
fn learn(trainee: &mut Trainee, seeds: std::ops::Range<u64>) -> Vec<f64> {
    let mut losses = Vec::new();
    for seed in seeds {
        let mut note = |logits: &[f32]| {
            losses.push(loss(logits));
            Ok(derivatives(logits, 1.0))
        };
        trainee.accumulate(&batch(), seed, &mut note).unwrap();
        trainee.apply(&rates(3e-3)).unwrap();
    }
    losses
}

/// The bytes of what a trainee saves.
fn saved(trainee: &Trainee) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    trainee.save(folder.path(), false).unwrap();
    std::fs::read(folder.path().join("model.safetensors")).unwrap()
}

#[test]
fn the_logits_that_are_learnt_from_are_the_scores() {
    for device in ENGINES {
        let mut trainee = trainee(device);
        let mut seen = Vec::new();
        let mut look = |logits: &[f32]| {
            seen = logits.to_vec();
            Ok(derivatives(logits, 1.0))
        };
        trainee.accumulate(&batch(), 0, &mut look).unwrap();
        let scores = trainee.score(&[batch()]).unwrap();
        assert!(seen.iter().zip(&scores).all(|(a, b)| (a - b).abs() < 1e-5), "{seen:?} {scores:?}");
    }
}

/// Every parameter tensor's gradient against central differences of the loss.
#[test]
fn gradients_are_the_losss() {
    let mut trainee = trainee(DeviceSpec::Flex);
    let model = model(DeviceSpec::Flex);
    // Two micro-batches of half a share each add up to the whole.
    for _ in 0..2 {
        trainee.accumulate(&batch(), 0, &mut |logits| Ok(derivatives(logits, 0.5))).unwrap();
    }
    let gradients = trainee.gradients_for_tests();
    let mut names = Vec::new();
    model.network.clone().visit("", &mut |name, _| names.push(name));
    assert_eq!(names.len(), gradients.len());
    let mut checked = 0;
    for (index, (name, gradient)) in gradients.iter().enumerate() {
        // The element that matters most: small ones drown in f32's rounding of the loss.
        let (element, &expected) =
            gradient.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
        let shifted = |by: f32| {
            let mut model = model.clone();
            shift(&mut model, index, element, by);
            loss(&model.score(&[batch()]).unwrap())
        };
        let step = 1e-2;
        let found = (shifted(step) - shifted(-step)) / (2.0 * f64::from(step));
        let error = (found - f64::from(expected)).abs();
        assert!(error <= 2e-3 + 0.02 * found.abs(), "{name}: {expected} for {found}");
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

/// Whatever is trained, our kernels' gradients are burn's, and so are the models that come of them.
#[test]
fn engines_agree() {
    for model_type in ["xlm-roberta", "bert"] {
        for trained in kinds() {
            let mut trainees = ENGINES
                .map(|device| Trainee::new(model_of(model_type, device, 0.0), &trained).unwrap());
            // A step first, after which adapters are not zero.
            for trainee in &mut trainees {
                learn(trainee, 0..1);
                trainee
                    .accumulate(&batch(), 0, &mut |logits| Ok(derivatives(logits, 1.0)))
                    .unwrap();
            }
            let [cpu, burn] = [0, 1].map(|engine: usize| trainees[engine].gradients_for_tests());
            assert_eq!(cpu.len(), burn.len());
            let norm = |values: &[f32]| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
            let whole = cpu.iter().map(|(_, values)| norm(values)).sum::<f64>().sqrt();
            for ((name, ours), (burn_name, theirs)) in cpu.iter().zip(&burn) {
                assert_eq!(name, burn_name);
                let off: Vec<f32> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
                assert_eq!(ours.len(), theirs.len());
                let (off, size) = (norm(&off).sqrt(), norm(theirs).sqrt());
                // A key's bias has a gradient of rounding only, so some of the whole's norm is left.
                assert!(off <= 1e-4 * size + 1e-6 * whole, "{name}: {off} of {size}, {trained:?}");
            }
            for trainee in &mut trainees {
                trainee.apply(&rates(3e-3)).unwrap();
            }
            let scores = trainees.each_ref().map(|trainee| trainee.score(&[batch()]).unwrap());
            let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-4;
            assert!(scores[0].iter().zip(&scores[1]).all(close), "{scores:?}, {trained:?}");
        }
    }
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
        let (mut first, mut second) = ([0.0; 2], [0.0; 2]);
        let mut expected = [1.0, -2.0];
        for (step, gradient) in [[0.5, -1.0], [0.25, 3.0], [-1.0, 0.0]].iter().enumerate() {
            optimizer.begin(1);
            parameter = optimizer.vector(0, kind, parameter, tensor(*gradient), &rates);
            for i in 0..2 {
                let (g, power) = (f64::from(gradient[i]), step as i32 + 1);
                first[i] = 0.9 * first[i] + 0.1 * g;
                second[i] = 0.999 * second[i] + 0.001 * g * g;
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
    for device in ENGINES {
        for trained in kinds() {
            let mut trainee = Trainee::new(model(device), &trained).unwrap();
            let losses = learn(&mut trainee, 0..80);
            let (first, last) = (losses[0], losses[79]);
            // With most of it frozen it takes longer.
            assert!(first > 1.0 && last < 0.5 * first, "{device}, {trained:?}: {losses:?}");
            assert!(trained != Trained::default() || last < 0.1, "{device}: {losses:?}");
        }
    }
}

#[test]
fn what_is_frozen_stays_as_it_was() {
    for device in ENGINES {
        for trained in kinds() {
            let mut trainee = Trainee::new(model(device), &trained).unwrap();
            let before = saved(&trainee);
            learn(&mut trainee, 0..2);
            let after = saved(&trainee);
            let [before, after] = [&before, &after]
                .map(|bytes| safetensors::SafeTensors::deserialize(bytes).unwrap());
            for name in before.names() {
                let kept =
                    before.tensor(name).unwrap().data() == after.tensor(name).unwrap().data();
                let layer = name.split("layer.").nth(1).map(|rest| rest.starts_with('0'));
                let adapted = |target: &LoraTarget| match target {
                    LoraTarget::Query => name.ends_with("query.weight"),
                    LoraTarget::Key => name.ends_with("key.weight"),
                    LoraTarget::Value => name.ends_with("value.weight"),
                    LoraTarget::AttentionOutput => name.ends_with("attention.output.dense.weight"),
                    LoraTarget::Intermediate => name.ends_with("intermediate.dense.weight"),
                    LoraTarget::Output => {
                        name.ends_with("output.dense.weight") && !name.contains("attention")
                    }
                };
                let changes = match (&trained.lora, layer) {
                    (_, None) => trained.embeddings || !name.contains("embeddings"),
                    (_, Some(true)) if trained.frozen_layers > 0 => false,
                    (Some(lora), _) => lora.targets.iter().any(adapted),
                    (None, _) => true,
                };
                assert_eq!(kept, !changes, "{device}: {name}, {trained:?}");
            }
        }
    }
}

#[test]
fn what_is_saved_loads_as_the_same_model() {
    for device in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let mut trainee = Trainee::new(model(device), &lora()).unwrap();
        learn(&mut trainee, 0..3);
        trainee.save(folder.path(), false).unwrap();
        let weights = folder.path().join("model.safetensors");
        let config = folder.path().join("config.json");
        let loaded = Model::load(&config, &[weights], device, Dtype::F32, Head::FromFile).unwrap();
        let loaded = Trainee::new(loaded, &Trained::default()).unwrap();
        let batches = [batch()];
        assert_eq!(loaded.score(&batches).unwrap(), trainee.score(&batches).unwrap());
        assert!(trainee.save(&folder.path().join("nowhere"), false).is_err());
    }
}

/// Dropout is on: its masks, too, must be the same.
#[test]
fn going_on_from_a_state_is_never_having_stopped() {
    for device in ENGINES {
        for trained in kinds() {
            let fresh = || Trainee::new(model_of("xlm-roberta", device, 0.1), &trained).unwrap();
            let mut whole = fresh();
            let losses = learn(&mut whole, 0..6);
            let folder = tempfile::tempdir().unwrap();
            let mut first = fresh();
            first.save_state(folder.path()).unwrap();
            learn(&mut first, 0..3);
            first.save_state(folder.path()).unwrap();
            let mut second = fresh();
            // What it did before does not matter.
            learn(&mut second, 50..52);
            second.accumulate(&batch(), 9, &mut |logits| Ok(derivatives(logits, 1.0))).unwrap();
            second.load_state(folder.path()).unwrap();
            assert_eq!(saved(&second), saved(&first), "{device}, {trained:?}");
            // Burn draws dropout from a state of the whole process, which other tests share.
            if device == DeviceSpec::Cpu {
                assert_eq!(learn(&mut second, 3..6), losses[3..], "{trained:?}");
                assert_eq!(saved(&second), saved(&whole), "{trained:?}");
            }
        }
        let fresh = || Trainee::new(model(device), &lora()).unwrap();
        let (mut whole, mut first, mut second) = (fresh(), fresh(), fresh());
        learn(&mut whole, 0..6);
        learn(&mut first, 0..3);
        let folder = tempfile::tempdir().unwrap();
        first.save_state(folder.path()).unwrap();
        second.load_state(folder.path()).unwrap();
        learn(&mut second, 3..6);
        assert_eq!(saved(&second), saved(&whole), "{device}");
    }
}

#[test]
fn states_of_others_and_damaged_ones_change_nothing() {
    for device in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let mut trainee = trainee(device);
        learn(&mut trainee, 0..2);
        trainee.save_state(folder.path()).unwrap();
        let path = folder.path().join(super::state::FILE);
        let good = std::fs::read(&path).unwrap();
        learn(&mut trainee, 2..3);
        let before = saved(&trainee);
        let refuse = |trainee: &mut Trainee, says: &str| {
            let before = saved(trainee);
            let error = trainee.load_state(folder.path()).unwrap_err();
            assert!(matches!(error, TrainError::State(_)), "{error}");
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(saved(trainee), before);
        };
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for bad in [&flipped[..], &good[..good.len() - 1], &good[..100], b"", b"{}"] {
            std::fs::write(&path, bad).unwrap();
            refuse(&mut trainee, "damaged");
        }
        std::fs::remove_file(&path).unwrap();
        refuse(&mut trainee, "state.safetensors");
        std::fs::write(&path, &good).unwrap();
        for trained in &kinds()[1..] {
            let mut other = Trainee::new(model(device), trained).unwrap();
            refuse(&mut other, "another model");
        }
        let mut other = Trainee::new(model_of("bert", device, 0.0), &Trained::default()).unwrap();
        refuse(&mut other, "another model");
        assert_eq!(saved(&trainee), before);
        trainee.load_state(folder.path()).unwrap();
        assert_ne!(saved(&trainee), before);
        assert!(trainee.save_state(Path::new("/nowhere/at/all")).is_err());
    }
}

/// Adapters of the same shape on other frozen weights are another model.
#[test]
fn a_state_knows_what_its_adapters_were_added_to() {
    for device in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        Trainee::new(model(device), &lora()).unwrap().save_state(folder.path()).unwrap();
        let config = config("xlm-roberta", 0.0);
        let other = Model::random(config, 4, Initialization::Normal(0.2), device).unwrap();
        let mut other = Trainee::new(other, &lora()).unwrap();
        let error = other.load_state(folder.path()).unwrap_err().to_string();
        assert!(error.contains("another model"), "{error}");
    }
}

#[test]
fn misfits_are_refused() {
    for device in ENGINES {
        let mut trainee = trainee(device);
        let error = trainee.accumulate(&batch(), 0, &mut |_| Ok(vec![0.5; 4])).unwrap_err();
        assert!(matches!(error, TrainError::Shape { sequences: 5, derivatives: 4 }), "{error}");
        let refused = trainee.accumulate(&batch(), 0, &mut |_| Err(TrainError::NotFinite("loss")));
        assert!(matches!(refused, Err(TrainError::NotFinite("loss"))));
        assert!(matches!(trainee.apply(&rates(1e-3)), Err(TrainError::NothingAccumulated)));
        let mut unknown = TokenBatch::new();
        unknown.push(&[0, 40, 2], &[]);
        assert!(trainee.accumulate(&unknown, 0, &mut |_| Ok(vec![0.5])).is_err());
        // A gradient that is not finite changes nothing.
        let before = saved(&trainee);
        trainee.accumulate(&batch(), 0, &mut |_| Ok(vec![f32::NAN; 5])).unwrap();
        assert!(matches!(trainee.apply(&rates(1e-3)), Err(TrainError::NotFinite("gradient"))));
        assert_eq!(saved(&trainee), before);
    }
}

#[test]
fn parts_that_are_not_there_are_refused() {
    let low = lora().lora.unwrap();
    let with = |lora: Lora| Trained { lora: Some(lora), ..lora_none() };
    for device in ENGINES {
        for (trained, says) in [
            (Trained { frozen_layers: 3, ..Trained::default() }, "3 frozen layers of 2"),
            (Trained { embeddings: true, ..lora() }, "freeze them"),
            (with(Lora { targets: vec![], ..low.clone() }), "needs a target"),
            (with(Lora { rank: 0, ..low.clone() }), "rank of at least 1"),
            (with(Lora { alpha: 0.0, ..low.clone() }), "not above 0"),
        ] {
            let error = Trainee::new(model(device), &trained).err().unwrap().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}

fn lora_none() -> Trained {
    Trained { lora: None, ..lora() }
}

#[test]
fn what_is_computed_again_is_the_same() {
    for device in [DeviceSpec::Cpu, DeviceSpec::Flex] {
        let [kept, again] = [false, true].map(|recompute| {
            let trained = Trained { recompute, ..Trained::default() };
            let mut trainee = Trainee::new(model(device), &trained).unwrap();
            learn(&mut trainee, 0..3);
            saved(&trainee)
        });
        assert!(kept == again, "{device}");
    }
}

/// The kernels estimate; it grows with tokens, and shrinks with what is frozen.
#[test]
fn memory_grows_with_what_is_kept() {
    let memory = |trained: &Trained, lengths: &[usize]| {
        let trainee = Trainee::new(model(DeviceSpec::Cpu), trained).unwrap();
        trainee.memory(lengths).unwrap()
    };
    let all = Trained::default();
    let parameters = 4 * model(DeviceSpec::Cpu).parameters() as u64;
    assert!(memory(&all, &[]) >= 4 * parameters);
    assert!(memory(&all, &[10, 10]) > memory(&all, &[10]));
    assert!(memory(&lora(), &[10]) < memory(&all, &[10]));
    assert!(trainee(DeviceSpec::Flex).memory(&[10]).is_none());
}

fn narrow(trained: Trained) -> Trained {
    Trained { compute: Compute::Bf16, ..trained }
}

/// bf16 keeps 8 bits: a logit of about 1 is some hundredths off, and so is a loss. The curves must fall
/// together all the same.
#[test]
fn losses_in_bf16_fall_as_in_f32() {
    for trained in [Trained::default(), lora()] {
        let curve = |trained: &Trained| {
            let mut trainee = Trainee::new(model(DeviceSpec::Flex), trained).unwrap();
            learn(&mut trainee, 0..60)
        };
        let (wide, narrow) = (curve(&trained), curve(&narrow(trained.clone())));
        let off = wide.iter().zip(&narrow).map(|(a, b)| (a - b).abs() / (a + 0.5));
        let worst = off.fold(0.0, f64::max);
        println!("bf16 is {worst} off f32; {} to {} and {}", wide[0], wide[59], narrow[59]);
        assert!(worst <= 0.05, "{worst}: {wide:?} {narrow:?}");
        assert!(wide != narrow, "nothing was computed in bf16");
        assert!(narrow[59] < 0.6 * narrow[0], "{narrow:?}");
    }
}

/// Gradients point where f32's do, those of norms, embeddings and the head included.
#[test]
fn gradients_in_bf16_are_near_those_in_f32() {
    let gradients = |trained: &Trained| {
        let mut trainee = Trainee::new(model(DeviceSpec::Flex), trained).unwrap();
        trainee.accumulate(&batch(), 0, &mut |logits| Ok(derivatives(logits, 1.0))).unwrap();
        trainee.gradients_for_tests()
    };
    let (wide, narrow) = (gradients(&Trained::default()), gradients(&narrow(Trained::default())));
    assert_eq!(wide.len(), narrow.len());
    let norm = |values: &[f32]| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
    let whole = wide.iter().map(|(_, values)| norm(values).powi(2)).sum::<f64>().sqrt();
    for ((name, wide), (_, narrow)) in wide.iter().zip(&narrow) {
        let off: Vec<f32> = wide.iter().zip(narrow).map(|(a, b)| a - b).collect();
        let (off, size) = (norm(&off), norm(wide));
        assert!(off <= 0.06 * size + 0.01 * whole, "{name}: {off} of {size}, {whole} in all");
    }
}

/// Steps far below a weight's bf16 rounding add up, as they are made on f32 weights.
#[test]
fn weights_stay_f32_where_bf16_computes() {
    let fresh = || Trainee::new(model(DeviceSpec::Flex), &narrow(Trained::default())).unwrap();
    let mut trainee = fresh();
    let before = trainee.weights_for_tests();
    let tiny = Rates { weight_decay: 0.0, ..rates(1e-6) };
    for seed in 0..10 {
        trainee.accumulate(&batch(), seed, &mut |logits| Ok(derivatives(logits, 1.0))).unwrap();
        trainee.apply(&tiny).unwrap();
    }
    let after = trainee.weights_for_tests();
    let is_bf16 = |value: f32| value.to_bits() & 0xffff == 0;
    let (mut moved, mut fine, mut all) = (0, 0, 0);
    for ((_, before), (_, after)) in before.iter().zip(&after) {
        for (before, after) in before.iter().zip(after) {
            all += 1;
            moved += usize::from(before != after && (before - after).abs() < 2e-5);
            fine += usize::from(!is_bf16(*after));
        }
    }
    assert!(moved > all / 2 && fine > all / 2, "{moved} moved and {fine} fine of {all}");
}

#[test]
fn going_on_in_bf16_is_never_having_stopped() {
    for trained in [narrow(Trained::default()), narrow(lora())] {
        let fresh = || Trainee::new(model(DeviceSpec::Flex), &trained).unwrap();
        let (mut whole, mut first, mut second) = (fresh(), fresh(), fresh());
        let losses = learn(&mut whole, 0..6);
        learn(&mut first, 0..3);
        let folder = tempfile::tempdir().unwrap();
        first.save_state(folder.path()).unwrap();
        second.load_state(folder.path()).unwrap();
        assert_eq!(learn(&mut second, 3..6), losses[3..]);
        assert_eq!(saved(&second), saved(&whole), "{trained:?}");
        // A state of another format is another run's.
        let wide = Trained { compute: Compute::F32, ..trained.clone() };
        let mut wide = Trainee::new(model(DeviceSpec::Flex), &wide).unwrap();
        assert!(wide.load_state(folder.path()).is_err());
    }
}

#[test]
fn devices_without_bf16_say_what_to_do() {
    let refused = Trainee::new(model(DeviceSpec::Cpu), &narrow(Trained::default())).err().unwrap();
    assert!(matches!(refused, TrainError::Compute { .. }), "{refused}");
    let text = refused.to_string();
    for part in ["cpu trains in f32 only", "bf16", "--device cuda", "training.compute"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(Trainee::takes(DeviceSpec::NdArray, Compute::Bf16).is_err());
    assert!(Trainee::takes(DeviceSpec::Flex, Compute::Bf16).is_ok());
    assert!(Trainee::takes(DeviceSpec::Cpu, Compute::F32).is_ok());
}
