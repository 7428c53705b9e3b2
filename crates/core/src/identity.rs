use serde::{Deserialize, Serialize};

use crate::ContentHash;

/// How a reranker comes to a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scoring {
    /// Each pair by itself: a candidate's score does not depend on the others.
    Pointwise,
    /// All candidates together.
    Listwise,
}

/// Which reranker this is, in full: two results of equal identity may be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name people gave it in a config; not part of what it is.
    pub name: String,
    /// `secondpass` for our own engine, a vendor's name, or `baseline`.
    pub provider: String,
    /// The model's name or folder.
    pub model: String,
    /// A hub revision, where there is one.
    pub revision: Option<String>,
    /// The hash of the weights, where they are at hand.
    pub weights: Option<ContentHash>,
    /// The address of the server that is asked (`https://api.cohere.com`), where there is one: behind
    /// another address the same name may be another model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The device it runs on (`flex`, `ndarray`, `cuda:0`); `None` for hosted ones and baselines.
    pub device: Option<String>,
    /// The number format it computes in.
    pub dtype: Option<String>,
    /// The longest pair in tokens.
    pub max_length: Option<usize>,
    /// The truncation mode's name.
    pub truncation: Option<String>,
    /// Pointwise or listwise.
    pub scoring: Scoring,
}
