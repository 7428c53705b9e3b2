use serde::Deserialize;

use super::ConfigError;
use super::hosted::{HOSTED_KINDS, HostedSpec, RawHosted};
use super::keys::{Keys, quoted};
use super::onnx::OnnxSpec;

/// A reranker under test.
#[derive(Clone, Debug, PartialEq)]
pub struct RerankerSpec {
    /// The name shown in reports.
    pub name: String,
    /// Queries in flight at a time, from 1.
    pub concurrency: usize,
    /// What kind of reranker, with the settings of its kind.
    pub kind: RerankerKind,
}

/// What kind of reranker.
#[derive(Clone, Debug, PartialEq)]
pub enum RerankerKind {
    /// A self-hosted cross-encoder on our own engine.
    CrossEncoder(CrossEncoderSpec),
    /// A self-hosted cross-encoder in an ONNX file, through ONNX Runtime.
    Onnx(OnnxSpec),
    /// One that is asked over HTTP, or a recording of it.
    Hosted(HostedSpec),
}

/// A cross-encoder on our own engine. Truncation, long documents, device and number format stay as
/// they were written: who owns them validates them, and reports [`ConfigError::Value`] with this
/// spec's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossEncoderSpec {
    /// Where its model comes from.
    pub model: ModelSpec,
    /// A hub revision to pin.
    pub revision: Option<String>,
    /// The longest pair in tokens; `None` for the model's own limit.
    pub max_length: Option<usize>,
    /// The truncation mode.
    pub truncation: String,
    /// What becomes of documents longer than a pair may be.
    pub long_documents: String,
    /// The device.
    pub device: String,
    /// The number format to compute in.
    pub dtype: String,
    /// Tokens a batch, padding included; `None` to find out.
    pub batch_tokens: Option<usize>,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSpec {
    /// Compiled into the program.
    Embedded,
    /// A folder or a hub id. One that starts with `./` or `../` stands here joined to the config's
    /// folder.
    Named(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReranker {
    name: String,
    kind: String,
    model: Option<String>,
    concurrency: Option<usize>,
    revision: Option<String>,
    max_length: Option<usize>,
    truncation: Option<String>,
    long_documents: Option<String>,
    device: Option<String>,
    dtype: Option<String>,
    batch_tokens: Option<usize>,
    file: Option<String>,
    // Flattening would lose the check for unknown keys.
    provider: Option<String>,
    base_url: Option<String>,
    key_env: Option<String>,
    region: Option<String>,
    max_tokens_per_doc: Option<usize>,
    documents_per_call: Option<usize>,
    truncate: Option<bool>,
    tokenizer: Option<String>,
    requests_per_minute: Option<f64>,
    tokens_per_minute: Option<f64>,
    in_flight: Option<usize>,
    attempts: Option<u32>,
    timeouts: Option<super::hosted::TimeoutsSpec>,
    recording: Option<std::path::PathBuf>,
}

impl RawReranker {
    fn own_keys(&self) -> [(&'static str, bool); 8] {
        [
            ("batch_tokens", self.batch_tokens.is_some()),
            ("file", self.file.is_some()),
            ("revision", self.revision.is_some()),
            ("max_length", self.max_length.is_some()),
            ("truncation", self.truncation.is_some()),
            ("long_documents", self.long_documents.is_some()),
            ("device", self.device.is_some()),
            ("dtype", self.dtype.is_some()),
        ]
    }

    fn hosted(&mut self) -> RawHosted {
        RawHosted {
            provider: self.provider.take(),
            base_url: self.base_url.take(),
            key_env: self.key_env.take(),
            region: self.region.take(),
            max_tokens_per_doc: self.max_tokens_per_doc.take(),
            documents_per_call: self.documents_per_call.take(),
            truncate: self.truncate.take(),
            tokenizer: self.tokenizer.take(),
            requests_per_minute: self.requests_per_minute.take(),
            tokens_per_minute: self.tokens_per_minute.take(),
            in_flight: self.in_flight.take(),
            attempts: self.attempts.take(),
            timeouts: self.timeouts.take(),
            recording: self.recording.take(),
        }
    }
}

impl Keys<'_> {
    pub fn reranker(
        &self,
        number: usize,
        mut raw: RawReranker,
    ) -> Result<RerankerSpec, ConfigError> {
        let table = format!("reranker {number}");
        let key = |field: &str| format!("{table}.{field}");
        let hosted = raw.hosted();
        let concurrency = self.positive(&key("concurrency"), raw.concurrency.unwrap_or(1))?;
        let name = self.filled(&key("name"), raw.name.clone())?;
        let kind = match raw.kind.as_str() {
            "cross-encoder" => {
                self.only(&table, hosted.keys(), &[], &raw.kind)?;
                self.only(&table, [("file", raw.file.is_some())], &[], &raw.kind)?;
                RerankerKind::CrossEncoder(self.cross_encoder(number, raw)?)
            }
            "onnx" => {
                self.only(&table, hosted.keys(), &[], "onnx")?;
                let known = [
                    "file",
                    "revision",
                    "max_length",
                    "truncation",
                    "long_documents",
                    "batch_tokens",
                ];
                self.only(&table, raw.own_keys(), &known, "onnx")?;
                RerankerKind::Onnx(self.onnx(number, raw)?)
            }
            kind if kind == "replay" || HOSTED_KINDS.contains(&kind) => {
                self.only(&table, raw.own_keys(), &[], kind)?;
                RerankerKind::Hosted(self.hosted(number, kind, raw.model.clone(), hosted)?)
            }
            other => {
                let mut kinds = vec!["cross-encoder", "onnx"];
                kinds.extend(HOSTED_KINDS);
                kinds.push("replay");
                return Err(self.value(&key("kind"), other, &quoted(&kinds)));
            }
        };
        Ok(RerankerSpec { name, concurrency, kind })
    }

    fn cross_encoder(
        &self,
        number: usize,
        raw: RawReranker,
    ) -> Result<CrossEncoderSpec, ConfigError> {
        let key = |field: &str| format!("reranker {number}.{field}");
        let model = self.needed(&key("model"), raw.model, "a folder, a hub id, or \"embedded\"")?;
        let model = match self.filled(&key("model"), model)?.as_str() {
            "embedded" => ModelSpec::Embedded,
            name => ModelSpec::Named(self.folder_or_id(name.to_owned())),
        };
        if model == ModelSpec::Embedded {
            self.absent(&[(&key("revision"), raw.revision.is_some())], "model = \"embedded\"")?;
        }
        Ok(CrossEncoderSpec {
            model,
            revision: raw.revision,
            max_length: self.tokens(&key("max_length"), raw.max_length)?,
            truncation: raw.truncation.unwrap_or_else(|| TRUNCATION.to_owned()),
            long_documents: raw.long_documents.unwrap_or_else(|| LONG_DOCUMENTS.to_owned()),
            device: raw.device.unwrap_or_else(|| "auto".to_owned()),
            dtype: raw.dtype.unwrap_or_else(|| "f32".to_owned()),
            batch_tokens: self.tokens(&key("batch_tokens"), raw.batch_tokens)?,
        })
    }

    fn onnx(&self, number: usize, raw: RawReranker) -> Result<OnnxSpec, ConfigError> {
        let key = |field: &str| format!("reranker {number}.{field}");
        let model = self.needed(&key("model"), raw.model, "a folder, or a hub id")?;
        let file = match raw.file {
            Some(file) => Some(self.filled(&key("file"), file)?),
            None => None,
        };
        Ok(OnnxSpec {
            model: self.folder_or_id(self.filled(&key("model"), model)?),
            file,
            revision: raw.revision,
            max_length: self.tokens(&key("max_length"), raw.max_length)?,
            truncation: raw.truncation.unwrap_or_else(|| TRUNCATION.to_owned()),
            long_documents: raw.long_documents.unwrap_or_else(|| LONG_DOCUMENTS.to_owned()),
            batch_tokens: self.tokens(&key("batch_tokens"), raw.batch_tokens)?,
        })
    }

    fn tokens(&self, key: &str, count: Option<usize>) -> Result<Option<usize>, ConfigError> {
        count.map(|count| self.positive(key, count)).transpose()
    }
}

/// What becomes of pairs that are too long, unless a config says otherwise.
const TRUNCATION: &str = "longest-first";
/// What becomes of long documents, unless a config says otherwise.
const LONG_DOCUMENTS: &str = "truncate";
