use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Kind, Source, WeightsError};

/// Fresh parameters from a seed, the same on every device: embeddings and projections normal with
/// the given deviation, biases 0, LayerNorm the identity, as BERT starts them.
pub(crate) struct Random {
    random: ChaCha8Rng,
    deviation: f32,
    device: Device,
}

impl Random {
    pub fn new(seed: u64, deviation: f32, device: Device) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), deviation, device }
    }

    /// Box and Muller's transform of two uniform numbers.
    fn normal(&mut self) -> f32 {
        let (length, turn): (f64, f64) = (self.random.random(), self.random.random());
        let radius = (-2.0 * (1.0 - length).ln()).sqrt();
        let angle = std::f64::consts::TAU * turn;
        (radius * angle.cos()) as f32 * self.deviation
    }
}

impl Source for Random {
    fn matrix(
        &mut self,
        _name: &str,
        shape: [usize; 2],
        _kind: Kind,
    ) -> Result<Tensor<2>, WeightsError> {
        let values: Vec<f32> = (0..shape[0] * shape[1]).map(|_| self.normal()).collect();
        Ok(Tensor::from_data(TensorData::new(values, shape), &self.device))
    }

    fn vector(
        &mut self,
        _name: &str,
        length: usize,
        kind: Kind,
    ) -> Result<Tensor<1>, WeightsError> {
        let value = if kind == Kind::Scale { 1.0f32 } else { 0.0 };
        Ok(Tensor::from_data(TensorData::new(vec![value; length], [length]), &self.device))
    }
}
