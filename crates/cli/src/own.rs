use anyhow::{Context as _, Result};
use secondpass_core::{ContentHash, Identity, Reranker};
use secondpass_evaluation::{
    ConfigError, CrossEncoderSpec, Experiment, ModelSpec, OnnxSpec, RerankerKind,
};
use secondpass_rerankers::LongDocuments;
use secondpass_text::{OVERLAP, PairTokenizer, Scorer};

use crate::batching::Batching;
use crate::exit::usage;
use crate::first_stage::allowed;
use crate::load::{self, Loaded, Opened, Settings};
use crate::onnx::{self, Onnx};

/// A cross-encoder that runs in this process, to be made a reranker of.
pub struct Own {
    engine: Engine,
    identity: Identity,
    long_documents: LongDocuments,
    batching: Batching,
}

/// What computes its logits.
enum Engine {
    Loaded(Loaded),
    Onnx(Onnx),
}

/// What is to be known of a reranker that is opened.
#[derive(Clone, Copy)]
pub struct Opening {
    /// Hash its weights, where its identity is to tell them from others; it takes a while.
    pub hashed: bool,
    /// Read and write the size of batches that was found best.
    pub cached: bool,
}

/// Opens a reranker of a config; `None` for one that is asked over HTTP.
pub fn open(
    experiment: &Experiment,
    index: usize,
    name: &str,
    kind: &RerankerKind,
    opening: Opening,
) -> Result<Option<Own>> {
    match kind {
        RerankerKind::CrossEncoder(spec) => {
            cross_encoder(experiment, index, name, spec, opening).map(Some)
        }
        RerankerKind::Onnx(spec) => onnx(experiment, index, name, spec, opening).map(Some),
        RerankerKind::Hosted(_) => Ok(None),
    }
}

impl Own {
    /// The reranker, with batches of so many tokens where that is told. All that are made share the
    /// weights.
    pub fn reranker(&self, batch_tokens: Option<usize>) -> Result<Box<dyn Reranker>> {
        let (scorer, tokenizer) = self.engine.cut_at(self.max_length())?.parts();
        let batching = batch_tokens.map_or(self.batching, Batching::Fixed);
        let batched = batching.cross_encoder(self.identity.clone(), tokenizer, scorer)?;
        Ok(Box::new(batched.with_long_documents(self.long_documents, OVERLAP)))
    }

    /// The reranker with the sweep's limits on pairs that are not its own.
    pub fn lengths(&self, experiment: &Experiment) -> Result<Vec<(usize, Box<dyn Reranker>)>> {
        let all = experiment.sweep.max_lengths.iter().copied();
        let others = all.filter(|&length| length != self.max_length());
        others.map(|length| Ok((length, self.at(experiment, length)?))).collect()
    }

    /// Tokens of a pair at most.
    pub fn max_length(&self) -> usize {
        self.engine.tokenizer().max_length()
    }

    /// Tokens of a text by itself; one that the tokenizer refuses has none.
    pub fn count(&self, text: &str) -> usize {
        self.engine.tokenizer().count(text).unwrap_or(0)
    }

    fn at(&self, experiment: &Experiment, length: usize) -> Result<Box<dyn Reranker>> {
        let name = &self.identity.name;
        let engine = self.engine.cut_at(length).with_context(|| {
            format!("{}: key 'sweep.max_lengths', reranker '{name}'", experiment.file)
        })?;
        let identity = Identity { max_length: Some(length), ..self.identity.clone() };
        let (long_documents, batching) = (self.long_documents, self.batching);
        Self { engine, identity, long_documents, batching }.reranker(None)
    }
}

impl Engine {
    /// The same with another limit on pairs.
    fn cut_at(&self, length: usize) -> Result<Self> {
        Ok(match self {
            Self::Loaded(loaded) => Self::Loaded(loaded.cut_at(length)?),
            Self::Onnx(onnx) => Self::Onnx(onnx.cut_at(length)?),
        })
    }

    fn tokenizer(&self) -> &PairTokenizer {
        match self {
            Self::Loaded(loaded) => &loaded.tokenizer,
            Self::Onnx(onnx) => &onnx.tokenizer,
        }
    }

    fn parts(self) -> (Box<dyn Scorer>, PairTokenizer) {
        match self {
            Self::Loaded(loaded) => (Box::new(loaded.model), loaded.tokenizer),
            Self::Onnx(onnx) => (Box::new(onnx.scorer), onnx.tokenizer),
        }
    }
}

fn cross_encoder(
    experiment: &Experiment,
    index: usize,
    name: &str,
    spec: &CrossEncoderSpec,
    opening: Opening,
) -> Result<Own> {
    let settings = Settings {
        device: parse(experiment, index, "device", &spec.device)?,
        dtype: parse(experiment, index, "dtype", &spec.dtype)?,
        max_length: spec.max_length,
        truncation: parse(experiment, index, "truncation", &spec.truncation)?,
    };
    let long_documents = parse(experiment, index, "long_documents", &spec.long_documents)?;
    let model = match &spec.model {
        ModelSpec::Embedded => load::EMBEDDED,
        ModelSpec::Named(name) => name,
    };
    let opened = load::open(model, spec.revision.as_deref(), settings)
        .with_context(|| which(experiment, index, name))?;
    let weights = hash(opening, || opened.weights())?;
    let Opened { loaded, model, revision, .. } = opened;
    let identity = loaded.identity(name, &model, revision, weights);
    let batching = Batching::of(spec.batch_tokens, opening.cached);
    Ok(Own { engine: Engine::Loaded(loaded), identity, long_documents, batching })
}

fn onnx(
    experiment: &Experiment,
    index: usize,
    name: &str,
    spec: &OnnxSpec,
    opening: Opening,
) -> Result<Own> {
    let OnnxSpec { model, file, revision, max_length, truncation, long_documents, .. } = spec;
    let long_documents = parse(experiment, index, "long_documents", long_documents)?;
    let opened = onnx::open(onnx::Settings {
        model,
        file: file.as_deref(),
        revision: revision.as_deref(),
        max_length: *max_length,
        truncation: parse(experiment, index, "truncation", truncation)?,
    })
    .with_context(|| which(experiment, index, name))?;
    let weights = hash(opening, || opened.weights())?;
    let identity = opened.identity(name, weights);
    let batching = Batching::of(spec.batch_tokens, opening.cached);
    Ok(Own { engine: Engine::Onnx(opened), identity, long_documents, batching })
}

fn hash(
    opening: Opening,
    weights: impl FnOnce() -> Result<ContentHash>,
) -> Result<Option<ContentHash>> {
    opening.hashed.then(weights).transpose()
}

fn which(experiment: &Experiment, index: usize, name: &str) -> String {
    format!("{}: reranker {} ('{name}')", experiment.file, index + 1)
}

fn parse<T>(experiment: &Experiment, index: usize, key: &str, value: &str) -> Result<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    value.parse().map_err(|error: T::Err| {
        usage(ConfigError::Value {
            file: experiment.file.clone(),
            key: format!("reranker {}.{key}", index + 1),
            found: value.to_owned(),
            allowed: allowed(&error),
        })
    })
}
