use serde::Deserialize;

use super::ConfigError;
use super::keys::Keys;

/// A reranker under test. Truncation, long documents, device and number format stay as they were
/// written: who owns them validates them, and reports [`ConfigError::Value`] with this spec's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RerankerSpec {
    /// The name shown in reports.
    pub name: String,
    /// What kind of reranker.
    pub kind: RerankerKind,
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
}

/// What kind of reranker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RerankerKind {
    /// A self-hosted cross-encoder.
    CrossEncoder,
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
    model: String,
    revision: Option<String>,
    max_length: Option<usize>,
    truncation: Option<String>,
    long_documents: Option<String>,
    device: Option<String>,
    dtype: Option<String>,
}

impl Keys<'_> {
    pub fn reranker(&self, number: usize, raw: RawReranker) -> Result<RerankerSpec, ConfigError> {
        let key = |field: &str| format!("reranker {number}.{field}");
        let kind = match raw.kind.as_str() {
            "cross-encoder" => RerankerKind::CrossEncoder,
            other => return Err(self.value(&key("kind"), other, "\"cross-encoder\"")),
        };
        let model = match self.filled(&key("model"), raw.model)?.as_str() {
            "embedded" => ModelSpec::Embedded,
            name => ModelSpec::Named(self.folder_or_id(name.to_owned())),
        };
        if model == ModelSpec::Embedded {
            self.absent(&[(&key("revision"), raw.revision.is_some())], "model = \"embedded\"")?;
        }
        let max_length = match raw.max_length {
            Some(length) => Some(self.positive(&key("max_length"), length)?),
            None => None,
        };
        Ok(RerankerSpec {
            name: self.filled(&key("name"), raw.name)?,
            kind,
            model,
            revision: raw.revision,
            max_length,
            truncation: raw.truncation.unwrap_or_else(|| "longest-first".to_owned()),
            long_documents: raw.long_documents.unwrap_or_else(|| "truncate".to_owned()),
            device: raw.device.unwrap_or_else(|| "auto".to_owned()),
            dtype: raw.dtype.unwrap_or_else(|| "f32".to_owned()),
        })
    }
}
