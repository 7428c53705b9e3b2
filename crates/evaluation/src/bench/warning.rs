use std::fmt;

use super::environment::EnvironmentWarning;
use super::percentile::samples_needed;
use super::record::{BenchSystem, CellRecord};
use super::search::SearchEnd;
use crate::plural::{counted, queries};

/// Change of the median from the first fifth of a load to the last above which it is told.
const DRIFT: f64 = 0.1;
/// Lateness of the measuring program, as a share of the median, above which it is told.
const LATE: f64 = 0.05;
/// Design effect above which samples that hang together are told.
const TOGETHER: f64 = 2.0;

/// Something that a reader should know before trusting a latency; shown as a sentence with what to
/// do.
#[derive(Clone, Debug, PartialEq)]
pub enum BenchWarning {
    /// A mock or a recording answered.
    NotLive,
    /// The reranker was not warm.
    NotSteady {
        /// Queries that were asked before.
        queries: usize,
    },
    /// A percentile has no upper bound.
    TooFew {
        /// Which.
        share: f64,
        /// Answers there are.
        have: usize,
        /// Answers that are needed, as they hang together.
        need: usize,
    },
    /// Samples hang together.
    Together {
        /// The design effect of the 95th percentile.
        effect: f64,
    },
    /// Some queries were not answered.
    Failures {
        /// How many.
        failed: usize,
        /// Of how many.
        asked: usize,
        /// Why the first was not.
        first: String,
    },
    /// The load ended early.
    CutShort {
        /// Why.
        why: String,
        /// Queries that were asked.
        asked: usize,
    },
    /// The last answers take longer or shorter than the first.
    Drift {
        /// Median seconds of the first fifth.
        first: f64,
        /// Median seconds of the last fifth.
        last: f64,
    },
    /// The measuring program was late itself.
    Late {
        /// The 99th percentile of it, in seconds.
        late: f64,
    },
    /// Documents were added to the candidates.
    Filled {
        /// How many.
        candidates: usize,
    },
    /// The search ended before its precision.
    Search {
        /// How it ended.
        end: SearchEnd,
        /// The highest rate that kept the limit.
        kept: Option<f64>,
        /// The lowest that broke it.
        broken: Option<f64>,
    },
    /// The machine.
    Environment(EnvironmentWarning),
}

/// What was noticed of one reranker: the machine first, then each cell by its number, then the
/// searches.
pub fn warnings(system: &BenchSystem) -> Vec<String> {
    let machine = system.environment.warnings().into_iter();
    let mut all: Vec<String> =
        machine.map(|warning| BenchWarning::Environment(warning).to_string()).collect();
    for (number, cell) in (1..).zip(&system.cells) {
        all.extend(of_cell(cell).iter().map(|warning| format!("cell {number}: {warning}")));
    }
    for search in system.capacities.iter().filter(|found| found.capacity.end != SearchEnd::Found) {
        let (end, kept) = (search.capacity.end, search.capacity.kept);
        let warning = BenchWarning::Search { end, kept, broken: search.capacity.broken };
        all.push(format!("cell {}: {warning}", search.cell + 1));
    }
    if let Some(why) = &system.ended {
        all.push(format!("it ended before all of the plan was measured: {why}"));
    }
    all
}

/// What one cell warns of.
pub fn of_cell(record: &CellRecord) -> Vec<BenchWarning> {
    let measured = &record.measured;
    let mut warnings = Vec::new();
    let answered = measured.asked - measured.failed;
    if answered > 0 && !record.live {
        warnings.push(BenchWarning::NotLive);
    }
    if !record.warmed.steady {
        warnings.push(BenchWarning::NotSteady { queries: record.warmed.queries });
    }
    if let Some(why) = &record.cut_short {
        warnings.push(BenchWarning::CutShort { why: why.clone(), asked: measured.asked });
    }
    if let Some(first) = measured.first_failure.clone() {
        let (failed, asked) = (measured.failed, measured.asked);
        warnings.push(BenchWarning::Failures { failed, asked, first });
    }
    // The highest needs the most, and with it the others have theirs.
    let mut highest_first = measured.latency.iter().rev();
    if let Some(unbounded) = highest_first.find(|percentile| percentile.high.is_none()) {
        let need = (samples_needed(unbounded.share) as f64 * unbounded.design_effect).ceil();
        let (share, need) = (unbounded.share, need as usize);
        warnings.push(BenchWarning::TooFew { share, have: answered, need });
    }
    if let Some(effect) = measured.percentile(0.95).map(|p| p.design_effect)
        && effect > TOGETHER
    {
        warnings.push(BenchWarning::Together { effect });
    }
    warnings.extend(drift(record));
    let median = measured.percentile(0.5).map_or(0.0, |p| p.value);
    if median > 0.0 && measured.late > LATE * median {
        warnings.push(BenchWarning::Late { late: measured.late });
    }
    if record.filled > 0 {
        warnings.push(BenchWarning::Filled { candidates: record.filled });
    }
    warnings
}

fn drift(record: &CellRecord) -> Option<BenchWarning> {
    let blocks = &record.measured.blocks;
    let fifth = blocks.len() / 5;
    let median = |blocks: &[super::Block]| {
        let mut medians: Vec<f64> = blocks.iter().map(|block| block.p50).collect();
        medians.sort_unstable_by(f64::total_cmp);
        crate::quantile(&medians, 0.5)
    };
    let (first, last) = (blocks.get(..fifth)?, blocks.get(blocks.len() - fifth..)?);
    let (first, last) = (median(first), median(last));
    (fifth > 0 && (last - first).abs() > DRIFT * first)
        .then_some(BenchWarning::Drift { first, last })
}

