//! Parity with transformers: golden files of small random models and of a real encoder, made by
//! `tests/golden/models/make.py` and `tests/golden/encoder/make.py`. One body runs on each device;
//! planted faults prove that it can fail.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, Int, Tensor, TensorData};
use secondpass_kernels::{Instructions, Threads};
use secondpass_text::{PairTokenizer, Scorer, TokenBatch};
use serde::Deserialize;

use super::Model;
use crate::architecture::Network;
use crate::config::Activation;
use crate::padded::Padded;
use crate::weights::{Files, Kind, Parameters, Slot, write};
use crate::{DeviceSpec, Dtype, Engine, Head, ModelConfig, Packed};

/// Absolute, on logits that span at least 2 and on hidden states of about unit size.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
    hidden: BTreeMap<String, Hidden>,
    head: Option<GoldenHead>,
}

#[derive(Deserialize)]
struct Case {
    query: String,
    document: String,
    max_length: usize,
    truncation: String,
    ids: Vec<u32>,
    type_ids: Vec<u32>,
    logit: f32,
}

#[derive(Deserialize)]
struct Hidden {
    first_token: Vec<f32>,
    mean_abs: f32,
}

#[derive(Deserialize)]
struct GoldenHead {
    seed: u64,
    tensor_stride: u64,
    tensors: Vec<HeadTensor>,
    first: Vec<f32>,
}

#[derive(Deserialize)]
struct HeadTensor {
    name: String,
    scale: f64,
}

impl Golden {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// All sequences as the goldens hold them, in one batch.
    fn batch(&self) -> TokenBatch {
        let mut batch = TokenBatch::new();
        self.cases.iter().for_each(|case| batch.push(&case.ids, &case.type_ids));
        batch
    }

    /// Each sequence in a batch of its own.
    fn singles(&self) -> impl Iterator<Item = TokenBatch> + '_ {
        self.cases.iter().map(|case| {
            let mut batch = TokenBatch::new();
            batch.push(&case.ids, &case.type_ids);
            batch
        })
    }

    /// The farthest that logits are from the reference; infinite when their number differs.
    fn error(&self, logits: &[f32]) -> f32 {
        if logits.len() != self.cases.len() {
            return f32::INFINITY;
        }
        let errors = self.cases.iter().zip(logits).map(|(case, logit)| (case.logit - logit).abs());
        errors.fold(0.0, |worst, error| if error > worst || error.is_nan() { error } else { worst })
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn folder(name: &str) -> PathBuf {
    root().join("tests/golden/models").join(name)
}

fn weights(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    files.sort();
    files
}

/// A model on whatever computes for a device.
fn engine(name: &str, device: DeviceSpec) -> Engine {
    Engine::of(load(name, device)).unwrap()
}

fn load(name: &str, device: DeviceSpec) -> Model {
    load_in(name, device, Dtype::F32)
}

fn load_in(name: &str, device: DeviceSpec, dtype: Dtype) -> Model {
    let folder = folder(name);
    let config = folder.join("config.json");
    Model::load(&config, &weights(&folder), device, dtype, Head::FromFile).unwrap()
}

fn golden(name: &str) -> Golden {
    Golden::read(&folder(name).join("golden.json"))
}

fn devices() -> Vec<DeviceSpec> {
    let mut devices = vec![DeviceSpec::Cpu, DeviceSpec::Flex];
    if cfg!(feature = "ndarray") {
        devices.push(DeviceSpec::NdArray);
    }
    devices
}

const MODELS: [&str; 5] = ["xlm-roberta", "roberta", "bert", "xlm-roberta-f16", "xlm-roberta-bf16"];
const ARCHITECTURES: [&str; 3] = ["xlm-roberta", "roberta", "bert"];

#[test]
fn logits_equal_transformers_padded_and_one_by_one() {
    for device in devices() {
        for name in MODELS {
            let (model, golden) = (engine(name, device), golden(name));
            let spread = golden.cases.iter().map(|case| case.logit);
            let spread = spread.clone().fold(f32::MIN, f32::max) - spread.fold(f32::MAX, f32::min);
            assert!(spread >= 2.0, "{name}: logits span only {spread}");

            let together = model.score(&[golden.batch()]).unwrap();
            let error = golden.error(&together);
            assert!(error <= TOLERANCE, "{name} on {device}, one batch: {error}");

            let singles: Vec<TokenBatch> = golden.singles().collect();
            let alone = model.score(&singles).unwrap();
            let error = golden.error(&alone);
            assert!(error <= TOLERANCE, "{name} on {device}, one by one: {error}");
            let apart = together.iter().zip(&alone).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart <= TOLERANCE, "{name} on {device}: a batch is {apart} off its singles");
        }
    }
}

