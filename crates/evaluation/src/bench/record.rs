use secondpass_core::Identity;
use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::plan::Cell;
use super::search::Capacity;
use super::summary::Measured;
use super::warm_up::{WarmUp, Warmed};
use crate::record::Machine;

/// The version of this layout; a reader refuses others.
pub const BENCH_SCHEMA: u32 = 1;

/// What was measured of one reranker's latency. The raw samples stand beside it in a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchRecord {
    /// [`BENCH_SCHEMA`] when it was written.
    pub schema: u32,
    /// The name people gave it.
    pub name: String,
    /// When it ended, RFC 3339 in UTC.
    pub finished: String,
    /// The program's own version.
    pub version: String,
    /// Where it ran.
    pub machine: Machine,
    /// What was noted of the machine meanwhile.
    pub environment: Environment,
    /// Which reranker.
    pub identity: Identity,
    /// Where the queries came from: a set's name and split, or `synthetic`.
    pub source: String,
    /// What a start costs; `None` where it was not measured.
    pub cold_start: Option<ColdStart>,
    /// The most memory the program held, in bytes; `None` where unknown, or where the reranker works
    /// elsewhere.
    pub peak_memory: Option<u64>,
    /// When the reranker counted as warm.
    pub warm_up: WarmUp,
    /// What was measured, in the order of the plan.
    pub cells: Vec<CellRecord>,
    /// The highest rates that keep a percentile, where they were searched for.
    pub capacities: Vec<CellCapacity>,
    /// What was noticed, one sentence each, with the advice that follows.
    pub warnings: Vec<String>,
}

/// What a start costs, in seconds. Not part of any latency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColdStart {
    /// Until weights were read and ready.
    pub load: Option<f64>,
    /// From the start of the process to its first score.
    pub first_score: Option<f64>,
}

/// One cell of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellRecord {
    /// What it was.
    pub cell: Cell,
    /// Different queries that were asked in turn.
    pub jobs: usize,
    /// Candidates that had to be filled up with other documents of the corpus.
    pub filled: usize,
    /// Warming up, before anything was measured.
    pub warmed: Warmed,
    /// What was measured.
    pub measured: Measured,
    /// Whether every answer came from a model, now; otherwise a mock's or a recording's time was
    /// measured.
    pub live: bool,
    /// Why it ended early.
    pub cut_short: Option<String>,
}

/// The highest rate of one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellCapacity {
    /// Which of the record's cells, from 0.
    pub cell: usize,
    /// What the search found.
    pub capacity: Capacity,
}
