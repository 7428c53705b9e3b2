//! The kinds of lines in a journal.

use secondpass_core::{ContentHash, QueryId, Usage};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;

/// The version of this layout; a reader refuses others.
pub(super) const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Line {
    /// First in every segment.
    Header(Header),
    /// A call goes out.
    Intent(Intent),
    /// A call has come back.
    Done(Box<Done>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub format: u32,
    pub experiment: String,
    pub version: String,
    /// The hash of what times depend on.
    pub machine: ContentHash,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    pub key: ContentHash,
    pub system: String,
    pub pass: String,
    pub query: QueryId,
    /// In US dollars.
    pub upper_bound: Option<f64>,
    /// The most units it can be billed, where somebody bills it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_units: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Done {
    pub key: ContentHash,
    /// Wall-clock time.
    pub seconds: Option<f64>,
    pub outcome: Outcome,
    /// Where somebody bills the call: which system made it. It stands in the intent too, which may
    /// be damaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// What it was taken to cost, in US dollars; missing where no price was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    Answer(Answer),
    Failure { reason: String, usage: Usage },
}
