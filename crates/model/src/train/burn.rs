//! Training through burn's autodiff.

use std::borrow::Cow;
use std::path::Path;

use burn::tensor::{DType, Device, GradientCheckpointingStrategy, Tensor, TensorData};
use secondpass_text::{
    Compute, Derivatives, Learner, Rates, ScoreError, Scorer, StepReport, TokenBatch, TrainError,
    Trained,
};

use super::adamw::{AdamW, Values};
use super::plan::{self, Parameter, Role};
use super::state::{self, Identity, Part};
use super::trainee::{ask, clip};
use crate::failure::{caught, failed};
use crate::layers::cast;
use crate::padded::Padded;
use crate::weights::{Parameters, Slot, write};
use crate::{Model, ModelConfig};

/// A model in training through burn.
pub(super) struct BurnTrainee {
    model: Model,
    /// In the network's order.
    parameters: Vec<Parameter>,
    /// Of the parameters that have one, in order.
    adapters: Vec<Low>,
    /// Sum of the gradients since the last step: one a tensor that is trained, in the parameters'
    /// order, of an adapter two.
    gradients: Vec<Option<Values>>,
    optimizer: AdamW,
    identity: String,
    /// What becomes of activations: burn computes those again that cost memory and little time.
    checkpointing: GradientCheckpointingStrategy,
    /// What the encoder's products are computed in. All that is kept here is f32.
    products: DType,
}

/// An adapter with what it is added to; all `[in, ..]` as the network's own.
#[derive(Clone)]
struct Low {
    base: Tensor<2>,
    down: Tensor<2>,
    up: Tensor<2>,
    scale: f32,
}

impl Low {
    fn merged(&self) -> Tensor<2> {
        self.base.clone() + self.down.clone().matmul(self.up.clone()) * self.scale
    }
}

fn differentiable<const D: usize>(
    tensor: Tensor<D>,
    checkpointing: GradientCheckpointingStrategy,
) -> Tensor<D> {
    tensor.autodiff().with_gradient_checkpointing_strategy(checkpointing)
}

impl BurnTrainee {
    pub fn new(mut model: Model, trained: &Trained) -> Result<Self, TrainError> {
        plan::check(trained, &model.config)?;
        let mut parameters = Vec::new();
        model.network.visit("", &mut |name, slot| {
            let (kind, shape) = match slot {
                Slot::Matrix(tensor, kind) => (kind, tensor.dims().to_vec()),
                Slot::Vector(tensor, kind) => (kind, tensor.dims().to_vec()),
            };
            parameters.push(Parameter::new(name, kind, shape, trained));
        });
        let seed = trained.lora.as_ref().map_or(0, |lora| lora.seed);
        let mut identity = Identity::new(&model.config, trained, &parameters);
        let mut adapters = Vec::new();
        let mut trouble = None;
        let mut index = 0;
        let device = model.device.clone();
        model.network.visit("", &mut |_, slot| {
            let Parameter { name, shape, role, .. } = &parameters[index];
            index += 1;
            if *role == Role::Whole {
                return;
            }
            let values = match &slot {
                Slot::Matrix(tensor, _) => numbers((**tensor).clone()),
                Slot::Vector(tensor, _) => numbers((**tensor).clone()),
            };
            match values {
                Ok(values) => identity.add(&values),
                Err(error) => trouble = trouble.take().or(Some(error)),
            }
            if let (Slot::Matrix(tensor, _), Role::Low(rank, scale)) = (slot, *role) {
                let down = plan::first_values(name, shape[0], rank, seed);
                adapters.push(Low {
                    base: tensor.clone(),
                    down: tensor_of(down, [shape[0], rank], &device),
                    up: Tensor::zeros([rank, shape[1]], &device),
                    scale,
                });
            }
        });
        if let Some(error) = trouble {
            return Err(error);
        }
        Ok(Self {
            model,
            parameters,
            adapters,
            gradients: Vec::new(),
            optimizer: AdamW::default(),
            identity: identity.finish(),
            checkpointing: match trained.recompute {
                true => GradientCheckpointingStrategy::Balanced,
                false => GradientCheckpointingStrategy::Disabled,
            },
            products: match trained.compute {
                Compute::F32 => DType::F32,
                Compute::Bf16 => DType::BF16,
            },
        })
    }

