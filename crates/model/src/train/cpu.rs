//! Training on the CPU through our own kernels.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use secondpass_kernels::train::{
    AdamW, Adapter, Step, Tokens, TrainingConfig, TrainingNetwork, squares,
};
use secondpass_kernels::{Activation, EncoderConfig, Instructions};
use secondpass_text::{
    Derivatives, Learner, Rates, ScoreError, Scorer, StepReport, TokenBatch, TrainError, Trained,
};

use super::plan::{self, Parameter, Role};
use super::state::{self, Identity, Part};
use super::trainee::{ask, clip};
use crate::packed::{Packed, device, threads};
use crate::padded::{check, positions};
use crate::weights::{file_tensor, take, write_tensors};
use crate::{Dtype, Model, ModelConfig, ModelType, config, room};

/// A model in training on the CPU.
pub(super) struct CpuTrainee {
    config: ModelConfig,
    parameters: Vec<Parameter>,
    network: TrainingNetwork,
    /// What the optimizer changes, in the parameters' order.
    variables: Vec<Variable>,
    steps: u32,
    /// Whether there are gradients since the last step.
    accumulated: bool,
    identity: String,
    /// The weights as they are now, laid out for scoring once somebody asks.
    scorer: OnceLock<Packed>,
    /// Bytes that the largest micro-batch so far took, weights and all: they are kept for the next.
    taken: u64,
}

struct Variable {
    /// The parameter's place.
    index: usize,
    decays: bool,
    learns: Learns,
}

enum Learns {
    Whole(AdamW),
    Low(Box<Low>),
}

/// An adapter with what it is added to.
struct Low {
    adapter: Adapter,
    base: Vec<f32>,
    down: Vec<f32>,
    up: Vec<f32>,
    moments: [AdamW; 2],
}

impl CpuTrainee {
    pub fn new(mut model: Model, trained: &Trained) -> Result<Self, TrainError> {
        let config = model.config.clone();
        plan::check(trained, &config)?;
        let refuse = |error: &dyn std::error::Error| TrainError::Trained(error.to_string());
        let taken = take(&mut model.network).map_err(TrainError::Trained)?;
        drop(model);
        let (mut parameters, mut weights) = (Vec::new(), Vec::new());
        for (name, kind, shape, values) in taken {
            parameters.push(Parameter::new(name, kind, shape, trained));
            weights.push(values);
        }
        let mut identity = Identity::new(&config, trained, &parameters);
        for (parameter, weight) in parameters.iter().zip(&weights) {
            if parameter.role != Role::Whole {
                identity.add(weight);
            }
        }
        let seed = trained.lora.as_ref().map_or(0, |lora| lora.seed);
        let variables = parameters.iter().zip(&weights).enumerate();
        let variables = variables.filter_map(|(index, (parameter, weight))| {
            let learns = match parameter.role {
                Role::Frozen => return None,
                Role::Whole => Learns::Whole(AdamW::new(weight.len())),
                Role::Low(rank, scale) => {
                    Learns::Low(Box::new(Low::new(parameter, weight, rank, scale, seed)))
                }
            };
            Some(Variable { index, decays: parameter.decays(), learns })
        });
        let variables = variables.collect();
        let has_gradient: Vec<bool> =
            parameters.iter().map(|parameter| parameter.role != Role::Frozen).collect();
        let threads = threads().map_err(|error| refuse(&error))?;
        let network = TrainingNetwork::new(
            shape(&config),
            weights,
            &has_gradient,
            Instructions::detect(),
            threads,
        );
        Ok(Self {
            network: network.map_err(|error| refuse(&error))?.recomputing(trained.recompute),
            identity: identity.finish(),
            config,
            parameters,
            variables,
            steps: 0,
            accumulated: false,
            scorer: OnceLock::new(),
            taken: 0,
        })
    }

