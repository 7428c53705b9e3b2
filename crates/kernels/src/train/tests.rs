//! Gradients against differences, dropout on; the same bits from any number of threads.

use std::num::NonZeroUsize;

use super::{Tokens, TrainingConfig, TrainingNetwork};
use crate::reference::Numbers;
use crate::{Activation, EncoderConfig, Instructions, Threads};

fn config(activation: Activation, dropout: f64) -> TrainingConfig {
    TrainingConfig {
        encoder: EncoderConfig {
            hidden: 24,
            heads: 3,
            intermediate: 40,
            layers: 3,
            epsilon: 1e-5,
            activation,
        },
        vocabulary: 30,
        positions: 70,
        types: 2,
        hidden_dropout: dropout,
        attention_dropout: dropout,
        head_dropout: dropout,
        drops_head_input: true,
    }
}

fn weights(config: &TrainingConfig) -> Vec<Vec<f32>> {
    let mut numbers = Numbers::new(11);
    let slots = config.slots();
    let draw = |(index, slot): (usize, &super::Slot)| {
        let [rows, width] = slot.shape;
        let mut values = numbers.take(rows * width, if index < 3 { 1.0 } else { 0.4 });
        // Scales of norms, which come after a bias or a table.
        let is_scale = index == 3
            || (5..slots.len() - 4).contains(&index) && {
                let place = (index - 5) % 16;
                place == 8 || place == 14
            };
        values.iter_mut().for_each(|value| *value += f32::from(u8::from(is_scale)));
        values
    };
    slots.iter().enumerate().map(draw).collect()
}

fn network(config: TrainingConfig, trained: &[bool], threads: usize) -> TrainingNetwork {
    let threads = Threads::new(NonZeroUsize::new(threads).unwrap()).unwrap();
    TrainingNetwork::new(config, weights(&config), trained, Instructions::detect(), threads)
        .unwrap()
}

struct Batch {
    ids: Vec<u32>,
    positions: Vec<u32>,
    types: Vec<u32>,
    offsets: Vec<usize>,
}

impl Batch {
    /// Sequences of these lengths, with a word that comes back often.
    fn new(lengths: &[usize]) -> Self {
        let mut batch = Self { ids: vec![], positions: vec![], types: vec![], offsets: vec![0] };
        for &length in lengths {
            for place in 0..length {
                let word = (place * 7 + length * 3) % 30;
                batch.ids.push(if place % 4 == 1 { 5 } else { word as u32 });
                batch.positions.push(place as u32);
                batch.types.push(u32::from(place > length / 2));
            }
            batch.offsets.push(batch.ids.len());
        }
        batch
    }

    fn tokens(&self) -> Tokens<'_> {
        let Self { ids, positions, types, offsets } = self;
        Tokens { ids, positions, types, offsets }
    }
}

/// Half the squared distance from aims that differ by sequence.
fn loss(logits: &[f32]) -> (f64, Vec<f32>) {
    let off = logits.iter().enumerate().map(|(i, logit)| logit - (i % 3) as f32);
    let derivatives: Vec<f32> = off.collect();
    (derivatives.iter().map(|off| f64::from(*off).powi(2)).sum::<f64>() / 2.0, derivatives)
}

