use std::path::Path;

use secondpass_text::{
    Compute, Derivatives, Learner, Rates, ScoreError, Scorer, StepReport, TokenBatch, TrainError,
    Trained,
};

use super::burn::BurnTrainee;
use super::cpu::CpuTrainee;
use crate::{DeviceSpec, Model, ModelConfig};

/// A model in training, on whatever computes for its device: our own kernels on the CPU, burn
/// elsewhere. Scoring uses the weights of the last step, without dropout.
pub struct Trainee(Engine);

enum Engine {
    Cpu(Box<CpuTrainee>),
    Burn(Box<BurnTrainee>),
}

impl Trainee {
    /// Whether a device trains in a number format, which is known before a model is read.
    ///
    /// # Errors
    /// It does not.
    pub fn takes(device: DeviceSpec, compute: Compute) -> Result<(), TrainError> {
        match (device.chosen(), compute) {
            (_, Compute::F32) | (DeviceSpec::Cuda(_) | DeviceSpec::Flex, Compute::Bf16) => Ok(()),
            (device, compute) => Err(TrainError::Compute { device: device.to_string(), compute }),
        }
    }

    /// Starts training from a model's weights.
    ///
    /// # Errors
    /// Parts that the model does not have, and shapes and formats that the device does not take.
    pub fn new(model: Model, trained: &Trained) -> Result<Self, TrainError> {
        Self::takes(model.device(), trained.compute)?;
        Ok(Self(match model.device() {
            DeviceSpec::Cpu => Engine::Cpu(Box::new(CpuTrainee::new(model, trained)?)),
            _ => Engine::Burn(Box::new(BurnTrainee::new(model, trained)?)),
        }))
    }

    /// What `config.json` said.
    pub fn config(&self) -> &ModelConfig {
        match &self.0 {
            Engine::Cpu(trainee) => trainee.config(),
            Engine::Burn(trainee) => trainee.config(),
        }
    }

    /// The sum of the gradients since the last step, under the names of what is trained.
    #[cfg(test)]
    pub(super) fn gradients_for_tests(&self) -> Vec<(String, Vec<f32>)> {
        match &self.0 {
            Engine::Cpu(trainee) => trainee.gradients_for_tests(),
            Engine::Burn(trainee) => trainee.gradients_for_tests(),
        }
    }

    /// The weights of what is trained, under the names of the gradients.
    #[cfg(test)]
    pub(super) fn weights_for_tests(&self) -> Vec<(String, Vec<f32>)> {
        match &self.0 {
            Engine::Cpu(trainee) => trainee.weights_for_tests(),
            Engine::Burn(trainee) => trainee.weights_for_tests(),
        }
    }

    /// Changes the first part of every adapter, `[in, rank]`.
    #[cfg(test)]
    pub(super) fn set_adapters_for_tests(&mut self, change: &mut dyn FnMut(&mut Vec<f32>)) {
        match &mut self.0 {
            Engine::Cpu(trainee) => trainee.set_adapters_for_tests(change),
            Engine::Burn(trainee) => trainee.set_adapters_for_tests(change),
        }
    }

    fn engine(&self) -> &dyn Learner {
        match &self.0 {
            Engine::Cpu(trainee) => &**trainee,
            Engine::Burn(trainee) => &**trainee,
        }
    }

    fn engine_mut(&mut self) -> &mut dyn Learner {
        match &mut self.0 {
            Engine::Cpu(trainee) => &mut **trainee,
            Engine::Burn(trainee) => &mut **trainee,
        }
    }
}

impl Scorer for Trainee {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        self.engine().score(batches)
    }
}

impl Learner for Trainee {
    fn accumulate(
        &mut self,
        batch: &TokenBatch,
        seed: u64,
        derivatives: &mut Derivatives<'_>,
    ) -> Result<(), TrainError> {
        self.engine_mut().accumulate(batch, seed, derivatives)
    }

    fn apply(&mut self, rates: &Rates) -> Result<StepReport, TrainError> {
        self.engine_mut().apply(rates)
    }

    fn memory(&self, lengths: &[usize]) -> Option<u64> {
        self.engine().memory(lengths)
    }

    fn save(&self, folder: &Path, half: bool) -> Result<(), TrainError> {
        self.engine().save(folder, half)
    }

    fn save_state(&self, folder: &Path) -> Result<(), TrainError> {
        self.engine().save_state(folder)
    }

    fn load_state(&mut self, folder: &Path) -> Result<(), TrainError> {
        self.engine_mut().load_state(folder)
    }
}

/// What gradients are multiplied with before a step, as PyTorch's `clip_grad_norm_` does.
///
/// # Errors
/// A norm that is not finite.
pub(super) fn clip(norm: f64, limit: Option<f64>) -> Result<f64, TrainError> {
    if !norm.is_finite() {
        return Err(TrainError::NotFinite("gradient"));
    }
    Ok(limit.map_or(1.0, |limit| (limit / (norm + 1e-6)).min(1.0)))
}

/// A loss's derivatives, one a sequence.
///
/// # Errors
/// What the loss refuses, and another number of derivatives.
pub(super) fn ask(
    derivatives: &mut Derivatives<'_>,
    logits: &[f32],
) -> Result<Vec<f32>, TrainError> {
    let given = derivatives(logits)?;
    match given.len() == logits.len() {
        true => Ok(given),
        false => Err(TrainError::Shape { sequences: logits.len(), derivatives: given.len() }),
    }
}
