use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Kind, Source, WeightsError};

/// How fresh parameters are drawn. Biases are 0 and LayerNorm is the identity in both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initialization {
    /// As BERT: embeddings and projections normal with this standard deviation.
    Normal(f32),
    /// As [`Initialization::Normal`], but the first layer's query and key projections start equal,
    /// with standard deviation 1 / sqrt(width), and positions start as sinusoids: a token then looks
    /// at those like it, and can tell near from far, from the first step on, which a small model on
    /// little data is slow to find. After Trockman and Kolter, "Mimetic Initialization of
    /// Self-Attention Layers" (2023), of which these are two parts.
    Mimetic(f32),
}

/// Fresh parameters from a seed, the same on every device.
pub(crate) struct Random {
    random: ChaCha8Rng,
    initialization: Initialization,
    /// The values of the query projection drawn last, which the next key projection starts from.
    query: Vec<f32>,
    device: Device,
}

impl Random {
    pub fn new(seed: u64, initialization: Initialization, device: Device) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self { random, initialization, query: Vec::new(), device }
    }

    /// Box and Muller's transform of two uniform numbers.
    fn normal(&mut self, deviation: f32) -> f32 {
        let (length, turn): (f64, f64) = (self.random.random(), self.random.random());
        let radius = (-2.0 * (1.0 - length).ln()).sqrt();
        let angle = std::f64::consts::TAU * turn;
        (radius * angle.cos()) as f32 * deviation
    }

    fn values(&mut self, name: &str, shape: [usize; 2]) -> Vec<f32> {
        let count = shape[0] * shape[1];
        match self.initialization {
            Initialization::Mimetic(_) if name.ends_with("layer.0.attention.self.query.weight") => {
                let deviation = 1.0 / (shape[0] as f32).sqrt();
                self.query = (0..count).map(|_| self.normal(deviation)).collect();
                self.query.clone()
            }
            Initialization::Mimetic(_) if name.ends_with("layer.0.attention.self.key.weight") => {
                std::mem::take(&mut self.query)
            }
            Initialization::Mimetic(deviation) if name.contains("position_embeddings") => {
                sinusoids(shape, deviation)
            }
            Initialization::Normal(deviation) | Initialization::Mimetic(deviation) => {
                (0..count).map(|_| self.normal(deviation)).collect()
            }
        }
    }
}

/// The positions of Vaswani et al. (2017), at this root mean square.
fn sinusoids([positions, width]: [usize; 2], deviation: f32) -> Vec<f32> {
    let value = |index: usize| {
        let (position, dimension) = (index / width, index % width);
        let rate = 1e4f64.powf(-((dimension / 2 * 2) as f64) / width as f64);
        let angle = position as f64 * rate;
        let wave = if dimension.is_multiple_of(2) { angle.sin() } else { angle.cos() };
        (wave * std::f64::consts::SQRT_2) as f32 * deviation
    };
    (0..positions * width).map(value).collect()
}

impl Source for Random {
    fn matrix(
        &mut self,
        name: &str,
        shape: [usize; 2],
        _kind: Kind,
    ) -> Result<Tensor<2>, WeightsError> {
        let values = self.values(name, shape);
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
