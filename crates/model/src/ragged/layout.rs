use std::ops::Range;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use secondpass_text::{ScoreError, TokenBatch};

use crate::padded::{check, positions};
use crate::{ModelConfig, ModelType};

/// A ragged batch laid out without padding, and how attention gets at it.
pub(super) struct Layout {
    /// `[tokens]`
    pub ids: Tensor<1, Int>,
    /// `[tokens]`
    pub types: Tensor<1, Int>,
    /// `[tokens]`
    pub positions: Tensor<1, Int>,
    /// `[batch]`: where each sequence's first token stands.
    pub firsts: Tensor<1, Int>,
    /// Neighbouring sequences whose attention is computed at once; together they are all of them.
    pub groups: Vec<Group>,
}

/// Sequences that attention sees as one padded batch.
pub(super) struct Group {
    /// Sequences.
    pub count: usize,
    /// Tokens of the longest.
    pub longest: usize,
    /// Their tokens among the batch's.
    pub rows: Range<usize>,
    /// `None` when all are of one length.
    pub padding: Option<Padding>,
}

/// How sequences of different lengths come into a padded batch and out of it.
pub(super) struct Padding {
    /// `[count * longest]`: the token that each slot shows, counted from the group's first; padding
    /// shows any.
    pub shows: Tensor<1, Int>,
    /// `[tokens of the group]`: each token's slot.
    pub slots: Tensor<1, Int>,
    /// `[count, longest]`, true where there is padding.
    pub hides: Tensor<2, Bool>,
}

/// A group may hold this many slots for each token: attention is a small part of the work, and each
/// group is a round of small operations of its own.
const WASTE: f64 = 1.3;

impl Layout {
    /// Checks the batch against the model and lays it out. The batch has at least one sequence.
    pub fn new(
        batch: &TokenBatch,
        config: &ModelConfig,
        device: &Device,
    ) -> Result<Self, ScoreError> {
        check(batch, config)?;
        let (mut ids, mut types, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let mut lengths = Vec::with_capacity(batch.len());
        let mut firsts = Vec::with_capacity(batch.len());
        for (sequence, sequence_types) in batch.sequences() {
            firsts.push(ids.len() as i64);
            // An empty sequence is one padding token: attention needs something to see.
            let (empty, no_types) = ([config.pad_token_id], [0]);
            let (sequence, sequence_types) = match sequence.is_empty() {
                true => (&empty[..], &no_types[..]),
                false => (sequence, sequence_types),
            };
            lengths.push(sequence.len());
            ids.extend(sequence.iter().map(|&id| i64::from(id)));
            places.extend(positions(sequence, config));
            match config.model_type {
                ModelType::Bert => types.extend(sequence_types.iter().map(|&id| i64::from(id))),
                _ => types.resize(ids.len(), 0),
            }
        }
        let groups = grouped(&lengths)
            .map(|(sequences, start)| Group::new(&lengths[sequences], start, device));
        let groups = groups.collect();
        let ints = |values: Vec<i64>| {
            let size = values.len();
            Tensor::from_data(TensorData::new(values, [size]), device)
        };
        Ok(Self {
            ids: ints(ids),
            types: ints(types),
            positions: ints(places),
            firsts: ints(firsts),
            groups,
        })
    }
}

impl Group {
    fn new(lengths: &[usize], start: usize, device: &Device) -> Self {
        let (count, tokens) = (lengths.len(), lengths.iter().sum::<usize>());
        let longest = lengths.iter().copied().max().unwrap_or(1);
        let size = count * longest;
        let padding = (size > tokens).then(|| {
            let mut shows = Vec::with_capacity(size);
            let mut slots = Vec::with_capacity(tokens);
            let mut hides = Vec::with_capacity(size);
            for &length in lengths {
                let first = slots.len();
                slots.extend((0..length).map(|token| (hides.len() + token) as i64));
                shows.extend((0..longest).map(|token| (first + token.min(length - 1)) as i64));
                hides.extend((0..longest).map(|token| token >= length));
            }
            Padding {
                shows: Tensor::from_data(TensorData::new(shows, [size]), device),
                slots: Tensor::from_data(TensorData::new(slots, [tokens]), device),
                hides: Tensor::from_data(TensorData::new(hides, [count, longest]), device),
            }
        });
        Self { count, longest, rows: start..start + tokens, padding }
    }
}

/// Neighbours as groups: the range of sequences, and where their tokens start.
fn grouped(lengths: &[usize]) -> impl Iterator<Item = (Range<usize>, usize)> {
    let mut next = 0;
    let mut row = 0;
    std::iter::from_fn(move || {
        let (first, start) = (next, row);
        let (mut longest, mut tokens) = (0, 0);
        while let Some(&length) = lengths.get(next) {
            let slots = (next - first + 1) * longest.max(length);
            if next > first && slots as f64 > WASTE * (tokens + length) as f64 {
                break;
            }
            longest = longest.max(length);
            tokens += length;
            next += 1;
        }
        row += tokens;
        (next > first).then_some((first..next, start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_neighbours_share_a_group() {
        let groups = |lengths: &[usize]| grouped(lengths).collect::<Vec<_>>();
        assert_eq!(groups(&[]), []);
        assert_eq!(groups(&[7, 7, 7]), [(0..3, 0)]);
        assert_eq!(groups(&[100, 90, 30, 20, 4]), [(0..2, 0), (2..4, 190), (4..5, 240)]);
        assert_eq!(groups(&[4, 100]), [(0..1, 0), (1..2, 4)]);
    }
}