    /// Makes sure of the memory that a micro-batch takes beyond what is held already.
    fn make_room(&mut self, batch: &TokenBatch) -> Result<(), TrainError> {
        // Made again by the next who asks; until then its memory is wanted here.
        self.scorer = OnceLock::new();
        let lengths: Vec<usize> = batch.sequences().map(|(ids, _)| ids.len()).collect();
        let bytes = self.training_bytes(&lengths);
        let held = self.taken.max(self.config.weights_bytes(Dtype::F32));
        if bytes > held {
            room::find(bytes - held).map_err(TrainError::OutOfMemory)?;
            self.taken = bytes;
        }
        Ok(())
    }

    /// What training takes, without what scoring takes between steps.
    fn training_bytes(&self, lengths: &[usize]) -> u64 {
        let copies = |parameter: &Parameter| match parameter.role {
            Role::Frozen => 0,
            // Its gradient and two moments.
            Role::Whole => 3,
            // What it was before, and the gradient that the adapter's follow from.
            Role::Low(..) => 2,
        };
        let copies: Vec<u64> = self.parameters.iter().map(copies).collect();
        self.network.config().bytes(&copies, lengths, self.network.is_recomputing())
    }

    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    #[cfg(test)]
    pub fn gradients_for_tests(&self) -> Vec<(String, Vec<f32>)> {
        let of = |variable: &Variable| {
            let names = state::tensors(&self.parameters[variable.index]);
            let whole = self.network.gradient(variable.index);
            let gradients = match &variable.learns {
                Learns::Whole(_) => vec![whole.to_vec()],
                Learns::Low(low) => low.gradients(whole, self.network.instructions()).to_vec(),
            };
            names.into_iter().map(|(name, _)| name).zip(gradients).collect::<Vec<_>>()
        };
        self.variables.iter().flat_map(of).collect()
    }

    #[cfg(test)]
    pub fn weights_for_tests(&self) -> Vec<(String, Vec<f32>)> {
        let is_moment = |name: &str| name.contains(" moment of ");
        let all = self.tensors().into_iter().filter(|(name, _)| !is_moment(name));
        all.map(|(name, values)| (name, values.into_owned())).collect()
    }

    #[cfg(test)]
    pub fn set_adapters_for_tests(&mut self, change: &mut dyn FnMut(&mut Vec<f32>)) {
        for variable in &mut self.variables {
            if let Learns::Low(low) = &mut variable.learns {
                // The other part is zero still: the weight is what it was.
                change(&mut low.down);
            }
        }
    }

    fn packed(&self) -> Result<&Packed, ScoreError> {
        if let Some(packed) = self.scorer.get() {
            return Ok(packed);
        }
        let names = self.parameters.iter().map(|parameter| parameter.name.clone());
        let weights: HashMap<_, _> = names.zip(self.network.weights().iter().cloned()).collect();
        let packed = Packed::of_parameters(weights, self.config.clone())
            .map_err(|error| ScoreError::Device(error.to_string()))?;
        Ok(self.scorer.get_or_init(|| packed))
    }

    /// The trained tensors by their names in a state.
    fn tensors(&self) -> Vec<(String, Cow<'_, [f32]>)> {
        let mut all = Vec::new();
        for variable in &self.variables {
            let names = state::tensors(&self.parameters[variable.index]);
            let parts: Vec<(&[f32], &AdamW)> = match &variable.learns {
                Learns::Whole(moments) => vec![(&self.network.weights()[variable.index], moments)],
                Learns::Low(low) => {
                    vec![(&low.down, &low.moments[0]), (&low.up, &low.moments[1])]
                }
            };
            for ((name, _), (values, moments)) in names.into_iter().zip(parts) {
                all.push((Part::Value.of(&name), Cow::from(values)));
                if self.steps > 0 {
                    all.push((Part::First.of(&name), Cow::from(&moments.first)));
                    all.push((Part::Second.of(&name), Cow::from(&moments.second)));
                }
            }
        }
        all
    }
}

impl Low {
    fn new(parameter: &Parameter, base: &[f32], rank: usize, scale: f32, seed: u64) -> Self {
        let (inputs, outputs) = (parameter.shape[0], parameter.shape[1]);
        Self {
            adapter: Adapter { inputs, outputs, rank, scale },
            base: base.to_vec(),
            down: plan::first_values(&parameter.name, inputs, rank, seed),
            up: vec![0.0; rank * outputs],
            moments: [inputs * rank, rank * outputs].map(AdamW::new),
        }
    }

