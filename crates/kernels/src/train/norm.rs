//! Layer normalization that keeps what its backward pass needs.

use pulp::Simd;

use crate::norm::{Moments, total};

/// Normalizes a row in place, without scale and shift, and gives what it was divided by, inverted.
#[inline(always)]
pub(super) fn normalize<S: Simd>(simd: S, x: &mut [f32], epsilon: f32) -> f32 {
    let Moments { mean, factor } = Moments::of(simd, x, epsilon);
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