/// The formats that a card computes in, on flex, against the CPU's f32. A narrow format rounds weights and
/// activations to 11 or 8 bits, and nobody's logits are exact then: beside them stands how far those of
/// transformers 5.23 are off its own f32's, as a root of the mean square over these pairs, with PyTorch
/// 2.15's SDPA on a CPU.
const NARROW: [(&str, Dtype, f64); 6] = [
    ("xlm-roberta", Dtype::F16, 0.0048),
    ("xlm-roberta", Dtype::Bf16, 0.0476),
    ("roberta", Dtype::F16, 0.0132),
    ("roberta", Dtype::Bf16, 0.0587),
    ("bert", Dtype::F16, 0.0042),
    ("bert", Dtype::Bf16, 0.0405),
];
/// How much larger ours may be: these 32 pairs share their weights' rounding, and another order of sums
/// alone moves theirs so far.
const AS_LARGE: f64 = 1.5;

/// The root of the mean square of what two lists are apart.
fn apart(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
    (squares.sum::<f64>() / a.len() as f64).sqrt()
}

#[test]
fn narrow_formats_are_as_near_to_f32_as_transformers() {
    let mut far = Vec::new();
    for (name, dtype, theirs) in NARROW {
        let golden = golden(name);
        let expected = engine(name, DeviceSpec::Cpu).score(&[golden.batch()]).unwrap();
        let padded = load_in(name, DeviceSpec::Flex, dtype);
        assert_eq!(padded.dtype(), dtype);
        let ragged = Engine::of(padded.clone()).unwrap();
        for model in [&padded as &dyn Scorer, &ragged] {
            let ours = apart(&expected, &model.score(&[golden.batch()]).unwrap());
            let told = format!("{name}, {dtype}: {ours:.4}, transformers {theirs:.4}");
            println!("{told}");
            assert!(ours > 1e-4, "{told}: it is f32's error, not the format's");
            far.extend((ours > AS_LARGE * theirs).then_some(told));
        }
    }
    assert!(far.is_empty(), "{far:?}");
}

/// Norms and the head are f32 in every format, and all else is what was asked for.
#[test]
fn norms_and_the_head_are_f32_in_every_format() {
    for (name, head) in [("bert", 4), ("xlm-roberta", 4)] {
        let mut model = load_in(name, DeviceSpec::Flex, Dtype::Bf16);
        let (mut heads, mut norms) = (0, 0);
        model.network.visit("", &mut |name, slot| {
            let (kind, dtype) = match slot {
                Slot::Matrix(tensor, kind) => (kind, tensor.dtype()),
                Slot::Vector(tensor, kind) => (kind, tensor.dtype()),
            };
            let is_head = name.starts_with("classifier.") || name.contains(".pooler.");
            let is_norm = matches!(kind, Kind::Scale | Kind::Shift);
            (heads, norms) = (heads + usize::from(is_head), norms + usize::from(is_norm));
            let expected = if is_head || is_norm { DType::F32 } else { DType::BF16 };
            assert_eq!(dtype, expected, "{name}");
        });
        assert_eq!((heads, norms), (head, 2 + 4 * model.config.num_hidden_layers));
    }
}

/// Activations of many hundreds, whose squares f16 does not hold, and then such as it does not hold
/// themselves.
#[test]
fn large_activations_give_no_nan() {
    let golden = golden("xlm-roberta");
    let enlarged = |factor: f32, device: DeviceSpec, dtype: Dtype| {
        let mut model = load("xlm-roberta", DeviceSpec::Flex);
        model.network.visit("", &mut |name, slot| {
            if let (true, Slot::Vector(bias, _)) = (name.ends_with("output.dense.bias"), slot) {
                let places = Tensor::<1, Int>::arange(0..bias.dims()[0] as i64, &bias.device());
                *bias = bias.clone() + places.float().sin() * factor;
            }
        });
        let folder = tempfile::tempdir().unwrap();
        write(&mut model.network, &model.config, folder.path(), false).unwrap();
        let weights = [folder.path().join("model.safetensors")];
        Engine::load(&folder.path().join("config.json"), &weights, device, dtype).unwrap()
    };
    let scores = |factor, device, dtype| enlarged(factor, device, dtype).score(&[golden.batch()]);
    let expected = scores(1e3, DeviceSpec::Cpu, Dtype::F32).unwrap();
    for (dtype, tolerance) in [(Dtype::F16, 2e-2), (Dtype::Bf16, 1e-1)] {
        let far = apart(&expected, &scores(1e3, DeviceSpec::Flex, dtype).unwrap());
        assert!(far <= tolerance, "{dtype}: {far}");
    }
    assert!(scores(1e5, DeviceSpec::Flex, Dtype::Bf16).unwrap().iter().all(|x| x.is_finite()));
    let beyond = scores(1e5, DeviceSpec::Flex, Dtype::F16).unwrap_err().to_string();
    assert!(beyond.contains("65504") && beyond.contains("--dtype bf16"), "{beyond}");
}

