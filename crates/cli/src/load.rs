use std::path::PathBuf;

use anyhow::Result;
use secondpass_core::{ContentHash, Hasher, Identity, Scoring};
use secondpass_data::hub::{self, HubSettings, ModelFiles};
use secondpass_model::{DeviceSpec, Dtype, Head, Model};
use secondpass_text::{PairTokenizer, Truncation};

use crate::exit::usage;
use crate::progress;

/// How a model is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub device: DeviceSpec,
    pub dtype: Dtype,
    pub max_length: Option<usize>,
    pub truncation: Truncation,
}

/// A model ready to score, with what reads texts for it.
pub struct Loaded {
    pub model: Model,
    pub tokenizer: PairTokenizer,
}

/// A limit that nobody asked for stops here: attention over more costs more than it finds, and
/// the audit shows what was cut.
const DEFAULT_MAX_LENGTH: usize = 1024;

/// The files of a folder or a hub id, downloaded if need be.
pub fn files(spec: &str, revision: Option<&str>) -> Result<ModelFiles> {
    let settings = HubSettings::from_env();
    Ok(hub::resolve(spec, revision, &settings, &progress::downloads())?)
}

/// Loads a reranker from its files.
pub fn model(files: &ModelFiles, settings: Settings) -> Result<Loaded> {
    let Settings { device, dtype, .. } = settings;
    let model = Model::load(&files.config, &files.weights, device, dtype, Head::FromFile)?;
    let max_length = max_length(&model, settings.max_length)?;
    let tokenizer = PairTokenizer::from_file(&files.tokenizer, max_length, settings.truncation)?;
    Ok(Loaded { model, tokenizer })
}

/// The limit to use: what was asked for, if the model has positions for it.
pub fn max_length(model: &Model, asked: Option<usize>) -> Result<usize> {
    let limit = model.config().max_length();
    match asked {
        Some(asked) if asked > limit => Err(usage(anyhow::anyhow!(
            "--max-length {asked} exceeds the model's {limit} positions; lower it to {limit} or less"
        ))),
        Some(asked) => Ok(asked),
        None => Ok(limit.min(DEFAULT_MAX_LENGTH)),
    }
}

impl Loaded {
    /// Which reranker this is.
    pub fn identity(
        &self,
        name: &str,
        model: &str,
        revision: Option<String>,
        weights: Option<ContentHash>,
    ) -> Identity {
        Identity {
            name: name.to_owned(),
            provider: "secondpass".to_owned(),
            model: model.to_owned(),
            revision,
            weights,
            device: Some(self.model.device().to_string()),
            dtype: Some(self.model.dtype().to_string()),
            max_length: Some(self.tokenizer.max_length()),
            truncation: Some(self.tokenizer.truncation().to_string()),
            scoring: Scoring::Pointwise,
        }
    }
}

/// One hash over the weight files, in order.
pub fn weights_hash(files: &[PathBuf]) -> Result<ContentHash> {
    match files {
        [one] => Ok(secondpass_data::sha256(one)?),
        many => {
            let mut hasher = Hasher::new();
            for file in many {
                hasher.field(secondpass_data::sha256(file)?.as_str());
            }
            Ok(hasher.finish())
        }
    }
}
