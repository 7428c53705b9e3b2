//! Attention with dropout on its weights, forward and backward, a sequence at a time.
//!
//! Weights are not kept: the forward pass keeps the logarithm of each query's sum of powers, from
//! which the backward pass makes them again (Dao et al. 2022). That costs one product of five, while
//! keeping them would take memory that grows with the square of the length.

use pulp::Simd;

use super::dropout::{Dropout, Site};
use super::norm::dot;
use super::outer::Outer;
use super::panels;
use super::work::{Space, Work};
use crate::Activation;
use crate::attention::Heads;
use crate::exp::exp2;
use crate::matmul::{Panels, Product, Start, panels_len, width_of};
use crate::reserve::reserve;
use crate::softmax::Running;

/// Queries whose scores are kept at a time.
const QUERIES: usize = 48;

/// One thread's memory.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    keys: Vec<f32>,
    values: Vec<f32>,
    key_rows: Vec<f32>,
    queries: Vec<f32>,
    scores: Vec<f32>,
    slopes: Vec<f32>,
    factors: Vec<f32>,
}

/// How a sequence attends.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub heads: Heads,
    pub dropout: Dropout,
    pub site: Site,
}

impl How {
    pub fn hidden(&self) -> usize {
        self.heads.count * self.heads.size
    }

    /// What scores are multiplied with to be in units of `log2`.
    fn scale(&self) -> f32 {
        std::f32::consts::LOG2_E / (self.heads.size as f32).sqrt()
    }

    /// The row of dropout's mask that belongs to a query's weights in one head.
    fn mask(&self, query: usize, head: usize) -> usize {
        query * self.heads.count + head
    }
}

/// One sequence: what its tokens ask, and what they answer with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequence<'a> {
    pub how: How,
    /// The first query's place among all of the batch.
    pub first: usize,
    /// `[queries, hidden]`
    pub queries: &'a [f32],
    /// `[tokens, hidden]`
    pub keys: &'a [f32],
    /// `[tokens, hidden]`
    pub values: &'a [f32],
}

/// Attends within one sequence.
pub(super) struct Attend<'a> {
    pub sequence: Sequence<'a>,
    /// `[queries, hidden]`
    pub context: &'a mut [f32],
    /// `[queries, heads]`
    pub log_sums: &'a mut [f32],
}

impl Work for Attend<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, space: &mut Space) {
        let Self { sequence, context, log_sums } = self;
        let Sequence { how, first, queries, keys, values } = sequence;
        let Heads { count, size } = how.heads;
        let (hidden, width) = (how.hidden(), width_of::<S>());
        let tokens = keys.len() / hidden;
        let space = &mut space.attention;
        let stride = tokens.next_multiple_of(width);
        let key_panels = reserve(&mut space.keys, panels_len(size, tokens, width));
        let value_panels = reserve(&mut space.values, panels_len(tokens, size, width));
        let scores = reserve(&mut space.scores, QUERIES * stride);
        for head in 0..count {
            let at = head * size;
            panels::of_columns(&keys[at..], hidden, size, tokens, width, key_panels);
            panels::of_rows(&values[at..], hidden, tokens, size, width, value_panels);
            for begin in (0..queries.len() / hidden).step_by(QUERIES) {
                let rows = QUERIES.min(queries.len() / hidden - begin);
                let asked = &queries[begin * hidden + at..];
                score(simd, asked, [rows, size, stride], hidden, key_panels, scores);
                for (i, scores) in scores.chunks_exact_mut(stride).take(rows).enumerate() {
                    let query = begin + i;
                    scores[tokens..].fill(f32::NEG_INFINITY);
                    let mut running = Running::EMPTY;
                    running.add(simd, scores, how.scale());
                    log_sums[query * count + head] = running.log_sum();
                    let factor = running.normalizer();
                    let weights = &mut scores[..tokens];
                    weights.iter_mut().for_each(|weight| *weight *= factor);
                    how.dropout.apply(how.site, how.mask(first + query, head), weights);
                }
                Product {
                    rows,
                    a: scores,
                    a_stride: stride,
                    b: Panels { values: value_panels, depth: tokens },
                    depth: 0..tokens,
                    columns: 0..size,
                    c: &mut context[begin * hidden + at..],
                    c_stride: hidden,
                    start: Start::Zero,
                    activation: Activation::Identity,
                }
                .run(simd);
            }
        }
    }
}

/// The gradients of one sequence's queries, keys and values.
pub(super) struct AttendBack<'a> {
    pub sequence: Sequence<'a>,
    pub context: &'a [f32],
    pub log_sums: &'a [f32],
    /// The gradient by the context.
    pub gradient: &'a [f32],
    pub query_gradient: &'a mut [f32],
    pub key_gradient: &'a mut [f32],
    pub value_gradient: &'a mut [f32],
}

