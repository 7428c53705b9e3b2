use rand::Rng;
use rand_chacha::ChaCha8Rng;
use secondpass_core::Origin;

use super::config::{GateConfig, Runner};
use super::experiment::hash;
use super::latency::{LatencyBasis, LatencyComparison, Ratio, SHARES, resampled, verdict};
use super::outcome::{Comparison, Side, SystemComparison};
use super::same::Difference;
use super::words;
use crate::bench::{BenchRecord, BenchSystem, Cell, DocumentLength, Load, SampleRow};
use crate::quantile::quantile;
use crate::record::Role;

/// Parts of consecutive samples that are drawn together, because neighbours hang together.
const BLOCKS: usize = 20;
const SEED: u64 = 20_261_127;

/// A bench record with its samples.
#[derive(Clone, Copy, Debug)]
pub struct BenchEvidence<'a> {
    /// The record.
    pub record: &'a BenchRecord,
    /// Its samples.
    pub samples: &'a [SampleRow],
}

/// Compares what two benches measured of the same cells.
pub fn benches(
    baseline: BenchEvidence<'_>,
    current: BenchEvidence<'_>,
    config: &GateConfig,
) -> Comparison {
    let (old, new) = (baseline.record, current.record);
    let sides = (side(old), side(new));
    let differ = differences(old, new);
    if !differ.is_empty() {
        return Comparison::new(sides.0, sides.1, Vec::new(), differ, Vec::new());
    }
    let systems: Vec<SystemComparison> = new
        .systems
        .iter()
        .enumerate()
        .filter_map(|(place, system)| {
            let before = old.systems.iter().position(|other| other.name == system.name)?;
            Some(system_comparison((baseline, before), (current, place), config))
        })
        .collect();
    let findings = words::findings(&systems, config);
    Comparison::new(sides.0, sides.1, findings, Vec::new(), systems)
}

/// One reranker of each record, by its place there.
fn system_comparison(
    (baseline, before): (BenchEvidence<'_>, usize),
    (current, place): (BenchEvidence<'_>, usize),
    config: &GateConfig,
) -> SystemComparison {
    let (old, new) = (&baseline.record.systems[before], &current.record.systems[place]);
    let basis = basis((baseline.record, old), (current.record, new), config.latency.runner);
    let mut latency = Vec::new();
    for (number, cell) in new.cells.iter().enumerate() {
        let Some(other) = old.cells.iter().position(|other| other.cell == cell.cell) else {
            continue;
        };
        let then = times(baseline.samples, before, other);
        let now = times(current.samples, place, number);
        latency.extend(SHARES.iter().filter_map(|&share| {
            let (ratio, was, is) = ratio(&then, &now, share)?;
            let tolerance = config.latency.tolerance;
            Some(LatencyComparison {
                cell: Some(told(&cell.cell)),
                share,
                baseline: was,
                current: is,
                ratio,
                tolerance,
                samples: then.len().min(now.len()),
                basis: basis.clone(),
                verdict: verdict(&ratio, tolerance),
            })
        }));
    }
    SystemComparison {
        name: new.name.clone(),
        role: Role::Reranker,
        origin: if new.is_live() { Origin::Live } else { Origin::Mock },
        changed: Vec::new(),
        drifted: false,
        ranks: None,
        quality: Vec::new(),
        cost: None,
        latency,
    }
}

fn side(record: &BenchRecord) -> Side {
    Side {
        name: record.name.clone(),
        finished: record.finished.clone(),
        version: record.version.clone(),
        hash: hash(record),
        demonstration: false,
    }
}

fn differences(old: &BenchRecord, new: &BenchRecord) -> Vec<Difference> {
    let mut found = Vec::new();
    if old.source != new.source {
        found.push(Difference::new("queries", &old.source, &new.source));
    }
    for system in &old.systems {
        let name = &system.name;
        let Some(other) = new.system(name) else {
            found.push(Difference::new(format!("reranker: {name}"), "there", "gone"));
            continue;
        };
        for cell in &system.cells {
            if !other.cells.iter().any(|other| other.cell == cell.cell) {
                let what = format!("cell: {name}, {}", told(&cell.cell));
                found.push(Difference::new(what, "there", "gone"));
            }
        }
    }
    found
}

fn basis(
    (old, then): (&BenchRecord, &BenchSystem),
    (new, now): (&BenchRecord, &BenchSystem),
    runner: Runner,
) -> LatencyBasis {
    let fixed = |system: &BenchSystem| {
        // What the machine is; how busy it was differs every time.
        let of = system.environment.clone();
        (of.governors, of.cpu_quota.map(f64::to_bits), of.kernel, of.gpus, of.gpu_driver, of.debug)
    };
    let because = if then.identity.device != now.identity.device {
        "they ran on different devices"
    } else if old.machine != new.machine {
        "they come from different machines"
    } else if fixed(then) != fixed(now) {
        "their environments differ (governor, quota, kernel, GPU, driver or build)"
    } else if runner == Runner::Shared {
        "the runner is not declared pinned ([latency] runner)"
    } else {
        return LatencyBasis::Pinned;
    };
    LatencyBasis::Stored { because: because.to_owned() }
}

/// The answered queries' latencies of a cell's own load, in the order of time, in seconds.
fn times(samples: &[SampleRow], system: usize, cell: usize) -> Vec<f64> {
    let of = samples
        .iter()
        .filter(|row| row.system as usize == system && row.cell as usize == cell && row.probe == 0);
    let answered = of.filter(|row| row.sample.failure.is_none());
    answered.map(|row| row.sample.latency().as_secs_f64()).collect()
}

fn ratio(then: &[f64], now: &[f64], share: f64) -> Option<(Ratio, f64, f64)> {
    let of = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        quantile(&values, share)
    };
    let (was, is) = (of(then), of(now));
    if !(was > 0.0 && is > 0.0) {
        return None;
    }
    let [low, high] = resampled(SEED, |random| of(&drawn(now, random)) / of(&drawn(then, random)));
    Some((Ratio { value: is / was, low, high }, was, is))
}

/// As many blocks of samples as there are, drawn with replacement.
fn drawn(samples: &[f64], random: &mut ChaCha8Rng) -> Vec<f64> {
    let blocks = BLOCKS.min(samples.len()).max(1);
    let place = |block: usize| block * samples.len() / blocks;
    let mut all = Vec::with_capacity(samples.len());
    for _ in 0..blocks {
        let block = (random.next_u64() % blocks as u64) as usize;
        all.extend_from_slice(&samples[place(block)..place(block + 1)]);
    }
    all
}

/// A cell in a few words.
fn told(cell: &Cell) -> String {
    let mut parts = vec![format!("{} candidates", cell.candidates)];
    if let DocumentLength::Tokens(tokens) = cell.length {
        parts.push(format!("{tokens} tokens a document"));
    }
    if let Some(tokens) = cell.batch_tokens {
        parts.push(format!("batches of {tokens} tokens"));
    }
    parts.push(match cell.load {
        Load::Closed { clients: 1 } => "one client".to_owned(),
        Load::Closed { clients } => format!("{clients} clients"),
        Load::Open { rate, .. } => format!("{rate} queries a second"),
    });
    parts.join(", ")
}
