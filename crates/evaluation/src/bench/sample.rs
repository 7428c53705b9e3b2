use std::time::Duration;

use secondpass_core::Timings;
use serde::{Deserialize, Serialize};

/// One query that was asked, as it was measured: the raw figures that everything else is made of.
/// Moments count from the start of its load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Which of the jobs it was, from 0.
    pub job: usize,
    /// Candidates it was given.
    pub candidates: usize,
    /// When it was to be asked: by the arrivals of an open loop; the same as `start` in a closed one.
    pub intended: Duration,
    /// When it was asked.
    pub start: Duration,
    /// When its answer was there.
    pub end: Duration,
    /// How much later than `intended` a free worker woke: the measuring program's own lateness, which
    /// is part of the latency and should be far below it. Zero where the query waited for a worker.
    pub late: Duration,
    /// Pairs scored.
    pub pairs: u64,
    /// Tokens computed or billed.
    pub tokens: u64,
    /// Where the time went, as the reranker tells.
    pub timings: Timings,
    /// Whether a model answered it now; otherwise a mock or a recording did.
    pub live: bool,
    /// Why there was no answer.
    pub failure: Option<String>,
}

impl Sample {
    /// From the moment it was to be asked to its answer: what a user would have waited.
    pub fn latency(&self) -> Duration {
        self.end.saturating_sub(self.intended)
    }

    /// From the moment it was to be asked to the moment it was: waiting for a worker, and the
    /// program's own lateness.
    pub fn waited(&self) -> Duration {
        self.start.saturating_sub(self.intended)
    }
}
