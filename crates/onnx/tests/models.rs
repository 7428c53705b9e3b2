//! The golden models through a real runtime: skipped where this machine has none.

#![allow(clippy::unwrap_used)]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use secondpass_onnx::{Library, OnnxModel};
use secondpass_text::{ScoreError, Scorer, TokenBatch};
use serde_json::Value;

/// Absolute, on logits that span more than 6.
const TOLERANCE: f32 = 1e-4;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name)
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(golden(name)).unwrap()).unwrap()
}

/// The runtime that the program would find, or the one of some Python.
fn library() -> Option<Library> {
    if let Ok(library) = Library::find() {
        return Some(library);
    }
    let script = "import glob, onnxruntime, os\n\
        print(glob.glob(os.path.dirname(onnxruntime.__file__) + '/capi/libonnxruntime.*')[0])";
    let output = Command::new("python3").args(["-c", script]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    Library::at(Path::new(path.trim())).ok()
}

fn load(config: &str, file: &str, threads: usize) -> Option<Result<OnnxModel, String>> {
    let Some(library) = library() else {
        eprintln!("skipped: no ONNX Runtime library");
        return None;
    };
    let config = golden(&format!("models/{config}/config.json"));
    let file = golden(&format!("onnx/{file}"));
    let threads = NonZeroUsize::new(threads).unwrap();
    Some(OnnxModel::load(&library, &config, &file, threads).map_err(|error| error.to_string()))
}

struct Cases {
    batch: TokenBatch,
    logits: Vec<f32>,
}

fn cases(name: &str) -> Cases {
    let golden = json(&format!("models/{name}/golden.json"));
    let numbers = |value: &Value| -> Vec<u32> {
        value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
    };
    let (mut batch, mut logits) = (TokenBatch::new(), Vec::new());
    for case in golden["cases"].as_array().unwrap() {
        batch.push(&numbers(&case["ids"]), &numbers(&case["type_ids"]));
        logits.push(case["logit"].as_f64().unwrap() as f32);
    }
    Cases { batch, logits }
}

fn worst(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let errors = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
    errors.fold(0.0, f32::max)
}

#[test]
fn logits_are_those_of_transformers_in_a_batch_and_alone() {
    for (name, file) in [("bert", "bert.onnx"), ("xlm-roberta-f16", "xlm-roberta-f16.onnx")] {
        let Cases { batch, logits } = cases(name);
        for threads in [1, 2] {
            let Some(model) = load(name, file, threads) else { return };
            let model = model.unwrap();
            let padded = model.score(std::slice::from_ref(&batch)).unwrap();
            assert!(worst(&padded, &logits) < TOLERANCE, "{file}: {}", worst(&padded, &logits));
            let singles = model.score(&batch.split(batch.len())).unwrap();
            assert!(worst(&singles, &logits) < TOLERANCE, "{file}: {}", worst(&singles, &logits));
        }
    }
}

/// The planted faults: what a wrong type, id or order would do shows.
#[test]
fn a_fault_is_noticed() {
    let Some(model) = load("bert", "bert.onnx", 1) else { return };
    let (model, Cases { batch, logits }) = (model.unwrap(), cases("bert"));
    let (mut untyped, mut reversed) = (TokenBatch::new(), TokenBatch::new());
    for (ids, types) in batch.sequences() {
        untyped.push(ids, &[]);
        let ids: Vec<u32> = ids.iter().rev().copied().collect();
        reversed.push(&ids, types);
    }
    for fault in [untyped, reversed] {
        assert!(worst(&model.score(&[fault]).unwrap(), &logits) > 100.0 * TOLERANCE);
    }
}

#[test]
fn a_quantized_model_scores_each_pair_alone() {
    let Some(model) = load("bert", "bert-int8.onnx", 2) else { return };
    let model = model.unwrap();
    assert!(model.graph().quantizes_batches && model.graph().dtype == "int8");
    let Cases { batch, logits } = cases("bert");
    let expected: Vec<f32> = json("onnx/bert-int8.json")["logits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|logit| logit.as_f64().unwrap() as f32)
        .collect();
    let scores = model.score(std::slice::from_ref(&batch)).unwrap();
    // Whole numbers are summed exactly; only where a value lies between two of them may machines differ.
    assert!(worst(&scores, &expected) < 5e-2, "{}", worst(&scores, &expected));
    assert_eq!(scores, model.score(&batch.split(batch.len())).unwrap());
    let moved = worst(&scores, &logits);
    assert!(moved > TOLERANCE && moved < 0.6, "{moved}");
}

#[test]
fn other_graphs_are_refused_with_advice() {
    for (file, message) in [
        ("two-classes.onnx", "has 2 values a pair, and a reranker has one"),
        ("unknown-input.onnx", "its input 'position_ids' is not known here"),
        ("external.onnx", "cannot load it"),
    ] {
        let Some(model) = load("bert", file, 1) else { return };
        let error = model.unwrap_err();
        assert!(error.contains(message) && error.contains("export"), "{file}: {error}");
    }
}

#[test]
fn one_value_a_pair_may_come_in_either_shape() {
    let Some(model) = load("bert", "flat.onnx", 1) else { return };
    let mut batch = TokenBatch::new();
    batch.push(&[1, 2], &[]);
    batch.push(&[], &[]);
    assert_eq!(model.unwrap().score(&[batch, TokenBatch::new()]).unwrap(), [0.5, 0.5]);
}

#[test]
fn sequences_that_the_model_cannot_take_are_told() {
    let Some(model) = load("bert", "bert.onnx", 1) else { return };
    let model = model.unwrap();
    let scored = |ids: &[u32]| {
        let mut batch = TokenBatch::new();
        batch.push(ids, &[]);
        model.score(&[batch])
    };
    assert!(scored(&[1; 64]).is_ok());
    assert!(matches!(scored(&[1; 65]), Err(ScoreError::TooLong { length: 65, limit: 64 })));
    assert!(matches!(scored(&[600]), Err(ScoreError::UnknownToken { id: 600, vocabulary: 600 })));
}
