//! The gradients of linear layers' weights and biases.

use pulp::Simd;

use super::outer::Outer;
use super::panels;
use super::work::{Crew, Space, Work};
use crate::matmul::{panels_len, width, width_of};
use crate::reserve::reserve;

/// Rows of a weight that one task sums.
const ROWS: usize = 48;

/// Panels that one task lays out.
const PANELS: usize = 4;

/// Rows that are summed before the sum is added to others, which costs fewer digits.
const SUMMED: usize = 64;

/// One linear layer: `weight += x^T y`, `bias += sum of y's rows`.
pub(super) struct Linear<'a> {
    /// `[rows, inputs]`
    pub x: &'a [f32],
    /// `[rows, outputs]`
    pub y: &'a [f32],
    pub rows: usize,
    /// `[inputs, outputs]`
    pub weight: Option<&'a mut [f32]>,
    /// `[outputs]`
    pub bias: Option<&'a mut [f32]>,
}

/// Adds to all of these gradients. `memory` holds the right-hand sides.
pub(super) fn accumulate(
    crew: &mut Crew<'_>,
    linears: Vec<Linear<'_>>,
    memory: &mut Vec<Vec<f32>>,
) {
    let width = width(crew.instructions);
    memory.resize_with(memory.len().max(linears.len()), Vec::new);
    let mut packs = Vec::new();
    let mut sums = Vec::new();
    let wanted = |linear: &Linear<'_>| linear.weight.is_some() || linear.bias.is_some();
    for (linear, memory) in linears.into_iter().filter(wanted).zip(memory.iter_mut()) {
        let Linear { x, y, rows, weight, bias } = linear;
        let outputs = y.len() / rows;
        let memory = reserve(memory, panels_len(rows, outputs, width));
        let mut bias = bias.map(|bias| bias.chunks_mut(PANELS * width));
        let groups = memory.chunks_mut(PANELS * width * rows);
        for (panels, first) in groups.zip((0..outputs).step_by(PANELS * width)) {
            let columns = (PANELS * width).min(outputs - first);
            let bias = bias.as_mut().and_then(Iterator::next);
            packs.push(Pack { y: &y[first..], outputs, rows, columns, panels, bias });
        }
        sums.push((x, rows, outputs, weight));
    }
    crew.each(packs);
    let mut tasks = Vec::new();
    for ((x, rows, outputs, weight), panels) in sums.into_iter().zip(memory.iter()) {
        let Some(weight) = weight else { continue };
        let inputs = x.len() / rows;
        let panels = &panels[..panels_len(rows, outputs, width)];
        for (weight, first) in weight.chunks_mut(ROWS * outputs).zip((0..inputs).step_by(ROWS)) {
            tasks.push(Sum { x: &x[first..], inputs, rows, panels, outputs, weight });
        }
    }
    crew.each(tasks);
}

/// Lays out some panels of `y`, and sums their columns.
struct Pack<'a> {
    y: &'a [f32],
    outputs: usize,
    rows: usize,
    columns: usize,
    panels: &'a mut [f32],
    bias: Option<&'a mut [f32]>,
}

impl Work for Pack<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S, _: &mut Space) {
        let Self { y, outputs, rows, columns, panels, bias } = self;
        let width = width_of::<S>();
        panels::of_rows(y, outputs, rows, columns, width, panels);
        let Some(bias) = bias else { return };
        for (panel, bias) in panels.chunks_exact(rows * width).zip(bias.chunks_mut(width)) {
            for part in panel.chunks(SUMMED * width) {
                let mut sum = [0.0; 64];
                let sum = &mut sum[..width];
                for row in part.chunks_exact(width) {
                    sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                }
                bias.iter_mut().zip(sum).for_each(|(bias, sum)| *bias += *sum);
            }
        }
    }
}

/// Some rows of a weight's gradient.
struct Sum<'a> {
    x: &'a [f32],
    inputs: usize,
    rows: usize,
    panels: &'a [f32],
    outputs: usize,
    weight: &'a mut [f32],
}

impl Work for Sum<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, space: &mut Space) {
        Outer {
            x: self.x,
            x_stride: self.inputs,
            y: self.panels,
            depth: self.rows,
            rows: self.weight.len() / self.outputs,
            columns: self.outputs,
            c: self.weight,
            c_stride: self.outputs,
        }
        .run_copied(simd, &mut space.copy);
    }
}