#[test]
fn gradients_are_the_losss_under_dropout() {
    let batch = Batch::new(&[9, 1, 4, 60, 17]);
    for (activation, dropout) in
        [(Activation::Gelu, 0.0), (Activation::Gelu, 0.2), (Activation::GeluTanh, 0.2)]
    {
        let config = config(activation, dropout);
        let slots = config.slots();
        let all = vec![true; slots.len()];
        let mut network = network(config, &all, 2);
        // Two passes under different masks add up.
        let seeds = [1, 2];
        for seed in seeds {
            let logits = network.forward(&batch.tokens(), seed).unwrap();
            network.backward(&loss(&logits).1).unwrap();
        }
        let mut told = 0;
        for index in 0..slots.len() {
            let gradient = network.gradient(index).to_vec();
            // The values that matter most: small ones drown in the rounding of the loss.
            let mut places: Vec<usize> = (0..gradient.len()).collect();
            places.sort_by(|a, b| gradient[*b].abs().total_cmp(&gradient[*a].abs()));
            for &place in places.iter().take(3) {
                let mut shifted = |by: f32| {
                    network.update(index, |weight, _, _, _| weight[place] += by);
                    let losses =
                        seeds.map(|seed| loss(&network.forward(&batch.tokens(), seed).unwrap()).0);
                    network.update(index, |weight, _, _, _| weight[place] -= by);
                    losses.iter().sum::<f64>()
                };
                let step = 2e-3;
                let found = (shifted(step) - shifted(-step)) / (2.0 * f64::from(step));
                let expected = f64::from(gradient[place]);
                let off = (found - expected).abs();
                assert!(
                    off <= 5e-3 + 0.01 * expected.abs(),
                    "{activation:?}, {dropout}: parameter {index}, value {place}: {expected}, not {found}"
                );
                told += usize::from(expected.abs() > 0.05);
            }
        }
        assert!(told > 100, "only {told} gradients are large enough to tell");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let batch = Batch::new(&[40, 3, 66, 12, 1, 25, 60]);
    let config = config(Activation::Gelu, 0.1);
    let all = vec![true; config.slots().len()];
    let results: Vec<(Vec<f32>, Vec<Vec<f32>>)> = [1, 2, 3]
        .map(|threads| {
            let mut network = network(config, &all, threads);
            let logits = network.forward(&batch.tokens(), 9).unwrap();
            network.backward(&loss(&logits).1).unwrap();
            (logits, (0..all.len()).map(|index| network.gradient(index).to_vec()).collect())
        })
        .to_vec();
    assert!(results.iter().all(|result| *result == results[0]));
}

/// Whatever is frozen, the others' gradients are the same.
#[test]
fn frozen_parameters_change_no_other_gradient() {
    let batch = Batch::new(&[9, 4, 30]);
    let config = config(Activation::Gelu, 0.1);
    let count = config.slots().len();
    let run = |trained: &[bool]| {
        let mut network = network(config, trained, 1);
        let logits = network.forward(&batch.tokens(), 9).unwrap();
        network.backward(&loss(&logits).1).unwrap();
        (0..count).map(|index| network.gradient(index).to_vec()).collect::<Vec<_>>()
    };
    let whole = run(&vec![true; count]);
    let from = |first: usize| (0..count).map(|index| index >= first).collect::<Vec<_>>();
    let some: Vec<bool> = (0..count).map(|index| index % 3 == 0 || index == count - 2).collect();
    for trained in [from(5), from(21), from(37), from(53), some, vec![false; count]] {
        for (index, gradient) in run(&trained).iter().enumerate() {
            let expected = if trained[index] { &whole[index][..] } else { &[] };
            assert_eq!(gradient, expected, "parameter {index} of {trained:?}");
        }
    }
}

#[test]
fn what_is_computed_again_gives_the_same_bits() {
    let batches = [Batch::new(&[9, 1, 4, 60, 17]), Batch::new(&[3, 30])];
    let config = config(Activation::Gelu, 0.2);
    let slots = config.slots();
    let from = |place: usize| (0..slots.len()).map(|index| index >= place).collect::<Vec<_>>();
    // Everything; all but embeddings; from the second layer on; the head alone.
    for trained in [from(0), from(5), from(5 + 16), from(slots.len() - 4)] {
        let gradients = |recompute: bool| {
            let mut network = network(config, &trained, 2).recomputing(recompute);
            assert_eq!(network.is_recomputing(), recompute);
            // A pass without its way back, then two with: memory is handed round each time.
            network.forward(&batches[1].tokens(), 7).unwrap();
            for (batch, seed) in batches.iter().zip([8, 9]) {
                let logits = network.forward(&batch.tokens(), seed).unwrap();
                network.backward(&loss(&logits).1).unwrap();
            }
            (0..slots.len()).map(|index| network.gradient(index).to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(gradients(true), gradients(false));
    }
    let copies = vec![3; slots.len()];
    assert!(config.bytes(&copies, &[60], true) < config.bytes(&copies, &[60], false));
}

#[test]
fn batches_that_do_not_fit_are_errors() {
    let config = config(Activation::Gelu, 0.1);
    let mut network = network(config, &vec![true; config.slots().len()], 1);
    assert!(network.backward(&[1.0]).is_err());
    let (good, empty) = (Batch::new(&[5, 6]), Batch::new(&[]));
    for (tokens, says) in [
        (empty.tokens(), "no sequence"),
        (Tokens { ids: &[30; 11], ..good.tokens() }, "30 is not below 30"),
        (Tokens { positions: &[70; 11], ..good.tokens() }, "max_position_embeddings"),
        (Tokens { types: &[0; 10], ..good.tokens() }, "type_vocab_size"),
        (Tokens { offsets: &[0, 5, 5, 11], ..good.tokens() }, "sequence 1"),
    ] {
        let error = network.forward(&tokens, 0).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    network.forward(&good.tokens(), 0).unwrap();
    assert!(network.backward(&[1.0; 3]).is_err());
    network.backward(&[1.0; 2]).unwrap();
}