/// Each set of instructions forced, on one thread and on two, in one batch and one by one.
#[test]
fn logits_equal_transformers_on_every_path_without_padding() {
    let sets = Instructions::available();
    if !sets.iter().any(|set| set.name() == "avx512") {
        eprintln!("skipped: no avx512 on this processor");
    }
    for name in MODELS {
        let golden = golden(name);
        let singles: Vec<TokenBatch> = golden.singles().collect();
        let mut first: Option<Vec<f32>> = None;
        for (instructions, threads) in sets.iter().flat_map(|set| [(*set, 1), (*set, 2)]) {
            let path = format!("{name}, {instructions:?}, {threads} threads");
            let threads = Threads::new(NonZeroUsize::new(threads).unwrap()).unwrap();
            let model = load(name, DeviceSpec::Flex);
            let model = Packed::with(model, instructions, threads).unwrap();
            let together = model.score(&[golden.batch()]).unwrap();
            let error = golden.error(&together);
            assert!(error <= TOLERANCE, "{path}, one batch: {error}");
            assert_eq!(model.score(&singles).unwrap(), together, "{path}, one by one");
            let first = first.get_or_insert_with(|| together.clone());
            let apart = first.iter().zip(&together).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart <= TOLERANCE, "{path}: {apart} off the first path");
        }
    }
}

#[test]
fn hidden_states_equal_transformers() {
    for device in devices() {
        for name in ARCHITECTURES {
            let (model, golden) = (load(name, device), golden(name));
            assert!(!golden.hidden.is_empty());
            check_hidden(&model, &golden, name);
        }
    }
}

fn check_hidden(model: &Model, golden: &Golden, name: &str) {
    for (index, hidden) in &golden.hidden {
        let case = &golden.cases[index.parse::<usize>().unwrap()];
        let mut batch = TokenBatch::new();
        batch.push(&case.ids, &case.type_ids);
        let padded = Padded::new(&batch, &model.config, &model.device).unwrap();
        let encoded = model.network.encode(&padded);
        let [_, _, width] = encoded.dims();
        let values = encoded.try_into_vec_as::<f32>().unwrap();
        for (found, expected) in values[..width].iter().zip(&hidden.first_token) {
            let error = (found - expected).abs();
            assert!(error <= TOLERANCE, "{name}, case {index}: {found} for {expected}");
        }
        let mean = values.iter().map(|value| f64::from(value.abs())).sum::<f64>();
        let mean = mean / values.len() as f64;
        assert!((mean - f64::from(hidden.mean_abs)).abs() <= 1e-5, "{name}, case {index}: {mean}");
    }
}

#[test]
fn token_ids_equal_transformers() {
    for name in ARCHITECTURES {
        check_tokens(&golden(name), &folder(name).join("tokenizer.json"), name == "bert");
    }
}

fn check_tokens(golden: &Golden, tokenizer: &Path, types: bool) {
    for case in &golden.cases {
        let truncation = case.truncation.parse().unwrap();
        let tokenizer = PairTokenizer::from_file(tokenizer, case.max_length, truncation).unwrap();
        let pair = tokenizer.encode(&case.query, &[&case.document]).unwrap().remove(0);
        assert_eq!(pair.ids, case.ids, "{:?} / {:?}", case.query, case.document);
        if types {
            assert_eq!(pair.type_ids, case.type_ids, "{:?} / {:?}", case.query, case.document);
        }
    }
}

#[test]
fn shards_are_one_model() {
    let model = load("xlm-roberta-sharded", DeviceSpec::Flex);
    let golden = golden("xlm-roberta");
    assert!(weights(&folder("xlm-roberta-sharded")).len() > 1);
    assert!(golden.error(&model.score(&[golden.batch()]).unwrap()) <= TOLERANCE);
}

