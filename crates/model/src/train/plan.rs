//! What is trained, parameter by parameter.

use secondpass_text::{Lora, LoraTarget, TrainError, Trained};

use crate::ModelConfig;
use crate::weights::Kind;

/// What training does with one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Role {
    /// Nothing.
    Frozen,
    /// It is trained itself.
    Whole,
    /// It gets an adapter: rank, and what the adapter's product is multiplied with.
    Low(usize, f32),
}

/// A parameter, as its file names it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter {
    pub name: String,
    pub kind: Kind,
    /// Of a projection `[in, out]`.
    pub shape: Vec<usize>,
    pub role: Role,
}

impl Parameter {
    /// Which of a network's parameters this one is, and what becomes of it.
    pub fn new(name: String, kind: Kind, shape: Vec<usize>, trained: &Trained) -> Self {
        let role = match (layer(&name), &trained.lora) {
            (Some(layer), _) if layer < trained.frozen_layers => Role::Frozen,
            (Some(_), Some(lora)) if lora.targets.iter().any(|target| is(&name, *target)) => {
                Role::Low(lora.rank, (lora.alpha / lora.rank as f64) as f32)
            }
            (Some(_), Some(_)) => Role::Frozen,
            (Some(_), None) => Role::Whole,
            (None, _) if name.contains(".embeddings.") && !trained.embeddings => Role::Frozen,
            (None, _) => Role::Whole,
        };
        Self { name, kind, shape, role }
    }

    /// Whether it is part of a product whose format may be narrow: of an encoder layer, and no norm.
    pub fn is_narrow(&self) -> bool {
        layer(&self.name).is_some() && matches!(self.kind, Kind::Projection | Kind::Bias)
    }

    /// Whether the optimizer makes it smaller: all but biases and norms.
    pub fn decays(&self) -> bool {
        decays(self.kind)
    }
}

pub(super) fn decays(kind: Kind) -> bool {
    match kind {
        Kind::Embedding | Kind::Projection => true,
        Kind::Bias | Kind::Scale | Kind::Shift => false,
    }
}

/// Whether a model can be trained so.
pub(super) fn check(trained: &Trained, config: &ModelConfig) -> Result<(), TrainError> {
    let refuse = |why: String| Err(TrainError::Trained(why));
    let layers = config.num_hidden_layers;
    if trained.frozen_layers > layers {
        return refuse(format!("{} frozen layers of {layers}", trained.frozen_layers));
    }
    let Some(Lora { targets, rank, alpha, .. }) = &trained.lora else { return Ok(()) };
    if trained.embeddings {
        return refuse("adapters leave the embeddings as they are; freeze them".to_owned());
    }
    if targets.is_empty() || *rank == 0 {
        return refuse("an adapter needs a target and a rank of at least 1".to_owned());
    }
    if !(alpha.is_finite() && *alpha > 0.0) {
        return refuse(format!("an adapter's alpha is {alpha}, which is not above 0"));
    }
    Ok(())
}

/// The first values of an adapter's `A`, laid out `[in, rank]`: uniform within one over the root of the
/// inputs, as PEFT starts it; `B` starts at zero. Each parameter draws from a stream of its own.
pub(super) fn first_values(name: &str, inputs: usize, rank: usize, seed: u64) -> Vec<f32> {
    use rand::{RngExt, SeedableRng};
    let stream = name
        .bytes()
        .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(stream);
    let bound = 1.0 / (inputs as f64).sqrt();
    let draw = |_| {
        let uniform: f64 = random.random();
        ((2.0 * uniform - 1.0) * bound) as f32
    };
    (0..inputs * rank).map(draw).collect()
}

fn layer(name: &str) -> Option<usize> {
    name.split_once(".encoder.layer.")?.1.split('.').next()?.parse().ok()
}

fn is(name: &str, target: LoraTarget) -> bool {
    let path = match target {
        LoraTarget::Query => ".attention.self.query.weight",
        LoraTarget::Key => ".attention.self.key.weight",
        LoraTarget::Value => ".attention.self.value.weight",
        LoraTarget::AttentionOutput => ".attention.output.dense.weight",
        LoraTarget::Intermediate => ".intermediate.dense.weight",
        LoraTarget::Output => ".output.dense.weight",
    };
    let attends = name.contains(".attention.");
    name.ends_with(path) && (target != LoraTarget::Output || !attends)
}
