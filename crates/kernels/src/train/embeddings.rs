//! Embeddings: the sum of word, position and type, normalized, with dropout.

use pulp::Simd;

use super::dropout::{Dropout, Site};
use super::layer::add;
use super::layout::{EMBEDDING_NORM, POSITIONS, TYPES, WORDS};
use super::network::Tokens;
use super::norm;
use super::work::{Crew, Space, Work, block, sized};

/// What the backward pass needs.
#[derive(Debug, Default)]
pub(super) struct SavedEmbeddings {
    /// `[tokens, hidden]`: before scale and shift.
    pub normalized: Vec<f32>,
    /// `[tokens]`
    factors: Vec<f32>,
}

/// Looks up a batch; `x` gets the first layer's input.
pub(super) fn forward(
    crew: &mut Crew<'_>,
    weights: &[Vec<f32>],
    tokens: &Tokens<'_>,
    epsilon: f32,
    drop: (Dropout, Site),
    saved: &mut SavedEmbeddings,
    x: &mut [f32],
) {
    let hidden = weights[EMBEDDING_NORM].len();
    let rows = block(tokens.ids.len());
    let normalized = sized(&mut saved.normalized, x.len()).chunks_mut(rows * hidden);
    let factors = sized(&mut saved.factors, tokens.ids.len()).chunks_mut(rows);
    let tasks = x.chunks_mut(rows * hidden).zip(normalized.zip(factors)).zip((0..).step_by(rows));
    let tasks = tasks.map(|((x, (normalized, factors)), first)| Embed {
        weights,
        tokens,
        epsilon,
        drop,
        first,
        normalized,
        factors,
        x,
    });
    crew.each(tasks.collect());
}

/// Adds to the gradients of the tables and of the norm that are trained. `gradient`, by the first
/// layer's input, is used up.
pub(super) fn backward(
    crew: &mut Crew<'_>,
    scale: &[f32],
    tokens: &Tokens<'_>,
    drop: (Dropout, Site),
    saved: &SavedEmbeddings,
    gradient: &mut [f32],
    gradients: &mut [Vec<f32>],
) {
    let hidden = scale.len();
    let rows = block(tokens.ids.len());
    let mut sums = vec![0.0; tokens.ids.len().div_ceil(rows) * 2 * hidden];
    let kept = saved.normalized.chunks(rows * hidden).zip(saved.factors.chunks(rows));
    let tasks = gradient.chunks_mut(rows * hidden).zip(kept).zip(sums.chunks_exact_mut(2 * hidden));
    let tasks =
        tasks.zip((0..).step_by(rows)).map(|(((gradient, (normalized, factors)), sums), first)| {
            NormBack { scale, drop, first, normalized, factors, gradient, sums }
        });
    crew.each(tasks.collect());
    for (norm, at) in [(EMBEDDING_NORM, 0), (EMBEDDING_NORM + 1, hidden)] {
        if gradients[norm].is_empty() {
            continue;
        }
        sums.chunks_exact(2 * hidden).for_each(|sums| add(&mut gradients[norm], &sums[at..]));
    }
    for (table, ids) in [(WORDS, tokens.ids), (POSITIONS, tokens.positions), (TYPES, tokens.types)]
    {
        if gradients[table].is_empty() {
            continue;
        }
        for (gradient, &id) in gradient.chunks_exact(hidden).zip(ids) {
            add(&mut gradients[table][id as usize * hidden..][..hidden], gradient);
        }
    }
}

/// A layer's input, made again from the norm below it.
pub(super) struct Again<'a> {
    pub normalized: &'a [f32],
    pub scale: &'a [f32],
    pub shift: &'a [f32],
    pub drop: Option<(Dropout, Site)>,
    pub x: &'a mut [f32],
}

impl Again<'_> {
    pub fn all(self, crew: &mut Crew<'_>) {
        let Self { normalized, scale, shift, drop, x } = self;
        let hidden = scale.len();
        let rows = block(x.len() / hidden);
        let pairs = x.chunks_mut(rows * hidden).zip(normalized.chunks(rows * hidden));
        let tasks = pairs
            .zip((0..).step_by(rows))
            .map(|((x, normalized), first)| (first, Self { normalized, scale, shift, drop, x }));
        crew.each(tasks.collect());
    }
}

impl Work for (usize, Again<'_>) {
    #[inline(always)]
    fn run<S: Simd>(self, _: S, _: &mut Space) {
        let (first, Again { normalized, scale, shift, drop, x }) = self;
        norm::affine_rows(normalized, scale, shift, x);
        if let Some((dropout, site)) = drop {
            dropout.apply_rows(site, first, scale.len(), x);
        }
    }
}

struct Embed<'a> {
    weights: &'a [Vec<f32>],
    tokens: &'a Tokens<'a>,
    epsilon: f32,
    drop: (Dropout, Site),
    first: usize,
    normalized: &'a mut [f32],
    factors: &'a mut [f32],
    x: &'a mut [f32],
}

impl Work for Embed<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, _: &mut Space) {
        let Self { weights, tokens, epsilon, drop, first, normalized, factors, x } = self;
        let (scale, shift) = (&weights[EMBEDDING_NORM], &weights[EMBEDDING_NORM + 1]);
        let hidden = scale.len();
        let rows = normalized.chunks_exact_mut(hidden).zip(factors);
        for (token, (row, factor)) in (first..).zip(rows) {
            let look_up = |table: usize, id: u32| &weights[table][id as usize * hidden..][..hidden];
            row.copy_from_slice(look_up(WORDS, tokens.ids[token]));
            add(row, look_up(TYPES, tokens.types[token]));
            add(row, look_up(POSITIONS, tokens.positions[token]));
            *factor = norm::normalize(simd, row, epsilon);
        }
        norm::affine_rows(normalized, scale, shift, x);
        drop.0.apply_rows(drop.1, first, hidden, x);
    }
}

struct NormBack<'a> {
    scale: &'a [f32],
    drop: (Dropout, Site),
    first: usize,
    normalized: &'a [f32],
    factors: &'a [f32],
    gradient: &'a mut [f32],
    sums: &'a mut [f32],
}

impl Work for NormBack<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, _: &mut Space) {
        let Self { scale, drop, first, normalized, factors, gradient, sums } = self;
        let hidden = scale.len();
        drop.0.apply_rows(drop.1, first, hidden, gradient);
        let rows = gradient.chunks_exact_mut(hidden).zip(normalized.chunks_exact(hidden));
        for ((gradient, normalized), &factor) in rows.zip(factors) {
            norm::backward(simd, gradient, normalized, factor, scale, sums);
        }
    }
}
