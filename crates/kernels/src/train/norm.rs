//! Layer normalization that keeps what its backward pass needs.

use pulp::Simd;

/// Normalizes a row in place, without scale and shift, and gives what it was divided by, inverted.
/// Mean and variance as in [`crate::LayerNorm`].
#[inline(always)]
pub(super) fn normalize<S: Simd>(simd: S, x: &mut [f32], epsilon: f32) -> f32 {
    let count = x.len() as f32;
    let (vectors, rest) = S::as_mut_simd_f32s(x);
    let mut sums = [simd.splat_f32s(0.0); 4];
    for (i, x) in vectors.iter().enumerate() {
        sums[i % 4] = simd.add_f32s(sums[i % 4], *x);
    }
    let first = (total(simd, sums) + rest.iter().sum::<f32>()) / count;
    let around = simd.splat_f32s(first);
    let mut sums = [simd.splat_f32s(0.0); 4];
    let mut squares = [simd.splat_f32s(0.0); 4];
    for (i, x) in vectors.iter().enumerate() {
        let off = simd.sub_f32s(*x, around);
        sums[i % 4] = simd.add_f32s(sums[i % 4], off);
        squares[i % 4] = simd.mul_add_e_f32s(off, off, squares[i % 4]);
    }
    let rest_sum: f32 = rest.iter().map(|x| x - first).sum();
    let rest_squares: f32 = rest.iter().map(|x| (x - first) * (x - first)).sum();
    let correction = (total(simd, sums) + rest_sum) / count;
    let variance = (total(simd, squares) + rest_squares) / count - correction * correction;
    let mean = first + correction;
    let factor = 1.0 / (variance.max(0.0) + epsilon).sqrt();
    for x in x {
        *x = (*x - mean) * factor;
    }
    factor
}

/// Scale and shift of a normalized row.
#[inline(always)]
pub(super) fn affine(normalized: &[f32], gamma: &[f32], beta: &[f32], result: &mut [f32]) {
    for (((to, x), gamma), beta) in result.iter_mut().zip(normalized).zip(gamma).zip(beta) {
        *to = x * gamma + beta;
    }
}

/// As [`affine`], of many rows.
#[inline(always)]
pub(super) fn affine_rows(normalized: &[f32], gamma: &[f32], beta: &[f32], result: &mut [f32]) {
    let width = gamma.len();
    for (x, to) in normalized.chunks_exact(width).zip(result.chunks_exact_mut(width)) {
        affine(x, gamma, beta, to);
    }
}

/// Replaces the gradient by a normalized row's results with that by its inputs, and adds those by
/// scale and shift to `[2, width]` in `sums`.
#[inline(always)]
pub(super) fn backward<S: Simd>(
    simd: S,
    gradient: &mut [f32],
    normalized: &[f32],
    factor: f32,
    gamma: &[f32],
    sums: &mut [f32],
) {
    let width = gamma.len();
    let (scale_sums, shift_sums) = sums.split_at_mut(width);
    for (sum, (g, x)) in scale_sums.iter_mut().zip(gradient.iter().zip(normalized)) {
        *sum += g * x;
    }
    for (sum, g) in shift_sums.iter_mut().zip(&*gradient) {
        *sum += g;
    }
    for (g, gamma) in gradient.iter_mut().zip(gamma) {
        *g *= gamma;
    }
    let mean = sum(simd, gradient) / width as f32;
    let slope = dot(simd, gradient, normalized) / width as f32;
    for (g, x) in gradient.iter_mut().zip(normalized) {
        *g = (*g - mean - x * slope) * factor;
    }
}

/// The inner product of two rows.
#[inline(always)]
pub(super) fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let mut sums = [simd.splat_f32s(0.0); 4];
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        sums[i % 4] = simd.mul_add_e_f32s(*a, *b, sums[i % 4]);
    }
    total(simd, sums) + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[inline(always)]
fn sum<S: Simd>(simd: S, values: &[f32]) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(values);
    let mut sums = [simd.splat_f32s(0.0); 4];
    for (i, vector) in vectors.iter().enumerate() {
        sums[i % 4] = simd.add_f32s(sums[i % 4], *vector);
    }
    total(simd, sums) + rest.iter().sum::<f32>()
}

#[inline(always)]
fn total<S: Simd>(simd: S, sums: [S::f32s; 4]) -> f32 {
    let (a, b) = (simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3]));
    simd.reduce_sum_f32s(simd.add_f32s(a, b))
}
