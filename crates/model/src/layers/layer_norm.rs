use burn::tensor::module::layer_norm;
use burn::tensor::{DType, Tensor};

use super::cast;
use crate::weights::{Kind, Parameters, Slot, Source, WeightsError};

/// Layer normalization over the last axis, in f32 whatever it is given: the square of a number above 255
/// is beyond f16, and a sum of squares is coarse in bf16. Its parameters are f32, too.
#[derive(Clone, Debug)]
pub(crate) struct LayerNorm {
    /// `[width]`
    scale: Tensor<1>,
    /// `[width]`
    shift: Tensor<1>,
    epsilon: f64,
}

impl LayerNorm {
    pub fn build(
        source: &mut dyn Source,
        path: &str,
        width: usize,
        epsilon: f64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            scale: source.vector(&format!("{path}.weight"), width, Kind::Scale)?,
            shift: source.vector(&format!("{path}.bias"), width, Kind::Shift)?,
            epsilon,
        })
    }

    /// # Shapes
    /// - x and result: `[..., width]`, of one format
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let dtype = x.dtype();
        self.normalized(cast(x, DType::F32), dtype)
    }

    /// Of `x + product + bias`. The bias comes last, so that one rounding is enough, and on a card one pass over
    /// the rows: burn's fusion begins behind a product with what needs it.
    ///
    /// # Shapes
    /// - x, product and result: `[rows, width]`; the result has x's format
    /// - bias: `[width]`, f32
    pub fn of_sum(&self, x: Tensor<2>, product: Tensor<2>, bias: &Tensor<1>) -> Tensor<2> {
        let dtype = x.dtype();
        let sum = cast(product, dtype) + x;
        self.normalized(cast(sum, DType::F32) + bias.clone().unsqueeze(), dtype)
    }

    fn normalized<const D: usize>(&self, x: Tensor<D>, dtype: DType) -> Tensor<D> {
        let x = layer_norm(x, self.scale.clone(), Some(self.shift.clone()), self.epsilon);
        cast(x, dtype)
    }
}

impl Parameters for LayerNorm {
    fn visit(&mut self, path: &str, visit: &mut dyn FnMut(String, Slot<'_>)) {
        visit(format!("{path}.weight"), Slot::Vector(&mut self.scale, Kind::Scale));
        visit(format!("{path}.bias"), Slot::Vector(&mut self.shift, Kind::Shift));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeviceSpec, Dtype};

    /// With autodiff on, burn puts it together of single operations, as it does on a card: in f16 they
    /// would lose all to a square of 90,000.
    #[test]
    fn large_numbers_are_normalized_in_narrow_formats_too() {
        let device = DeviceSpec::Flex.open(Dtype::F32).unwrap();
        let vector = |values: [f32; 4]| Tensor::<1>::from_data(values, &device);
        let (scale, shift) = ([1.001, 1.0, 2.0, 0.5], [0.0, 3.0, 0.0, -1.0]);
        let (values, epsilon) = ([300.0, -1200.0, 40.0, 2400.0f32], 1e-5);
        let mean = values.iter().sum::<f32>() / 4.0;
        let deviation =
            (values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 4.0 + epsilon).sqrt();
        let norm =
            LayerNorm { scale: vector(scale), shift: vector(shift), epsilon: epsilon.into() };
        for (dtype, tolerance) in [(DType::F32, 1e-6), (DType::F16, 1e-3), (DType::BF16, 8e-3)] {
            for autodiff in [false, true] {
                let x = cast(vector(values).reshape([1, 4]), dtype);
                let (x, norm) = match autodiff {
                    true => {
                        let [scale, shift] = [&norm.scale, &norm.shift]
                            .map(|parameter| parameter.clone().autodiff());
                        (x.autodiff(), LayerNorm { scale, shift, epsilon: norm.epsilon })
                    }
                    false => (x, norm.clone()),
                };
                let found: Tensor<2> = norm.forward(x);
                assert_eq!(found.dtype(), dtype);
                let found = found.without_autodiff().try_into_vec_as::<f32>().unwrap();
                for (place, found) in found.into_iter().enumerate() {
                    let expected = (values[place] - mean) / deviation * scale[place] + shift[place];
                    let off = (found - expected).abs();
                    assert!(
                        off <= tolerance * expected.abs().max(1.0),
                        "{dtype:?}: {found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_sum_is_normalized_as_if_it_stood_there() {
        let device = DeviceSpec::Flex.open(Dtype::F32).unwrap();
        let vector = |values: [f32; 3]| Tensor::<1>::from_data(values, &device);
        let norm = LayerNorm {
            scale: vector([1.0, 0.5, 2.0]),
            shift: vector([0.0, 1.0, -1.0]),
            epsilon: 1e-5,
        };
        let rows = |values: [[f32; 3]; 2]| Tensor::<2>::from_data(values, &device);
        let (x, product) =
            (rows([[1.0, -2.0, 4.0], [0.5, 8.0, 3.0]]), rows([[0.25, 1.0, -6.0], [2.0, 0.0, 1.5]]));
        let bias = vector([0.5, -1.0, 3.0]);
        let expected = norm.forward(x.clone() + product.clone() + bias.clone().unsqueeze());
        let expected = expected.try_into_vec_as::<f32>().unwrap();
        // What is added is exact in all of them.
        for (dtype, tolerance) in [(DType::F32, 1e-6), (DType::F16, 1e-3), (DType::BF16, 8e-3)] {
            // A product may come in a format of its own.
            for product_dtype in [dtype, DType::F16] {
                let (x, product) = (cast(x.clone(), dtype), cast(product.clone(), product_dtype));
                let found = norm.of_sum(x, product, &bias);
                assert_eq!(found.dtype(), dtype);
                for (found, expected) in
                    found.try_into_vec_as::<f32>().unwrap().iter().zip(&expected)
                {
                    assert!(
                        (found - expected).abs() <= tolerance * expected.abs().max(1.0),
                        "{dtype:?}: {found} {expected}"
                    );
                }
            }
        }
    }
}
