//! Attention, one sequence and one head at a time.
//!
//! Keys and values of a head are laid out in panels once, then meet blocks of queries. Scores exist for
//! one block of queries and one block of keys only, under an online softmax (Dao et al. 2022), so that
//! memory grows with a sequence's length and not with its square. There is no padding, so there is no
//! mask.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::matmul::{Panels, Product, Start, panels_len, width_of};
use crate::reserve::reserve;
use crate::softmax::Running;
use crate::threads::Threads;
use crate::{Activation, Instructions, ShapeError};

/// Queries whose scores are kept at a time.
const QUERIES: usize = 48;

/// Keys whose scores are kept at a time: a multiple of every panel's width.
const KEYS: usize = 512;

/// Values that are summed at a time: a panel of so many and a tile's weights fit a first-level cache.
const VALUES: usize = 256;

/// The least multiplications worth a task of their own.
const TASK: usize = 1 << 20;

/// Multi-head attention within each sequence of a batch without padding, on its own; [`crate::Encoder`]
/// does the same with memory that it keeps.
#[derive(Debug, Clone, Copy)]
pub struct Attention {
    heads: Heads,
    instructions: Instructions,
}

impl Attention {
    /// Attention of `heads` heads with `size` features each.
    ///
    /// # Errors
    ///
    /// Either is zero.
    pub fn new(heads: usize, size: usize, instructions: Instructions) -> Result<Self, ShapeError> {
        if heads == 0 || size == 0 {
            let problem = format!("{heads} heads of {size} features");
            return Err(ShapeError::Dimension { what: "num_attention_heads", problem });
        }
        Ok(Self { heads: Heads { count: heads, size }, instructions })
    }

    /// `softmax(q k / sqrt(size)) v` of each head and sequence; `offsets` as in [`crate::Encoder`].
    ///
    /// # Shapes
    ///
    /// - `queries` and `context`: `[tokens, heads * size]`
    /// - `keys_values`: `[tokens, 2 * heads * size]`, each token's keys, then its values
    ///
    /// # Errors
    ///
    /// A slice does not have its shape, or `offsets` do not fit the tokens.
    pub fn apply(
        &self,
        queries: &[f32],
        keys_values: &[f32],
        offsets: &[usize],
        context: &mut [f32],
        threads: &Threads,
    ) -> Result<(), ShapeError> {
        let hidden = self.heads.count * self.heads.size;
        let tokens = queries.len() / hidden;
        ShapeError::check("queries", queries.len(), &[tokens, hidden])?;
        ShapeError::check("keys_values", keys_values.len(), &[tokens, 2 * hidden])?;
        ShapeError::check("context", context.len(), &[tokens, hidden])?;
        ShapeError::check_offsets(offsets, tokens)?;
        if tokens == 0 {
            return Ok(());
        }
        let inputs = Inputs { queries, query_offsets: offsets, keys_values, offsets };
        let mut spaces: Vec<Space> = (0..threads.count()).map(|_| Space::default()).collect();
        let mut by_head = vec![0.0; context.len()];
        attend(self.heads, inputs, &mut by_head, &mut spaces, threads, self.instructions);
        gather(self.heads, &by_head, offsets, 0..tokens, context);
        Ok(())
    }
}

/// The heads of attention.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    pub count: usize,
    /// Features of one head.
    pub size: usize,
}

/// What attention reads. `offsets` and `query_offsets` say where each sequence's tokens and queries
/// start, and where the last ends; a sequence may have fewer queries than tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a, 'o> {
    /// `[queries, hidden]`
    pub queries: &'a [f32],
    pub query_offsets: &'o [usize],
    /// `[tokens, 2 hidden]`: each token's keys, then its values.
    pub keys_values: &'a [f32],
    pub offsets: &'o [usize],
}

/// One thread's memory for attention.
#[derive(Debug, Default)]
pub(crate) struct Space {
    keys: Vec<f32>,
    values: Vec<f32>,
    scores: Vec<f32>,
}

