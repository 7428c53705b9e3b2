//! Layer normalization, alone or with a residual in the same pass.

use pulp::{Simd, WithSimd};

use crate::{Instructions, ShapeError};

/// Layer normalization over the last dimension (Ba, Kiros and Hinton 2016): the variance is the
/// biased one, and epsilon is added to it.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    gamma: Vec<f32>,
    beta: Vec<f32>,
    epsilon: f32,
    instructions: Instructions,
}

impl LayerNorm {
    /// A norm of `gamma.len()` features.
    ///
    /// # Errors
    ///
    /// `gamma` is empty, or `beta` has another length.
    pub fn new(
        gamma: Vec<f32>,
        beta: Vec<f32>,
        epsilon: f32,
        instructions: Instructions,
    ) -> Result<Self, ShapeError> {
        if gamma.is_empty() {
            let problem = "a norm needs at least one feature".to_owned();
            return Err(ShapeError::Dimension { what: "hidden_size", problem });
        }
        ShapeError::check("beta", beta.len(), &[gamma.len()])?;
        Ok(Self { gamma, beta, epsilon, instructions })
    }

    /// Normalizes each row, in place.
    ///
    /// # Shapes
    ///
    /// - `rows`: `[rows, features]`
    ///
    /// # Errors
    ///
    /// `rows` is no whole number of rows.
    pub fn apply(&self, rows: &mut [f32]) -> Result<(), ShapeError> {
        ShapeError::check("rows", rows.len(), &[rows.len() / self.gamma.len(), self.gamma.len()])?;
        self.instructions.run(Apply { norm: self, rows });
        Ok(())
    }

    pub(crate) fn features(&self) -> usize {
        self.gamma.len()
    }

    /// `x = norm(x + y)`, row by row. The slices have equal lengths, a whole number of rows.
    #[inline(always)]
    pub(crate) fn add_and_apply<S: Simd>(&self, simd: S, x: &mut [f32], y: &[f32]) {
        let features = self.gamma.len();
        for (x, y) in x.chunks_exact_mut(features).zip(y.chunks_exact(features)) {
            let (vectors, rest) = S::as_mut_simd_f32s(x);
            let (added, added_rest) = S::as_simd_f32s(y);
            for (x, y) in vectors.iter_mut().zip(added) {
                *x = simd.add_f32s(*x, *y);
            }
            for (x, y) in rest.iter_mut().zip(added_rest) {
                *x += *y;
            }
            self.normalize(simd, x);
        }
    }

    #[inline(always)]
    fn normalize<S: Simd>(&self, simd: S, x: &mut [f32]) {
        let Moments { mean, factor } = Moments::of(simd, x, self.epsilon);
        let (vectors, rest) = S::as_mut_simd_f32s(x);
        let center = simd.splat_f32s(mean);
        let scale = simd.splat_f32s(factor);
        let (gamma, gamma_rest) = S::as_simd_f32s(&self.gamma);
        let (beta, beta_rest) = S::as_simd_f32s(&self.beta);
        for ((x, gamma), beta) in vectors.iter_mut().zip(gamma).zip(beta) {
            let scaled = simd.mul_f32s(simd.sub_f32s(*x, center), scale);
            *x = simd.mul_add_e_f32s(scaled, *gamma, *beta);
        }
        for ((x, gamma), beta) in rest.iter_mut().zip(gamma_rest).zip(beta_rest) {
            *x = (*x - mean) * factor * gamma + beta;
        }
    }
}

/// What a row is normalized by.
pub(crate) struct Moments {
    pub mean: f32,
    /// One over the deviation.
    pub factor: f32,
}

impl Moments {
    /// Two passes, the mean first, so that a large mean costs the variance no digits; the second also
    /// sums what is left around the mean, by which both are corrected (Chan, Golub and LeVeque 1983).
    #[inline(always)]
    pub fn of<S: Simd>(simd: S, x: &[f32], epsilon: f32) -> Self {
        let count = x.len() as f32;
        let (vectors, rest) = S::as_simd_f32s(x);
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
        Self { mean: first + correction, factor: 1.0 / (variance.max(0.0) + epsilon).sqrt() }
    }
}

#[inline(always)]
pub(crate) fn total<S: Simd>(simd: S, sums: [S::f32s; 4]) -> f32 {
    let (a, b) = (simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3]));
    simd.reduce_sum_f32s(simd.add_f32s(a, b))
}

struct Apply<'a> {
    norm: &'a LayerNorm,
    rows: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in self.rows.chunks_exact_mut(self.norm.features()) {
            self.norm.normalize(simd, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{self, Numbers};

    struct AddAndApply<'a>(&'a LayerNorm, &'a mut [f32], &'a [f32]);

    impl WithSimd for AddAndApply<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            self.0.add_and_apply(simd, self.1, self.2);
        }
    }

    #[test]
    fn norms_equal_the_reference_with_any_number_of_features() {
        let mut numbers = Numbers::new(1);
        for set in Instructions::available() {
            for features in [1, 2, 7, 8, 31, 32, 33, 100, 384, 768, 1024] {
                let gamma = numbers.take(features, 1.0);
                let beta = numbers.take(features, 1.0);
                let norm = LayerNorm::new(gamma.clone(), beta.clone(), 1e-5, set).unwrap();
                let (x, y) = (numbers.take(3 * features, 2.0), numbers.take(3 * features, 2.0));
                let sum: Vec<f64> =
                    x.iter().zip(&y).map(|(x, y)| f64::from(*x) + f64::from(*y)).collect();
                let expected = reference::layer_norm(&sum, &gamma, &beta, 1e-5);
                let mut fused = x.clone();
                set.run(AddAndApply(&norm, &mut fused, &y));
                reference::assert_close(&fused, &expected, 1e-5);
                let mut alone: Vec<f32> = x.iter().zip(&y).map(|(x, y)| x + y).collect();
                norm.apply(&mut alone).unwrap();
                assert_eq!(alone, fused, "{set:?}, {features} features");
            }
        }
    }

    #[test]
    fn a_large_mean_costs_no_digits() {
        let mut numbers = Numbers::new(2);
        for set in Instructions::available() {
            let x: Vec<f32> = numbers.take(768, 1.0).iter().map(|x| x + 1000.0).collect();
            let norm = LayerNorm::new(vec![1.0; 768], vec![0.0; 768], 1e-12, set).unwrap();
            let wide: Vec<f64> = x.iter().copied().map(f64::from).collect();
            let expected = reference::layer_norm(&wide, &[1.0; 768], &[0.0; 768], 1e-12);
            let mut rows = x;
            norm.apply(&mut rows).unwrap();
            // The mean of values near 1,000 is known to half a unit in the last place, 3e-5.
            reference::assert_close(&rows, &expected, 5e-5);
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_errors() {
        let set = Instructions::detect();
        assert!(LayerNorm::new(vec![], vec![], 1e-5, set).is_err());
        assert!(LayerNorm::new(vec![1.0; 4], vec![0.0; 3], 1e-5, set).is_err());
        let norm = LayerNorm::new(vec![1.0; 4], vec![0.0; 4], 1e-5, set).unwrap();
        let error = norm.apply(&mut [0.0; 6]).unwrap_err();
        assert!(error.to_string().contains("6 values"), "{error}");
    }
}
