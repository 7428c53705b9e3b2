use std::ops::Range;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use secondpass_text::{ScoreError, TokenBatch};

use super::attend::Ways;
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
    /// Slots of each: tokens of the longest, perhaps rounded up.
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
        ways: &Ways,
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
        let rounded: Vec<usize> = lengths.iter().map(|&length| ways.rounded(length)).collect();
        let mut start = 0;
        let groups = grouped(&rounded, ways.most_scores / config.num_attention_heads.max(1) as u64);
        let groups = groups.map(|sequences| {
            let group = Group::new(&lengths[sequences], start, ways, device);
            start = group.rows.end;
            group
        });
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
    fn new(lengths: &[usize], start: usize, ways: &Ways, device: &Device) -> Self {
        let (count, tokens) = (lengths.len(), lengths.iter().sum::<usize>());
        let longest = ways.rounded(lengths.iter().copied().max().unwrap_or(1));
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

/// Neighbours as groups: ranges of sequences, each of which has so many attention scores a head at most if
/// it is more than one.
fn grouped(lengths: &[usize], most_scores: u64) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let first = next;
        let (mut longest, mut tokens) = (0, 0);
        while let Some(&length) = lengths.get(next) {
            let (count, widest) = (next - first + 1, longest.max(length));
            let slots = count * widest;
            let is_wasteful = slots as f64 > WASTE * (tokens + length) as f64;
            let is_large = (slots as u64).saturating_mul(widest as u64) > most_scores;
            if next > first && (is_wasteful || is_large) {
                break;
            }
            longest = widest;
            tokens += length;
            next += 1;
        }
        (next > first).then_some(first..next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_neighbours_share_a_group() {
        let groups = |lengths: &[usize]| grouped(lengths, u64::MAX).collect::<Vec<_>>();
        assert!(groups(&[]).is_empty());
        assert_eq!(groups(&[7, 7, 7]).len(), 1);
        assert_eq!(groups(&[100, 90, 30, 20, 4]), [0..2, 2..4, 4..5]);
        assert_eq!(groups(&[4, 100]), [0..1, 1..2]);
    }

    #[test]
    fn a_groups_scores_are_bounded() {
        let groups = |most| grouped(&[8; 5], most).collect::<Vec<_>>();
        assert_eq!(groups(5 * 64).len(), 1);
        assert_eq!(groups(2 * 64), [0..2, 2..4, 4..5]);
        assert_eq!(groups(1), [0..1, 1..2, 2..3, 3..4, 4..5], "one goes alone, whatever it takes");
        // A budget of 32,768 tokens on a card: four pairs of 8,192 in f32, 16 heads.
        let ways = Ways::of(crate::DeviceSpec::Cuda(0), crate::Dtype::F32);
        let a_head = ways.most_scores / 16;
        assert_eq!(grouped(&[8192; 4], a_head).count(), 4);
        assert_eq!(grouped(&[512; 64], a_head).count(), 1);
    }
}
