//! The same arithmetic in `f64`, written plainly, for tests.

use crate::{EncoderConfig, LayerWeights, LinearWeights, NormWeights};

/// Random numbers for tests (SplitMix64; Steele, Lea and Flood 2014).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// `count` values, uniform from `-bound` to `bound`.
    pub fn take(&mut self, count: usize, bound: f32) -> Vec<f32> {
        (0..count).map(|_| (self.next() * 2.0 - 1.0) * bound).collect()
    }

    /// A layer whose activations neither vanish nor explode.
    pub fn layer(&mut self, hidden: usize, intermediate: usize) -> LayerWeights {
        LayerWeights {
            // Queries and keys are larger, so that attention is not nearly uniform.
            query: self.linear(hidden, hidden, 4.0),
            key: self.linear(hidden, hidden, 4.0),
            value: self.linear(hidden, hidden, 1.0),
            attention_output: self.linear(hidden, hidden, 1.0),
            attention_norm: self.norm(hidden),
            intermediate: self.linear(hidden, intermediate, 2.0),
            output: self.linear(intermediate, hidden, 1.0),
            output_norm: self.norm(hidden),
        }
    }

    fn linear(&mut self, inputs: usize, outputs: usize, gain: f32) -> LinearWeights {
        let bound = gain / (inputs as f32).sqrt();
        LinearWeights { weight: self.take(inputs * outputs, bound), bias: self.take(outputs, 0.5) }
    }

    fn norm(&mut self, hidden: usize) -> NormWeights {
        let gamma = self.take(hidden, 0.5).iter().map(|gamma| gamma + 1.0).collect();
        NormWeights { gamma, beta: self.take(hidden, 0.5) }
    }

    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1_u32 << 24) as f32
    }
}

/// Asserts that values equal what is expected within `tolerance` of its span.
pub fn assert_close(values: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(values.len(), expected.len());
    let low = expected.iter().copied().fold(f64::INFINITY, f64::min);
    let high = expected.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bound = tolerance * (high - low).max(1.0);
    for (i, (value, expected)) in values.iter().zip(expected).enumerate() {
        // Written so that NaN fails.
        let close = (f64::from(*value) - expected).abs() <= bound;
        assert!(close, "value {i} is {value}, not {expected} within {bound:e}");
    }
}

/// The error function, by its Taylor series near zero and its continued fraction beyond (Abramowitz and
/// Stegun 7.1.5 and 7.1.14).
pub fn erf(x: f64) -> f64 {
    let a = x.abs();
    let value = if a < 2.5 {
        let mut term = a;
        let mut sum = a;
        for n in 1..80 {
            term *= -a * a / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else {
        1.0 - erfc_far(a)
    };
    value.copysign(x)
}

/// `1 - erf(a)` for `a` of at least 2.5.
fn erfc_far(a: f64) -> f64 {
    let mut fraction = a;
    for n in (1..=120).rev() {
        fraction = a + f64::from(n) / 2.0 / fraction;
    }
    (-a * a).exp() / (fraction * std::f64::consts::PI.sqrt())
}

pub fn gelu(x: f64) -> f64 {
    let scaled = x * std::f64::consts::FRAC_1_SQRT_2;
    if scaled < -2.5 { 0.5 * x * erfc_far(-scaled) } else { 0.5 * x * (1.0 + erf(scaled)) }
}

pub fn gelu_tanh(x: f64) -> f64 {
    let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
    0.5 * x * (1.0 + inner.tanh())
}

pub fn linear(
    x: &[f64],
    weight: &[f32],
    bias: Option<&[f32]>,
    inputs: usize,
    outputs: usize,
) -> Vec<f64> {
    let mut result = Vec::with_capacity(x.len() / inputs * outputs);
    for row in x.chunks_exact(inputs) {
        let mut sums: Vec<f64> = match bias {
            Some(bias) => bias.iter().copied().map(f64::from).collect(),
            None => vec![0.0; outputs],
        };
        for (x, weights) in row.iter().zip(weight.chunks_exact(outputs)) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += x * f64::from(*weight);
            }
        }
        result.extend(sums);
    }
    result
}