impl AsMut<Self> for Space {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

/// Attends within every sequence. `context` is written as `[sequences][heads, queries, size]`, so that
/// each task has one slice to itself; [`gather`] reads rows from it.
pub(crate) fn attend<W: Send + AsMut<Space>>(
    heads: Heads,
    inputs: Inputs<'_, '_>,
    context: &mut [f32],
    spaces: &mut [W],
    threads: &Threads,
    instructions: Instructions,
) {
    let hidden = heads.count * heads.size;
    let mut tasks = Vec::new();
    let mut rest = context;
    let sequences = inputs.offsets.windows(2).zip(inputs.query_offsets.windows(2));
    for (tokens, queries) in sequences {
        let (tokens, queries) = (tokens[0]..tokens[1], queries[0]..queries[1]);
        let work = (2 * tokens.len() * heads.size * queries.len()).max(1);
        let step = (TASK / work).clamp(1, heads.count);
        let (mut sequence, others) = rest.split_at_mut(queries.len() * hidden);
        rest = others;
        for first in (0..heads.count).step_by(step) {
            let chosen = first..heads.count.min(first + step);
            let (result, others) = sequence.split_at_mut(chosen.len() * queries.len() * heads.size);
            sequence = others;
            let (tokens, queries) = (tokens.clone(), queries.clone());
            tasks.push(Task { heads, chosen, inputs, tokens, queries, result });
        }
    }
    // The longest first, so that no thread is left with a long one at the end.
    tasks.sort_by_key(|task| std::cmp::Reverse(task.tokens.len() * task.queries.len()));
    threads.each(spaces, tasks, |space, task| {
        instructions.run(Attend { task, space: space.as_mut() });
    });
}

/// Copies rows of a context back into the order `[queries, hidden]`, `rows` counting over the queries
/// of all sequences.
pub(crate) fn gather(
    heads: Heads,
    context: &[f32],
    query_offsets: &[usize],
    rows: Range<usize>,
    result: &mut [f32],
) {
    let hidden = heads.count * heads.size;
    let mut sequence = query_offsets.partition_point(|&start| start <= rows.start) - 1;
    for (row, result) in rows.zip(result.chunks_exact_mut(hidden)) {
        while query_offsets[sequence + 1] <= row {
            sequence += 1;
        }
        let (start, end) = (query_offsets[sequence], query_offsets[sequence + 1]);
        let context = &context[start * hidden..end * hidden];
        let stride = (end - start) * heads.size;
        let from = (row - start) * heads.size;
        for (head, result) in result.chunks_exact_mut(heads.size).enumerate() {
            result.copy_from_slice(&context[head * stride + from..][..heads.size]);
        }
    }
}

/// Some heads of one sequence.
struct Task<'a> {
    heads: Heads,
    chosen: Range<usize>,
    inputs: Inputs<'a, 'a>,
    tokens: Range<usize>,
    queries: Range<usize>,
    /// `[chosen heads, queries, size]`
    result: &'a mut [f32],
}

struct Attend<'a> {
    task: Task<'a>,
    space: &'a mut Space,
}

impl WithSimd for Attend<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Task { heads, chosen, inputs, tokens, queries, result } = self.task;
        let (size, hidden) = (heads.size, heads.count * heads.size);
        for (head, result) in chosen.zip(result.chunks_exact_mut(queries.len() * size)) {
            let keys = &inputs.keys_values[tokens.start * 2 * hidden + head * size..];
            let head = Head {
                queries: &inputs.queries[queries.start * hidden + head * size..],
                queries_stride: hidden,
                keys,
                values: &keys[hidden..],
                keys_stride: 2 * hidden,
                tokens: tokens.len(),
                size,
            };
            head.attend(simd, result, self.space);
        }
    }
}

/// One head of one sequence. Rows begin a stride apart.
struct Head<'a> {
    queries: &'a [f32],
    queries_stride: usize,
    keys: &'a [f32],
    values: &'a [f32],
    keys_stride: usize,
    tokens: usize,
    size: usize,
}

impl Head<'_> {
    #[inline(always)]
    fn attend<S: Simd>(&self, simd: S, result: &mut [f32], space: &mut Space) {
        let Self { tokens, size, .. } = *self;
        let width = width_of::<S>();
        let keys = reserve(&mut space.keys, panels_len(size, tokens, width));
        self.lay_out_keys(keys, width);
        let values = reserve(&mut space.values, panels_len(tokens, size, width));
        self.lay_out_values(values, width);
        let stride = KEYS.min(tokens.next_multiple_of(width));
        let scores = reserve(&mut space.scores, QUERIES * stride);
        let scale = std::f32::consts::LOG2_E / (size as f32).sqrt();
        for (block, result) in result.chunks_mut(QUERIES * size).enumerate() {
            let rows = result.len() / size;
            let mut running = [Running::EMPTY; QUERIES];
            for start in (0..tokens).step_by(KEYS) {
                let end = tokens.min(start + KEYS);
                Product {
                    rows,
                    a: &self.queries[block * QUERIES * self.queries_stride..],
                    a_stride: self.queries_stride,
                    b: Panels { values: keys, depth: size },
                    depth: 0..size,
                    columns: start..end.next_multiple_of(width),
                    c: scores,
                    c_stride: stride,
                    start: Start::Zero,
                    activation: Activation::Identity,
                }
                .run(simd);
                let padded = (end - start).next_multiple_of(width);
                for (i, running) in running[..rows].iter_mut().enumerate() {
                    let scores = &mut scores[i * stride..][..padded];
                    scores[end - start..].fill(f32::NEG_INFINITY);
                    let factor = running.add(simd, scores, scale);
                    if start > 0 {
                        multiply(simd, &mut result[i * size..][..size], factor);
                    }
                }
                for first in (start..end).step_by(VALUES) {
                    Product {
                        rows,
                        a: &scores[first - start..],
                        a_stride: stride,
                        b: Panels { values, depth: tokens },
                        depth: first..end.min(first + VALUES),
                        columns: 0..size,
                        c: result,
                        c_stride: size,
                        start: if first > 0 { Start::Result } else { Start::Zero },
                        activation: Activation::Identity,
                    }
                    .run(simd);
                }
            }
            for (running, row) in running.iter().zip(result.chunks_exact_mut(size)) {
                multiply(simd, row, running.normalizer());
            }
        }
    }

    /// Keys as a right-hand side: `[panels, size, width]`, so transposed.
    #[inline(always)]
    fn lay_out_keys(&self, panels: &mut [f32], width: usize) {
        for (p, panel) in panels.chunks_exact_mut(self.size * width).enumerate() {
            let valid = width.min(self.tokens - p * width);
            if valid < width {
                panel.fill(0.0);
            }
            for key in 0..valid {
                let row = &self.keys[(p * width + key) * self.keys_stride..][..self.size];
                for (to, from) in panel.chunks_exact_mut(width).zip(row) {
                    to[key] = *from;
                }
            }
        }
    }

    /// Values as a right-hand side: `[panels, tokens, width]`.
    #[inline(always)]
    fn lay_out_values(&self, panels: &mut [f32], width: usize) {
        for (p, panel) in panels.chunks_exact_mut(self.tokens * width).enumerate() {
            let valid = width.min(self.size - p * width);
            for (token, to) in panel.chunks_exact_mut(width).enumerate() {
                let from = &self.values[token * self.keys_stride + p * width..][..valid];
                to[..valid].copy_from_slice(from);
                to[valid..].fill(0.0);
            }
        }
    }
}

