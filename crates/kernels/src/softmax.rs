//! The softmax of attention scores, block of keys by block of keys.

use pulp::Simd;

use crate::exp::exp2;

/// The running maximum and sum of one query's scores, as online softmax keeps them (Milakov and
/// Gimelshein 2018). Scores are in units of `log2`, so that a power of two is all an exponential takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    maximum: f32,
    sum: f32,
}

impl Running {
    pub(crate) const EMPTY: Self = Self { maximum: f32::NEG_INFINITY, sum: 0.0 };

    /// Takes in the scores of one more block of keys: replaces each score by
    /// `2^(score * scale - maximum)`, and gives the factor by which earlier blocks' weights, and what
    /// was summed with them, must now be multiplied. `scores` are whole vectors; a score that is no
    /// key's is negative infinity.
    #[inline(always)]
    pub(crate) fn add<S: Simd>(&mut self, simd: S, scores: &mut [f32], scale: f32) -> f32 {
        let (vectors, _) = S::as_mut_simd_f32s(scores);
        let mut maxima = [simd.splat_f32s(f32::NEG_INFINITY); 4];
        let (fours, rest) = vectors.as_chunks::<4>();
        for four in fours {
            maxima[0] = simd.max_f32s(maxima[0], four[0]);
            maxima[1] = simd.max_f32s(maxima[1], four[1]);
            maxima[2] = simd.max_f32s(maxima[2], four[2]);
            maxima[3] = simd.max_f32s(maxima[3], four[3]);
        }
        for vector in rest {
            maxima[0] = simd.max_f32s(maxima[0], *vector);
        }
        let top =
            simd.max_f32s(simd.max_f32s(maxima[0], maxima[1]), simd.max_f32s(maxima[2], maxima[3]));
        let maximum = self.maximum.max(simd.reduce_max_f32s(top) * scale);
        let (factor, shift) = (simd.splat_f32s(scale), simd.splat_f32s(-maximum));
        let mut sums = [simd.splat_f32s(0.0); 2];
        let (pairs, rest) = vectors.as_chunks_mut::<2>();
        for pair in pairs {
            pair[0] = exp2(simd, simd.mul_add_e_f32s(pair[0], factor, shift));
            pair[1] = exp2(simd, simd.mul_add_e_f32s(pair[1], factor, shift));
            sums[0] = simd.add_f32s(sums[0], pair[0]);
            sums[1] = simd.add_f32s(sums[1], pair[1]);
        }
        for vector in rest {
            *vector = exp2(simd, simd.mul_add_e_f32s(*vector, factor, shift));
            sums[0] = simd.add_f32s(sums[0], *vector);
        }
        let earlier = if self.sum > 0.0 { (self.maximum - maximum).exp2() } else { 0.0 };
        self.sum = self.sum * earlier + simd.reduce_sum_f32s(simd.add_f32s(sums[0], sums[1]));
        self.maximum = maximum;
        earlier
    }

    /// The binary logarithm of the sum of all powers, in the scores' scaled units.
    pub(crate) fn log_sum(self) -> f32 {
        self.maximum + self.sum.log2()
    }

    /// What the weighted sum of values must be multiplied with at the end.
    pub(crate) fn normalizer(self) -> f32 {
        1.0 / self.sum
    }
}
