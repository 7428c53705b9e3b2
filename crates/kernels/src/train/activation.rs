//! Activations with their derivatives.

use pulp::Simd;

use crate::Activation;
use crate::activation::both_tails;
use crate::exp::exp2;

/// Replaces `gradient`, by the activation's results, with that by its inputs, and these inputs in
/// `x` with the results. What the results and the derivative share is computed once.
#[inline(always)]
pub(super) fn backward<S: Simd>(
    simd: S,
    activation: Activation,
    x: &mut [f32],
    gradient: &mut [f32],
) {
    let (x, x_rest) = S::as_mut_simd_f32s(x);
    let (gradient, gradient_rest) = S::as_mut_simd_f32s(gradient);
    for (x, gradient) in x.iter_mut().zip(gradient) {
        let (value, slope) = both(simd, activation, *x);
        (*x, *gradient) = (value, simd.mul_f32s(*gradient, slope));
    }
    if !x_rest.is_empty() {
        let (value, slope) = both(simd, activation, simd.partial_load_f32s(x_rest));
        let product = simd.mul_f32s(simd.partial_load_f32s(gradient_rest), slope);
        simd.partial_store_f32s(x_rest, value);
        simd.partial_store_f32s(gradient_rest, product);
    }
}

/// The activation of a vector, and its derivative there.
#[inline(always)]
fn both<S: Simd>(simd: S, activation: Activation, x: S::f32s) -> (S::f32s, S::f32s) {
    let one = simd.splat_f32s(1.0);
    let zero = simd.splat_f32s(0.0);
    match activation {
        Activation::Identity => (x, one),
        Activation::Relu => {
            let below = simd.less_than_or_equal_f32s(x, zero);
            (activation.of(simd, x), simd.select_f32s(below, zero, one))
        }
        Activation::Gelu => {
            // Phi(x) + x phi(x)
            let a = simd.min_f32s(simd.abs_f32s(x), simd.splat_f32s(16.0));
            let tail = simd.mul_f32s(simd.splat_f32s(0.5), both_tails(simd, a));
            let below = simd.less_than_f32s(x, zero);
            let share = simd.select_f32s(below, tail, simd.sub_f32s(one, tail));
            let exponent = simd.splat_f32s(-0.5 * std::f32::consts::LOG2_E);
            let bell = exp2(simd, simd.mul_f32s(simd.mul_f32s(a, a), exponent));
            let slope = simd.mul_f32s(x, simd.splat_f32s(0.398_942_3)); // x / sqrt(2 pi)
            let value = simd.sub_f32s(simd.max_f32s(x, zero), simd.mul_f32s(a, tail));
            (value, simd.mul_add_e_f32s(slope, bell, share))
        }
        Activation::GeluTanh => {
            // x s with s = 1 / (1 + e^-2u), u = c (x + 0.044715 x^3); its slope is
            // s + 2 x s (1 - s) u'.
            const C: f32 = 0.797_884_6; // sqrt(2 / pi)
            let clamped =
                simd.max_f32s(simd.min_f32s(x, simd.splat_f32s(16.0)), simd.splat_f32s(-16.0));
            let squared = simd.mul_f32s(clamped, clamped);
            let cubic = simd.mul_add_e_f32s(squared, simd.splat_f32s(0.044_715), one);
            let u = simd.mul_f32s(simd.mul_f32s(clamped, simd.splat_f32s(C)), cubic);
            let twice = simd.splat_f32s(-2.0 * std::f32::consts::LOG2_E);
            let bounded = simd.min_f32s(simd.mul_f32s(u, twice), simd.splat_f32s(126.0));
            let share = simd.div_f32s(one, simd.add_f32s(one, exp2(simd, bounded)));
            let rise = simd.mul_add_e_f32s(squared, simd.splat_f32s(3.0 * 0.044_715), one);
            let rise = simd.mul_f32s(simd.mul_f32s(x, simd.splat_f32s(2.0 * C)), rise);
            let spread = simd.mul_f32s(share, simd.sub_f32s(one, share));
            (activation.of(simd, x), simd.mul_add_e_f32s(rise, spread, share))
        }
        Activation::Tanh => {
            let value = activation.of(simd, x);
            (value, simd.sub_f32s(one, simd.mul_f32s(value, value)))
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::{Instructions, reference};

    struct Backward<'a>(Activation, &'a mut [f32], &'a mut [f32]);

    impl WithSimd for Backward<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            backward(simd, self.0, self.1, self.2);
        }
    }

    #[test]
    fn slopes_are_those_of_the_functions() {
        let relu = |x: f64| x.max(0.0);
        let cases = [
            (Activation::Identity, (|x| x) as fn(f64) -> f64),
            (Activation::Relu, relu),
            (Activation::Gelu, reference::gelu),
            (Activation::GeluTanh, reference::gelu_tanh),
            (Activation::Tanh, f64::tanh),
        ];
        // Not at 0, where ReLU has no slope.
        let inputs: Vec<f32> = (0..4003).map(|i| -10.003 + i as f32 * 5e-3).collect();
        for (activation, function) in cases {
            let slopes: Vec<f64> = inputs
                .iter()
                .map(|&x| f64::from(x))
                .map(|x| (function(x + 1e-4) - function(x - 1e-4)) / 2e-4)
                .collect();
            let values: Vec<f64> = inputs.iter().map(|&x| function(f64::from(x))).collect();
            for set in Instructions::available() {
                let (mut x, mut gradient) = (inputs.clone(), vec![1.0; inputs.len()]);
                set.run(Backward(activation, &mut x, &mut gradient));
                reference::assert_close(&x, &values, 3e-6);
                reference::assert_close(&gradient, &slopes, 3e-6);
            }
        }
    }
}
