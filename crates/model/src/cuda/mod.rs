//! What CUDA needs of a machine, and what is known of a card before anything runs on it. Only
//! `probe` and `kernels` ask the machine, and only where this build has CUDA.

#[cfg(feature = "cuda")]
mod kernels;
#[cfg(feature = "cuda")]
mod probe;
mod toolkit;

use std::fmt;

#[cfg(feature = "cuda")]
pub use kernels::keep_kernels_in;
#[cfg(feature = "cuda")]
pub(crate) use probe::cards;
#[cfg(feature = "cuda")]
pub use probe::cuda_card;

use crate::{DeviceError, DeviceSpec, Dtype, ModelConfig};

/// A version of CUDA as drivers count it: 12.8 is 12080.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CudaVersion(pub i32);

/// What the bindings call since profiling a kernel takes `cuEventElapsedTime_v2`: a driver without it
/// makes the first tuning panic. It came with this version.
pub(crate) const OLDEST: CudaVersion = CudaVersion(12_080);

/// The drivers that speak it.
pub(crate) const OLDEST_RELEASE: &str = "570";

/// A card, as its driver describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// What it is called.
    pub name: String,
    /// What its driver speaks.
    pub driver: CudaVersion,
    /// Bytes of its memory that nobody uses.
    pub free: u64,
    /// Bytes of its memory.
    pub total: u64,
}

/// Bytes that a model needs of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its weights.
    pub weights: u64,
    /// A small batch: less, and nothing can be scored.
    pub batch: u64,
    /// The driver's context, compiled kernels, and what pools round up.
    pub reserve: u64,
}

/// See [`Need::reserve`].
const RESERVE: u64 = 1 << 30;
/// The batch that must fit, at least: so many pairs of so many tokens.
const PAIRS: usize = 8;
const TOKENS: usize = 512;

impl Need {
    /// Of a model of this shape in this format.
    pub(crate) fn of(config: &ModelConfig, dtype: Dtype) -> Self {
        let longest = config.max_length().min(TOKENS);
        let batch = config.card_batch_bytes(dtype, PAIRS, longest);
        Self { weights: config.weights_bytes(dtype), batch, reserve: RESERVE }
    }

    pub(crate) fn total(&self) -> u64 {
        self.weights.saturating_add(self.batch).saturating_add(self.reserve)
    }

    /// Whether a card has room for it.
    pub(crate) fn fits(
        self,
        card: &Card,
        device: DeviceSpec,
        dtype: Dtype,
    ) -> Result<(), DeviceError> {
        match self.total() <= card.free {
            true => Ok(()),
            false => {
                let (free, total) = (card.free, card.total);
                Err(DeviceError::NoRoom { device, dtype, need: self, free, total })
            }
        }
    }
}

/// Whether a driver can be used.
#[cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "only the probe asks"))]
pub(crate) fn new_enough(device: DeviceSpec, found: CudaVersion) -> Result<(), DeviceError> {
    match found >= OLDEST {
        true => Ok(()),
        false => Err(DeviceError::OldDriver { device, found }),
    }
}

/// Where the card's kernels are to be kept; nothing in a build without CUDA.
#[cfg(not(feature = "cuda"))]
pub fn keep_kernels_in(_folder: &std::path::Path) {}

/// What the driver says of a card.
///
/// # Errors
/// No driver, one that is too old or fails, no such card, no CUDA toolkit, a build without CUDA.
#[cfg(not(feature = "cuda"))]
pub fn cuda_card(index: usize) -> Result<Card, DeviceError> {
    Err(DeviceError::NotBuilt { device: DeviceSpec::Cuda(index), feature: "cuda" })
}

#[cfg(not(feature = "cuda"))]
pub(crate) fn cards() -> usize {
    0
}

impl fmt::Display for CudaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CUDA {}.{}", self.0 / 1000, self.0 % 1000 / 10)
    }
}

/// `12.3 GB`
pub(crate) struct Gigabytes(pub u64);

impl fmt::Display for Gigabytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} GB", self.0 as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: DeviceSpec = DeviceSpec::Cuda(1);

    fn large() -> ModelConfig {
        let json = serde_json::json!({
            "model_type": "xlm-roberta", "hidden_size": 1024, "num_hidden_layers": 24,
            "num_attention_heads": 16, "intermediate_size": 4096, "vocab_size": 250_002,
            "max_position_embeddings": 8194, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
            "hidden_act": "gelu", "pad_token_id": 1
        });
        ModelConfig::from_bytes(json.to_string().as_bytes(), "test").unwrap()
    }

    #[test]
    fn a_driver_is_new_enough_from_the_oldest_on() {
        for (found, usable) in [(13_000, true), (12_080, true), (12_070, false), (11_080, false)] {
            assert_eq!(new_enough(DEVICE, CudaVersion(found)).is_ok(), usable, "{found}");
        }
        let text = new_enough(DEVICE, CudaVersion(12_040)).unwrap_err().to_string();
        for part in ["cuda:1", "CUDA 12.4", "CUDA 12.8", "570", "--device cpu"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_model_that_does_not_fit_is_told_what_it_needs_and_what_to_lower() {
        let card =
            |free| Card { name: "H100".to_owned(), driver: OLDEST, free, total: 80_000_000_000 };
        let (wide, narrow) = (Need::of(&large(), Dtype::F32), Need::of(&large(), Dtype::Bf16));
        // 568 million parameters.
        assert!((2.2e9..2.4e9).contains(&(wide.weights as f64)), "{wide:?}");
        assert!((1.1e9..1.2e9).contains(&(narrow.weights as f64)), "{narrow:?}");
        assert!(narrow.batch > 10_000_000 && narrow.batch < 1_000_000_000, "{narrow:?}");
        assert_eq!(wide.fits(&card(wide.total()), DEVICE, Dtype::F32), Ok(()));

        let refused = wide.fits(&card(wide.total() - 1), DEVICE, Dtype::F32).unwrap_err();
        let text = refused.to_string();
        for part in ["cuda:1", "GB free of 80.0 GB", "2.3 GB of weights in f32", "--dtype bf16"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let text = narrow.fits(&card(1 << 30), DEVICE, Dtype::Bf16).unwrap_err().to_string();
        assert!(text.contains("1.1 GB free") && !text.contains("--dtype"), "{text}");
    }
}
