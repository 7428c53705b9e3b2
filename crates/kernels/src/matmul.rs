//! Matrix products: rows as they lie in memory times panels laid out for the purpose.
//!
//! The scheme is BLIS's (Van Zee and Van de Geijn 2015): a tile of `ROWS x WIDTH` results stays in
//! registers while it runs down a block of the inner dimension, the panel of the right-hand side stays
//! in the first-level cache while it meets every tile of rows, and the rows stay in the second. Rows
//! that are far apart are copied next to each other first, one block of depth at a time: at a distance
//! that is a multiple of 4 KiB they would share a few sets of the caches and push each other out.
//!
//! A panel is fetched into the second-level cache while the one before it is used: it comes from main
//! memory where the weights of a model do not fit a cache, and would hold up its first tile.

use std::cell::Cell;
use std::ops::Range;

use pulp::Simd;

use crate::prefetch::{prefetch_near, prefetch_soon};
use crate::reserve::reserve;
use crate::{Activation, Instructions};

/// Vectors side by side in a tile, which is so many times the lanes wide.
const VECTORS: usize = 2;

/// Rows of a tile where there are [`MANY`] registers, and where there are fewer: enough accumulators to
/// hide the latency of multiply-add, few enough for the registers.
const TALL: usize = 8;
const SHORT: usize = 6;
const MANY: usize = 32;

/// The most of the inner dimension that a tile runs down in one go; more is divided into blocks of at
/// most [`DEPTH`].
const WHOLE: usize = 512;

/// See [`WHOLE`]: with as much, a panel and a tile's rows fill a first-level cache of 32 KiB.
const DEPTH: usize = 384;

/// The least tiles of rows that share the fetching of a panel: with fewer, fetching costs more than it
/// hides.
const SHARED: usize = 4;

/// Values of a right-hand side that is in the second-level cache anyway, as those of attention are.
const CACHED: usize = 1 << 16;

/// Values in a line of the cache.
const LINE: usize = 16;

thread_local! {
    /// Rows of a left-hand side next to each other.
    static GATHERED: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Columns in a panel.
pub(crate) fn width(instructions: Instructions) -> usize {
    VECTORS * instructions.lanes()
}

/// Rows in a tile.
pub(crate) fn height(instructions: Instructions) -> usize {
    if instructions.registers() >= MANY { TALL } else { SHORT }
}

/// Columns in a panel, where the instructions are a type.
#[inline(always)]
pub(crate) fn width_of<S: Simd>() -> usize {
    VECTORS * S::F32_LANES
}

/// A right-hand side in panels of [`width`] columns: `[columns / width, depth, width]`, the last panel
/// filled up with zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panels<'a> {
    pub values: &'a [f32],
    pub depth: usize,
}

/// Values needed to lay out `depth x columns` in panels.
pub(crate) fn panels_len(depth: usize, columns: usize, width: usize) -> usize {
    columns.div_ceil(width) * width * depth
}

/// `c = activation(a b + bias)`, or `c + a b`.
#[derive(Debug)]
pub(crate) struct Product<'a> {
    /// Rows of `a` and `c`.
    pub rows: usize,
    /// The left-hand side: row `r` begins at `r * a_stride` and is as long as `depth`.
    pub a: &'a [f32],
    pub a_stride: usize,
    pub b: Panels<'a>,
    /// The part of `b`'s inner dimension that `a` holds.
    pub depth: Range<usize>,
    /// The columns of `b` to compute. Begins at a panel.
    pub columns: Range<usize>,
    /// The result: row `r` begins at `r * c_stride` with the first of `columns`.
    pub c: &'a mut [f32],
    pub c_stride: usize,
    pub start: Start<'a>,
    pub activation: Activation,
}

/// What a product is added to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start<'a> {
    Zero,
    /// One value for each of `b`'s columns, with zeros to the end of the last panel.
    Bias(&'a [f32]),
    /// What the result holds already.
    Result,
}