#[test]
fn narrow_weights_are_upcast_exactly() {
    for (name, narrow) in [("xlm-roberta-f16", Dtype::F16), ("xlm-roberta-bf16", Dtype::Bf16)] {
        let mut model = load(name, DeviceSpec::Flex);
        let bytes = std::fs::read(folder(name).join("model.safetensors")).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut compared = 0;
        model.network.visit("", &mut |name, slot| {
            let loaded = match slot {
                Slot::Vector(tensor, _) => tensor.clone().try_into_vec_as::<f32>(),
                Slot::Matrix(tensor, Kind::Projection) => {
                    tensor.clone().transpose().try_into_vec_as::<f32>()
                }
                Slot::Matrix(tensor, _) => tensor.clone().try_into_vec_as::<f32>(),
            };
            let stored = file.tensor(&name).unwrap();
            let stored = stored.data().chunks_exact(2).map(|b| match narrow {
                Dtype::F16 => half::f16::from_le_bytes([b[0], b[1]]).to_f32(),
                _ => half::bf16::from_le_bytes([b[0], b[1]]).to_f32(),
            });
            assert!(stored.eq(loaded.unwrap()), "{name}");
            compared += 1;
        });
        assert!(compared > 10);
    }
}

/// The model with its config changed by a planted fault.
fn with_config(name: &str, change: impl Fn(&mut ModelConfig)) -> Model {
    let folder = folder(name);
    let mut config = ModelConfig::from_file(&folder.join("config.json")).unwrap();
    change(&mut config);
    let device = DeviceSpec::Flex.open(Dtype::F32).unwrap();
    let files = Files::open(&weights(&folder), device.clone(), Dtype::F32).unwrap();
    Model::from_files(files, config, device, DeviceSpec::Flex, Dtype::F32, Head::FromFile).unwrap()
}

/// Logits of the golden batch after a planted fault in how it is laid out.
fn with_layout(model: &Model, golden: &Golden, change: impl Fn(&mut Padded)) -> Vec<f32> {
    let mut padded = Padded::new(&golden.batch(), &model.config, &model.device).unwrap();
    change(&mut padded);
    model.network.head(model.network.encode(&padded)).try_into_vec_as::<f32>().unwrap()
}

/// A fault must be plainly outside the tolerance, not just outside.
#[track_caller]
fn assert_seen(golden: &Golden, logits: &[f32], fault: &str, name: &str) {
    let error = golden.error(logits);
    assert!(error > 50.0 * TOLERANCE, "{name}: {fault} moves logits by {error} only");
}

#[test]
fn fault_epsilon_is_seen() {
    for name in ARCHITECTURES {
        for epsilon in [1e-5, 1e-12] {
            let golden = golden(name);
            let model = with_config(name, |config| config.layer_norm_eps = epsilon);
            let logits = model.score(&[golden.batch()]).unwrap();
            assert_seen(&golden, &logits, "epsilon", name);
        }
    }
}

#[test]
fn fault_tanh_gelu_is_seen() {
    for name in ARCHITECTURES {
        let golden = golden(name);
        let model = with_config(name, |config| config.hidden_act = Activation::GeluTanh);
        assert_seen(&golden, &model.score(&[golden.batch()]).unwrap(), "tanh GELU", name);
    }
}

#[test]
fn fault_position_offset_is_seen() {
    for name in ARCHITECTURES {
        let (model, golden) = (load(name, DeviceSpec::Flex), golden(name));
        let last = (model.config.max_position_embeddings - 1) as i64;
        let logits = with_layout(&model, &golden, |padded| {
            let shifted = (padded.positions.clone() + 1).clamp(0, last);
            padded.positions = shifted;
        });
        assert_seen(&golden, &logits, "position offset", name);
    }
}

#[test]
fn fault_token_type_is_seen() {
    let (model, golden_bert) = (load("bert", DeviceSpec::Flex), golden("bert"));
    let logits = with_layout(&model, &golden_bert, |padded| {
        padded.types = padded.types.zeros_like();
    });
    assert_seen(&golden_bert, &logits, "token types all 0", "bert");
    for name in ["xlm-roberta", "roberta"] {
        let mut model = load(name, DeviceSpec::Flex);
        model.network.visit("", &mut |name, slot| {
            if let (true, Slot::Matrix(table, _)) = (name.contains("token_type"), slot) {
                *table = table.zeros_like();
            }
        });
        let golden = golden(name);
        assert_seen(&golden, &model.score(&[golden.batch()]).unwrap(), "no token type", name);
    }
}

