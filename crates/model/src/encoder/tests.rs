//! Parity with transformers: vectors made by `tests/golden/embeddings/make.py`.

use std::path::{Path, PathBuf};

use secondpass_text::{Embedder, TokenBatch};
use serde::Deserialize;

use super::{Encoder, Pooling};
use crate::{DeviceSpec, Dtype};

/// Absolute, on vectors whose numbers are of about unit size.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Golden {
    sequences: Vec<Sequence>,
}

#[derive(Deserialize)]
struct Sequence {
    ids: Vec<u32>,
    type_ids: Vec<u32>,
    mean: Vec<f32>,
    cls: Vec<f32>,
}

impl Sequence {
    fn expected(&self, pooling: Pooling) -> &[f32] {
        match pooling {
            Pooling::Mean => &self.mean,
            Pooling::Cls => &self.cls,
        }
    }
}

fn golden(name: &str) -> Golden {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/embeddings");
    let text = std::fs::read_to_string(root.join(name).with_added_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn encoder(folder: &Path, pooling: Pooling, device: DeviceSpec) -> Encoder {
    let mut weights: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    weights.sort();
    Encoder::load(&folder.join("config.json"), &weights, device, Dtype::F32, pooling).unwrap()
}

fn batches(golden: &Golden) -> [Vec<TokenBatch>; 2] {
    let batch = |sequences: &[&Sequence]| {
        let mut batch = TokenBatch::new();
        sequences.iter().for_each(|sequence| batch.push(&sequence.ids, &sequence.type_ids));
        batch
    };
    let all: Vec<&Sequence> = golden.sequences.iter().collect();
    [vec![batch(&all)], all.iter().map(|&one| batch(&[one])).collect()]
}

/// How far the vectors are off at most, padded together and one by one.
fn error(encoder: &Encoder, golden: &Golden) -> f32 {
    let mut worst = 0.0_f32;
    for batches in batches(golden) {
        let vectors = encoder.embed(&batches).unwrap();
        assert_eq!(vectors.len(), golden.sequences.len());
        for (vector, sequence) in vectors.iter().zip(&golden.sequences) {
            assert_eq!(vector.len(), encoder.dimensions());
            let expected = sequence.expected(encoder.pooling());
            assert!(!expected.is_empty());
            for (found, expected) in vector.iter().zip(expected) {
                let off = (found - expected).abs();
                worst = if off.is_nan() { f32::INFINITY } else { worst.max(off) };
            }
        }
    }
    worst
}

#[test]
fn vectors_equal_transformers_padded_and_one_by_one() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/models");
    let mut devices = vec![DeviceSpec::Cpu, DeviceSpec::Flex];
    if cfg!(feature = "ndarray") {
        devices.push(DeviceSpec::NdArray);
    }
    for device in devices {
        for name in ["xlm-roberta", "bert"] {
            let golden = golden(name);
            for pooling in [Pooling::Mean, Pooling::Cls] {
                let mut encoder = encoder(&models.join(name), pooling, device);
                let off = error(&encoder, &golden);
                assert!(off <= TOLERANCE, "{name}, {pooling}, {device}: {off}");
                // The other pooling is a fault that these goldens must see.
                encoder.pooling = match pooling {
                    Pooling::Mean => Pooling::Cls,
                    Pooling::Cls => Pooling::Mean,
                };
                let vectors = encoder.embed(&batches(&golden)[1]).unwrap();
                let mut fault = vectors.iter().zip(&golden.sequences);
                let seen = fault.any(|(vector, sequence)| {
                    let expected = sequence.expected(pooling);
                    vector.iter().zip(expected).any(|(a, b)| (a - b).abs() > 50.0 * TOLERANCE)
                });
                assert!(seen, "{name}: mean and first token cannot be told apart");
            }
        }
    }
}

/// The second encoder's folder is where the variable says, as it is nobody's to commit.
#[test]
fn real_encoders_equal_transformers() {
    let me5 = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/models/me5-small-enpt");
    let minilm = std::env::var_os("ALL_MINILM_L6_V2").map(PathBuf::from).unwrap_or_default();
    for (name, folder) in [("me5-small-enpt", me5), ("all-MiniLM-L6-v2", minilm)] {
        if !folder.is_dir() {
            println!("skipped: no ../shared, or no {name}");
            continue;
        }
        for pooling in [Pooling::Mean, Pooling::Cls] {
            for device in [DeviceSpec::Cpu, DeviceSpec::Flex] {
                let off = error(&encoder(&folder, pooling, device), &golden(name));
                assert!(off <= TOLERANCE, "{name}, {pooling}, {device}: {off}");
            }
        }
    }
}

#[test]
fn poolings_round_trip() {
    for name in ["mean", "cls"] {
        assert_eq!(name.parse::<Pooling>().unwrap().to_string(), name);
    }
    let error = "max".parse::<Pooling>().unwrap_err().to_string();
    assert!(error.contains("'max'") && error.contains("1_Pooling"), "{error}");
}
