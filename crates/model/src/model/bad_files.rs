//! Damaged and mismatched model files: an error that names what is wrong, never a panic.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use secondpass_text::{ScoreError, Scorer, TokenBatch};

use super::{LoadError, Model};
use crate::{DeviceSpec, Dtype, Head, WeightsError};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/models").join(name)
}

fn load(config: &Path, weights: &Path) -> Result<Model, LoadError> {
    let weights = [weights.to_owned()];
    Model::load(config, &weights, DeviceSpec::Flex, Dtype::F32, Head::FromFile)
}

fn weights_error(config: &Path, weights: &Path) -> WeightsError {
    match load(config, weights) {
        Err(LoadError::Weights(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// A copy of `config.json` with fields replaced, in a folder that lives as long as the guard.
fn changed_config(change: impl Fn(&mut serde_json::Value)) -> (tempfile::TempDir, PathBuf) {
    let text = std::fs::read_to_string(folder("xlm-roberta").join("config.json")).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    change(&mut json);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    std::fs::write(&path, json.to_string()).unwrap();
    (dir, path)
}

#[test]
fn a_missing_file_is_named() {
    let config = folder("xlm-roberta").join("config.json");
    let error = weights_error(&config, Path::new("nowhere/model.safetensors"));
    assert!(error.to_string().contains("nowhere"), "{error}");
    let error = load(Path::new("nowhere/config.json"), Path::new("x")).unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn truncated_files_are_refused() {
    let config = folder("xlm-roberta").join("config.json");
    let whole = std::fs::read(folder("xlm-roberta").join("model.safetensors")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    for length in [0, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = weights_error(&config, &path);
        assert!(matches!(error, WeightsError::Format { .. }), "{length}: {error}");
    }
}

/// Offsets that add up to more than any file: an error, not an overflow.
#[test]
fn boundless_headers_are_refused() {
    let config = folder("xlm-roberta").join("config.json");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    let most = usize::MAX / 8 * 8;
    let header =
        format!("{{\"x\":{{\"dtype\":\"U8\",\"shape\":[{most}],\"data_offsets\":[0,{most}]}}}}");
    for length in [header.len() as u64, u64::MAX, u64::MAX - 8] {
        let bytes = [&length.to_le_bytes()[..], header.as_bytes()].concat();
        std::fs::write(&path, bytes).unwrap();
        let error = weights_error(&config, &path);
        assert!(matches!(error, WeightsError::Format { .. }), "{length}: {error}");
    }
}

#[test]
fn wrong_shapes_say_both() {
    let (_guard, config) = changed_config(|json| json["intermediate_size"] = 48.into());
    let error = weights_error(&config, &folder("xlm-roberta").join("model.safetensors"));
    assert!(matches!(error, WeightsError::Shape { .. }), "{error}");
    assert!(error.to_string().contains("64") && error.to_string().contains("48"), "{error}");
}

#[test]
fn missing_and_unknown_tensors_are_named() {
    let weights = folder("xlm-roberta").join("model.safetensors");
    let layers = |change: i64| {
        changed_config(move |json| {
            let layers = json["num_hidden_layers"].as_i64().unwrap();
            json["num_hidden_layers"] = (layers + change).into();
        })
    };
    let (_guard, more) = layers(1);
    let error = weights_error(&more, &weights);
    assert!(matches!(error, WeightsError::Missing { .. }), "{error}");
    let (_guard, fewer) = layers(-1);
    let error = weights_error(&fewer, &weights);
    assert!(matches!(error, WeightsError::Unused { .. }), "{error}");
    assert!(error.to_string().contains("encoder.layer."), "{error}");
}

#[test]
fn a_headless_encoder_says_so() {
    let folder = folder("headless");
    let error = weights_error(&folder.join("config.json"), &folder.join("model.safetensors"));
    assert!(matches!(error, WeightsError::Headless { .. }), "{error}");
    let trained = Model::load(
        &folder.join("config.json"),
        &[folder.join("model.safetensors")],
        DeviceSpec::Flex,
        Dtype::F32,
        Head::New { seed: 1 },
    );
    assert!(trained.is_ok(), "{trained:?}");
}

#[test]
fn sequences_the_model_cannot_take_are_refused() {
    let folder = folder("bert");
    let model = load(&folder.join("config.json"), &folder.join("model.safetensors")).unwrap();
    let score = |ids: &[u32], types: &[u32]| {
        let mut batch = TokenBatch::new();
        batch.push(ids, types);
        model.score(&[batch]).unwrap_err()
    };
    assert!(matches!(score(&[5; 65], &[]), ScoreError::TooLong { length: 65, limit: 64 }));
    assert!(matches!(score(&[600], &[]), ScoreError::UnknownToken { id: 600, .. }));
    assert!(matches!(score(&[5], &[2]), ScoreError::UnknownType { id: 2, types: 2 }));
    assert!(model.score(&[TokenBatch::new()]).unwrap().is_empty());
}

#[test]
fn no_input_gives_nan() {
    let folder = folder("xlm-roberta");
    let model = load(&folder.join("config.json"), &folder.join("model.safetensors")).unwrap();
    let mut batch = TokenBatch::new();
    let pad = model.config().pad_token_id;
    for ids in [&[][..], &[pad], &[pad, pad, 5], &[0, 2, 2, 2], &[5; 64]] {
        batch.push(ids, &[]);
    }
    assert!(model.score(&[batch]).unwrap().iter().all(|logit| logit.is_finite()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn mutated_weights_never_panic(position in 0usize..20_000, byte: u8, cut in 0usize..200_000) {
        let folder = folder("xlm-roberta");
        let mut bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
        let position = position % bytes.len();
        bytes[position] = byte;
        bytes.truncate(bytes.len().min(cut.max(8)));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        std::fs::write(&path, bytes).unwrap();
        if let Ok(model) = load(&folder.join("config.json"), &path) {
            let mut batch = TokenBatch::new();
            batch.push(&[0, 5, 2, 2, 6, 2], &[]);
            let _ = model.score(&[batch]);
        }
    }

    #[test]
    fn mutated_configs_never_panic(
        field in prop::sample::select(&[
            "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
            "vocab_size", "max_position_embeddings", "type_vocab_size", "layer_norm_eps",
            "pad_token_id", "hidden_act", "hidden_dropout_prob", "id2label", "model_type",
        ][..]),
        value in prop::sample::select(&[
            "0", "-1", "1", "3", "1e30", "18446744073709551615", "null", "\"x\"", "[]", "{}",
        ][..]),
    ) {
        let (_guard, config) = changed_config(|json| {
            json[field] = serde_json::from_str(value).unwrap();
        });
        let weights = folder("xlm-roberta").join("model.safetensors");
        if let Ok(model) = load(&config, &weights) {
            let mut batch = TokenBatch::new();
            batch.push(&[0, 5, 2, 2, 6, 2], &[]);
            let _ = model.score(&[batch]);
        }
    }
}
