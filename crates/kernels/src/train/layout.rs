//! Which parameters a network has, in which order.

use crate::{EncoderConfig, ShapeError};

/// A cross-encoder's shape and dropouts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// `vocab_size`
    pub vocabulary: usize,
    /// `max_position_embeddings`
    pub positions: usize,
    /// `type_vocab_size`
    pub types: usize,
    /// `hidden_dropout_prob`
    pub hidden_dropout: f64,
    /// `attention_probs_dropout_prob`
    pub attention_dropout: f64,
    /// `classifier_dropout`, or what stands for it: before the head's last projection.
    pub head_dropout: f64,
    /// Whether the head also drops what it reads, as RoBERTa's does and BERT's does not.
    pub drops_head_input: bool,
}

/// What a parameter belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The embeddings and their norm.
    Embeddings,
    /// A layer, by number.
    Layer(usize),
    /// The head.
    Head,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// What it belongs to.
    pub part: Part,
    /// Its shape: `[rows, width]` of embeddings, `[inputs, outputs]` of projections, `[1, width]` of
    /// vectors.
    pub shape: [usize; 2],
}

impl TrainingConfig {
    /// The parameters, in this order. Embeddings: words, positions, types, scale and shift of the norm.
    /// Each layer: weight and bias of query, key, value and attention output, scale and shift of the
    /// norm, weight and bias of the wide and of the narrow projection, scale and shift. Head: weight and
    /// bias of the dense layer and of the projection to one logit.
    pub fn slots(&self) -> Vec<Slot> {
        let EncoderConfig { hidden, intermediate, layers, .. } = self.encoder;
        let vector = |width: usize| [1, width];
        let mut slots = Vec::new();
        let mut add = |part, shapes: &[[usize; 2]]| {
            slots.extend(shapes.iter().map(|&shape| Slot { part, shape }));
        };
        let (square, norm) = ([hidden, hidden], vector(hidden));
        let tables = [self.vocabulary, self.positions, self.types].map(|rows| [rows, hidden]);
        add(Part::Embeddings, &tables);
        add(Part::Embeddings, &[norm, norm]);
        for layer in 0..layers {
            let part = Part::Layer(layer);
            for _ in 0..4 {
                add(part, &[square, norm]);
            }
            add(part, &[norm, norm]);
            add(part, &[[hidden, intermediate], vector(intermediate)]);
            add(part, &[[intermediate, hidden], norm, norm, norm]);
        }
        add(Part::Head, &[square, norm, [hidden, 1], [1, 1]]);
        slots
    }

    /// The most bytes that a step takes at once: weights and their two layouts, `copies` values more for
    /// each of a parameter's (its gradient, its two moments), and what is kept of sequences of these
    /// lengths between forward and backward pass; `recompute` as in
    /// [`TrainingNetwork::recomputing`](super::TrainingNetwork::recomputing). An estimate: what each thread needs for a block of
    /// rows and for one head of the longest sequence is left out.
    pub fn bytes(&self, copies: &[u64], lengths: &[usize], recompute: bool) -> u64 {
        let slots = self.slots();
        let size = |slot: &Slot| (slot.shape[0] * slot.shape[1]) as u64;
        let weights: u64 = slots.iter().map(size).sum();
        let learnt: u64 = slots.iter().zip(copies).map(|(slot, copies)| copies * size(slot)).sum();
        let inside = slots.iter().filter(|slot| slot.part != Part::Embeddings);
        let layouts: u64 = 2 * inside.map(size).sum::<u64>();
        let EncoderConfig { hidden, intermediate, heads, layers, .. } = self.encoder;
        let tokens = lengths.iter().sum::<usize>() as u64;
        let (hidden, wide) = (hidden as u64, intermediate as u64);
        // Queries, keys, values, context and two norms; the last layer keeps keys and values only.
        let kept = tokens * (6 * hidden + wide + heads as u64 + 2);
        let below = (layers as u64).saturating_sub(1);
        let saved = match recompute {
            // One layer's at a time, and the outputs of the others.
            true => kept + tokens * (hidden + 1) * below,
            false => kept * below,
        } + tokens * 4 * hidden;
        // Gradients on their way, and the right-hand sides of the weights' gradients.
        let passing = tokens * (9 * hidden + wide) + tokens * (5 * hidden + wide);
        4 * (weights + layouts + learnt + saved + passing)
    }

    pub(super) fn check(&self) -> Result<(), ShapeError> {
        let EncoderConfig { hidden, heads, intermediate, layers, .. } = self.encoder;
        let sides = [
            ("hidden_size", hidden),
            ("num_attention_heads", heads),
            ("intermediate_size", intermediate),
            ("num_hidden_layers", layers),
            ("vocab_size", self.vocabulary),
            ("max_position_embeddings", self.positions),
            ("type_vocab_size", self.types),
        ];
        for (what, side) in sides {
            if side == 0 {
                return Err(ShapeError::Dimension { what, problem: "is zero".to_owned() });
            }
        }
        if !hidden.is_multiple_of(heads) {
            let problem = format!("{hidden} is no multiple of {heads} heads");
            return Err(ShapeError::Dimension { what: "hidden_size", problem });
        }
        let shares = [
            ("hidden_dropout_prob", self.hidden_dropout),
            ("attention_probs_dropout_prob", self.attention_dropout),
            ("classifier_dropout", self.head_dropout),
        ];
        for (what, share) in shares {
            if !(0.0..1.0).contains(&share) {
                let problem = format!("{share} is not from 0 to below 1");
                return Err(ShapeError::Dimension { what, problem });
            }
        }
        Ok(())
    }
}

/// Places of the embeddings' parameters.
pub(super) const WORDS: usize = 0;
pub(super) const POSITIONS: usize = 1;
pub(super) const TYPES: usize = 2;
pub(super) const EMBEDDING_NORM: usize = 3;

/// Parameters of a layer.
const A_LAYER: usize = 16;

/// Places within a layer; of a linear layer the weight's, of a norm the scale's.
pub(super) const QUERY: usize = 0;
pub(super) const KEY: usize = 2;
pub(super) const VALUE: usize = 4;
pub(super) const ATTENTION_OUTPUT: usize = 6;
pub(super) const ATTENTION_NORM: usize = 8;
pub(super) const WIDE: usize = 10;
pub(super) const NARROW: usize = 12;
pub(super) const OUTPUT_NORM: usize = 14;

/// Where a layer's parameters begin.
pub(super) fn layer(index: usize) -> usize {
    5 + A_LAYER * index
}

/// Where the head's begin: the dense layer's, then the projection's.
pub(super) fn head(layers: usize) -> usize {
    layer(layers)
}