#[inline(always)]
fn multiply<S: Simd>(simd: S, values: &mut [f32], factor: f32) {
    let (vectors, rest) = S::as_mut_simd_f32s(values);
    for vector in vectors {
        *vector = simd.mul_f32s(*vector, simd.splat_f32s(factor));
    }
    for value in rest {
        *value *= factor;
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;
    use crate::reference::{self, Numbers};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn attention_equals_the_reference(
            heads in 1_usize..=3,
            size in prop_oneof![Just(32_usize), Just(64), 1_usize..=20],
            lengths in prop::collection::vec(prop_oneof![1_usize..=50, 500_usize..=530], 1..=3),
            seed: u64,
        ) {
            let hidden = heads * size;
            let mut offsets = vec![0];
            offsets.extend(lengths.iter().scan(0, |end, length| {
                *end += length;
                Some(*end)
            }));
            let tokens = offsets[lengths.len()];
            let mut numbers = Numbers::new(seed);
            let queries = numbers.take(tokens * hidden, 4.0);
            let keys_values = numbers.take(tokens * 2 * hidden, 2.0);
            let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
            let half = |from: usize| -> Vec<f64> {
                let rows = keys_values.chunks_exact(2 * hidden);
                rows.flat_map(|row| wide(&row[from..from + hidden])).collect()
            };
            let (q, k, v) = (wide(&queries), half(0), half(hidden));
            let expected = reference::attention(heads, size, &q, &k, &v, &offsets);
            for set in Instructions::available() {
                let attention = Attention::new(heads, size, set).unwrap();
                let results = [1, 2].map(|count| {
                    let threads = Threads::new(NonZeroUsize::new(count).unwrap()).unwrap();
                    let mut context = vec![f32::NAN; tokens * hidden];
                    attention.apply(&queries, &keys_values, &offsets, &mut context, &threads).unwrap();
                    context
                });
                reference::assert_close(&results[0], &expected, 1e-5);
                prop_assert_eq!(&results[0], &results[1]);
            }
        }
    }

    #[test]
    fn scores_of_any_size_neither_overflow_nor_vanish() {
        let threads = Threads::new(NonZeroUsize::MIN).unwrap();
        for set in Instructions::available() {
            let attention = Attention::new(1, 4, set).unwrap();
            // The second token's key wins by hundreds of powers of e, both ways round.
            let keys_values = [[-300.0; 4], [1.0; 4], [300.0; 4], [2.0; 4]].concat();
            for (query, value) in [(1.0, 2.0), (-1.0, 1.0)] {
                let mut context = [0.0; 8];
                attention
                    .apply(&[query; 8], &keys_values, &[0, 2], &mut context, &threads)
                    .unwrap();
                assert_eq!(context, [value; 8], "{set:?}");
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_errors() {
        let set = Instructions::detect();
        assert!(Attention::new(0, 4, set).is_err());
        assert!(Attention::new(4, 0, set).is_err());
        let attention = Attention::new(1, 2, set).unwrap();
        let threads = Threads::new(NonZeroUsize::MIN).unwrap();
        let apply = |q: usize, kv: usize, c: usize, offsets: &[usize]| {
            let (q, kv, mut c) = (vec![0.0; q], vec![0.0; kv], vec![0.0; c]);
            attention.apply(&q, &kv, offsets, &mut c, &threads)
        };
        assert!(apply(4, 8, 4, &[0, 2]).is_ok());
        assert!(apply(0, 0, 0, &[0]).is_ok());
        assert!(apply(3, 8, 4, &[0, 2]).is_err());
        assert!(apply(4, 6, 4, &[0, 2]).is_err());
        assert!(apply(4, 8, 2, &[0, 2]).is_err());
        assert!(apply(4, 8, 4, &[0, 1]).is_err());
    }
}
