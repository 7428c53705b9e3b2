//! `c += x^T y` with a long inner dimension: gradients of weights, and of attention's keys and values.
//!
//! As [`crate::matmul`], but the left-hand side is read down its columns: the values of a tile's rows
//! lie side by side, and what is broadcast comes from one cache line.

use pulp::Simd;

use crate::matmul::width_of;
use crate::reserve::reserve;

/// Vectors side by side in a tile.
const VECTORS: usize = 2;

/// The most of the inner dimension that a tile runs down at a time.
const DEPTH: usize = 512;

/// `c[r, j] += sum over k of x[k, r] y[k, j]`.
#[derive(Debug)]
pub(super) struct Outer<'a> {
    /// Value `(k, r)` stands at `k * x_stride + r`.
    pub x: &'a [f32],
    pub x_stride: usize,
    /// `y` in panels ([`super::panels::of_rows`]).
    pub y: &'a [f32],
    pub depth: usize,
    pub rows: usize,
    pub columns: usize,
    pub c: &'a mut [f32],
    pub c_stride: usize,
}

impl Outer<'_> {
    /// Copies `x` block by block, so that it is read in order; for long inner dimensions.
    #[inline(always)]
    pub fn run_copied<S: Simd>(mut self, simd: S, copy: &mut Vec<f32>) {
        if S::REGISTER_COUNT >= 32 {
            self.copied::<S, 8>(simd, copy);
        } else {
            self.copied::<S, 6>(simd, copy);
        }
    }

    /// Reads `x` where it is; for inner dimensions that fit the first-level cache.
    #[inline(always)]
    pub fn run<S: Simd>(mut self, simd: S) {
        let (x, stride, depth) = (self.x, self.x_stride, self.depth);
        if S::REGISTER_COUNT >= 32 {
            self.block::<S, 8>(simd, 0..depth, |row| (&x[row..], stride));
        } else {
            self.block::<S, 6>(simd, 0..depth, |row| (&x[row..], stride));
        }
    }

    #[inline(always)]
    fn copied<S: Simd, const ROWS: usize>(&mut self, simd: S, copy: &mut Vec<f32>) {
        let (x, stride) = (self.x, self.x_stride);
        for k in (0..self.depth).step_by(DEPTH) {
            let depth = DEPTH.min(self.depth - k);
            let copy = reserve(copy, self.rows.next_multiple_of(ROWS) * depth);
            for (tile, row) in copy.chunks_exact_mut(ROWS * depth).zip((0..).step_by(ROWS)) {
                let valid = ROWS.min(self.rows - row);
                for (to, k) in tile.chunks_exact_mut(ROWS).zip(k..) {
                    let from = &x[k * stride + row..][..valid];
                    if valid == ROWS {
                        to.copy_from_slice(from);
                    } else {
                        to[..valid].copy_from_slice(from);
                        to[valid..].fill(0.0);
                    }
                }
            }
            self.block::<S, ROWS>(simd, k..k + depth, |row| (&copy[row * depth..], ROWS));
        }
    }

    /// One block of the inner dimension. `tile` gives the left-hand side's values from a row on, and
    /// how far apart they are.
    #[inline(always)]
    fn block<'x, S: Simd, const ROWS: usize>(
        &mut self,
        simd: S,
        inner: std::ops::Range<usize>,
        tile: impl Fn(usize) -> (&'x [f32], usize),
    ) {
        let width = width_of::<S>();
        assert_eq!(width, VECTORS * S::F32_LANES);
        let panels = self.y.chunks_exact(self.depth * width);
        for (panel, column) in panels.zip((0..self.columns).step_by(width)) {
            let panel = &panel[inner.start * width..inner.end * width];
            let (panel, _) = S::as_simd_f32s(panel).0.as_chunks::<VECTORS>();
            let valid = width.min(self.columns - column);
            for row in (0..self.rows).step_by(ROWS) {
                let count = ROWS.min(self.rows - row);
                let (x, stride) = tile(row);
                let c = &mut self.c[row * self.c_stride + column..];
                let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
                for (i, sums) in sums[..count].iter_mut().enumerate() {
                    load(simd, sums, &c[i * self.c_stride..][..valid]);
                }
                sums = if count == ROWS || stride == ROWS {
                    whole(simd, x, stride, panel, sums)
                } else {
                    part(simd, x, stride, count, panel, sums)
                };
                for (i, sums) in sums[..count].iter().enumerate() {
                    store(simd, sums, &mut c[i * self.c_stride..][..valid]);
                }
            }
        }
    }
}

