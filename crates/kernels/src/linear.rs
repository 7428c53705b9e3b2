//! Linear layers, with their bias and activation.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::matmul::{Panels, Product, Start, height, panels_len, width};
use crate::threads::Threads;
use crate::{Activation, Instructions, ShapeError};

/// `x W + b`, the weights laid out once for the instructions that will read them.
#[derive(Debug, Clone)]
pub struct Linear {
    panels: Vec<f32>,
    /// Zeros where the layer has no bias; as long as the panels are wide.
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
    instructions: Instructions,
}

/// Rows that one thread takes at a time: their activations fit a second-level cache, while the
/// weights that stream past are used often enough.
pub(crate) const ROWS: usize = 96;

impl Linear {
    /// Lays out a layer's weights.
    ///
    /// # Shapes
    ///
    /// - `weight`: `[inputs, outputs]`
    /// - `bias`: `[outputs]`
    ///
    /// # Errors
    ///
    /// A dimension is zero, or a slice does not have its shape.
    pub fn new(
        weight: &[f32],
        bias: Option<&[f32]>,
        inputs: usize,
        outputs: usize,
        instructions: Instructions,
    ) -> Result<Self, ShapeError> {
        Self::beside(&[weight], bias.as_slice(), inputs, outputs, instructions)
    }

    /// One layer that gives the results of several, one after another: their weights, each
    /// `[inputs, outputs]`, and as many biases or none.
    pub(crate) fn beside(
        weights: &[&[f32]],
        biases: &[&[f32]],
        inputs: usize,
        outputs: usize,
        instructions: Instructions,
    ) -> Result<Self, ShapeError> {
        if inputs == 0 || outputs == 0 {
            let problem = format!("a linear layer from {inputs} to {outputs} features");
            return Err(ShapeError::Dimension { what: "features", problem });
        }
        for weight in weights {
            ShapeError::check("weight", weight.len(), &[inputs, outputs])?;
        }
        for bias in biases {
            ShapeError::check("bias", bias.len(), &[outputs])?;
        }
        let (width, columns) = (width(instructions), weights.len() * outputs);
        let mut panels = vec![0.0; panels_len(inputs, columns, width)];
        panels.par_chunks_exact_mut(inputs * width).enumerate().for_each(|(i, panel)| {
            let first = i * width;
            let last = (first + width).min(columns);
            let mut column = first;
            while column < last {
                let (weight, within) = (weights[column / outputs], column % outputs);
                let valid = (last - column).min(outputs - within);
                for (to, row) in panel.chunks_exact_mut(width).zip(weight.chunks_exact(outputs)) {
                    to[column - first..][..valid].copy_from_slice(&row[within..][..valid]);
                }
                column += valid;
            }
        });
        let mut bias = biases.concat();
        bias.resize(columns.next_multiple_of(width), 0.0);
        Ok(Self { panels, bias, inputs, outputs: columns, instructions })
    }

    /// Features of a result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Applies the layer, then the activation.
    ///
    /// # Shapes
    ///
    /// - `x`: `[rows, inputs]`
    /// - `result`: `[rows, outputs]`
    ///
    /// # Errors
    ///
    /// The slices are no whole number of rows, or not the same number.
    pub fn apply(
        &self,
        x: &[f32],
        result: &mut [f32],
        activation: Activation,
        threads: &Threads,
    ) -> Result<(), ShapeError> {
        let rows = x.len() / self.inputs;
        ShapeError::check("x", x.len(), &[rows, self.inputs])?;
        ShapeError::check("result", result.len(), &[rows, self.outputs])?;
        let blocks = blocks(rows, threads.count(), height(self.instructions));
        let mut rest = x;
        let results = parts(result, &blocks, self.outputs).into_iter().zip(blocks);
        let tasks = results.map(|(result, rows)| {
            let (x, others) = rest.split_at(rows * self.inputs);
            rest = others;
            Forward { linear: self, x, result, activation }
        });
        threads.each(&mut vec![(); threads.count()], tasks.collect(), |(), task| {
            self.instructions.run(task);
        });
        Ok(())
    }

    /// As [`Linear::apply`], on rows that lie one after another, on this thread.
    #[inline(always)]
    pub(crate) fn forward<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        result: &mut [f32],
        activation: Activation,
    ) {
        Product {
            rows: x.len() / self.inputs,
            a: x,
            a_stride: self.inputs,
            b: Panels { values: &self.panels, depth: self.inputs },
            depth: 0..self.inputs,
            columns: 0..self.outputs,
            c: result,
            c_stride: self.outputs,
            start: Start::Bias(&self.bias),
            activation,
        }
        .run(simd);
    }
}

/// Divides rows into blocks of whole tiles, alike to a tile, at most [`ROWS`], as many for each thread.
pub(crate) fn blocks(rows: usize, threads: usize, height: usize) -> Vec<usize> {
    let tiles = rows.div_ceil(height);
    let count = rows.div_ceil(ROWS).next_multiple_of(threads).min(tiles);
    let end = |block: usize| (block * tiles / count * height).min(rows);
    (0..count).map(|block| end(block + 1) - end(block)).collect()
}

