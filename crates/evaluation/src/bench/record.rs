use secondpass_core::{BillingUnit, Destination, Identity};
use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::plan::Cell;
use super::search::Capacity;
use super::summary::Measured;
use super::warm_up::{WarmUp, Warmed};
use crate::record::Machine;

/// The version of this layout; a reader refuses others.
pub const BENCH_SCHEMA: u32 = 1;

/// What was measured of rerankers' latency, one after the other. The raw samples stand beside it in a
/// table.
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
    /// Where the queries came from: a set's name and split, or `synthetic`.
    pub source: String,
    /// When a reranker counted as warm.
    pub warm_up: WarmUp,
    /// Each reranker, in the order in which they were measured.
    pub systems: Vec<BenchSystem>,
}

/// What was measured of one reranker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchSystem {
    /// Its name in the config.
    pub name: String,
    /// Which reranker.
    pub identity: Identity,
    /// Where texts went; `None` where they stayed in the process.
    pub destination: Option<Destination>,
    /// What was noted of the machine meanwhile.
    pub environment: Environment,
    /// What a start costs; `None` where it was not measured.
    pub cold_start: Option<ColdStart>,
    /// The most memory the program held, in bytes; `None` where unknown, where the reranker works
    /// elsewhere, or where several shared the process.
    pub peak_memory: Option<u64>,
    /// What was measured, in the order of the plan.
    pub cells: Vec<CellRecord>,
    /// The highest rates that keep a percentile, where they were searched for.
    pub capacities: Vec<CellCapacity>,
    /// Why it ended before everything of the plan was measured; `None` where it did not.
    pub ended: Option<String>,
    /// What a provider was asked for; `None` where nobody bills.
    pub spent: Option<BenchSpent>,
    /// What was noticed, one sentence each, with the advice that follows.
    pub warnings: Vec<String>,
}

/// What starts cost, each in a process of its own: medians over the starts. Not part of any latency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColdStart {
    /// Seconds until weights were read and ready.
    pub load: Option<f64>,
    /// Seconds from the start of the process to its first scores: those of a query of the first cell.
    pub first_score: Option<f64>,
    /// The most memory that such a process held until then, in bytes.
    pub peak_memory: Option<u64>,
    /// Seconds to the first scores, start after start. Files were in the system's memory from the
    /// second one on, and before the first where the program had read them.
    pub starts: Vec<f64>,
}

/// What a provider was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchSpent {
    /// Calls that went out, each attempt counted.
    pub calls: u64,
    /// Units that will be on the bill.
    pub units: u64,
    /// What is counted.
    pub unit: BillingUnit,
    /// US dollars; `None` where no price is known.
    pub usd: Option<f64>,
}

impl BenchRecord {
    /// What was measured of the reranker of this name.
    pub fn system(&self, name: &str) -> Option<&BenchSystem> {
        self.systems.iter().find(|system| system.name == name)
    }
}

impl BenchSystem {
    /// Whether every answer that was measured came from the reranker itself.
    pub fn is_live(&self) -> bool {
        let mut answered =
            self.cells.iter().filter(|cell| cell.measured.asked > cell.measured.failed);
        answered.all(|cell| cell.live)
    }
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
    /// Which of the reranker's cells, from 0.
    pub cell: usize,
    /// What the search found.
    pub capacity: Capacity,
}