    pub fn config(&self) -> &ModelConfig {
        &self.model.config
    }

    #[cfg(test)]
    pub fn gradients_for_tests(&self) -> Vec<(String, Vec<f32>)> {
        let read = |values: &Values| values.numbers().unwrap();
        let names = self.parameters.iter().flat_map(state::tensors).map(|(name, _)| name);
        names.zip(self.gradients.iter().flatten().map(read)).collect()
    }

    #[cfg(test)]
    pub fn weights_for_tests(&self) -> Vec<(String, Vec<f32>)> {
        let names = self.parameters.iter().flat_map(state::tensors).map(|(name, _)| name);
        names.zip(self.values().into_iter().map(Result::unwrap)).collect()
    }

    #[cfg(test)]
    pub fn set_adapters_for_tests(&mut self, change: &mut dyn FnMut(&mut Vec<f32>)) {
        for Low { down, .. } in &mut self.adapters {
            let (shape, device) = (down.dims(), down.device());
            let mut values = numbers(down.clone()).unwrap();
            change(&mut values);
            *down = tensor_of(values, shape, &device);
        }
    }

    /// The numbers of what is trained, in the order of their gradients.
    fn values(&self) -> Vec<Result<Vec<f32>, TrainError>> {
        let mut values = Vec::new();
        let mut adapters = self.adapters.iter();
        let mut roles = self.parameters.iter().map(|parameter| parameter.role);
        self.model.network.clone().visit("", &mut |_, slot| match (slot, roles.next()) {
            (_, Some(Role::Low(..))) => {
                let low = adapters.next();
                values.extend(low.map(|low| numbers(low.down.clone())));
                values.extend(low.map(|low| numbers(low.up.clone())));
            }
            (Slot::Matrix(tensor, _), Some(Role::Whole)) => values.push(numbers(tensor.clone())),
            (Slot::Vector(tensor, _), Some(Role::Whole)) => values.push(numbers(tensor.clone())),
            _ => {}
        });
        values
    }

    /// The network with autodiff on, its products in the format that is computed in, and the tensors whose
    /// gradients are wanted, in order. Those are the f32 ones: on the way back a gradient passes through
    /// the same rounding as its weight did.
    fn tracked(&self) -> (crate::architecture::Network, Vec<Values>) {
        let checkpointing = self.checkpointing;
        let mut network = self.model.network.clone();
        let mut parameters = self.parameters.iter();
        let mut adapters = self.adapters.iter();
        let mut leaves = Vec::new();
        network.visit("", &mut |_, slot| {
            let Some(parameter) = parameters.next() else { return };
            let dtype = match parameter.is_narrow() {
                true => self.products,
                false => DType::F32,
            };
            match (slot, parameter.role) {
                (Slot::Matrix(tensor, _), Role::Low(..)) => {
                    let Some(Low { base, down, up, scale }) = adapters.next().cloned() else {
                        return;
                    };
                    let low = Low {
                        base: differentiable(base, checkpointing),
                        down: differentiable(down, checkpointing).require_grad(),
                        up: differentiable(up, checkpointing).require_grad(),
                        scale,
                    };
                    *tensor = cast(low.merged(), dtype);
                    leaves.extend([Values::Matrix(low.down), Values::Matrix(low.up)]);
                }
                (Slot::Matrix(tensor, _), Role::Whole) => {
                    let leaf = differentiable(tensor.clone(), checkpointing).require_grad();
                    *tensor = cast(leaf.clone(), dtype);
                    leaves.push(Values::Matrix(leaf));
                }
                (Slot::Vector(tensor, _), Role::Whole) => {
                    let leaf = differentiable(tensor.clone(), checkpointing).require_grad();
                    *tensor = cast(leaf.clone(), dtype);
                    leaves.push(Values::Vector(leaf));
                }
                (Slot::Matrix(tensor, _), _) => {
                    *tensor = differentiable(cast(tensor.clone(), dtype), checkpointing);
                }
                (Slot::Vector(tensor, _), _) => {
                    *tensor = differentiable(cast(tensor.clone(), dtype), checkpointing);
                }
            }
        });
        (network, leaves)
    }

