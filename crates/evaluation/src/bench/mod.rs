//! Latency as an operator measures it: under a stated load, warm, with every sample kept, and with
//! bounds on each percentile.

mod budgeted;
mod clock;
mod drive;
mod environment;
mod error;
mod jobs;
mod load;
mod measure;
mod percentile;
mod plan;
#[cfg(test)]
mod queue_tests;
mod record;
mod sample;
mod search;
mod store;
mod summary;
mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod virtual_clock;
mod warm_up;
mod warning;

pub use budgeted::Budgeted;
pub use clock::{Clock, SystemClock};
pub use drive::{CutShort, Driven, Subject, drive};
pub use environment::{Environment, EnvironmentWarning, Watch, peak_memory, process_age};
pub use error::BenchError;
pub use jobs::{CountTokens, DocumentLength, Workload, synthetic, workload};
pub use load::{Arrivals, Extent, Load};
pub use measure::measure;
pub use percentile::{CONFIDENCE, Percentile, percentile, percentiles, samples_needed};
pub use plan::{CANDIDATES, Cell, Sweep};
pub use record::{
    BENCH_SCHEMA, BenchRecord, BenchSpent, BenchSystem, CellCapacity, CellRecord, ColdStart,
};
pub use sample::Sample;
pub use search::{Capacity, Probe, ProbeSamples, Search, SearchEnd, highest_rate};
pub use store::{
    BENCH_FILE, BenchStoreError, SAMPLES_FILE, bench_owner, claim_bench, read_bench, write_bench,
};
pub use summary::{Block, Measured, SHARES, Throughput};
pub use table::{SampleRow, decode_samples, encode_samples};
pub use warm_up::{WarmUp, Warmed, warm_up};
pub use warning::{BenchWarning, of_cell, warnings};