#[test]
fn fault_attention_mask_is_seen() {
    for name in ARCHITECTURES {
        let (model, golden) = (load(name, DeviceSpec::Flex), golden(name));
        let logits = with_layout(&model, &golden, |padded| {
            assert!(padded.padding.take().is_some());
        });
        assert_seen(&golden, &logits, "no attention mask", name);
    }
}

#[test]
fn fault_head_order_is_seen() {
    for name in ARCHITECTURES {
        let (model, golden) = (load(name, DeviceSpec::Flex), golden(name));
        let padded = Padded::new(&golden.batch(), &model.config, &model.device).unwrap();
        let first = model.network.encode(&padded).narrow(1, 0, 1).squeeze_dim::<2>(1);
        let logits = match &model.network {
            Network::XlmRoberta(network) | Network::Roberta(network) => {
                network.head.out_proj.forward(network.head.dense.forward(first.tanh()))
            }
            Network::Bert(network) => {
                network.classifier.forward(network.pooler.forward(first.tanh()))
            }
        };
        let logits = logits.squeeze_dim::<1>(1).try_into_vec_as::<f32>().unwrap();
        assert_seen(&golden, &logits, "tanh before dense", name);
    }
}

#[test]
fn the_real_encoder_equals_transformers() {
    let shared = root().join("../shared/models/me5-small-enpt");
    if !shared.exists() {
        println!("skipped: no ../shared");
        return;
    }
    let golden = Golden::read(&root().join("tests/golden/encoder/me5-small-enpt.json"));
    check_tokens(&golden, &shared.join("tokenizer.json"), false);
    for device in devices() {
        let config = shared.join("config.json");
        let head = Head::New { seed: 0 };
        let mut model = Model::load(&config, &weights(&shared), device, Dtype::F32, head).unwrap();
        set_head(&mut model, golden.head.as_ref().unwrap());
        check_hidden(&model, &golden, "me5-small-enpt");
        let model = Engine::of(model).unwrap();
        let lengths: Vec<usize> = golden.cases.iter().map(|case| case.ids.len()).collect();
        let mut logits = vec![f32::NAN; lengths.len()];
        for indexes in secondpass_text::plan(&lengths, 2048) {
            let mut batch = TokenBatch::new();
            indexes.iter().for_each(|&i| batch.push(&golden.cases[i].ids, &[]));
            let scores = model.score(&[batch]).unwrap();
            indexes.iter().zip(scores).for_each(|(&i, score)| logits[i] = score);
        }
        let error = golden.error(&logits);
        assert!(error <= TOLERANCE, "me5-small-enpt on {device}: {error}");
    }
}

/// Replaces the head by the goldens' formula, which their `head.note` spells out.
fn set_head(model: &mut Model, head: &GoldenHead) {
    let value = |tensor: usize, element: usize| {
        let stride = head.tensor_stride.wrapping_mul(tensor as u64);
        let x = splitmix64(head.seed.wrapping_add(stride).wrapping_add(element as u64));
        let unit = (x >> 40) as f64 / (1u64 << 24) as f64 - 0.5;
        (unit * head.tensors[tensor].scale) as f32
    };
    for (tensor, first) in head.first.iter().enumerate() {
        assert_eq!(value(tensor, 0), *first);
    }
    let device = model.device.clone();
    let mut replaced = 0;
    model.network.visit("", &mut |name, slot| {
        let Some(tensor) = head.tensors.iter().position(|known| known.name == name) else { return };
        replaced += 1;
        match slot {
            Slot::Matrix(weight, _) => {
                let [input, output] = weight.dims();
                let values: Vec<f32> = (0..input * output).map(|i| value(tensor, i)).collect();
                let stored = TensorData::new(values, [output, input]);
                *weight = Tensor::<2>::from_data(stored, &device).transpose();
            }
            Slot::Vector(bias, _) => {
                let [length] = bias.dims();
                let values: Vec<f32> = (0..length).map(|i| value(tensor, i)).collect();
                *bias = Tensor::from_data(TensorData::new(values, [length]), &device);
            }
        }
    });
    assert_eq!(replaced, head.tensors.len());
}

fn splitmix64(state: u64) -> u64 {
    let z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