    fn accumulate_one(
        &mut self,
        batch: &TokenBatch,
        seed: u64,
        derivatives: &mut Derivatives<'_>,
    ) -> Result<(), TrainError> {
        let mut device = self.model.device.clone().autodiff();
        if self.checkpointing == GradientCheckpointingStrategy::Balanced {
            device = device.gradient_checkpointing();
        }
        // Dropout draws from a state that the whole process shares.
        device.seed(seed);
        let padded = Padded::new(batch, &self.model.config, &device)?;
        let (tracked, leaves) = self.tracked();
        let logits = tracked.head(tracked.encode(&padded));
        let derivatives = ask(derivatives, &numbers(logits.clone().without_autodiff())?)?;
        let derivatives = TensorData::new(derivatives, [batch.len()]);
        // Its gradient by each logit is the derivative it is multiplied with.
        let loss = (logits * Tensor::from_data(derivatives, &device)).sum();
        self.add_gradients(&leaves, &loss);
        Ok(())
    }

    fn add_gradients(&mut self, leaves: &[Values], loss: &Tensor<1>) {
        let mut all = loss.backward();
        let found: Vec<Option<Values>> = leaves
            .iter()
            .map(|leaf| match leaf {
                Values::Matrix(leaf) => leaf.grad_remove(&mut all).map(Values::Matrix),
                Values::Vector(leaf) => leaf.grad_remove(&mut all).map(Values::Vector),
            })
            .collect();
        self.gradients.resize(found.len(), None);
        for (sum, gradient) in self.gradients.iter_mut().zip(found) {
            *sum = match (sum.take(), gradient) {
                (Some(Values::Matrix(a)), Some(Values::Matrix(b))) => Some(Values::Matrix(a + b)),
                (Some(Values::Vector(a)), Some(Values::Vector(b))) => Some(Values::Vector(a + b)),
                (sum, gradient) => gradient.or(sum),
            };
        }
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
        let squares = numbers(Tensor::cat(squares, 0))?;
        Ok(squares.into_iter().map(f64::from).sum::<f64>().sqrt())
    }

    /// Walks over the tensors that are trained, in the order of their gradients, then puts adapters
    /// together with what they are added to.
    fn walk(&mut self, mut visit: impl FnMut(usize, Slot<'_>)) {
        let mut roles = self.parameters.iter().map(|parameter| parameter.role);
        let mut adapters = self.adapters.iter_mut();
        let mut index = 0;
        self.model.network.visit("", &mut |_, slot| match (slot, roles.next()) {
            (Slot::Matrix(tensor, kind), Some(Role::Low(..))) => {
                if let Some(low) = adapters.next() {
                    visit(index, Slot::Matrix(&mut low.down, kind));
                    visit(index + 1, Slot::Matrix(&mut low.up, kind));
                    index += 2;
                    *tensor = low.merged();
                }
            }
            (slot, Some(Role::Whole)) => {
                visit(index, slot);
                index += 1;
            }
            _ => {}
        });
    }
}

impl Scorer for BurnTrainee {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        self.model.score(batches)
    }
}

impl Learner for BurnTrainee {
    fn accumulate(
        &mut self,
        batch: &TokenBatch,
        seed: u64,
        derivatives: &mut Derivatives<'_>,
    ) -> Result<(), TrainError> {
        caught(|| self.accumulate_one(batch, seed, derivatives)).map_err(told)?
    }

