//! Against the padded path of [`Model`], which the parity tests hold against transformers.

use secondpass_text::{Scorer, TokenBatch};

use super::Ragged;
use super::attend::Ways;
use crate::{DeviceSpec, Dtype, Initialization, Model, ModelConfig};

fn model(model_type: &str, layers: usize) -> Model {
    let json = serde_json::json!({
        "model_type": model_type, "hidden_size": 16, "num_hidden_layers": layers,
        "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 40,
        "max_position_embeddings": 40, "type_vocab_size": 2, "layer_norm_eps": 1e-5,
        "hidden_act": "gelu", "pad_token_id": 1, "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0
    });
    let config = ModelConfig::from_bytes(json.to_string().as_bytes(), "test").unwrap();
    Model::random(config, 3, Initialization::Normal(0.3), DeviceSpec::Flex).unwrap()
}

fn batch(lengths: &[usize]) -> TokenBatch {
    let mut batch = TokenBatch::new();
    for (number, &length) in lengths.iter().enumerate() {
        let ids: Vec<u32> =
            (0..length).map(|token| (2 + (token * 7 + number) % 37) as u32).collect();
        let types: Vec<u32> = (0..length).map(|token| u32::from(token > length / 2)).collect();
        batch.push(&ids, &types);
    }
    batch
}

#[test]
fn scores_are_the_padded_paths() {
    for model_type in ["xlm-roberta", "roberta", "bert"] {
        for layers in [1, 3] {
            let model = model(model_type, layers);
            let ragged = Ragged::new(model.clone());
            // One group without padding, one with, several, an empty sequence, one token.
            for lengths in
                [&[9, 9, 9][..], &[9, 8, 8], &[30, 29, 12, 11, 3, 3, 1], &[5, 0, 17], &[1], &[33]]
            {
                let batch = batch(lengths);
                let expected = model.score(std::slice::from_ref(&batch)).unwrap();
                let found = ragged.score(&[batch]).unwrap();
                let far = expected.iter().zip(&found).map(|(a, b)| (a - b).abs());
                let worst = far.fold(0.0, f32::max);
                assert!(worst < 1e-5, "{model_type} {layers} {lengths:?}: {worst}");
                assert_eq!(found.len(), lengths.len());
            }
        }
    }
}

#[test]
fn what_the_model_does_not_take_is_refused() {
    let ragged = Ragged::new(model("xlm-roberta", 2));
    assert!(ragged.score(&[batch(&[60])]).is_err());
    let mut unknown = TokenBatch::new();
    unknown.push(&[0, 99, 2], &[]);
    assert!(ragged.score(&[unknown]).is_err());
}

/// What a card is given, on flex: lengths rounded up, groups cut small, attention in f16's kernel, and the
/// last layer's single queries apart.
#[test]
fn a_cards_ways_give_the_same_scores() {
    let lengths: [&[usize]; 5] =
        [&[9, 9, 9], &[30, 29, 12, 11, 3, 3, 1], &[5, 0, 17], &[1], &[33, 33, 33, 33]];
    for layers in [1, 3] {
        let model = model("xlm-roberta", layers);
        let plain = Ragged::new(model.clone());
        for (multiple, most_scores) in [(64, u64::MAX), (8, 700), (64, 1)] {
            for f16_kernel in [false, true] {
                let ways = Ways { multiple, most_scores, f16_kernel };
                let other = Ragged::with(model.clone(), ways);
                // The detour rounds queries, keys, values, contexts and what is made of them to 11 bits;
                // nothing else rounds.
                let tolerance = if f16_kernel { 1e-2 } else { 1e-5 };
                for lengths in lengths {
                    let batches = [batch(lengths), batch(&[4, 7])];
                    let expected = plain.score(&batches).unwrap();
                    let found = other.one_after_another(&batches).unwrap();
                    assert_eq!(found.len(), expected.len());
                    let far = expected.iter().zip(&found).map(|(a, b)| (a - b).abs());
                    let worst = far.fold(0.0, f32::max);
                    assert!(worst <= tolerance, "{ways:?} {lengths:?}: {worst}");
                    let is_plain = !f16_kernel || worst > 0.0;
                    assert!(is_plain, "{ways:?} {lengths:?}: the detour was not taken");
                }
            }
        }
    }
}

#[test]
fn ways_are_the_devices() {
    let narrow = Ways::of(DeviceSpec::Cuda(0), Dtype::Bf16);
    assert_eq!(narrow, Ways::of(DeviceSpec::Cuda(1), Dtype::F16));
    assert_eq!((narrow.rounded(1), narrow.rounded(64), narrow.rounded(65)), (64, 64, 128));
    let wide = Ways::of(DeviceSpec::Cuda(0), Dtype::F32);
    assert_eq!((wide.rounded(65), wide.f16_kernel), (65, false));
    assert!(wide.most_scores < u64::MAX);
    let flex = Ways::of(DeviceSpec::Flex, Dtype::Bf16);
    assert_eq!((flex.rounded(65), flex.most_scores, flex.f16_kernel), (65, u64::MAX, false));
}
