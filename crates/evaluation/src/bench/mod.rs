//! Latency as an operator measures it: under a stated load, warm, with every sample kept, and with
//! bounds on each percentile.

mod clock;
mod drive;
mod environment;
mod error;
mod jobs;
mod load;
mod percentile;
mod plan;
#[cfg(test)]
mod queue_tests;
mod sample;
mod search;
mod summary;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod virtual_clock;
mod warm_up;

pub use clock::{Clock, SystemClock};
pub use drive::{CutShort, Driven, Subject, drive};
pub use environment::{Environment, EnvironmentWarning, Watch, peak_memory, process_age};
pub use error::BenchError;
pub use jobs::{CountTokens, DocumentLength, Workload, synthetic, workload};
pub use load::{Arrivals, Extent, Load};
pub use percentile::{CONFIDENCE, Percentile, percentile, percentiles, samples_needed};
pub use plan::{CANDIDATES, Cell, Sweep};
pub use sample::Sample;
pub use search::{Capacity, Probe, ProbeSamples, Search, SearchEnd, highest_rate};
pub use summary::{Block, Measured, SHARES, Throughput};
pub use warm_up::{WarmUp, Warmed, warm_up};
