use anyhow::{Context as _, Result};
use secondpass_core::Reranker;
use secondpass_evaluation::{
    ConfigError, Contender, CrossEncoderSpec, Experiment, LengthVariant, ModelSpec, OnnxSpec,
    RerankerKind, RerankerSpec,
};
use secondpass_rerankers::{CrossEncoder, LongDocuments};
use secondpass_text::OVERLAP;

use crate::batching::{BATCH_TOKENS, Batching};
use crate::exit::usage;
use crate::first_stage::allowed;
use crate::hosted::Shared;
use crate::load::{self, Loaded, Opened, Settings};
use crate::onnx::{self, Onnx};

/// The reranker of a table of the config, and itself at other maximum lengths.
pub struct Contending {
    pub reranker: Box<dyn Reranker>,
    pub concurrency: usize,
    /// Whether a recording answers in its place.
    pub replayed: bool,
    pub lengths: Vec<(usize, Box<dyn Reranker>)>,
}

impl Contending {
    /// It under its name in the config, beside itself at other maximum lengths.
    pub fn contender<'a>(
        &'a self,
        name: &'a str,
        lengths: &'a [LengthVariant<'a>],
    ) -> Contender<'a> {
        let Self { reranker, concurrency, replayed, .. } = self;
        let (concurrency, replayed) = (*concurrency, *replayed);
        Contender { name, reranker: &**reranker, lengths, concurrency, replayed }
    }
}

/// Opens every reranker of an experiment. Where texts may go is settled before anyone is asked.
/// Without caches (`cached`), batches are of the usual size.
pub fn open(experiment: &Experiment, shared: &Shared<'_>, cached: bool) -> Result<Vec<Contending>> {
    let specs = || experiment.rerankers.iter().enumerate();
    for (index, spec) in specs() {
        if let RerankerKind::Hosted(hosted) = &spec.kind {
            shared.may_go(experiment, index, &spec.name, hosted)?;
        }
    }
    specs().map(|(index, spec)| contending(experiment, index, spec, shared, cached)).collect()
}

fn contending(
    experiment: &Experiment,
    index: usize,
    spec: &RerankerSpec,
    shared: &Shared<'_>,
    cached: bool,
) -> Result<Contending> {
    let (name, concurrency) = (&*spec.name, spec.concurrency);
    let (reranker, lengths): (Box<dyn Reranker>, _) = match &spec.kind {
        RerankerKind::CrossEncoder(settings) => {
            cross_encoder(experiment, index, name, settings, cached)?
        }
        RerankerKind::Onnx(settings) => onnx(experiment, index, name, settings, cached)?,
        RerankerKind::Hosted(settings) => {
            let hosted = shared.open(experiment, index, (name, concurrency), settings)?;
            (Box::new(hosted), Vec::new())
        }
    };
    let replayed = matches!(&spec.kind, RerankerKind::Hosted(spec) if spec.recording.is_some());
    Ok(Contending { reranker, concurrency, replayed, lengths })
}

/// A reranker, and itself at other maximum lengths.
type WithLengths = (Box<dyn Reranker>, Vec<(usize, Box<dyn Reranker>)>);

fn cross_encoder(
    experiment: &Experiment,
    index: usize,
    name: &str,
    spec: &CrossEncoderSpec,
    cached: bool,
) -> Result<WithLengths> {
    let settings = Settings {
        device: parse(experiment, index, "device", &spec.device)?,
        dtype: parse(experiment, index, "dtype", &spec.dtype)?,
        max_length: spec.max_length,
        truncation: parse(experiment, index, "truncation", &spec.truncation)?,
    };
    let model = match &spec.model {
        ModelSpec::Embedded => load::EMBEDDED,
        ModelSpec::Named(name) => name,
    };
    let opened = load::open(model, spec.revision.as_deref(), settings)
        .with_context(|| format!("{}: reranker {} ('{name}')", experiment.file, index + 1))?;
    let weights = opened.weights()?;
    let Opened { loaded, model, revision, .. } = opened;
    let long_documents: LongDocuments =
        parse(experiment, index, "long_documents", &spec.long_documents)?;
    let batching = Batching::of(spec.batch_tokens, cached);
    let cross_encoder = |loaded: Loaded| -> Result<Box<dyn Reranker>> {
        let identity = loaded.identity(name, &model, revision.clone(), Some(weights.clone()));
        let scorer = Box::new(loaded.model);
        let plain = CrossEncoder::new(identity.clone(), loaded.tokenizer, scorer, BATCH_TOKENS);
        let batched = batching.apply(plain, &identity)?;
        Ok(Box::new(batched.with_long_documents(long_documents, OVERLAP)))
    };
    let own = loaded.tokenizer.max_length();
    let lengths = lengths(experiment, name, own, |length| cross_encoder(loaded.cut_at(length)?))?;
    Ok((cross_encoder(loaded)?, lengths))
}

fn onnx(
    experiment: &Experiment,
    index: usize,
    name: &str,
    spec: &OnnxSpec,
    cached: bool,
) -> Result<WithLengths> {
    let OnnxSpec { model, file, revision, max_length, truncation, long_documents, .. } = spec;
    let long_documents: LongDocuments = parse(experiment, index, "long_documents", long_documents)?;
    let opened = onnx::open(onnx::Settings {
        model,
        file: file.as_deref(),
        revision: revision.as_deref(),
        max_length: *max_length,
        truncation: parse(experiment, index, "truncation", truncation)?,
    })
    .with_context(|| format!("{}: reranker {} ('{name}')", experiment.file, index + 1))?;
    let weights = opened.weights()?;
    let batching = Batching::of(spec.batch_tokens, cached);
    let cross_encoder = |onnx: Onnx| -> Result<Box<dyn Reranker>> {
        let identity = onnx.identity(name, Some(weights.clone()));
        let scorer = Box::new(onnx.scorer);
        let plain = CrossEncoder::new(identity.clone(), onnx.tokenizer, scorer, BATCH_TOKENS);
        let batched = batching.apply(plain, &identity)?;
        Ok(Box::new(batched.with_long_documents(long_documents, OVERLAP)))
    };
    let own = opened.tokenizer.max_length();
    let lengths = lengths(experiment, name, own, |length| cross_encoder(opened.cut_at(length)?))?;
    Ok((cross_encoder(opened)?, lengths))
}

/// A reranker at the lengths of the sweep that are not its own.
fn lengths(
    experiment: &Experiment,
    name: &str,
    own: usize,
    at: impl Fn(usize) -> Result<Box<dyn Reranker>>,
) -> Result<Vec<(usize, Box<dyn Reranker>)>> {
    let others = experiment.sweep.max_lengths.iter().filter(|&&length| length != own);
    others
        .map(|&length| {
            let cut = at(length).with_context(|| {
                format!("{}: key 'sweep.max_lengths', reranker '{name}'", experiment.file)
            });
            Ok((length, cut?))
        })
        .collect()
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
