use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor};
use secondpass_text::{Embedder, ScoreError, TokenBatch};

use crate::architecture::{Body, names};
use crate::failure::failed;
use crate::packed;
use crate::padded::Padded;
use crate::parallel::on_all_cores;
use crate::weights::{Files, onto};
use crate::{DeviceSpec, Dtype, LoadError, ModelConfig};

/// An encoder on a device, with the pooling that makes one vector of a text.
#[derive(Clone, Debug)]
pub struct Encoder {
    layers: Layers,
    config: ModelConfig,
    spec: DeviceSpec,
    dtype: Dtype,
    pooling: Pooling,
}

/// What computes.
#[derive(Clone, Debug)]
enum Layers {
    Burn(Box<Body>, Device),
    Packed(Arc<packed::Body>),
}

/// How the vectors of a text's tokens become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean, special tokens included and padding left out.
    Mean,
    /// The first token's.
    Cls,
}

/// What an encoder's files may hold beside it: heads, poolers and a buffer of old transformers
/// versions.
const UNUSED: [&str; 5] = ["position_ids", "pooler.", "lm_head.", "cls.", "classifier."];

impl Encoder {
    /// Reads `config.json` and the safetensors files of a Hugging Face folder.
    ///
    /// # Errors
    /// Unsupported configs, weights that are damaged or belong to another architecture, devices
    /// that are not there.
    pub fn load(
        config: &Path,
        weights: &[PathBuf],
        device: DeviceSpec,
        dtype: Dtype,
        pooling: Pooling,
    ) -> Result<Self, LoadError> {
        let config = ModelConfig::of_encoder(config)?;
        let opened = device.open_for(&config, dtype)?;
        let (name, _) = names(config.model_type);
        let mut files = Files::open(weights, opened.clone(), dtype)?.without_prefix(name);
        let spec = device.chosen();
        let layers = match spec {
            DeviceSpec::Cpu => {
                Layers::Packed(Arc::new(packed::Body::of(&mut files, name, &config, dtype)?))
            }
            _ => {
                let body = onto(device, || Body::build(&mut files, name, &config))?;
                Layers::Burn(Box::new(body), opened)
            }
        };
        files.finish(&UNUSED)?;
        Ok(Self { layers, config, spec, dtype, pooling })
    }

    /// What `config.json` said.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The device it is on; never `auto`.
    pub fn device(&self) -> DeviceSpec {
        self.spec
    }

    /// The number format it computes in.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// How it pools.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    fn embed_burn(
        &self,
        body: &Body,
        device: &Device,
        batch: &TokenBatch,
    ) -> Result<Vec<Vec<f32>>, ScoreError> {
        let padded = Padded::new(batch, &self.config, device)?;
        // Sums over many tokens want more bits than f16 has.
        let encoded = body.encode(&padded).cast(DType::F32);
        let pooled = match self.pooling {
            Pooling::Mean => mean(encoded, &padded),
            // [batch, tokens, hidden] -> [batch, hidden]
            Pooling::Cls => encoded.narrow(1, 0, 1).squeeze_dim::<2>(1),
        };
        let numbers = pooled.try_into_vec_as::<f32>();
        let numbers = numbers.map_err(|error| failed(&error.to_string()))?;
        Ok(numbers.chunks(self.config.hidden_size).map(<[f32]>::to_vec).collect())
    }

    fn embed_packed(
        &self,
        body: &packed::Body,
        batch: &TokenBatch,
    ) -> Result<Vec<Vec<f32>>, ScoreError> {
        let hidden = self.config.hidden_size;
        if self.pooling == Pooling::Cls {
            let first = body.first(batch, &self.config)?;
            return Ok(first.chunks(hidden).map(<[f32]>::to_vec).collect());
        }
        let (encoded, offsets) = body.all(batch, &self.config)?;
        let vectors = offsets.windows(2).map(|ends| {
            let tokens = &encoded[ends[0] * hidden..ends[1] * hidden];
            let mut sums = vec![0.0_f64; hidden];
            for token in tokens.chunks(hidden) {
                sums.iter_mut().zip(token).for_each(|(sum, value)| *sum += f64::from(*value));
            }
            let count = (ends[1] - ends[0]) as f64;
            sums.into_iter().map(|sum| (sum / count) as f32).collect()
        });
        Ok(vectors.collect())
    }
}

impl Embedder for Encoder {
    fn dimensions(&self) -> usize {
        self.config.hidden_size
    }

    fn embed(&self, batches: &[TokenBatch]) -> Result<Vec<Vec<f32>>, ScoreError> {
        match &self.layers {
            Layers::Burn(body, device) => {
                on_all_cores(self.spec, batches, |batch| self.embed_burn(body, device, batch))
            }
            Layers::Packed(body) => {
                let batches = batches.iter().filter(|batch| !batch.is_empty());
                let vectors = batches.map(|batch| self.embed_packed(body, batch));
                Ok(vectors.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
        }
    }
}

/// # Shapes
/// - encoded: `[batch, tokens, hidden]`
/// - result: `[batch, hidden]`
fn mean(encoded: Tensor<3>, batch: &Padded) -> Tensor<2> {
    let Some(padding) = &batch.padding else {
        return encoded.mean_dim(1).squeeze_dim::<2>(1);
    };
    // [batch, tokens] -> [batch, tokens, 1], 1 where there is text
    let seen = padding.clone().bool_not().float().cast(DType::F32).unsqueeze_dim::<3>(2);
    // [batch, tokens, 1] -> [batch, 1]; a sequence sees at least one token.
    let counts = seen.clone().sum_dim(1).squeeze_dim::<2>(1);
    (encoded * seen).sum_dim(1).squeeze_dim::<2>(1) / counts
}

impl fmt::Display for Pooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
        })
    }
}

/// A pooling that is not there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown pooling '{0}'; use mean or cls, as the model's 1_Pooling/config.json says")]
pub struct UnknownPooling(String);

impl FromStr for Pooling {
    type Err = UnknownPooling;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = [Self::Mean, Self::Cls].into_iter().find(|pooling| pooling.to_string() == name);
        found.ok_or_else(|| UnknownPooling(name.to_owned()))
    }
}

#[cfg(test)]
mod tests;