impl Product<'_> {
    #[inline(always)]
    pub(crate) fn run<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= MANY {
            self.run_tiled::<S, TALL>(simd);
        } else {
            self.run_tiled::<S, SHORT>(simd);
        }
    }

    #[inline(always)]
    fn run_tiled<S: Simd, const ROWS: usize>(self, simd: S) {
        let whole = self.depth.len();
        let blocks = if whole <= WHOLE { 1 } else { whole.div_ceil(DEPTH) };
        let step = whole.div_ceil(blocks).max(1);
        if blocks == 1 {
            return self.run_block::<S, ROWS>(simd);
        }
        let Self { rows, a, a_stride, b, depth, columns, c, c_stride, start, activation } = self;
        let mut gathered = GATHERED.take();
        let mut from = depth.start;
        while from < depth.end {
            let end = depth.end.min(from + step);
            let (first, last) = (from == depth.start, end == depth.end);
            let block = reserve(&mut gathered, rows * (end - from));
            for (row, block) in block.chunks_exact_mut(end - from).enumerate() {
                let at = row * a_stride + from - depth.start;
                block.copy_from_slice(&a[at..at + (end - from)]);
            }
            Product {
                rows,
                a: block,
                a_stride: end - from,
                b,
                depth: from..end,
                columns: columns.clone(),
                c,
                c_stride,
                start: if first { start } else { Start::Result },
                activation: if last { activation } else { Activation::Identity },
            }
            .run_block::<S, ROWS>(simd);
            from = end;
        }
        GATHERED.set(gathered);
    }

    /// The whole depth in one go.
    #[inline(always)]
    fn run_block<S: Simd, const ROWS: usize>(self, simd: S) {
        let width = width_of::<S>();
        let Self { rows, a, a_stride, b, depth, columns, c, c_stride, start, activation } = self;
        let (steps, tiles) = (depth.len(), rows.div_ceil(ROWS));
        let fetching = b.values.len() > CACHED;
        // What each tile fetches of the next panel.
        let share = match fetching && tiles >= SHARED {
            true => (steps * width).div_ceil(tiles).next_multiple_of(LINE),
            false => 0,
        };
        let mut column = columns.start;
        while column < columns.end {
            let at = column * b.depth + depth.start * width;
            let (panel, _) = S::as_simd_f32s(&b.values[at..at + steps * width]);
            let valid = width.min(columns.end - column);
            let offset = column - columns.start;
            let mut next = at + width * b.depth;
            let mut row = 0;
            while row < rows {
                prefetch_soon(b.values, next..next + share);
                next += share;
                let count = ROWS.min(rows - row);
                let mut a_rows: [&[f32]; ROWS] = [&[]; ROWS];
                for (i, a_row) in a_rows.iter_mut().enumerate() {
                    // A tile with fewer rows computes its last row several times.
                    let from = (row + i.min(count - 1)) * a_stride;
                    *a_row = &a[from..from + steps];
                }
                let c = &mut c[row * c_stride + offset..];
                if fetching {
                    for i in ROWS..2 * ROWS {
                        prefetch_near(c, i * c_stride..i * c_stride + width);
                    }
                }
                let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
                match start {
                    Start::Zero => {}
                    Start::Bias(bias) => {
                        let (bias, _) = S::as_simd_f32s(&bias[column..column + width]);
                        for sums in &mut sums {
                            sums.copy_from_slice(bias);
                        }
                    }
                    Start::Result => load(simd, &mut sums[..count], c, c_stride, valid),
                }
                sums = tile(simd, a_rows, panel, sums);
                store(simd, &sums[..count], c, c_stride, valid);
                if activation != Activation::Identity {
                    activate(simd, activation, c, c_stride, count, valid);
                }
                row += ROWS;
            }
            column += width;
        }
    }
}

/// The inner loop: `sums + a b`, `b` being `a`'s length of rows, [`VECTORS`] vectors wide.
#[inline(always)]
fn tile<S: Simd, const ROWS: usize>(
    simd: S,
    a: [&[f32]; ROWS],
    b: &[S::f32s],
    mut sums: [[S::f32s; VECTORS]; ROWS],
) -> [[S::f32s; VECTORS]; ROWS] {
    let (b, _) = b.as_chunks::<VECTORS>();
    assert!(a.iter().all(|row| row.len() == b.len()));
    // Written out four times: the end of a short loop is then foreseen, and counting costs less.
    let (fours, rest) = b.as_chunks::<4>();
    for (k, four) in fours.iter().enumerate() {
        for (i, b) in four.iter().enumerate() {
            // SAFETY: each row of `a` is as long as `b`, as asserted above, and this indexes `b`.
            sums = unsafe { step(simd, a, 4 * k + i, b, sums) };
        }
    }
    for (i, b) in rest.iter().enumerate() {
        // SAFETY: as above.
        sums = unsafe { step(simd, a, 4 * fours.len() + i, b, sums) };
    }
    sums
}

/// One row of `b`.
///
/// # Safety
///
/// Each row of `a` is longer than `k`.
#[inline(always)]
unsafe fn step<S: Simd, const ROWS: usize>(
    simd: S,
    a: [&[f32]; ROWS],
    k: usize,
    b: &[S::f32s; VECTORS],
    mut sums: [[S::f32s; VECTORS]; ROWS],
) -> [[S::f32s; VECTORS]; ROWS] {
    for i in 0..ROWS {
        // SAFETY: the caller's promise.
        let a = simd.splat_f32s(unsafe { *a[i].get_unchecked(k) });
        for j in 0..VECTORS {
            sums[i][j] = simd.mul_add_e_f32s(a, b[j], sums[i][j]);
        }
    }
    sums
}

#[inline(always)]
fn load<S: Simd>(simd: S, sums: &mut [[S::f32s; VECTORS]], c: &[f32], stride: usize, valid: usize) {
    for (i, sums) in sums.iter_mut().enumerate() {
        let row = &c[i * stride..][..valid];
        if valid == VECTORS * S::F32_LANES {
            sums.copy_from_slice(S::as_simd_f32s(row).0);
        } else {
            for (sum, part) in sums.iter_mut().zip(row.chunks(S::F32_LANES)) {
                *sum = simd.partial_load_f32s(part);
            }
        }
    }
}

#[inline(always)]
fn store<S: Simd>(
    simd: S,
    sums: &[[S::f32s; VECTORS]],
    c: &mut [f32],
    stride: usize,
    valid: usize,
) {
    for (i, sums) in sums.iter().enumerate() {
        let row = &mut c[i * stride..][..valid];
        if valid == VECTORS * S::F32_LANES {
            S::as_mut_simd_f32s(row).0.copy_from_slice(sums);
        } else {
            for (sum, part) in sums.iter().zip(row.chunks_mut(S::F32_LANES)) {
                simd.partial_store_f32s(part, *sum);
            }
        }
    }
}

#[inline(always)]
fn activate<S: Simd>(
    simd: S,
    activation: Activation,
    c: &mut [f32],
    stride: usize,
    rows: usize,
    valid: usize,
) {
    for i in 0..rows {
        let (vectors, rest) = S::as_mut_simd_f32s(&mut c[i * stride..][..valid]);
        for vector in vectors {
            *vector = activation.of(simd, *vector);
        }
        if !rest.is_empty() {
            let last = activation.of(simd, simd.partial_load_f32s(rest));
            simd.partial_store_f32s(rest, last);
        }
    }
}
