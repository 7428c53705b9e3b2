//! What [`super`] promises beyond the parity that every device is held to.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use secondpass_kernels::{Instructions, Threads};
use secondpass_text::{ScoreError, Scorer, TokenBatch};

use super::{PackError, Packed};
use crate::{DeviceSpec, Dtype, Engine, Head, Initialization, Model, ModelConfig};

/// Absolute, between our kernels and burn, on logits of about unit size.
const TOLERANCE: f32 = 1e-4;

fn model(name: &str) -> Model {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/models").join(name);
    let weights: Vec<PathBuf> = vec![folder.join("model.safetensors")];
    let config = folder.join("config.json");
    Model::load(&config, &weights, DeviceSpec::Flex, Dtype::F32, Head::FromFile).unwrap()
}

fn packed(name: &str, instructions: Instructions, threads: usize) -> Packed {
    let threads = Threads::new(NonZeroUsize::new(threads).unwrap()).unwrap();
    Packed::with(model(name), instructions, threads).unwrap()
}

/// Sequences of these lengths, whose tokens and types a generator draws.
fn batch(lengths: &[usize], config: &ModelConfig) -> TokenBatch {
    let mut state = 7_u32;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below as u32
    };
    let mut batch = TokenBatch::new();
    for &length in lengths {
        let ids: Vec<u32> = (0..length).map(|_| draw(config.vocab_size)).collect();
        let types: Vec<u32> = (0..length).map(|_| draw(config.type_vocab_size)).collect();
        batch.push(&ids, &types);
    }
    batch
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |worst, off| match off.is_nan() {
        true => f32::INFINITY,
        false => worst.max(off),
    })
}

#[test]
fn every_instruction_set_and_any_number_of_threads_give_the_same_logits() {
    for name in ["xlm-roberta", "roberta", "bert"] {
        let burn = model(name);
        let batch = batch(&[1, 30, 7, 64, 2, 33], burn.config());
        let expected = burn.score(std::slice::from_ref(&batch)).unwrap();
        for instructions in Instructions::available() {
            let one = packed(name, instructions, 1).score(std::slice::from_ref(&batch)).unwrap();
            let off = furthest(&one, &expected);
            assert!(off <= TOLERANCE, "{name}, {}: {off}", instructions.name());
            for threads in [2, 3] {
                let many = packed(name, instructions, threads);
                let many = many.score(std::slice::from_ref(&batch)).unwrap();
                assert_eq!(many, one, "{name}, {}, {threads} threads", instructions.name());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Empty sequences, padding tokens inside a text, single tokens: whatever burn makes of them.
    #[test]
    fn any_batch_scores_as_burn_scores_it(lengths in prop::collection::vec(0_usize..50, 1..9)) {
        for name in ["xlm-roberta", "bert"] {
            let burn = model(name);
            let batch = batch(&lengths, burn.config());
            let expected = burn.score(std::slice::from_ref(&batch)).unwrap();
            let packed = Packed::new(burn).unwrap();
            let found = packed.score(std::slice::from_ref(&batch)).unwrap();
            prop_assert!(furthest(&found, &expected) <= TOLERANCE, "{name}: {found:?} {expected:?}");
            // Other sequences in a batch change nothing.
            for (place, &length) in lengths.iter().enumerate() {
                let mut alone = TokenBatch::new();
                let (ids, types) = batch.sequences().nth(place).unwrap();
                prop_assert_eq!(ids.len(), length);
                alone.push(ids, types);
                prop_assert_eq!(packed.score(&[alone]).unwrap()[0], found[place]);
            }
        }
    }
}

#[test]
fn what_the_model_has_no_place_for_is_an_error() {
    let packed = packed("bert", Instructions::detect(), 1);
    let config = packed.config().clone();
    let too_long = batch(&[config.max_length() + 1], &config);
    assert!(matches!(packed.score(&[too_long]), Err(ScoreError::TooLong { .. })));
    let mut unknown = TokenBatch::new();
    unknown.push(&[config.vocab_size as u32], &[0]);
    assert!(matches!(packed.score(&[unknown]), Err(ScoreError::UnknownToken { .. })));
    assert_eq!(packed.score(&[TokenBatch::new()]).unwrap(), Vec::<f32>::new());
}

#[test]
fn the_device_decides_what_computes() {
    let config = model("bert").config().clone();
    let random =
        |device| Model::random(config.clone(), 3, Initialization::Normal(0.2), device).unwrap();
    assert!(matches!(Engine::of(random(DeviceSpec::Cpu)), Ok(Engine::Packed(_))));
    assert!(matches!(Engine::of(random(DeviceSpec::Flex)), Ok(Engine::Burn(_))));
}

#[test]
fn other_number_formats_are_refused() {
    let error = PackError::Dtype(Dtype::Bf16).to_string();
    assert!(error.contains("bf16") && error.contains("--dtype f32"), "{error}");
}