    fn gradients(&self, weight: &[f32], instructions: Instructions) -> [Vec<f32>; 2] {
        let Self { adapter, down, up, .. } = self;
        adapter.gradients(weight, down, up, instructions).into()
    }
}

impl Scorer for CpuTrainee {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        self.packed()?.score(batches)
    }
}

impl Learner for CpuTrainee {
    fn accumulate(
        &mut self,
        batch: &TokenBatch,
        seed: u64,
        derivatives: &mut Derivatives<'_>,
    ) -> Result<(), TrainError> {
        check(batch, &self.config)?;
        self.make_room(batch)?;
        let laid_out = LaidOut::new(batch, &self.config);
        let logits = self.network.forward(&laid_out.tokens(), seed).map_err(device)?;
        let derivatives = ask(derivatives, &logits)?;
        self.network.backward(&derivatives).map_err(device)?;
        self.accumulated = true;
        Ok(())
    }

    fn apply(&mut self, rates: &Rates) -> Result<StepReport, TrainError> {
        if !self.accumulated {
            return Err(TrainError::NothingAccumulated);
        }
        let (network, instructions) = (&self.network, self.network.instructions());
        // Of adapters, the two parts' own gradients.
        let low: Vec<Option<[Vec<f32>; 2]>> = self
            .variables
            .iter()
            .map(|variable| match &variable.learns {
                Learns::Whole(_) => None,
                Learns::Low(low) => {
                    Some(low.gradients(network.gradient(variable.index), instructions))
                }
            })
            .collect();
        let square = |values: &[f32]| squares(values, instructions, network.threads());
        let sums = self.variables.iter().zip(&low).map(|(variable, low)| match low {
            None => square(network.gradient(variable.index)),
            Some([down, up]) => square(down) + square(up),
        });
        let gradient_norm = sums.sum::<f64>().sqrt();
        let factor = clip(gradient_norm, rates.clip_norm)?;
        let secondpass_text::AdamW { beta_1, beta_2, epsilon } = rates.adamw;
        self.steps += 1;
        let step = Step {
            number: self.steps,
            learning_rate: rates.learning_rate,
            decay: rates.weight_decay,
            betas: [beta_1, beta_2],
            epsilon,
            factor: factor as f32,
        };
        for (variable, low_gradients) in self.variables.iter_mut().zip(low) {
            let Variable { index, decays, learns } = variable;
            let step = if *decays { step } else { Step { decay: 0.0, ..step } };
            self.network.update(*index, |weight, gradient, instructions, threads| {
                match (learns, low_gradients) {
                    (Learns::Whole(moments), _) => {
                        moments.step(weight, gradient, step, instructions, threads);
                    }
                    (Learns::Low(low), Some([by_down, by_up])) => {
                        let Low { adapter, base, down, up, moments: [first, second] } = &mut **low;
                        first.step(down, &by_down, step, instructions, threads);
                        second.step(up, &by_up, step, instructions, threads);
                        adapter.merge(base, down, up, weight);
                    }
                    // Adapters' gradients were made above.
                    (Learns::Low(_), None) => {}
                }
            });
        }
        self.network.forget();
        self.accumulated = false;
        self.scorer = OnceLock::new();
        Ok(StepReport { gradient_norm })
    }

    fn memory(&self, lengths: &[usize]) -> Option<u64> {
        // Between steps the weights are laid out once more, to be scored with.
        Some(self.training_bytes(lengths) + self.config.weights_bytes(Dtype::F32))
    }

    fn save(&self, folder: &Path, half: bool) -> Result<(), TrainError> {
        let weights = self.parameters.iter().zip(self.network.weights());
        let tensors = weights.map(|(Parameter { name, kind, shape, .. }, weight)| {
            file_tensor(name, *kind, shape, weight, half)
        });
        let tensors: Vec<_> = tensors.collect();
        write_tensors(&tensors, &self.config, folder, half).map_err(TrainError::Save)
    }

