//! AdamW, and what is done with gradients before it.

use pulp::{Simd, WithSimd};

use crate::{Instructions, Threads};

/// Values that one task takes.
const CHUNK: usize = 1 << 15;

/// The moments of one parameter (Loshchilov and Hutter 2019), with PyTorch's order of operations.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamW {
    /// The first moment, as long as the parameter.
    pub first: Vec<f32>,
    /// The second moment.
    pub second: Vec<f32>,
}

/// How far a step goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Its number, from 1.
    pub number: u32,
    /// Learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay; 0 for none.
    pub decay: f64,
    /// What the first and the second moment keep of themselves.
    pub betas: [f64; 2],
    /// Added to the second moment's root.
    pub epsilon: f64,
    /// What gradients are multiplied with first: below 1 where they are clipped.
    pub factor: f32,
}

impl AdamW {
    /// The moments of a parameter of `length` values before its first step.
    pub fn new(length: usize) -> Self {
        Self { first: vec![0.0; length], second: vec![0.0; length] }
    }

    /// Makes one step. All slices are as long as the moments.
    pub fn step(
        &mut self,
        parameter: &mut [f32],
        gradient: &[f32],
        step: Step,
        instructions: Instructions,
        threads: &Threads,
    ) {
        let number = i32::try_from(step.number).unwrap_or(i32::MAX);
        let [beta_1, beta_2] = step.betas;
        let constants = Constants {
            kept: (1.0 - step.learning_rate * step.decay) as f32,
            factor: step.factor,
            size: (step.learning_rate / (1.0 - beta_1.powi(number))) as f32,
            root: (1.0 - beta_2.powi(number)).sqrt() as f32,
            takes: [(1.0 - beta_1) as f32, (1.0 - beta_2) as f32],
            keeps: beta_2 as f32,
            epsilon: step.epsilon as f32,
        };
        let moments = self.first.chunks_mut(CHUNK).zip(self.second.chunks_mut(CHUNK));
        let values = parameter.chunks_mut(CHUNK).zip(gradient.chunks(CHUNK));
        let tasks = values.zip(moments).map(|((parameter, gradient), (first, second))| Chunk {
            parameter,
            gradient,
            first,
            second,
            constants,
        });
        threads.each(&mut vec![(); threads.count()], tasks.collect(), |(), chunk| {
            instructions.run(chunk);
        });
    }
}

/// The sum of squares, in double precision, the same for any number of threads.
pub fn squares(values: &[f32], instructions: Instructions, threads: &Threads) -> f64 {
    let mut sums = vec![0.0; values.len().div_ceil(CHUNK)];
    let tasks = values.chunks(CHUNK).zip(&mut sums);
    threads.each(&mut vec![(); threads.count()], tasks.collect(), |(), (values, sum)| {
        *sum = instructions.run(Squares(values));
    });
    sums.iter().sum()
}

#[derive(Clone, Copy)]
struct Constants {
    kept: f32,
    factor: f32,
    size: f32,
    root: f32,
    /// What the moments take of a gradient and of its square.
    takes: [f32; 2],
    /// What the second moment keeps.
    keeps: f32,
    epsilon: f32,
}

struct Chunk<'a> {
    parameter: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    constants: Constants,
}

impl WithSimd for Chunk<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Constants { kept, factor, size, root, takes, keeps, epsilon } = self.constants;
        let moments = self.first.iter_mut().zip(self.second);
        for ((p, g), (first, second)) in self.parameter.iter_mut().zip(self.gradient).zip(moments) {
            let g = g * factor;
            let m = *first + takes[0] * (g - *first);
            let v = *second * keeps + takes[1] * g * g;
            *p = *p * kept - size * (m / (v.sqrt() / root + epsilon));
            (*first, *second) = (m, v);
        }
    }
}

struct Squares<'a>(&'a [f32]);

impl WithSimd for Squares<'_> {
    type Output = f64;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        // Short runs in single precision, whose sums are added in double.
        let runs = self.0.chunks(512);
        runs.map(|run| f64::from(super::norm::dot(simd, run, run))).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::reference::Numbers;

    #[test]
    fn steps_follow_the_formula_for_any_instructions_and_threads() {
        let length = 2 * CHUNK + 13;
        let mut numbers = Numbers::new(5);
        let start = numbers.take(length, 1.0);
        let gradients: Vec<Vec<f32>> = (0..3).map(|_| numbers.take(length, 1.0)).collect();
        let mut expected: Vec<f64> = start.iter().copied().map(f64::from).collect();
        let (mut first, mut second) = (vec![0.0; length], vec![0.0; length]);
        for (number, gradient) in (1..).zip(&gradients) {
            for i in 0..length {
                let g = 0.5 * f64::from(gradient[i]);
                first[i] = 0.9 * first[i] + 0.1 * g;
                second[i] = 0.999 * second[i] + 0.001 * g * g;
                let mean = first[i] / (1.0 - 0.9_f64.powi(number));
                let spread = (second[i] / (1.0 - 0.999_f64.powi(number))).sqrt();
                expected[i] = expected[i] * (1.0 - 0.1 * 0.2) - 0.1 * mean / (spread + 1e-8);
            }
        }
        let mut all: Vec<Vec<f32>> = Vec::new();
        for set in Instructions::available() {
            for count in [1, 3] {
                let threads = Threads::new(NonZeroUsize::new(count).unwrap()).unwrap();
                let mut moments = AdamW::new(length);
                let mut parameter = start.clone();
                for (number, gradient) in (1..).zip(&gradients) {
                    let step = Step {
                        number,
                        learning_rate: 0.1,
                        decay: 0.2,
                        betas: [0.9, 0.999],
                        epsilon: 1e-8,
                        factor: 0.5,
                    };
                    moments.step(&mut parameter, gradient, step, set, &threads);
                }
                crate::reference::assert_close(&parameter, &expected, 1e-5);
                all.push(parameter);
            }
        }
        assert!(all.chunks(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn squares_are_summed_alike_by_any_number_of_threads() {
        let values = Numbers::new(6).take(3 * CHUNK + 7, 1.0);
        let expected: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
        let set = Instructions::detect();
        let sums: Vec<f64> = [1, 2, 5]
            .map(|count| Threads::new(NonZeroUsize::new(count).unwrap()).unwrap())
            .map(|threads| squares(&values, set, &threads))
            .to_vec();
        assert!((sums[0] - expected).abs() < 1e-6 * expected);
        assert!(sums.iter().all(|sum| *sum == sums[0]));
    }
}
