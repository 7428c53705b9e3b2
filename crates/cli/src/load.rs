use std::path::PathBuf;

use anyhow::Result;
use secondpass_core::{ContentHash, Hasher, Identity, Scoring};
use secondpass_data::hub::{self, HubSettings, ModelFiles};
use secondpass_model::{
    DeviceError, DeviceSpec, Dtype, Engine, HELPDESK_MINI, LoadError, ModelBytes, ModelConfig,
};
use secondpass_text::{PairTokenizer, TokenizeError, Truncation};

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
    pub model: Engine,
    pub tokenizer: PairTokenizer,
}

/// A limit that nobody asked for stops here: attention over more costs more than it finds, and
/// the audit shows what was cut.
const DEFAULT_MAX_LENGTH: usize = 1024;

/// What `--model` calls the model that the program carries.
pub const EMBEDDED: &str = "embedded";

/// A reranker with what tells it from others.
pub struct Opened {
    pub loaded: Loaded,
    /// What it was asked for by, or the embedded model's name.
    pub model: String,
    pub revision: Option<String>,
    source: Source,
}

enum Source {
    Files(Vec<PathBuf>),
    Embedded(ModelBytes),
}

/// Opens a reranker: a folder, a hub id, or [`EMBEDDED`].
pub fn open(spec: &str, revision: Option<&str>, settings: Settings) -> Result<Opened> {
    if spec == EMBEDDED {
        if let Some(revision) = revision {
            return Err(usage(anyhow::anyhow!(
                "the embedded model has no revision '{revision}'; leave --revision out"
            )));
        }
        let bytes = HELPDESK_MINI;
        let loaded = embedded(bytes, settings)?;
        let (model, source) = (bytes.name.to_owned(), Source::Embedded(bytes));
        return Ok(Opened { loaded, model, revision: None, source });
    }
    let files = files(spec, revision)?;
    let loaded = model(&files, settings)?;
    let source = Source::Files(files.weights);
    Ok(Opened { loaded, model: shown(spec), revision: files.revision, source })
}

impl Opened {
    /// The hash of its weights.
    pub fn weights(&self) -> Result<ContentHash> {
        match &self.source {
            Source::Files(files) => weights_hash(files),
            Source::Embedded(bytes) => Ok(ContentHash::of(bytes.weights)),
        }
    }
}

/// The files of a folder or a hub id, downloaded if need be.
pub fn files(spec: &str, revision: Option<&str>) -> Result<ModelFiles> {
    let settings = HubSettings::from_env();
    Ok(hub::resolve(spec, revision, &settings, &progress::downloads())?)
}

fn embedded(bytes: ModelBytes, settings: Settings) -> Result<Loaded> {
    let config = ModelConfig::from_bytes(bytes.config, bytes.name)?;
    let model = |_| Engine::from_bytes(bytes, settings.device, settings.dtype);
    with_tokenizer(config, model, settings, |max_length| {
        PairTokenizer::from_bytes(bytes.tokenizer, bytes.name, max_length, settings.truncation)
    })
}

fn model(files: &ModelFiles, settings: Settings) -> Result<Loaded> {
    let Settings { device, dtype, .. } = settings;
    let config = ModelConfig::from_file(&files.config)?;
    let model = |config| Engine::load_as(config, &files.weights, device, dtype);
    with_tokenizer(config, model, settings, |max_length| {
        PairTokenizer::from_file(&files.tokenizer, max_length, settings.truncation)
    })
}

/// Reads weights and tokenizer at once: a large vocabulary takes as long as a small model.
fn with_tokenizer(
    config: ModelConfig,
    model: impl FnOnce(ModelConfig) -> Result<Engine, LoadError>,
    settings: Settings,
    tokenizer: impl FnOnce(usize) -> Result<PairTokenizer, TokenizeError> + Send,
) -> Result<Loaded> {
    let max_length = max_length(&config, settings.max_length)?;
    let (model, tokenizer) = std::thread::scope(|scope| {
        let tokenizer = scope.spawn(move || tokenizer(max_length));
        (model(config), tokenizer.join())
    });
    let model = model.map_err(graded)?;
    let tokenizer = tokenizer.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    Ok(Loaded { model, tokenizer: tokenizer.map_err(graded_tokenizer)? })
}

/// A device or number format that is not there was asked for; anything else failed, a card that is full
/// included.
fn graded(error: LoadError) -> anyhow::Error {
    match error {
        LoadError::Device(DeviceError::NoRoom { .. } | DeviceError::OutOfMemory { .. }) => {
            error.into()
        }
        LoadError::Device(_) => usage(error),
        _ => error.into(),
    }
}

/// A limit without room was asked for; anything else failed.
pub fn graded_tokenizer(error: TokenizeError) -> anyhow::Error {
    match error {
        TokenizeError::NoRoom { .. } => usage(error),
        _ => error.into(),
    }
}

/// The limit to use: what was asked for, if the model has positions for it.
pub fn max_length(config: &ModelConfig, asked: Option<usize>) -> Result<usize> {
    within(config.max_length(), asked)
}

/// The same for a model with so many positions.
pub fn within(limit: usize, asked: Option<usize>) -> Result<usize> {
    match asked {
        Some(asked) if asked > limit => Err(usage(anyhow::anyhow!(
            "a max_length of {asked} exceeds the model's {limit} positions; lower it to {limit} or less"
        ))),
        Some(asked) => Ok(asked),
        None => Ok(limit.min(DEFAULT_MAX_LENGTH)),
    }
}

impl Loaded {
    /// The same model with another limit on pairs; both share the weights.
    pub fn cut_at(&self, length: usize) -> Result<Self> {
        let length = max_length(self.model.config(), Some(length))?;
        let tokenizer = self.tokenizer.with_max_length(length).map_err(graded_tokenizer)?;
        Ok(Self { model: self.model.clone(), tokenizer })
    }

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
            endpoint: None,
            device: Some(self.model.device().to_string()),
            dtype: Some(self.model.dtype().on(self.model.device())),
            max_length: Some(self.tokenizer.max_length()),
            truncation: Some(self.tokenizer.truncation().to_string()),
            scoring: Scoring::Pointwise,
        }
    }
}

/// A model's name as records show it: a folder by its own name alone, so that no path of this
/// machine travels with a report.
pub fn shown(spec: &str) -> String {
    let path = std::path::Path::new(spec);
    match (path.is_dir(), path.canonicalize().ok().as_deref().and_then(|path| path.file_name())) {
        (true, Some(name)) => name.to_string_lossy().into_owned(),
        _ => spec.to_owned(),
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
