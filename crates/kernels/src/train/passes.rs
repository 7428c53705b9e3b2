//! One layer's passes: whole buffers, cut into the tasks of [`super::layer`] and
//! [`super::attention`].

use super::attention::{Attend, AttendBack, How, Sequence};
use super::dense::Dense;
use super::layer::{Common, InputBack, Project, Rows, RowsBack, Saved};
use super::work::{Crew, block, sized};
use crate::EncoderConfig;

/// Where sequences and their queries begin and end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'a> {
    pub offsets: &'a [usize],
    /// Whether only the first token of each sequence asks.
    pub first_only: bool,
}

impl Span<'_> {
    pub fn queries(&self) -> usize {
        let sequences = self.offsets.len() - 1;
        if self.first_only { sequences } else { self.offsets[sequences] }
    }

    /// Tokens of each sequence, and the place of its first query.
    fn sequences(&self) -> impl Iterator<Item = (usize, usize)> {
        let first_only = self.first_only;
        let lengths = self.offsets.windows(2).map(|ends| (ends[0], ends[1] - ends[0]));
        lengths
            .enumerate()
            .map(move |(index, (start, tokens))| (tokens, if first_only { index } else { start }))
    }
}

impl Saved {
    /// Gives every buffer its length.
    pub fn prepare(&mut self, config: &EncoderConfig, span: Span<'_>, tokens: usize) {
        let EncoderConfig { hidden, heads, intermediate, .. } = *config;
        let queries = span.queries();
        for buffer in [&mut self.keys, &mut self.values] {
            sized(buffer, tokens * hidden);
        }
        let rows = [&mut self.queries, &mut self.context, &mut self.attended, &mut self.output];
        for buffer in rows {
            sized(buffer, queries * hidden);
        }
        sized(&mut self.log_sums, queries * heads);
        sized(&mut self.attended_factors, queries);
        sized(&mut self.output_factors, queries);
        sized(&mut self.wide, queries * intermediate);
    }
}

/// Linear layers of `hidden` features over all rows of `x`.
pub(super) fn project<const N: usize>(
    crew: &mut Crew<'_>,
    hidden: usize,
    x: &[f32],
    linears: [(&Dense, &mut [f32]); N],
) {
    let rows = block(x.len() / hidden);
    let mut linears = linears.map(|(dense, result)| (dense, result.chunks_mut(rows * hidden)));
    let tasks = x.chunks(rows * hidden).map(|x| Project {
        linears: linears
            .each_mut()
            .map(|(dense, results)| (*dense, results.next().unwrap_or_default())),
        x,
    });
    let tasks = tasks.collect();
    crew.each(tasks);
}

/// Attention, from queries, keys and values to the context.
pub(super) fn attend(crew: &mut Crew<'_>, how: How, span: Span<'_>, saved: &mut Saved) {
    let Saved { queries, keys, values, context, log_sums, .. } = saved;
    let mut parts = Parts { how, keys, values, queries };
    let (mut context, mut log_sums) = (&mut context[..], &mut log_sums[..]);
    let hidden = how.hidden();
    let mut tasks = Vec::with_capacity(span.offsets.len());
    for (tokens, first) in span.sequences() {
        let asking = if span.first_only { 1 } else { tokens };
        tasks.push(Attend {
            sequence: parts.next(tokens, asking, first),
            context: cut(&mut context, asking * hidden),
            log_sums: cut(&mut log_sums, asking * how.heads.count),
        });
    }
    // The longest first, so that no thread is left with a long one at the end.
    tasks.sort_by_key(|task| std::cmp::Reverse(task.sequence.keys.len()));
    crew.each(tasks);
}

/// From the gradient by the context to those by queries, keys and values.
pub(super) fn attend_back(
    crew: &mut Crew<'_>,
    how: How,
    span: Span<'_>,
    saved: &Saved,
    gradient: &[f32],
    results: [&mut [f32]; 3],
) {
    let Saved { queries, keys, values, context, log_sums, .. } = saved;
    let mut parts = Parts { how, keys, values, queries };
    let (mut context, mut log_sums, mut gradient) = (&context[..], &log_sums[..], gradient);
    let [mut query, mut key, mut value] = results;
    let hidden = how.hidden();
    let mut tasks = Vec::with_capacity(span.offsets.len());
    for (tokens, first) in span.sequences() {
        let asking = if span.first_only { 1 } else { tokens };
        tasks.push(AttendBack {
            sequence: parts.next(tokens, asking, first),
            context: part(&mut context, asking * hidden),
            log_sums: part(&mut log_sums, asking * how.heads.count),
            gradient: part(&mut gradient, asking * hidden),
            query_gradient: cut(&mut query, asking * hidden),
            key_gradient: cut(&mut key, tokens * hidden),
            value_gradient: cut(&mut value, tokens * hidden),
        });
    }
    tasks.sort_by_key(|task| std::cmp::Reverse(task.sequence.keys.len()));
    crew.each(tasks);
}

