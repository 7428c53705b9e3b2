/// What a config says that shapes the calls to a provider. Each [`super::Api`] is built from them and
/// refuses what its provider does not know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The model's name, as the provider calls it.
    pub model: Option<String>,
    /// Tokens of a document after which the provider cuts.
    pub max_tokens_per_doc: Option<usize>,
    /// Documents a call at most, below the provider's own limit.
    pub documents_per_call: Option<usize>,
    /// Whether the provider may cut texts that are too long.
    pub truncate: Option<bool>,
    /// Where the server is.
    pub region: Option<String>,
}

/// An option that a provider does not take, or one that is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{key}' is {}: {allowed}", found.as_deref().unwrap_or("missing"))]
pub struct OptionError {
    /// Which, as [`Options`] and configs call it.
    pub key: &'static str,
    /// What it was; `None` where it is missing.
    pub found: Option<String>,
    /// What is allowed there.
    pub allowed: String,
}
