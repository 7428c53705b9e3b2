//! Activations of feed-forward layers and heads.
//!
//! The exact GELU is `x * Phi(x)`, Phi being the standard normal distribution function. It is
//! computed as `max(x, 0) - |x| * Phi(-|x|)`, in which nothing cancels, so that the negative tail keeps
//! its digits. `Phi(-a)` is `2^(-1 - q(a))`, where `q` is smooth: one polynomial and one power of two
//! serve the whole line, without a division or a branch.

use pulp::{Simd, WithSimd};

use crate::Instructions;
use crate::exp::{exp2, polynomial};

/// What follows a linear layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// The exact GELU, `x * Phi(x)` (Hendrycks and Gimpel 2016); `gelu` in Hugging Face's
    /// configurations. Within 2e-7, or 2e-7 of the value above one.
    Gelu,
    /// The GELU by tanh of a cubic from the same paper; `gelu_new` and `gelu_pytorch_tanh`.
    GeluTanh,
    /// The hyperbolic tangent, as the pooler and XLM-R's head use it. Within 3e-7.
    Tanh,
}

impl Activation {
    /// Applies the activation to every value, in place.
    pub fn apply(self, values: &mut [f32], instructions: Instructions) {
        instructions.run(Apply { activation: self, values });
    }

    /// The activation of one vector.
    #[inline(always)]
    pub(crate) fn of<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        match self {
            Self::Identity => x,
            Self::Relu => relu(simd, x),
            Self::Gelu => gelu(simd, x),
            Self::GeluTanh => gelu_tanh(simd, x),
            Self::Tanh => tanh(simd, x),
        }
    }
}

/// The error function of every value, in place. Within 2e-7 everywhere; odd, 1 and -1 in the tails,
/// NaN for NaN.
pub fn erf(values: &mut [f32], instructions: Instructions) {
    instructions.run(Erf(values));
}

/// Coefficients of `q(a) / a`, lowest first, where `Phi(-a) = 2^(-1 - q(a))`: a minimax fit on [0, 6] of
/// the error of `2 Phi(-a) max(1, a)` (3.0e-8). The last is positive, so that beyond the interval
/// `Phi(-a)` goes on falling to zero.
const LOG_TAIL: [f32; 8] = [
    1.151_106,
    4.591_982_8e-1,
    5.253_361e-2,
    -7.126_865e-3,
    1.917_035_2e-4,
    1.612_938_4e-4,
    -3.373_782e-5,
    2.334_949_1e-6,
];

/// Twice `Phi(-a)` for `a` from 0 to 16, beyond which it would be less than the smallest number.
#[inline(always)]
pub(crate) fn both_tails<S: Simd>(simd: S, a: S::f32s) -> S::f32s {
    let q = simd.mul_f32s(a, polynomial(simd, a, &LOG_TAIL));
    exp2(simd, simd.neg_f32s(q))
}

#[inline(always)]
fn gelu<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // The order of `min`'s and `max`'s operands decides what becomes of NaN, and not alike on every
    // machine; adding `x - x` at the end would not do for infinities.
    let a = simd.min_f32s(simd.abs_f32s(x), simd.splat_f32s(16.0));
    let below = simd.mul_f32s(simd.mul_f32s(a, simd.splat_f32s(0.5)), both_tails(simd, a));
    keep_nan(simd, x, simd.sub_f32s(relu(simd, x), below))
}

#[inline(always)]
fn gelu_tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // 0.5 (1 + tanh u) is 1 / (1 + e^-2u): with |x| the exponent is never positive, and the smaller
    // of the two sides is computed without cancelling, as above.
    const SLOPE: f32 = 2.0 * std::f32::consts::LOG2_E * 0.797_884_6; // 2 log2(e) sqrt(2 / pi)
    let a = simd.min_f32s(simd.abs_f32s(x), simd.splat_f32s(16.0));
    let squared = simd.mul_f32s(a, a);
    let cubic = simd.mul_add_e_f32s(squared, simd.splat_f32s(0.044_715), simd.splat_f32s(1.0));
    let exponent = simd.mul_f32s(simd.mul_f32s(a, simd.splat_f32s(-SLOPE)), cubic);
    let e = exp2(simd, exponent);
    let tail = simd.div_f32s(e, simd.add_f32s(e, simd.splat_f32s(1.0)));
    keep_nan(simd, x, simd.sub_f32s(relu(simd, x), simd.mul_f32s(a, tail)))
}

#[inline(always)]
fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let a = simd.min_f32s(simd.abs_f32s(x), simd.splat_f32s(16.0));
    let slope = simd.splat_f32s(-2.0 * std::f32::consts::LOG2_E);
    let e = exp2(simd, simd.mul_f32s(a, slope));
    let value = simd.div_f32s(simd.sub_f32s(one, e), simd.add_f32s(one, e));
    keep_nan(simd, x, with_sign_of(simd, x, value))
}