/// The inner loop of a tile whose rows are all there.
#[inline(always)]
fn whole<S: Simd, const ROWS: usize>(
    simd: S,
    x: &[f32],
    stride: usize,
    panel: &[[S::f32s; VECTORS]],
    mut sums: [[S::f32s; VECTORS]; ROWS],
) -> [[S::f32s; VECTORS]; ROWS] {
    assert!(panel.is_empty() || x.len() >= (panel.len() - 1) * stride + ROWS);
    for (k, y) in panel.iter().enumerate() {
        for (i, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `k` is less than the panel's length and `i` than `ROWS`, for which `x` is long
            // enough, as asserted above.
            let x = simd.splat_f32s(unsafe { *x.get_unchecked(k * stride + i) });
            for (sum, y) in sums.iter_mut().zip(y) {
                *sum = simd.mul_add_e_f32s(x, *y, *sum);
            }
        }
    }
    sums
}

/// The same of a tile with fewer rows, which computes its last one several times.
#[inline(always)]
fn part<S: Simd, const ROWS: usize>(
    simd: S,
    x: &[f32],
    stride: usize,
    count: usize,
    panel: &[[S::f32s; VECTORS]],
    mut sums: [[S::f32s; VECTORS]; ROWS],
) -> [[S::f32s; VECTORS]; ROWS] {
    for (k, y) in panel.iter().enumerate() {
        let x = &x[k * stride..][..count];
        for (i, sums) in sums.iter_mut().enumerate() {
            let x = simd.splat_f32s(x[i.min(count - 1)]);
            for (sum, y) in sums.iter_mut().zip(y) {
                *sum = simd.mul_add_e_f32s(x, *y, *sum);
            }
        }
    }
    sums
}

#[inline(always)]
fn load<S: Simd>(simd: S, sums: &mut [S::f32s; VECTORS], row: &[f32]) {
    if row.len() == VECTORS * S::F32_LANES {
        sums.copy_from_slice(S::as_simd_f32s(row).0);
    } else {
        for (sum, part) in sums.iter_mut().zip(row.chunks(S::F32_LANES)) {
            *sum = simd.partial_load_f32s(part);
        }
    }
}

#[inline(always)]
fn store<S: Simd>(simd: S, sums: &[S::f32s; VECTORS], row: &mut [f32]) {
    if row.len() == VECTORS * S::F32_LANES {
        S::as_mut_simd_f32s(row).0.copy_from_slice(sums);
    } else {
        for (sum, part) in sums.iter().zip(row.chunks_mut(S::F32_LANES)) {
            simd.partial_store_f32s(part, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulp::WithSimd;

    use super::super::panels;
    use super::*;
    use crate::Instructions;
    use crate::matmul::{panels_len, width};
    use crate::reference::{self, Numbers};

    struct Run<'a>(Outer<'a>, Option<&'a mut Vec<f32>>);

    impl WithSimd for Run<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            match self.1 {
                Some(copy) => self.0.run_copied(simd, copy),
                None => self.0.run(simd),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn products_equal_the_plain_sums(
            depth in 1_usize..700,
            rows in 1_usize..40,
            columns in 1_usize..40,
            seed: u64,
        ) {
            let mut numbers = Numbers::new(seed);
            let (x, y) = (numbers.take(depth * rows, 1.0), numbers.take(depth * columns, 1.0));
            let start = numbers.take(rows * columns, 1.0);
            let mut expected: Vec<f64> = start.iter().copied().map(f64::from).collect();
            for (x, y) in x.chunks_exact(rows).zip(y.chunks_exact(columns)) {
                for (sums, x) in expected.chunks_exact_mut(columns).zip(x) {
                    sums.iter_mut().zip(y).for_each(|(c, y)| *c += f64::from(*x) * f64::from(*y));
                }
            }
            for set in Instructions::available() {
                let width = width(set);
                let mut laid_out = vec![0.0; panels_len(depth, columns, width)];
                panels::of_rows(&y, columns, depth, columns, width, &mut laid_out);
                for copied in [false, true] {
                    let mut c = start.clone();
                    let outer = Outer {
                        x: &x, x_stride: rows, y: &laid_out, depth, rows, columns, c: &mut c,
                        c_stride: columns,
                    };
                    let mut copy = Vec::new();
                    set.run(Run(outer, copied.then_some(&mut copy)));
                    reference::assert_close(&c, &expected, 2e-5);
                }
            }
        }
    }
}
