use serde::{Deserialize, Serialize};

/// What speaks against reranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// No allowed choice is shown to be better than the first stage.
    NoGain {
        /// The one that came nearest.
        choice: String,
        /// Its mean gain.
        gain: f64,
        /// The smallest gain that these queries could show; `None` where none is.
        detectable: Option<f64>,
    },
    /// The gain is within the margin: too small to matter, as the margin says.
    WithinMargin {
        /// The best choice.
        choice: String,
        /// Its mean gain.
        gain: f64,
    },
    /// Even the best order of the candidates is within the margin of the first stage's.
    NothingToGain {
        /// What is left to gain.
        left: f64,
    },
    /// Many queries have no relevant candidate.
    LowCeiling {
        /// The share of the queries that have one, 0 to 1.
        with_relevant: f64,
    },
    /// The top k is nearly the first stage's.
    Agreement {
        /// Of which choice.
        choice: String,
        /// The cutoff.
        k: usize,
        /// The share that both have, 0 to 1.
        overlap: f64,
    },
    /// No choice answers in time.
    LatencyBudget {
        /// The most that the 95th percentile may be, in seconds.
        limit: f64,
        /// The fastest choice's.
        fastest: f64,
    },
    /// No choice keeps the other rules.
    NothingAllowed,
}
