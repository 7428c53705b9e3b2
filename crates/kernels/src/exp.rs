//! Powers of two and polynomials, on vectors.

use pulp::Simd;

/// Coefficients of the polynomial for `2^f` on [-0.5, 0.5], lowest first: a minimax fit of the
/// relative error (2.0e-9) with the constant term held at one, so that `exp2(0)` is exact.
const EXP2: [f32; 7] = [
    1.0,
    6.931_472e-1,
    2.402_264_8e-1,
    5.550_332_5e-2,
    9.618_437e-3,
    1.339_887_5e-3,
    1.535_336_2e-4,
];

/// Adding this to a small value rounds it to an integer, which then stands in the low bits.
const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23

/// `2^t` for `t` up to 127; below -126, where results would be subnormal, zero.
#[inline(always)]
pub(crate) fn exp2<S: Simd>(simd: S, t: S::f32s) -> S::f32s {
    let shifted = simd.add_f32s(t, simd.splat_f32s(ROUND));
    let fraction = simd.sub_f32s(t, simd.sub_f32s(shifted, simd.splat_f32s(ROUND)));
    let power = polynomial(simd, fraction, &EXP2);
    let exponent =
        simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let scaled = simd.add_u32s(simd.transmute_u32s_f32s(power), exponent);
    let scaled = simd.transmute_f32s_u32s(scaled);
    let tiny = simd.less_than_f32s(t, simd.splat_f32s(-126.0));
    simd.select_f32s(tiny, simd.splat_f32s(0.0), scaled)
}

/// Horner's rule; coefficients from the constant term up.
#[inline(always)]
pub(crate) fn polynomial<S: Simd, const N: usize>(
    simd: S,
    x: S::f32s,
    coefficients: &[f32; N],
) -> S::f32s {
    let mut value = simd.splat_f32s(coefficients[N - 1]);
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        value = simd.mul_add_e_f32s(value, x, simd.splat_f32s(coefficients[i]));
    }
    value
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::Instructions;

    struct Exp2<'a>(&'a mut [f32]);

    impl WithSimd for Exp2<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (vectors, rest) = S::as_mut_simd_f32s(self.0);
            assert!(rest.is_empty());
            for vector in vectors {
                *vector = exp2(simd, *vector);
            }
        }
    }

    #[test]
    fn powers_of_two_are_within_two_units_in_the_last_place() {
        for set in Instructions::available() {
            let inputs: Vec<f32> = (0..=0xffff).map(|i| -125.9 + i as f32 * 3.8e-3).collect();
            assert!(inputs[0xffff] > 122.0);
            let mut values = inputs.clone();
            set.run(Exp2(&mut values));
            for (t, value) in inputs.iter().zip(&values) {
                let expected = f64::from(*t).exp2();
                let error = (f64::from(*value) - expected).abs() / expected;
                assert!(error < 2.0 * f64::from(f32::EPSILON), "{set:?}: 2^{t} is {value}");
            }
        }
    }

    #[test]
    fn the_ends_are_exact() {
        for set in Instructions::available() {
            let mut values = [0.0; 16];
            let ends = [0.0, 1.0, -1.0, -126.0, -127.0, -1e30, f32::NEG_INFINITY, f32::NAN];
            values[..8].copy_from_slice(&ends);
            set.run(Exp2(&mut values));
            assert_eq!(values[..7], [1.0, 2.0, 0.5, f32::MIN_POSITIVE, 0.0, 0.0, 0.0], "{set:?}");
            assert!(values[7].is_nan(), "{set:?}");
        }
    }
}