impl fmt::Display for BenchWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLive => f.write_str(
                "a mock or a recording answered, whose times are nobody's; measure the model or the \
                 service itself",
            ),
            Self::NotSteady { queries: count } => write!(
                f,
                "answers had not settled after {}; raise the warm-up's limit, and look for what \
                 changes on the machine",
                queries(*count)
            ),
            Self::TooFew { share, have, need } => write!(
                f,
                "p{} has no upper bound with {}; ask {need} or more",
                share * 100.0,
                counted(*have, "answer", "answers")
            ),
            Self::Together { effect } => write!(
                f,
                "answers hang together over time: {effect:.1} of them say as much as one alone, and \
                 bounds are wider for it; measure for longer"
            ),
            Self::Failures { failed, asked, first } => write!(
                f,
                "{failed} of {} were not answered and are in no percentile, the first: {first}",
                queries(*asked)
            ),
            Self::CutShort { why, asked } => {
                write!(f, "ended early, after {}: {why}", queries(*asked))
            }
            Self::Drift { first, last } => write!(
                f,
                "the median went from {:.1} ms in the first fifth to {:.1} ms in the last; look for \
                 heat, other load or a queue that grows",
                first * 1e3,
                last * 1e3
            ),
            Self::Late { late } => write!(
                f,
                "this program itself woke up to {:.1} ms late, which is part of the latencies; leave \
                 a core free for it",
                late * 1e3
            ),
            Self::Filled { candidates } => write!(
                f,
                "the first stage found too few candidates, and {} filled their places; the times \
                 hold, the rankings mean nothing",
                counted(*candidates, "other document", "other documents")
            ),
            Self::Search { end, kept, broken } => {
                let rate = |rate: &Option<f64>| {
                    rate.map_or("none".to_owned(), |rate| format!("{rate:.2} a second"))
                };
                let why = match end {
                    SearchEnd::Found => "found its rate",
                    SearchEnd::OutOfProbes => "ran out of probes",
                    SearchEnd::Stopped => "was stopped",
                    SearchEnd::Unavailable => "lost its reranker",
                };
                write!(
                    f,
                    "the search for the highest rate {why}: kept the limit at {}, broke it at {}; \
                     allow more probes, or start nearer or change the limit",
                    rate(kept),
                    rate(broken)
                )
            }
            Self::Environment(warning) => warning.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::testing::bench_system;
    use crate::bench::{Capacity, CellCapacity, Measured, Search};

    fn cell() -> CellRecord {
        bench_system().cells.remove(0)
    }

    #[test]
    fn a_calm_cell_warns_of_nothing() {
        assert_eq!(of_cell(&cell()), []);
    }

    #[test]
    fn each_trouble_is_told_alone() {
        let told = |spoil: &dyn Fn(&mut CellRecord)| {
            let mut cell = cell();
            spoil(&mut cell);
            let warnings = of_cell(&cell);
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            warnings[0].to_string()
        };
        assert!(told(&|cell| cell.live = false).contains("mock"));
        assert!(told(&|cell| cell.warmed.steady = false).contains("60 queries"));
        assert!(told(&|cell| cell.cut_short = Some("stopped".to_owned())).contains("stopped"));
        assert!(told(&|cell| cell.filled = 1).contains("1 other document filled"));
        assert!(told(&|cell| cell.measured.late = 0.001).contains("1.0 ms late"));
        assert!(told(&|cell| cell.measured.latency[2].design_effect = 2.5).contains("2.5 of them"));
        let few = told(&|cell| {
            cell.measured.latency[3].high = None;
            cell.measured.latency[3].design_effect = 2.0;
        });
        assert!(few.starts_with("p99 has no upper bound with 400 answers; ask 598"), "{few}");
        let drift = told(&|cell| {
            for block in &mut cell.measured.blocks[16..] {
                block.p50 *= 1.2;
            }
        });
        assert!(drift.contains("10.0 ms in the first fifth to 12.0 ms"), "{drift}");
        let failures = told(&|cell| {
            cell.measured.failed = 2;
            cell.measured.first_failure = Some("no luck".to_owned());
        });
        assert!(failures.starts_with("2 of 400 queries"), "{failures}");
    }

    #[test]
    fn nothing_answered_is_no_mock() {
        let mut cell = cell();
        cell.measured = Measured::of(&[]);
        cell.live = false;
        assert_eq!(of_cell(&cell), []);
    }

    #[test]
    fn warnings_tell_which_cell() {
        let mut system = bench_system();
        system.environment.debug = true;
        system.cells.push(CellRecord { filled: 3, ..cell() });
        let capacity = Capacity {
            search: Search::default(),
            kept: Some(4.0),
            broken: None,
            end: SearchEnd::OutOfProbes,
            probes: Vec::new(),
        };
        system.capacities.push(CellCapacity { cell: 1, capacity });
        system.ended = Some("stopped".to_owned());
        let told = warnings(&system);
        let begins = [
            "this program was built",
            "cell 2: the first stage",
            "cell 2: the search",
            "it ended before all",
        ];
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told.iter().zip(begins).all(|(told, begin)| told.starts_with(begin)), "{told:?}");
        assert!(
            told[2].contains("kept the limit at 4.00 a second, broke it at none"),
            "{}",
            told[2]
        );
    }
}