    fn save_state(&self, folder: &Path) -> Result<(), TrainError> {
        state::write(folder, &self.identity, self.steps, self.tensors())
    }

    fn load_state(&mut self, folder: &Path) -> Result<(), TrainError> {
        let mut state = state::read(folder, &self.identity)?;
        // Everything is read before anything changes.
        let mut read = Vec::new();
        for variable in &self.variables {
            let tensors = state::tensors(&self.parameters[variable.index]);
            let parts = tensors.into_iter().map(|(name, length)| {
                let values = state.take(&Part::Value.of(&name), length)?;
                let moments = match state.steps {
                    0 => AdamW::new(length),
                    _ => AdamW {
                        first: state.take(&Part::First.of(&name), length)?,
                        second: state.take(&Part::Second.of(&name), length)?,
                    },
                };
                Ok::<_, TrainError>((values, moments))
            });
            read.push(parts.collect::<Result<Vec<_>, _>>()?);
        }
        for (variable, mut parts) in self.variables.iter_mut().zip(read) {
            let Variable { index, learns, .. } = variable;
            self.network.update(*index, |weight, _, _, _| match learns {
                Learns::Whole(moments) => {
                    for (values, read) in parts.drain(..) {
                        weight.copy_from_slice(&values);
                        *moments = read;
                    }
                }
                Learns::Low(low) => {
                    let Low { adapter, base, down, up, moments } = &mut **low;
                    let sides = [&mut *down, &mut *up].into_iter().zip(moments);
                    for ((side, moments), (values, read)) in sides.zip(parts.drain(..)) {
                        *side = values;
                        *moments = read;
                    }
                    adapter.merge(base, down, up, weight);
                }
            });
        }
        self.steps = state.steps;
        self.network.forget();
        self.accumulated = false;
        self.scorer = OnceLock::new();
        Ok(())
    }
}

/// A batch as the kernels read it.
struct LaidOut {
    ids: Vec<u32>,
    positions: Vec<u32>,
    types: Vec<u32>,
    offsets: Vec<usize>,
}

impl LaidOut {
    fn new(batch: &TokenBatch, config: &ModelConfig) -> Self {
        let mut laid_out = Self { ids: vec![], positions: vec![], types: vec![], offsets: vec![0] };
        // An empty sequence keeps one padding token: attention needs something to see.
        let padding = [config.pad_token_id];
        for (ids, types) in batch.sequences() {
            let ids = if ids.is_empty() { &padding } else { ids };
            laid_out.ids.extend(ids);
            laid_out.positions.extend(positions(ids, config).map(|position| position as u32));
            if config.model_type == ModelType::Bert {
                laid_out.types.extend(types);
            }
            // transformers never hands type ids to the RoBERTa family.
            laid_out.types.resize(laid_out.ids.len(), 0);
            laid_out.offsets.push(laid_out.ids.len());
        }
        laid_out
    }

    fn tokens(&self) -> Tokens<'_> {
        let Self { ids, positions, types, offsets } = self;
        Tokens { ids, positions, types, offsets }
    }
}

fn shape(config: &ModelConfig) -> TrainingConfig {
    TrainingConfig {
        encoder: EncoderConfig {
            hidden: config.hidden_size,
            heads: config.num_attention_heads,
            intermediate: config.intermediate_size,
            layers: config.num_hidden_layers,
            epsilon: config.layer_norm_eps as f32,
            activation: match config.hidden_act {
                config::Activation::Gelu => Activation::Gelu,
                config::Activation::GeluTanh => Activation::GeluTanh,
                config::Activation::Relu => Activation::Relu,
            },
        },
        vocabulary: config.vocab_size,
        positions: config.max_position_embeddings,
        types: config.type_vocab_size,
        hidden_dropout: config.hidden_dropout_prob,
        attention_dropout: config.attention_probs_dropout_prob,
        head_dropout: config.head_dropout(),
        drops_head_input: config.model_type != ModelType::Bert,
    }
}