#[inline(always)]
fn erf_of<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let root = simd.splat_f32s(std::f32::consts::SQRT_2);
    let a = simd.min_f32s(simd.mul_f32s(simd.abs_f32s(x), root), simd.splat_f32s(16.0));
    let value = simd.sub_f32s(simd.splat_f32s(1.0), both_tails(simd, a));
    keep_nan(simd, x, with_sign_of(simd, x, value))
}

#[inline(always)]
fn relu<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_f32s(x, zero), zero, x)
}

/// `value`, which is not negative, with the sign of `x`.
#[inline(always)]
fn with_sign_of<S: Simd>(simd: S, x: S::f32s, value: S::f32s) -> S::f32s {
    simd.or_f32s(value, simd.and_f32s(x, simd.splat_f32s(-0.0)))
}

/// `value`, but NaN where `x` is.
#[inline(always)]
fn keep_nan<S: Simd>(simd: S, x: S::f32s, value: S::f32s) -> S::f32s {
    simd.select_f32s(simd.equal_f32s(x, x), value, x)
}

struct Apply<'a> {
    activation: Activation,
    values: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (vectors, rest) = S::as_mut_simd_f32s(self.values);
        for vector in vectors {
            *vector = self.activation.of(simd, *vector);
        }
        let last = self.activation.of(simd, simd.partial_load_f32s(rest));
        simd.partial_store_f32s(rest, last);
    }
}

struct Erf<'a>(&'a mut [f32]);

impl WithSimd for Erf<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (vectors, rest) = S::as_mut_simd_f32s(self.0);
        for vector in vectors {
            *vector = erf_of(simd, *vector);
        }
        let last = erf_of(simd, simd.partial_load_f32s(rest));
        simd.partial_store_f32s(rest, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;

    /// Values over the whole line: dense near zero, then every magnitude, both signs.
    fn line() -> Vec<f32> {
        let near = (-80_000..=80_000).map(|i| i as f32 * 1e-4);
        let far = (0..400).flat_map(|i| {
            let magnitude = 2.0_f32.powf(-149.0 + i as f32 * 0.69);
            [magnitude, -magnitude]
        });
        near.chain(far).collect()
    }

    fn compare(bound: f64, of: impl Fn(&mut [f32], Instructions), exact: impl Fn(f64) -> f64) {
        for set in Instructions::available() {
            let inputs = line();
            let mut values = inputs.clone();
            of(&mut values, set);
            for (x, value) in inputs.iter().zip(&values) {
                let expected = exact(f64::from(*x));
                let error = (f64::from(*value) - expected).abs() / expected.abs().max(1.0);
                assert!(error <= bound, "{set:?} at {x}: {value}, not {expected}");
            }
        }
    }

    #[test]
    fn the_error_function_is_within_its_bound() {
        compare(2e-7, erf, reference::erf);
    }

    #[test]
    fn activations_are_within_their_bounds() {
        let of = |activation: Activation| move |v: &mut [f32], set| activation.apply(v, set);
        compare(2e-7, of(Activation::Gelu), reference::gelu);
        compare(3e-7, of(Activation::GeluTanh), reference::gelu_tanh);
        compare(3e-7, of(Activation::Tanh), f64::tanh);
        compare(0.0, of(Activation::Relu), |x| x.max(0.0));
        compare(0.0, of(Activation::Identity), |x| x);
    }

    #[test]
    fn infinities_and_nan_are_right() {
        let ends = [f32::NEG_INFINITY, f32::INFINITY, 1e30, -1e30, 0.0];
        for set in Instructions::available() {
            let check = |of: &dyn Fn(&mut [f32]), expected: [f32; 5]| {
                let mut values = ends;
                of(&mut values);
                assert_eq!(values, expected, "{set:?}");
                // NaN with a payload, too: its bits must not be taken for an exponent.
                let mut nan = [f32::NAN, -f32::NAN, f32::from_bits(0x7fc0_0001)];
                of(&mut nan);
                assert!(nan.iter().all(|value| value.is_nan()), "{set:?}");
            };
            let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
            check(&|v| erf(v, set), [-1.0, 1.0, 1.0, -1.0, 0.0]);
            check(&|v| Activation::Gelu.apply(v, set), [0.0, high, 1e30, 0.0, 0.0]);
            check(&|v| Activation::GeluTanh.apply(v, set), [0.0, high, 1e30, 0.0, 0.0]);
            check(&|v| Activation::Relu.apply(v, set), [0.0, high, 1e30, 0.0, 0.0]);
            check(&|v| Activation::Tanh.apply(v, set), [-1.0, 1.0, 1.0, -1.0, 0.0]);
            check(&|v| Activation::Identity.apply(v, set), [low, high, 1e30, -1e30, 0.0]);
        }
    }
}
