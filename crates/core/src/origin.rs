use serde::{Deserialize, Serialize};

/// Where an answer came from. Only what is live decides anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The reranker itself, when it was asked.
    #[default]
    Live,
    /// A server that imitates a provider: its scores and times are made up.
    Mock,
    /// A recording of a live answer.
    Replay {
        /// When it was recorded, RFC 3339 in UTC.
        recorded: String,
    },
}

impl Origin {
    /// The header by which a server that imitates a provider says so in every answer; its value is
    /// `1`.
    pub const MOCK_HEADER: &str = "x-secondpass-mock";
    /// The header that a recording adds to an answer: when it was recorded, RFC 3339 in UTC.
    pub const RECORDED_HEADER: &str = "x-secondpass-recorded";
    /// The header that a recording adds to an answer: how long the live one took, in microseconds.
    pub const TOOK_HEADER: &str = "x-secondpass-took-us";

    /// Whether the reranker itself did the work.
    pub fn is_live(&self) -> bool {
        *self == Self::Live
    }
}
