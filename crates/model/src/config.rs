use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The architectures there are, by the `model_type` of `config.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelType {
    /// XLM-RoBERTa: bge-reranker-v2-m3, -large, -base.
    #[serde(rename = "xlm-roberta")]
    XlmRoberta,
    /// RoBERTa.
    #[serde(rename = "roberta")]
    Roberta,
    /// BERT: the ms-marco-MiniLM family.
    #[serde(rename = "bert")]
    Bert,
}

impl fmt::Display for ModelType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::XlmRoberta => "xlm-roberta",
            Self::Roberta => "roberta",
            Self::Bert => "bert",
        })
    }
}

/// The activation between a layer's two feed-forward products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// The exact one, with erf.
    #[serde(rename = "gelu")]
    Gelu,
    /// The approximation with tanh.
    #[serde(rename = "gelu_new", alias = "gelu_pytorch_tanh", alias = "gelu_fast")]
    GeluTanh,
    /// max(0, x).
    #[serde(rename = "relu")]
    Relu,
}

/// What the engine reads of a Hugging Face `config.json`. Every constant comes from the file; a
/// missing one is an error, not a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Chooses the architecture.
    pub model_type: ModelType,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Encoder layers.
    pub num_hidden_layers: usize,
    /// Attention heads; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width inside the feed-forward part.
    pub intermediate_size: usize,
    /// Token embeddings.
    pub vocab_size: usize,
    /// Position embeddings; RoBERTa leaves the first `pad_token_id + 1` unused.
    pub max_position_embeddings: usize,
    /// Token type embeddings.
    pub type_vocab_size: usize,
    /// Added to the variance in every LayerNorm.
    pub layer_norm_eps: f64,
    /// Feed-forward activation.
    pub hidden_act: Activation,
    /// The padding token's id.
    pub pad_token_id: u32,
    /// Dropout on embeddings and layer outputs while training.
    #[serde(default = "default_dropout")]
    pub hidden_dropout_prob: f64,
    /// Dropout on attention weights while training.
    #[serde(default = "default_dropout")]
    pub attention_probs_dropout_prob: f64,
    /// Dropout in the head while training; `hidden_dropout_prob` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier_dropout: Option<f64>,
    /// Only `absolute` is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position_embedding_type: Option<String>,
    /// The labels; a reranker has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id2label: Option<BTreeMap<String, String>>,
    /// All other fields, kept for writing the file again.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

fn default_dropout() -> f64 {
    0.1
}

/// Why a `config.json` describes no model this engine has.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not readable.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not JSON, or fields missing or of the wrong kind.
    #[error("{path}: {reason}")]
    Parse {
        /// The file.
        path: String,
        /// Which field or line.
        reason: String,
    },
    /// An architecture nobody wrote yet.
    #[error(
        "{path}: model_type '{found}' is not supported; this engine has xlm-roberta, roberta and bert"
    )]
    ModelType {
        /// The file.
        path: String,
        /// What it says.
        found: String,
    },
    /// A value the engine cannot follow.
    #[error("{path}: {field} is {found}; {remedy}")]
    Value {
        /// The file.
        path: String,
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it would have to be.
        remedy: &'static str,
    },
}

impl ModelConfig {
    /// Reads a `config.json`.
    ///
    /// # Errors
    /// Unreadable files, missing fields, unsupported values.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let (bytes, shown) = read(path)?;
        Self::from_bytes(&bytes, &shown)
    }

    /// Reads the `config.json` of an encoder, whose labels say nothing.
    ///
    /// # Errors
    /// As [`ModelConfig::from_file`].
    pub fn of_encoder(path: &Path) -> Result<Self, ConfigError> {
        let (bytes, shown) = read(path)?;
        let mut config = Self::parse(&bytes, &shown)?;
        config.id2label = None;
        config.check(shown)
    }

    /// The same with what other programs ask for before they serve it as a reranker:
    ///
    /// - sentence-transformers' `CrossEncoder` reads `sentence_transformers.activation_fn`, which
    ///   `CrossEncoder.save_pretrained` writes; without it, it puts a sigmoid on the scores.
    /// - transformers reads `dtype`, and computes in the weights' own format without it.
    /// - text-embeddings-inference reads `BertConfig` (`backends/candle/src/models/bert.rs`, commit
    ///   4d94445): `vocab_size`, `hidden_size`, `num_hidden_layers`, `num_attention_heads`,
    ///   `intermediate_size`, `hidden_act`, `hidden_dropout_prob`, `max_position_embeddings`,
    ///   `type_vocab_size`, `initializer_range`, `layer_norm_eps` and `pad_token_id`, all of them
    ///   required; `id2label`, required of a classifier; `position_embedding_type` and
    ///   `classifier_dropout`, which may be missing. Its router (`router/src/lib.rs`, commit a28ad28)
    ///   takes a model for a classifier where one of `architectures` ends with `Classification`, for a
    ///   reranker where `id2label` then has one entry, and refuses one without `label2id`. The tensors that
    ///   it looks for stand in `weights/served.rs`.
    pub fn to_serve(mut self) -> Self {
        let names = self.rest.get("architectures").and_then(serde_json::Value::as_array);
        let mut names = names.into_iter().flatten().filter_map(serde_json::Value::as_str);
        if !names.any(|name| name.ends_with("Classification")) {
            let architecture = serde_json::json!([self.architecture()]);
            self.rest.insert("architectures".to_owned(), architecture);
        }
        if self.rest.get("label2id").is_none_or(serde_json::Value::is_null) {
            let labels = self.id2label.iter().flatten();
            let ids: BTreeMap<&str, Option<usize>> =
                labels.map(|(id, label)| (label.as_str(), id.parse().ok())).collect();
            let ids = serde_json::json!(ids);
            self.rest.insert("label2id".to_owned(), ids);
        }
        // transformers' default, which its configs leave out; nothing here is drawn with it.
        self.rest.entry("initializer_range".to_owned()).or_insert_with(|| 0.02.into());
        let block = serde_json::json!({ "activation_fn": "torch.nn.modules.linear.Identity" });
        self.rest.insert("sentence_transformers".to_owned(), block);
        // What transformers computes in unless told: scores are to be ours, whatever format the weights
        // came in and are stored in.
        self.rest.remove("torch_dtype");
        self.rest.insert("dtype".to_owned(), "float32".into());
        self
    }

    /// The same encoder as a reranker with one label, as transformers reads it.
    pub(crate) fn with_new_head(mut self) -> Self {
        let label = || "LABEL_0".to_owned();
        let architecture = self.architecture();
        self.id2label = Some([("0".to_owned(), label())].into());
        self.rest.insert("label2id".to_owned(), serde_json::json!({ label(): 0 }));
        self.rest.insert("architectures".to_owned(), serde_json::json!([architecture]));
        self.rest.remove("num_labels");
        self
    }

    fn architecture(&self) -> &'static str {
        match self.model_type {
            ModelType::XlmRoberta => "XLMRobertaForSequenceClassification",
            ModelType::Roberta => "RobertaForSequenceClassification",
            ModelType::Bert => "BertForSequenceClassification",
        }
    }

    /// Parses the bytes of a `config.json`; `origin` names them in errors.
    ///
    /// # Errors
    /// As [`ModelConfig::from_file`].
    pub fn from_bytes(bytes: &[u8], origin: &str) -> Result<Self, ConfigError> {
        Self::parse(bytes, origin)?.check(origin.to_owned())
    }

    fn parse(bytes: &[u8], origin: &str) -> Result<Self, ConfigError> {
        let path = origin.to_owned();
        let parse =
            |e: serde_json::Error| ConfigError::Parse { path: path.clone(), reason: e.to_string() };
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(parse)?;
        let known = ["xlm-roberta", "roberta", "bert"];
        match value.get("model_type").and_then(|found| found.as_str()) {
            Some(found) if !known.contains(&found) => {
                return Err(ConfigError::ModelType { path, found: found.to_owned() });
            }
            _ => {}
        }
        serde_json::from_value(value).map_err(parse)
    }

    /// The longest sequence the position embeddings allow, in tokens.
    pub fn max_length(&self) -> usize {
        self.max_position_embeddings.saturating_sub(self.first_position())
    }

    /// The position of a sequence's first token.
    pub(crate) fn first_position(&self) -> usize {
        match self.model_type {
            // fairseq's rule: positions start after the padding token's id.
            ModelType::XlmRoberta | ModelType::Roberta => self.pad_token_id as usize + 1,
            ModelType::Bert => 0,
        }
    }

    /// Width of one attention head.
    pub(crate) fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Dropout in the head while training.
    pub(crate) fn head_dropout(&self) -> f64 {
        self.classifier_dropout.unwrap_or(self.hidden_dropout_prob)
    }

    fn check(self, path: String) -> Result<Self, ConfigError> {
        let wrong = |field, found: String, remedy| {
            Err(ConfigError::Value { path: path.clone(), field, found, remedy })
        };
        // The second number is beyond any model and keeps the count of parameters below 2^64.
        for (field, value, most) in [
            ("hidden_size", self.hidden_size, 1 << 20),
            ("num_hidden_layers", self.num_hidden_layers, 10_000),
            ("num_attention_heads", self.num_attention_heads, 1 << 20),
            ("intermediate_size", self.intermediate_size, 1 << 20),
            ("vocab_size", self.vocab_size, 1 << 28),
            ("type_vocab_size", self.type_vocab_size, 1 << 20),
            ("max_position_embeddings", self.max_length(), 1 << 28),
        ] {
            if value == 0 {
                return wrong(field, "too small".into(), "it must be positive");
            }
            if value > most {
                return wrong(field, value.to_string(), "no model is that large; mend the number");
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let found = self.num_attention_heads.to_string();
            return wrong("num_attention_heads", found, "it must divide hidden_size");
        }
        if !(self.layer_norm_eps.is_finite() && self.layer_norm_eps > 0.0) {
            let found = self.layer_norm_eps.to_string();
            return wrong("layer_norm_eps", found, "it must be positive");
        }
        if self.pad_token_id as usize >= self.vocab_size {
            let found = self.pad_token_id.to_string();
            return wrong("pad_token_id", found, "it must be below vocab_size");
        }
        for (field, value) in [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            ("attention_probs_dropout_prob", self.attention_probs_dropout_prob),
            ("classifier_dropout", self.head_dropout()),
        ] {
            if !(0.0..1.0).contains(&value) {
                return wrong(field, value.to_string(), "it must be at least 0 and below 1");
            }
        }
        if self.rest.get("is_decoder").is_some_and(|value| value == true) {
            return wrong("is_decoder", "true".into(), "only encoders are supported");
        }
        if self.rest.contains_key("quantization_config") {
            let remedy = "only plain weights are read; get the model without quantization";
            return wrong("quantization_config", "present".into(), remedy);
        }
        match self.position_embedding_type.as_deref() {
            None | Some("absolute") => {}
            Some(other) => {
                let found = format!("'{other}'");
                return wrong("position_embedding_type", found, "only 'absolute' is supported");
            }
        }
        match &self.id2label {
            Some(labels) if labels.len() != 1 => {
                let found = format!("{} labels", labels.len());
                wrong("id2label", found, "a reranker has exactly one label; this is a classifier")
            }
            _ => Ok(self),
        }
    }
}

/// A file's bytes, and its name for errors.
fn read(path: &Path) -> Result<(Vec<u8>, String), ConfigError> {
    let shown = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => Ok((bytes, shown)),
        Err(source) => Err(ConfigError::Read { path: shown, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn json() -> serde_json::Value {
        serde_json::json!({
            "model_type": "xlm-roberta", "hidden_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 10,
            "max_position_embeddings": 12, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
            "hidden_act": "gelu", "pad_token_id": 1, "bos_token_id": 0
        })
    }

    fn with(field: &str, value: serde_json::Value) -> Result<ModelConfig, String> {
        let mut json = json();
        json[field] = value;
        ModelConfig::from_bytes(json.to_string().as_bytes(), "config.json")
            .map_err(|e| e.to_string())
    }

    #[test]
    fn roberta_positions_start_after_padding() {
        let config = with("pad_token_id", 1.into()).unwrap();
        assert_eq!((config.first_position(), config.max_length()), (2, 10));
        let config = with("model_type", "bert".into()).unwrap();
        assert_eq!((config.first_position(), config.max_length()), (0, 12));
    }

    #[test]
    fn what_serves_it_finds_its_keys() {
        let config = with("id2label", serde_json::json!({ "0": "LABEL_0" })).unwrap().to_serve();
        let written = serde_json::to_value(&config).unwrap();
        for key in [
            "vocab_size",
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "intermediate_size",
            "hidden_act",
            "hidden_dropout_prob",
            "max_position_embeddings",
            "type_vocab_size",
            "initializer_range",
            "layer_norm_eps",
            "pad_token_id",
            "id2label",
        ] {
            assert!(!written[key].is_null(), "{key}");
        }
        assert_eq!(written["label2id"], serde_json::json!({ "LABEL_0": 0 }));
        let [architecture] = &written["architectures"].as_array().unwrap()[..] else { panic!() };
        assert!(architecture.as_str().unwrap().ends_with("ForSequenceClassification"));
        let activation = &written["sentence_transformers"]["activation_fn"];
        assert_eq!(activation, "torch.nn.modules.linear.Identity");
    }

    #[test]
    fn unknown_fields_survive() {
        let config = with("pad_token_id", 1.into()).unwrap();
        let written = serde_json::to_value(&config).unwrap();
        assert_eq!(written["bos_token_id"], 0);
    }

    #[test]
    fn each_defect_is_named() {
        let error = |field, value| with(field, value).unwrap_err();
        assert!(error("model_type", "deberta-v2".into()).contains("'deberta-v2' is not supported"));
        assert!(error("num_attention_heads", 3.into()).contains("num_attention_heads is 3"));
        assert!(error("hidden_act", "silu".into()).contains("silu"));
        assert!(error("max_position_embeddings", 2.into()).contains("max_position_embeddings"));
        assert!(error("position_embedding_type", "relative_key".into()).contains("relative_key"));
        assert!(error("hidden_size", u64::MAX.into()).contains("no model is that large"));
        let three = serde_json::json!({"0": "a", "1": "b", "2": "c"});
        assert!(error("id2label", three).contains("3 labels"));
        let mut json = json();
        json.as_object_mut().unwrap().remove("layer_norm_eps");
        let missing = ModelConfig::from_bytes(json.to_string().as_bytes(), "config.json");
        assert!(missing.unwrap_err().to_string().contains("layer_norm_eps"));
        let cut = ModelConfig::from_bytes(b"{\"model_type\": ", "config.json");
        assert!(cut.unwrap_err().to_string().contains("line 1"));
    }
}