impl Work for AttendBack<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, space: &mut Space) {
        let Self { sequence, context, log_sums, gradient, .. } = self;
        let Sequence { how, first, queries, keys, values } = sequence;
        let Heads { count, size } = how.heads;
        let (hidden, width) = (how.hidden(), width_of::<S>());
        let tokens = keys.len() / hidden;
        let space = &mut space.attention;
        let stride = tokens.next_multiple_of(width);
        let key_columns = reserve(&mut space.keys, panels_len(size, tokens, width));
        let value_columns = reserve(&mut space.values, panels_len(size, tokens, width));
        let key_rows = reserve(&mut space.key_rows, panels_len(tokens, size, width));
        let scores = reserve(&mut space.scores, QUERIES * stride);
        let slopes = reserve(&mut space.slopes, QUERIES * stride);
        let factors = reserve(&mut space.factors, stride);
        let right = reserve(&mut space.queries, panels_len(QUERIES, size, width));
        self.key_gradient.fill(0.0);
        self.value_gradient.fill(0.0);
        for head in 0..count {
            let at = head * size;
            panels::of_columns(&keys[at..], hidden, size, tokens, width, key_columns);
            panels::of_columns(&values[at..], hidden, size, tokens, width, value_columns);
            panels::of_rows(&keys[at..], hidden, tokens, size, width, key_rows);
            for begin in (0..queries.len() / hidden).step_by(QUERIES) {
                let rows = QUERIES.min(queries.len() / hidden - begin);
                let from = begin * hidden + at;
                let (asked, gradient) = (&queries[from..], &gradient[from..]);
                let shape = [rows, size, stride];
                score(simd, asked, shape, hidden, key_columns, scores);
                score(simd, gradient, shape, hidden, value_columns, slopes);
                let lines = scores.chunks_exact_mut(stride).zip(slopes.chunks_exact_mut(stride));
                for (i, (scores, slopes)) in lines.take(rows).enumerate() {
                    let query = begin + i;
                    let row = query * hidden + at..query * hidden + at + size;
                    let mean = dot(simd, &gradient[i * hidden..][..size], &context[row]);
                    let mask = how.mask(first + query, head);
                    how.dropout.factors(how.site, mask, &mut factors[..tokens]);
                    let log_sum = log_sums[query * count + head];
                    weigh(simd, how.scale(), log_sum, mean, size, scores, slopes, factors);
                }
                Product {
                    rows,
                    a: slopes,
                    a_stride: stride,
                    b: Panels { values: key_rows, depth: tokens },
                    depth: 0..tokens,
                    columns: 0..size,
                    c: &mut self.query_gradient[from..],
                    c_stride: hidden,
                    start: Start::Zero,
                    activation: Activation::Identity,
                }
                .run(simd);
                let right = &mut right[..panels_len(rows, size, width)];
                let pairs = [
                    (&*slopes, asked, &mut *self.key_gradient),
                    (&*scores, gradient, &mut *self.value_gradient),
                ];
                for (x, y, c) in pairs {
                    panels::of_rows(y, hidden, rows, size, width, right);
                    Outer {
                        x,
                        x_stride: stride,
                        y: right,
                        depth: rows,
                        rows: tokens,
                        columns: size,
                        c: &mut c[at..],
                        c_stride: hidden,
                    }
                    .run(simd);
                }
            }
        }
    }
}

/// Products of rows with a head's columns, filled up to `stride`.
#[inline(always)]
fn score<S: Simd>(
    simd: S,
    a: &[f32],
    [rows, size, stride]: [usize; 3],
    a_stride: usize,
    columns: &[f32],
    scores: &mut [f32],
) {
    Product {
        rows,
        a,
        a_stride,
        b: Panels { values: columns, depth: size },
        depth: 0..size,
        columns: 0..stride,
        c: scores,
        c_stride: stride,
        start: Start::Zero,
        activation: Activation::Identity,
    }
    .run(simd);
}

/// Of one query: replaces scores by weights as they were after dropout, and the gradients by these
/// weights in `slopes` with those by the scores. `mean` is the mean of the gradients under the
/// weights; all slices are whole vectors.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "one inner loop of one caller")]
fn weigh<S: Simd>(
    simd: S,
    scale: f32,
    log_sum: f32,
    mean: f32,
    size: usize,
    scores: &mut [f32],
    slopes: &mut [f32],
    factors: &[f32],
) {
    let (scale, shift) = (simd.splat_f32s(scale), simd.splat_f32s(-log_sum));
    let mean = simd.splat_f32s(mean);
    let root = simd.splat_f32s(1.0 / (size as f32).sqrt());
    let (scores, slopes) = (S::as_mut_simd_f32s(scores).0, S::as_mut_simd_f32s(slopes).0);
    for ((score, slope), factor) in scores.iter_mut().zip(slopes).zip(S::as_simd_f32s(factors).0) {
        let weight = exp2(simd, simd.mul_add_e_f32s(*score, scale, shift));
        let off = simd.sub_f32s(simd.mul_f32s(*slope, *factor), mean);
        *slope = simd.mul_f32s(simd.mul_f32s(weight, off), root);
        *score = simd.mul_f32s(weight, *factor);
    }
}
