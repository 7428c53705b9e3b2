use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use secondpass_text::{
    Derivatives, Learner, Rates, ScoreError, Scorer, StepReport, TokenBatch, TrainError,
};

use super::adamw::{AdamW, Values};
use crate::Model;
use crate::padded::Padded;
use crate::weights::{Parameters, Slot, write};

/// A model in training. Scoring uses the weights of the last step, without dropout.
pub struct Trainee {
    model: Model,
    /// Sum of the gradients since the last step, in the network's order.
    gradients: Vec<Option<Values>>,
    optimizer: AdamW,
}

impl Trainee {
    /// Starts training from a model's weights.
    pub fn new(model: Model) -> Self {
        Self { model, gradients: Vec::new(), optimizer: AdamW::default() }
    }

    /// The model as it is now.
    pub fn model(&self) -> &Model {
        &self.model
    }

    #[cfg(test)]
    pub(super) fn gradients_for_tests(&self) -> Vec<Vec<f32>> {
        let read = |values: &Values| match values {
            Values::Matrix(tensor) => tensor.clone().try_into_vec_as::<f32>(),
            Values::Vector(tensor) => tensor.clone().try_into_vec_as::<f32>(),
        };
        self.gradients.iter().flatten().map(|values| read(values).unwrap()).collect()
    }

    fn add_gradients(&mut self, tracked: &mut dyn Parameters, loss: &Tensor<1>) {
        let mut all = loss.backward();
        let mut index = 0;
        let sums = &mut self.gradients;
        tracked.visit("", &mut |_, slot| {
            if sums.len() <= index {
                sums.resize(index + 1, None);
            }
            let gradient = match slot {
                Slot::Matrix(tensor, _) => tensor.grad_remove(&mut all).map(Values::Matrix),
                Slot::Vector(tensor, _) => tensor.grad_remove(&mut all).map(Values::Vector),
            };
            sums[index] = match (sums[index].take(), gradient) {
                (Some(Values::Matrix(a)), Some(Values::Matrix(b))) => Some(Values::Matrix(a + b)),
                (Some(Values::Vector(a)), Some(Values::Vector(b))) => Some(Values::Vector(a + b)),
                (sum, gradient) => gradient.or(sum),
            };
            index += 1;
        });
    }

    /// The norm over all gradients together.
    fn gradient_norm(&self) -> Result<f64, TrainError> {
        let squares: Vec<Tensor<1>> = self
            .gradients
            .iter()
            .flatten()
            .map(|gradient| match gradient {
                Values::Matrix(g) => (g.clone() * g.clone()).sum(),
                Values::Vector(g) => (g.clone() * g.clone()).sum(),
            })
            .collect();
        if squares.is_empty() {
            return Err(TrainError::NothingAccumulated);
        }
        let squares = read(Tensor::cat(squares, 0))?;
        let norm = squares.into_iter().map(f64::from).sum::<f64>().sqrt();
        if norm.is_finite() { Ok(norm) } else { Err(TrainError::NotFinite("gradient")) }
    }
}

impl Scorer for Trainee {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        self.model.score(batches)
    }
}

impl Learner for Trainee {
    fn accumulate(
        &mut self,
        batch: &TokenBatch,
        seed: u64,
        derivatives: &mut Derivatives<'_>,
    ) -> Result<(), TrainError> {
        let device = self.model.device.clone().autodiff();
        // Dropout draws from a state that the whole process shares.
        device.seed(seed);
        let padded = Padded::new(batch, &self.model.config, &device)?;
        let mut tracked = self.model.network.clone();
        tracked.visit("", &mut |_, slot| match slot {
            Slot::Matrix(tensor, _) => *tensor = tensor.clone().autodiff().require_grad(),
            Slot::Vector(tensor, _) => *tensor = tensor.clone().autodiff().require_grad(),
        });
        let logits = tracked.head(tracked.encode(&padded));
        let derivatives = derivatives(&read(logits.clone().without_autodiff())?)?;
        if derivatives.len() != batch.len() {
            let (sequences, derivatives) = (batch.len(), derivatives.len());
            return Err(TrainError::Shape { sequences, derivatives });
        }
        let derivatives = TensorData::new(derivatives, [batch.len()]);
        // Its gradient by each logit is the derivative it is multiplied with.
        let loss = (logits * Tensor::from_data(derivatives, &device)).sum();
        self.add_gradients(&mut tracked, &loss);
        Ok(())
    }

    fn apply(&mut self, rates: &Rates) -> Result<StepReport, TrainError> {
        let gradient_norm = self.gradient_norm()?;
        let factor = match rates.clip_norm {
            Some(limit) if gradient_norm > limit => limit / gradient_norm,
            _ => 1.0,
        };
        let gradients = std::mem::take(&mut self.gradients);
        let optimizer = &mut self.optimizer;
        optimizer.begin(gradients.len());
        let mut gradients = gradients.into_iter().enumerate();
        self.model.network.visit("", &mut |_, slot| {
            let (index, gradient) = match gradients.next() {
                Some((index, Some(gradient))) => (index, gradient),
                _ => return,
            };
            match (slot, gradient) {
                (Slot::Matrix(tensor, kind), Values::Matrix(gradient)) => {
                    let gradient = gradient * factor;
                    *tensor = optimizer.matrix(index, kind, tensor.clone(), gradient, rates);
                }
                (Slot::Vector(tensor, kind), Values::Vector(gradient)) => {
                    let gradient = gradient * factor;
                    *tensor = optimizer.vector(index, kind, tensor.clone(), gradient, rates);
                }
                // Gradients were gathered in the same walk.
                (Slot::Matrix(..), Values::Vector(_)) | (Slot::Vector(..), Values::Matrix(_)) => {}
            }
        });
        Ok(StepReport { gradient_norm })
    }

    fn save(&self, folder: &Path, half: bool) -> Result<(), TrainError> {
        let mut network = self.model.network.clone();
        write(&mut network, &self.model.config, folder, half).map_err(TrainError::Save)
    }
}

fn read(tensor: Tensor<1>) -> Result<Vec<f32>, TrainError> {
    let values = tensor.try_into_vec_as::<f32>();
    values.map_err(|e| TrainError::Score(ScoreError::Device(e.to_string())))
}
