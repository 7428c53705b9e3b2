//! Matrix products: rows as they lie in memory times panels laid out for the purpose.
//!
//! The scheme is BLIS's (Van Zee and Van de Geijn 2015): a tile of `ROWS x WIDTH` results stays in
//! registers while it runs down a block of the inner dimension, the panel of the right-hand side stays
//! in the first-level cache while it meets every tile of rows, and the rows stay in the second. The
//! left-hand side is not copied: its rows are read where they are.

use std::ops::Range;

use pulp::Simd;

use crate::{Activation, Instructions};

/// Vectors side by side in a tile, which is so many times the lanes wide.
const VECTORS: usize = 2;

/// The most of the inner dimension that a tile runs down before results go back to memory.
const DEPTH: usize = 512;

/// The most columns that are finished before others are begun, so that they stay in the cache
/// between blocks of depth.
const COLUMNS: usize = 512;

/// Columns in a panel.
pub(crate) fn width(instructions: Instructions) -> usize {
    VECTORS * instructions.lanes()
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
        // Enough accumulators to hide the latency of multiply-add, few enough for the registers.
        if S::REGISTER_COUNT >= 32 {
            self.run_tiled::<S, 8>(simd);
        } else {
            self.run_tiled::<S, 6>(simd);
        }
    }

    #[inline(always)]
    fn run_tiled<S: Simd, const ROWS: usize>(self, simd: S) {
        let width = width_of::<S>();
        let depth_blocks = self.depth.len().div_ceil(DEPTH).max(1);
        let depth_step = self.depth.len().div_ceil(depth_blocks).max(1);
        let Self { rows, a, a_stride, b, depth, columns, c, c_stride, start, activation } = self;
        let mut block = columns.start;
        while block < columns.end {
            let block_end = columns.end.min(block + COLUMNS);
            let mut k = depth.start;
            while k < depth.end {
                let k_end = depth.end.min(k + depth_step);
                let (first, last) = (k == depth.start, k_end == depth.end);
                let mut column = block;
                while column < block_end {
                    let panel = &b.values[column * b.depth + k * width..][..(k_end - k) * width];
                    let (panel, _) = S::as_simd_f32s(panel);
                    let valid = width.min(columns.end - column);
                    let offset = column - columns.start;
                    let mut row = 0;
                    while row < rows {
                        let count = ROWS.min(rows - row);
                        let mut a_rows: [&[f32]; ROWS] = [&[]; ROWS];
                        for (i, a_row) in a_rows.iter_mut().enumerate() {
                            // A tile with fewer rows computes its last row several times.
                            let from = (row + i.min(count - 1)) * a_stride + k - depth.start;
                            *a_row = &a[from..from + (k_end - k)];
                        }
                        let c = &mut c[row * c_stride + offset..];
                        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
                        match (first, start) {
                            (true, Start::Zero) => {}
                            (true, Start::Bias(bias)) => {
                                let (bias, _) = S::as_simd_f32s(&bias[column..column + width]);
                                for sums in &mut sums {
                                    sums.copy_from_slice(bias);
                                }
                            }
                            _ => load(simd, &mut sums[..count], c, c_stride, valid),
                        }
                        sums = tile(simd, a_rows, panel, sums);
                        store(simd, &sums[..count], c, c_stride, valid);
                        if last && activation != Activation::Identity {
                            activate(simd, activation, c, c_stride, count, valid);
                        }
                        row += ROWS;
                    }
                    column += width;
                }
                k = k_end;
            }
            block = block_end;
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
    for (k, b) in b.iter().enumerate() {
        for i in 0..ROWS {
            // SAFETY: each row of `a` is as long as `b`, as asserted above, and `k` indexes `b`.
            let a = simd.splat_f32s(unsafe { *a[i].get_unchecked(k) });
            for j in 0..VECTORS {
                sums[i][j] = simd.mul_add_e_f32s(a, b[j], sums[i][j]);
            }
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