/// From the context to the layer's output, in place of its input.
pub(super) fn rows(crew: &mut Crew<'_>, common: Common<'_>, x: &mut [f32], saved: &mut Saved) {
    let hidden = common.norms[0].len();
    let rows = block(x.len() / hidden);
    let wide = saved.wide.len() / (x.len() / hidden);
    let mut context = saved.context.chunks(rows * hidden);
    let mut attended = saved.attended.chunks_mut(rows * hidden);
    let mut attended_factors = saved.attended_factors.chunks_mut(rows);
    let mut output = saved.output.chunks_mut(rows * hidden);
    let mut output_factors = saved.output_factors.chunks_mut(rows);
    let mut wide = saved.wide.chunks_mut(rows * wide);
    let tasks = x.chunks_mut(rows * hidden).zip((0..).step_by(rows)).map(|(x, first)| Rows {
        common,
        first,
        context: context.next().unwrap_or_default(),
        x,
        attended: attended.next().unwrap_or_default(),
        attended_factors: attended_factors.next().unwrap_or_default(),
        wide: wide.next().unwrap_or_default(),
        output: output.next().unwrap_or_default(),
        output_factors: output_factors.next().unwrap_or_default(),
    });
    let tasks = tasks.collect();
    crew.each(tasks);
}

/// What [`rows_back`] writes; the fields are [`RowsBack`]'s.
pub(super) struct Results<'a> {
    pub gradient: &'a mut [f32],
    pub wide_gradient: &'a mut [f32],
    pub middle: &'a mut [f32],
    pub narrow_gradient: &'a mut [f32],
    pub attention_gradient: &'a mut [f32],
    pub context_gradient: &'a mut [f32],
}

/// The way back from the layer's output to the context. Gives the gradients of the norms, `[4, hidden]`:
/// scale and shift of the attention norm, then of the output norm.
pub(super) fn rows_back(
    crew: &mut Crew<'_>,
    common: Common<'_>,
    saved: &mut Saved,
    results: Results<'_>,
) -> Vec<f32> {
    let hidden = common.norms[0].len();
    let count = results.gradient.len() / hidden;
    let rows = block(count);
    let across = rows * hidden;
    let wide_across = rows * (saved.wide.len() / count);
    let mut sums = vec![0.0; count.div_ceil(rows) * 4 * hidden];
    let mut attended = saved.attended.chunks(across);
    let mut attended_factors = saved.attended_factors.chunks(rows);
    let mut output = saved.output.chunks(across);
    let mut output_factors = saved.output_factors.chunks(rows);
    let mut wide = saved.wide.chunks_mut(wide_across);
    let mut wide_gradient = results.wide_gradient.chunks_mut(wide_across);
    let mut middle = results.middle.chunks_mut(across);
    let mut narrow_gradient = results.narrow_gradient.chunks_mut(across);
    let mut attention_gradient = results.attention_gradient.chunks_mut(across);
    let mut context_gradient = results.context_gradient.chunks_mut(across);
    let blocks = results.gradient.chunks_mut(across).zip(sums.chunks_exact_mut(4 * hidden));
    let tasks = blocks.zip((0..).step_by(rows)).map(|((gradient, sums), first)| RowsBack {
        common,
        first,
        attended: attended.next().unwrap_or_default(),
        attended_factors: attended_factors.next().unwrap_or_default(),
        output: output.next().unwrap_or_default(),
        output_factors: output_factors.next().unwrap_or_default(),
        wide: wide.next().unwrap_or_default(),
        gradient,
        wide_gradient: wide_gradient.next().unwrap_or_default(),
        middle: middle.next().unwrap_or_default(),
        narrow_gradient: narrow_gradient.next().unwrap_or_default(),
        attention_gradient: attention_gradient.next().unwrap_or_default(),
        context_gradient: context_gradient.next().unwrap_or_default(),
        sums,
    });
    let tasks = tasks.collect();
    crew.each(tasks);
    let mut total = vec![0.0; 4 * hidden];
    sums.chunks_exact(4 * hidden).for_each(|sums| super::layer::add(&mut total, sums));
    total
}

/// `gradient = sum of y W^T`, or that much more.
pub(super) fn input_back<const N: usize>(
    crew: &mut Crew<'_>,
    hidden: usize,
    linears: [(&Dense, &[f32]); N],
    gradient: &mut [f32],
    add: bool,
) {
    let rows = block(gradient.len() / hidden);
    let mut linears = linears.map(|(dense, y)| (dense, y.chunks(rows * hidden)));
    let tasks = gradient.chunks_mut(rows * hidden).map(|gradient| InputBack {
        linears: linears.each_mut().map(|(dense, ys)| (*dense, ys.next().unwrap_or_default())),
        gradient,
        add,
    });
    let tasks = tasks.collect();
    crew.each(tasks);
}

/// What is left of the buffers that sequences are cut from.
struct Parts<'a> {
    how: How,
    queries: &'a [f32],
    keys: &'a [f32],
    values: &'a [f32],
}

impl<'a> Parts<'a> {
    fn next(&mut self, tokens: usize, asking: usize, first: usize) -> Sequence<'a> {
        let hidden = self.how.hidden();
        Sequence {
            how: self.how,
            first,
            queries: part(&mut self.queries, asking * hidden),
            keys: part(&mut self.keys, tokens * hidden),
            values: part(&mut self.values, tokens * hidden),
        }
    }
}

fn part<'a>(rest: &mut &'a [f32], length: usize) -> &'a [f32] {
    let (part, others) = rest.split_at(length);
    *rest = others;
    part
}

fn cut<'a>(rest: &mut &'a mut [f32], length: usize) -> &'a mut [f32] {
    let (part, others) = std::mem::take(rest).split_at_mut(length);
    *rest = others;
    part
}
