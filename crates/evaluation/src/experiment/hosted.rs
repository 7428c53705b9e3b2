use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;
use super::keys::{Keys, quoted};

/// The kinds of rerankers that are asked over HTTP, as configs call them.
pub const HOSTED_KINDS: [&str; 9] = [
    "cohere",
    "tei",
    "jina",
    "voyage",
    "bedrock",
    "azure",
    "cohere-compatible",
    "mixedbread",
    "pinecone",
];

/// A reranker that is asked over HTTP. What a provider does not know is refused by its adapter, which
/// reports [`ConfigError::Value`] with this spec's key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostedSpec {
    /// One of [`HOSTED_KINDS`].
    pub provider: String,
    /// Another base URL than the provider's own.
    pub base_url: Option<String>,
    /// The model's name, as the provider calls it; `None` where a server has one only.
    pub model: Option<String>,
    /// The environment variable that holds the key, in place of the provider's own.
    pub key_env: Option<String>,
    /// Where the server is: part of the address for some providers, the user's word for others.
    pub region: Option<String>,
    /// Tokens of a document after which the provider cuts.
    pub max_tokens_per_doc: Option<usize>,
    /// Documents a call at most, below the provider's own limit.
    pub documents_per_call: Option<usize>,
    /// Whether the provider may cut texts that are too long; `None` for its default.
    pub truncate: Option<bool>,
    /// A folder or hub id whose tokenizer counts tokens for estimates; without one they are guessed
    /// from the text's length.
    pub tokenizer: Option<String>,
    /// Requests a minute that the tier allows.
    pub requests_per_minute: Option<f64>,
    /// Tokens a minute that the tier allows.
    pub tokens_per_minute: Option<f64>,
    /// Calls in flight at once.
    pub in_flight: Option<usize>,
    /// Attempts a call at most, from 1.
    pub attempts: Option<u32>,
    /// Seconds to connect, for an attempt, and for a call with all its attempts.
    pub timeouts: TimeoutsSpec,
    /// The recording that answers in the provider's place.
    pub recording: Option<PathBuf>,
}

/// Timeouts in seconds; `None` for the defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeoutsSpec {
    /// To connect.
    pub connect: Option<f64>,
    /// For one attempt.
    pub request: Option<f64>,
    /// For a call with all its attempts and pauses.
    pub total: Option<f64>,
}

/// The keys of a hosted reranker, beside name, kind, model and concurrency.
#[derive(Deserialize, Default)]
pub(super) struct RawHosted {
    pub provider: Option<String>,
    pub base_url: Option<String>,
    pub key_env: Option<String>,
    pub region: Option<String>,
    pub max_tokens_per_doc: Option<usize>,
    pub documents_per_call: Option<usize>,
    pub truncate: Option<bool>,
    pub tokenizer: Option<String>,
    pub requests_per_minute: Option<f64>,
    pub tokens_per_minute: Option<f64>,
    pub in_flight: Option<usize>,
    pub attempts: Option<u32>,
    pub timeouts: Option<TimeoutsSpec>,
    pub recording: Option<PathBuf>,
}