    fn apply(&mut self, rates: &Rates) -> Result<StepReport, TrainError> {
        let gradient_norm = self.gradient_norm()?;
        let factor = clip(gradient_norm, rates.clip_norm)?;
        let mut gradients = std::mem::take(&mut self.gradients);
        let mut optimizer = std::mem::take(&mut self.optimizer);
        optimizer.begin(gradients.len());
        self.walk(|index, slot| match (slot, gradients[index].take()) {
            (Slot::Matrix(tensor, kind), Some(Values::Matrix(gradient))) => {
                let gradient = gradient * factor;
                *tensor = optimizer.matrix(index, kind, tensor.clone(), gradient, rates);
            }
            (Slot::Vector(tensor, kind), Some(Values::Vector(gradient))) => {
                let gradient = gradient * factor;
                *tensor = optimizer.vector(index, kind, tensor.clone(), gradient, rates);
            }
            // Gradients were gathered in the same walk; one that is not there changes nothing.
            _ => {}
        });
        self.optimizer = optimizer;
        Ok(StepReport { gradient_norm })
    }

    fn save(&self, folder: &Path, half: bool) -> Result<(), TrainError> {
        let mut network = self.model.network.clone();
        write(&mut network, &self.model.config, folder, half).map_err(TrainError::Save)
    }

    fn save_state(&self, folder: &Path) -> Result<(), TrainError> {
        let mut tensors = Vec::new();
        let names = self.parameters.iter().flat_map(state::tensors);
        for (index, ((name, _), values)) in names.zip(self.values()).enumerate() {
            tensors.push((Part::Value.of(&name), Cow::from(values?)));
            if let Some((first, second)) = self.optimizer.moments(index) {
                tensors.push((Part::First.of(&name), Cow::from(first.numbers()?)));
                tensors.push((Part::Second.of(&name), Cow::from(second.numbers()?)));
            }
        }
        state::write(folder, &self.identity, self.optimizer.steps(), tensors)
    }

    fn load_state(&mut self, folder: &Path) -> Result<(), TrainError> {
        let mut state = state::read(folder, &self.identity)?;
        let device = self.model.device.clone();
        // Everything is read before anything changes.
        let (mut values, mut moments) = (Vec::new(), Vec::new());
        for parameter in &self.parameters {
            for (name, length) in state::tensors(parameter) {
                let shape = match (parameter.role, &parameter.shape[..]) {
                    (Role::Low(rank, _), [inputs, _]) if name.ends_with(".down") => {
                        vec![*inputs, rank]
                    }
                    (Role::Low(rank, _), [_, outputs]) => vec![rank, *outputs],
                    (_, shape) => shape.to_vec(),
                };
                let first = Part::First.of(&name);
                let had_a_step = state.has(&first);
                let mut take = |name: &str| {
                    let numbers = state.take(name, length)?;
                    Ok::<_, TrainError>(Values::new(numbers, &shape, &device))
                };
                values.push(Some(take(&Part::Value.of(&name))?));
                moments.push(match had_a_step {
                    true => Some((take(&first)?, take(&Part::Second.of(&name))?)),
                    false => None,
                });
            }
        }
        self.walk(|index, slot| match (slot, values[index].take()) {
            (Slot::Matrix(tensor, _), Some(Values::Matrix(value))) => *tensor = value,
            (Slot::Vector(tensor, _), Some(Values::Vector(value))) => *tensor = value,
            // Each was made in its parameter's shape.
            _ => {}
        });
        self.optimizer = AdamW::restored(state.steps, moments);
        self.gradients.clear();
        Ok(())
    }
}

impl Values {
    fn new(numbers: Vec<f32>, shape: &[usize], device: &Device) -> Self {
        match *shape {
            [rows, columns] => Self::Matrix(tensor_of(numbers, [rows, columns], device)),
            _ => {
                let length = numbers.len();
                Self::Vector(Tensor::from_data(TensorData::new(numbers, [length]), device))
            }
        }
    }

    fn numbers(&self) -> Result<Vec<f32>, TrainError> {
        match self {
            Self::Matrix(tensor) => numbers(tensor.clone()),
            Self::Vector(tensor) => numbers(tensor.clone()),
        }
    }
}

fn tensor_of(numbers: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    let values = tensor.try_into_vec_as::<f32>();
    values.map_err(|error| told(failed(&error.to_string())))
}

/// A full card is the trainer's to deal with, by smaller batches.
fn told(error: ScoreError) -> TrainError {
    match error {
        ScoreError::OutOfMemory(what) => TrainError::OutOfMemory(what),
        other => TrainError::Score(other),
    }
}