/// Cuts `values`, `[rows, width]`, into blocks of rows.
pub(crate) fn parts<'a>(
    mut values: &'a mut [f32],
    blocks: &[usize],
    width: usize,
) -> Vec<&'a mut [f32]> {
    let part = |rows: &usize| values.split_off_mut(..rows * width).unwrap_or_default();
    blocks.iter().map(part).collect()
}

struct Forward<'a> {
    linear: &'a Linear,
    x: &'a [f32],
    result: &'a mut [f32],
    activation: Activation,
}

impl WithSimd for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.linear.forward(simd, self.x, self.result, self.activation);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;
    use crate::reference::{self, Numbers};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn products_equal_the_reference(
            rows in 1_usize..=130,
            inputs in 1_usize..=80,
            outputs in 1_usize..=80,
            with_bias: bool,
            seed: u64,
        ) {
            let mut numbers = Numbers::new(seed);
            let x = numbers.take(rows * inputs, 1.0);
            let weight = numbers.take(inputs * outputs, 1.0);
            let bias = with_bias.then(|| numbers.take(outputs, 1.0));
            let wide: Vec<f64> = x.iter().copied().map(f64::from).collect();
            let expected = reference::linear(&wide, &weight, bias.as_deref(), inputs, outputs);
            let expected: Vec<f64> = expected.into_iter().map(reference::gelu).collect();
            for set in Instructions::available() {
                let linear = Linear::new(&weight, bias.as_deref(), inputs, outputs, set).unwrap();
                let results = [1, 2].map(|count| {
                    let threads = Threads::new(NonZeroUsize::new(count).unwrap()).unwrap();
                    let mut result = vec![f32::NAN; rows * outputs];
                    linear.apply(&x, &mut result, Activation::Gelu, &threads).unwrap();
                    result
                });
                reference::assert_close(&results[0], &expected, 1e-5);
                prop_assert_eq!(&results[0], &results[1]);
            }
        }
    }

    #[test]
    fn products_deeper_and_wider_than_a_block_equal_the_reference() {
        let mut numbers = Numbers::new(3);
        let (rows, inputs, outputs) = (55, 1100, 1060);
        let (x, weight) = (numbers.take(rows * inputs, 1.0), numbers.take(inputs * outputs, 1.0));
        let wide: Vec<f64> = x.iter().copied().map(f64::from).collect();
        let expected = reference::linear(&wide, &weight, None, inputs, outputs);
        let threads = Threads::new(NonZeroUsize::new(2).unwrap()).unwrap();
        for set in Instructions::available() {
            let linear = Linear::new(&weight, None, inputs, outputs, set).unwrap();
            let mut result = vec![f32::NAN; rows * outputs];
            linear.apply(&x, &mut result, Activation::Identity, &threads).unwrap();
            reference::assert_close(&result, &expected, 1e-5);
        }
    }

    #[test]
    fn rows_are_divided_evenly_over_every_thread() {
        for (rows, threads, height, expected) in [
            (0, 2, 6, vec![]),
            (1, 2, 6, vec![1]),
            (7, 2, 6, vec![6, 1]),
            (40, 2, 6, vec![18, 22]),
            (128, 2, 8, vec![64, 64]),
            (192, 2, 6, vec![96, 96]),
            (200, 2, 6, vec![48, 54, 48, 50]),
        ] {
            assert_eq!(blocks(rows, threads, height), expected, "{rows} rows");
        }
        for (rows, threads, height) in [(2048, 2, 6), (97, 1, 8), (1000, 3, 6), (5000, 64, 8)] {
            let blocks = blocks(rows, threads, height);
            assert_eq!(blocks.iter().sum::<usize>(), rows);
            assert!(blocks.iter().all(|block| (1..=ROWS).contains(block)), "{blocks:?}");
            let whole = &blocks[..blocks.len() - 1];
            assert!(whole.iter().all(|block| block.is_multiple_of(height)), "{blocks:?}");
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_errors() {
        let set = Instructions::detect();
        assert!(Linear::new(&[], None, 0, 4, set).is_err());
        assert!(Linear::new(&[0.0; 7], None, 2, 4, set).is_err());
        assert!(Linear::new(&[0.0; 8], Some(&[0.0; 3]), 2, 4, set).is_err());
        let linear = Linear::new(&[0.0; 8], None, 2, 4, set).unwrap();
        let threads = Threads::new(NonZeroUsize::MIN).unwrap();
        let apply = |x: usize, result: usize| {
            linear.apply(&vec![0.0; x], &mut vec![0.0; result], Activation::Identity, &threads)
        };
        assert!(apply(2, 4).is_ok());
        assert!(apply(3, 4).is_err());
        assert!(apply(4, 4).is_err());
    }
}