pub fn layer_norm(x: &[f64], gamma: &[f32], beta: &[f32], epsilon: f64) -> Vec<f64> {
    let features = gamma.len();
    let mut result = Vec::with_capacity(x.len());
    for row in x.chunks_exact(features) {
        let mean = row.iter().sum::<f64>() / features as f64;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / features as f64;
        let scale = 1.0 / (variance + epsilon).sqrt();
        let norm = |((x, gamma), beta): ((&f64, &f32), &f32)| {
            (x - mean) * scale * f64::from(*gamma) + f64::from(*beta)
        };
        result.extend(row.iter().zip(gamma).zip(beta).map(norm));
    }
    result
}

/// All layers over a batch without padding, as [`crate::Encoder::forward`].
pub fn encoder(
    config: &EncoderConfig,
    layers: &[LayerWeights],
    embeddings: &[f32],
    offsets: &[usize],
) -> Vec<f64> {
    let EncoderConfig { hidden, intermediate, .. } = *config;
    let mut x: Vec<f64> = embeddings.iter().copied().map(f64::from).collect();
    let apply = |weights: &LinearWeights, x: &[f64], inputs: usize, outputs: usize| {
        linear(x, &weights.weight, Some(&weights.bias), inputs, outputs)
    };
    let add_norm = |x: &[f64], y: &[f64], norm: &NormWeights| {
        let sum: Vec<f64> = x.iter().zip(y).map(|(x, y)| x + y).collect();
        layer_norm(&sum, &norm.gamma, &norm.beta, f64::from(config.epsilon))
    };
    for layer in layers {
        let q = apply(&layer.query, &x, hidden, hidden);
        let k = apply(&layer.key, &x, hidden, hidden);
        let v = apply(&layer.value, &x, hidden, hidden);
        let context = attention(config.heads, hidden / config.heads, &q, &k, &v, offsets);
        let y = apply(&layer.attention_output, &context, hidden, hidden);
        x = add_norm(&x, &y, &layer.attention_norm);
        let mut wide = apply(&layer.intermediate, &x, hidden, intermediate);
        wide.iter_mut().for_each(|value| *value = gelu(*value));
        let y = apply(&layer.output, &wide, intermediate, hidden);
        x = add_norm(&x, &y, &layer.output_norm);
    }
    x
}

pub fn attention(
    heads: usize,
    size: usize,
    q: &[f64],
    k: &[f64],
    v: &[f64],
    offsets: &[usize],
) -> Vec<f64> {
    let hidden = heads * size;
    let mut result = vec![0.0; q.len()];
    for pair in offsets.windows(2) {
        for head in 0..heads {
            let part =
                |all: &[f64], token: usize| all[token * hidden + head * size..][..size].to_vec();
            for query in pair[0]..pair[1] {
                let row = part(q, query);
                let scores: Vec<f64> = (pair[0]..pair[1])
                    .map(|key| {
                        let key = part(k, key);
                        row.iter().zip(&key).map(|(q, k)| q * k).sum::<f64>() / (size as f64).sqrt()
                    })
                    .collect();
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
                let total: f64 = weights.iter().sum();
                for (token, weight) in (pair[0]..pair[1]).zip(&weights) {
                    let value = part(v, token);
                    let context = &mut result[query * hidden + head * size..][..size];
                    for (context, value) in context.iter_mut().zip(&value) {
                        *context += weight / total * value;
                    }
                }
            }
        }
    }
    result
}

#[test]
fn the_reference_knows_the_error_function() {
    // Abramowitz and Stegun, table 7.1.
    for (x, value) in [(0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0)] {
        assert!((erf(x) - value).abs() < 1e-10);
        assert!((erf(-x) + value).abs() < 1e-10);
    }
    assert!((erf(2.5 - 1e-12) - erf(2.5)).abs() < 1e-11);
}
