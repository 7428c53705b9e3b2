use std::fmt;
use std::str::FromStr;

/// Which of a model's weights a learner changes, and how. The head is always trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// Whether the embeddings are: words, positions, types and their LayerNorm.
    pub embeddings: bool,
    /// How many of the encoder's first layers are not.
    pub frozen_layers: usize,
    /// Adapters instead of the encoder's own weights. Those are all frozen then, and `frozen_layers`
    /// says how many of the first layers have no adapters; `embeddings` must be false.
    pub lora: Option<Lora>,
    /// Whether activations are computed again on the way back instead of kept: less memory, more time,
    /// the same steps.
    pub recompute: bool,
    /// What the encoder's products are computed in.
    pub compute: Compute,
}

/// The number format of an encoder's products while it is trained. Weights, gradients, moments and what
/// is saved are f32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compute {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16, which has f32's range: no loss has to be scaled.
    Bf16,
}

impl Compute {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::F32, Self::Bf16];
}

impl fmt::Display for Compute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}

/// A name that no [`Compute`] has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no format to train in; there are f32 and bf16")]
pub struct UnknownCompute(pub String);

impl FromStr for Compute {
    type Err = UnknownCompute;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|compute| compute.to_string() == name);
        found.ok_or_else(|| UnknownCompute(name.to_owned()))
    }
}

impl Default for Trained {
    /// Everything.
    fn default() -> Self {
        Self {
            embeddings: true,
            frozen_layers: 0,
            lora: None,
            recompute: false,
            compute: Compute::F32,
        }
    }
}

/// Low-rank adapters (Hu et al., 2021): a weight `W` becomes `W + alpha / rank * B * A`, where only
/// `A` (random) and `B` (zero at first) are trained; both decay as any weight does. They are merged into
/// the weights when a model is saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Lora {
    /// The products that get an adapter, each once; at least one.
    pub targets: Vec<LoraTarget>,
    /// Rows of `A`; from 1.
    pub rank: usize,
    /// The adapter's weight, before it is divided by the rank; above 0.
    pub alpha: f64,
    /// Decides the first values of `A`.
    pub seed: u64,
}

/// A linear product of an encoder layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoraTarget {
    /// `attention.self.query` in Hugging Face's files.
    Query,
    /// `attention.self.key`.
    Key,
    /// `attention.self.value`.
    Value,
    /// `attention.output.dense`.
    AttentionOutput,
    /// `intermediate.dense`.
    Intermediate,
    /// `output.dense`.
    Output,
}

impl LoraTarget {
    /// All there are, in a layer's order.
    pub const ALL: [Self; 6] = [
        Self::Query,
        Self::Key,
        Self::Value,
        Self::AttentionOutput,
        Self::Intermediate,
        Self::Output,
    ];
}

impl fmt::Display for LoraTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Query => "query",
            Self::Key => "key",
            Self::Value => "value",
            Self::AttentionOutput => "attention.output",
            Self::Intermediate => "intermediate",
            Self::Output => "output",
        })
    }
}

/// A name that no [`LoraTarget`] has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no product of a layer; there are query, key, value, attention.output, intermediate, output"
)]
pub struct UnknownLoraTarget(pub String);

impl FromStr for LoraTarget {
    type Err = UnknownLoraTarget;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|target| target.to_string() == name);
        found.ok_or_else(|| UnknownLoraTarget(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for target in LoraTarget::ALL {
            assert_eq!(target.to_string().parse(), Ok(target));
        }
        for compute in Compute::ALL {
            assert_eq!(compute.to_string().parse(), Ok(compute));
        }
        let error = "f16".parse::<Compute>().unwrap_err().to_string();
        assert!(error.contains("'f16'") && error.contains("bf16"), "{error}");
        let error = "dense".parse::<LoraTarget>().unwrap_err().to_string();
        assert!(
            LoraTarget::ALL.iter().all(|target| error.contains(&target.to_string())),
            "{error}"
        );
    }
}