impl RawHosted {
    /// Every key, and whether it is there.
    pub fn keys(&self) -> [(&'static str, bool); 14] {
        [
            ("provider", self.provider.is_some()),
            ("base_url", self.base_url.is_some()),
            ("key_env", self.key_env.is_some()),
            ("region", self.region.is_some()),
            ("max_tokens_per_doc", self.max_tokens_per_doc.is_some()),
            ("documents_per_call", self.documents_per_call.is_some()),
            ("truncate", self.truncate.is_some()),
            ("tokenizer", self.tokenizer.is_some()),
            ("requests_per_minute", self.requests_per_minute.is_some()),
            ("tokens_per_minute", self.tokens_per_minute.is_some()),
            ("in_flight", self.in_flight.is_some()),
            ("attempts", self.attempts.is_some()),
            ("timeouts", self.timeouts.is_some()),
            ("recording", self.recording.is_some()),
        ]
    }
}

impl Keys<'_> {
    /// `kind` is one of [`HOSTED_KINDS`], or `replay`, where `provider` is one of them.
    pub fn hosted(
        &self,
        number: usize,
        kind: &str,
        model: Option<String>,
        raw: RawHosted,
    ) -> Result<HostedSpec, ConfigError> {
        let key = |field: &str| format!("reranker {number}.{field}");
        let (provider, recording) = match kind {
            "replay" => {
                let what = "whose recording it is: a kind of hosted reranker";
                let provider = self.needed(&key("provider"), raw.provider, what)?;
                if !HOSTED_KINDS.contains(&provider.as_str()) {
                    return Err(self.value(&key("provider"), &provider, &quoted(&HOSTED_KINDS)));
                }
                let what = "the file that --record wrote";
                let recording = self.needed(&key("recording"), raw.recording, what)?;
                (provider, Some(self.beside(&recording)))
            }
            _ => {
                let only = [
                    (&*key("provider"), raw.provider.is_some()),
                    (&*key("recording"), raw.recording.is_some()),
                ];
                self.absent(&only, &format!("kind = \"{kind}\""))?;
                (kind.to_owned(), None)
            }
        };
        let text = |field: &str, value: Option<String>| {
            value.map(|value| self.filled(&key(field), value)).transpose()
        };
        let count = |field: &str, value: Option<usize>| {
            value.map(|value| self.positive(&key(field), value)).transpose()
        };
        let rate = |field: &str, value: Option<f64>| {
            value.map(|value| self.above_zero(&key(field), value)).transpose()
        };
        let timeouts = raw.timeouts.unwrap_or_default();
        Ok(HostedSpec {
            provider,
            base_url: text("base_url", raw.base_url)?,
            model: text("model", model)?,
            key_env: self.variable(&key("key_env"), text("key_env", raw.key_env)?)?,
            region: text("region", raw.region)?,
            max_tokens_per_doc: count("max_tokens_per_doc", raw.max_tokens_per_doc)?,
            documents_per_call: count("documents_per_call", raw.documents_per_call)?,
            truncate: raw.truncate,
            tokenizer: text("tokenizer", raw.tokenizer)?.map(|name| self.folder_or_id(name)),
            requests_per_minute: rate("requests_per_minute", raw.requests_per_minute)?,
            tokens_per_minute: rate("tokens_per_minute", raw.tokens_per_minute)?,
            in_flight: count("in_flight", raw.in_flight)?,
            attempts: match raw.attempts {
                Some(0) => return Err(self.number(&key("attempts"), 0.0, "a whole number from 1")),
                attempts => attempts,
            },
            timeouts: TimeoutsSpec {
                connect: rate("timeouts.connect", timeouts.connect)?,
                request: rate("timeouts.request", timeouts.request)?,
                total: rate("timeouts.total", timeouts.total)?,
            },
            recording,
        })
    }

    /// The name of an environment variable. What is none may be the key itself, and is not shown.
    fn variable(&self, key: &str, name: Option<String>) -> Result<Option<String>, ConfigError> {
        let is_name = |name: &String| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !name.starts_with(|first: char| first.is_ascii_digit())
        };
        match name.as_ref().is_none_or(is_name) {
            true => Ok(name),
            false => Err(ConfigError::Value {
                file: self.file.to_owned(),
                key: key.to_owned(),
                found: "no name of a variable".to_owned(),
                allowed: "the name of the environment variable that holds the key, in letters, \
                          digits and '_'"
                    .to_owned(),
            }),
        }
    }

    fn above_zero(&self, key: &str, value: f64) -> Result<f64, ConfigError> {
        match value.is_finite() && value > 0.0 {
            true => Ok(value),
            false => Err(self.number(key, value, "a number above 0")),
        }
    }
}
