use burn::tensor::{Bool, DType, Tensor};

use super::attend::Ways;
use super::layout::{Group, Layout};
use crate::config::Activation;
use crate::layers::{EncoderLayer, LayerNorm, Linear, activate, cast};

/// A layer of the encoder.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// `[hidden, 3 hidden]`: queries, keys and values.
    project: Linear,
    rest: Rest,
}

/// The last layer, of which only the first tokens' output is wanted.
#[derive(Clone, Debug)]
pub(super) struct LastLayer {
    query: Linear,
    /// `[hidden, 2 hidden]`: keys and values.
    project: Linear,
    rest: Rest,
}

/// What follows queries, keys and values.
#[derive(Clone, Debug)]
struct Rest {
    heads: usize,
    head_size: usize,
    output: Linear,
    attention_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
    output_norm: LayerNorm,
    activation: Activation,
}

impl Layer {
    pub fn new(layer: EncoderLayer, ways: &Ways) -> Self {
        let (projections, rest) = Rest::of(layer, ways);
        Self { project: beside(projections.into()), rest }
    }

    /// # Shapes
    /// - x and result: `[tokens, hidden]`
    pub fn forward(&self, x: Tensor<2>, layout: &Layout, ways: &Ways) -> Tensor<2> {
        let projected = self.project.product(x.clone());
        let contexts = layout.groups.iter().map(|group| {
            let rows = group.padded(&projected);
            let [query, key, value] = self.rest.split(rows, &self.project.bias, group);
            let hidden = group.hidden(self.rest.heads, group.longest);
            // [count, heads, longest, head size] -> [count * longest, hidden] -> [tokens, hidden]
            group.unpadded(joined(ways.attend(query, key, value, hidden)))
        });
        let context = stacked(contexts.collect());
        self.rest.forward(x, context)
    }
}

impl LastLayer {
    pub fn new(layer: EncoderLayer, ways: &Ways) -> Self {
        let ([query, key, value], rest) = Rest::of(layer, ways);
        Self { query, project: beside(vec![key, value]), rest }
    }

    /// # Shapes
    /// - x: `[tokens, hidden]`
    /// - result: `[batch, hidden]`, of the first tokens
    pub fn forward(&self, x: Tensor<2>, layout: &Layout, ways: &Ways) -> Tensor<2> {
        let projected = self.project.product(x.clone());
        // [tokens, hidden] -> [batch, hidden]
        let first = x.select(0, layout.firsts.clone());
        let queries = self.query.forward(first.clone());
        let (heads, size) = (self.rest.heads, self.rest.head_size);
        let mut start = 0;
        let contexts = layout.groups.iter().map(|group| {
            let rows = group.padded(&projected);
            let [key, value] = self.rest.split(rows, &self.project.bias, group);
            // [count, hidden] -> [count, heads, 1, head size]
            let query = queries.clone().narrow(0, start, group.count);
            let query = query.reshape([group.count, heads, 1, size]);
            start += group.count;
            // [count, heads, 1, head size] -> [count, hidden]
            joined(ways.attend(query, key, value, group.hidden(heads, 1)))
        });
        let context = stacked(contexts.collect());
        self.rest.forward(first, context)
    }
}

impl Rest {
    /// A layer's queries, keys and values, and what follows them.
    fn of(layer: EncoderLayer, ways: &Ways) -> ([Linear; 3], Self) {
        let attention = layer.attention;
        let Linear { weight, bias } = attention.output;
        // They are added to sums in f32.
        let [bias, narrow_bias] = [bias, layer.narrow.bias].map(|bias| cast(bias, DType::F32));
        let rest = Self {
            heads: attention.heads,
            head_size: attention.head_size,
            output: Linear { weight: ways.of_contexts(weight), bias },
            attention_norm: layer.attention_norm,
            widen: layer.widen,
            narrow: Linear { weight: layer.narrow.weight, bias: narrow_bias },
            output_norm: layer.output_norm,
            activation: layer.activation,
        };
        ([attention.query, attention.key, attention.value], rest)
    }

    /// # Shapes
    /// - x, context and result: `[tokens, hidden]`
    fn forward(&self, x: Tensor<2>, context: Tensor<2>) -> Tensor<2> {
        let context = cast(context, self.output.weight.dtype());
        let x = self.attention_norm.of_sum(x, self.output.product(context), &self.output.bias);
        // [tokens, hidden] -> [tokens, intermediate] and back
        let wide = activate(self.activation, self.widen.forward(x.clone()));
        self.output_norm.of_sum(x, self.narrow.product(wide), &self.narrow.bias)
    }

    /// What was projected at once, with its bias.
    ///
    /// # Shapes
    /// - rows: `[count * longest, N * hidden]`
    /// - bias: `[N * hidden]`
    /// - result: each `[count, heads, longest, head size]`
    fn split<const N: usize>(
        &self,
        rows: Tensor<2>,
        bias: &Tensor<1>,
        group: &Group,
    ) -> [Tensor<4>; N] {
        let (heads, size) = (self.heads, self.head_size);
        let rows = rows.reshape([group.count, group.longest, N * heads, size]);
        let bias = bias.clone().reshape([1, 1, N * heads, size]);
        // [count, longest, heads, head size] -> [count, heads, longest, head size]
        let part = |x: &Tensor<4>, part| x.clone().narrow(2, part * heads, heads).swap_dims(1, 2);
        std::array::from_fn(|index| part(&rows, index) + part(&bias, index))
    }
}

impl Group {
    /// The group's part of rows, padded.
    ///
    /// # Shapes
    /// - rows: `[tokens, width]`
    /// - result: `[count * longest, width]`
    fn padded(&self, rows: &Tensor<2>) -> Tensor<2> {
        let part = match self.rows.len() == rows.dims()[0] {
            true => rows.clone(),
            false => rows.clone().narrow(0, self.rows.start, self.rows.len()),
        };
        match &self.padding {
            Some(padding) => part.select(0, padding.shows.clone()),
            None => part,
        }
    }

    /// The tokens among the slots.
    ///
    /// # Shapes
    /// - slots: `[count * longest, width]`
    /// - result: `[tokens of the group, width]`
    fn unpadded(&self, slots: Tensor<2>) -> Tensor<2> {
        match &self.padding {
            Some(padding) => slots.select(0, padding.slots.clone()),
            None => slots,
        }
    }

    /// What so many queries of each sequence may not see: `[count, heads, queries, longest]`.
    fn hidden(&self, heads: usize, queries: usize) -> Option<Tensor<4, Bool>> {
        let (count, longest) = (self.count, self.longest);
        self.padding.as_ref().map(|padding| {
            // [count, longest] -> [count, heads, query, key]
            let hides = padding.hides.clone().reshape([count, 1, 1, longest]);
            hides.expand([count, heads, queries, longest])
        })
    }
}

/// `[count, heads, tokens, head size]` -> `[count * tokens, hidden]`
fn joined(context: Tensor<4>) -> Tensor<2> {
    let [count, heads, tokens, size] = context.dims();
    context.swap_dims(1, 2).reshape([count * tokens, heads * size])
}

/// Rows of one group after the other's.
fn stacked(mut parts: Vec<Tensor<2>>) -> Tensor<2> {
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => Tensor::cat(parts, 0),
    }
}

/// One product in place of several on the same input.
fn beside(parts: Vec<Linear>) -> Linear {
    let (weights, biases) = parts.into_iter().map(|part| (part.weight, part.bias)).unzip();
    Linear { weight: Tensor::cat(weights, 1), bias: Tensor::cat(biases, 0) }
}
