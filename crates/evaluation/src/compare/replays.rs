//! The interleaved gate on recorded noise: real runs of one build, dealt out as if they were of two.
//! How the recording was made: `tests/golden/noise/make.sh`.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::latency::{LatencyVerdict, Round, interleaved};
use super::{InterleavedRules, LatencyComparison};
use crate::quantile::quantile;

const RECORDING: &str = include_str!("../../../../tests/golden/noise/runs.tsv");
/// What the issue asks for.
const REPLAYS: u64 = 300;
/// Makes the medians of runs differ by up to 9%.
const QUIET: f64 = 0.02;

/// One run a line, in the order of time: each query's time in microseconds.
fn runs() -> Vec<Vec<f64>> {
    let lines = RECORDING.lines().filter(|line| !line.starts_with('#'));
    let runs =
        lines.map(|line| line.split('\t').map(|us| us.parse::<f64>().unwrap() / 1e6).collect());
    runs.collect()
}

/// Neighbouring runs as rounds, either of both first, as `gate` runs them; the current build is this
/// much slower. Each replay starts elsewhere in the recording, sees other queries, and deals the runs
/// of each pair out anew.
fn replay(runs: &[Vec<f64>], seed: u64, rounds: usize, slower: f64) -> Vec<LatencyComparison> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |bound: usize| (random.next_u64() % bound as u64) as usize;
    let start = below(runs.len());
    let queries = runs[0].len();
    let asked: Vec<usize> = (0..queries).filter(|_| below(4) > 0).collect();
    let round = |round: usize| {
        let pair = [2 * round, 2 * round + 1].map(|place| &runs[(start + place) % runs.len()]);
        let [old, new] = if below(2) == 0 { pair } else { [pair[1], pair[0]] };
        Round {
            baseline: asked.iter().map(|&query| old[query]).collect(),
            current: asked.iter().map(|&query| slower * new[query]).collect(),
        }
    };
    let rounds: Vec<Round> = (0..rounds).map(round).collect();
    interleaved(&rounds, InterleavedRules::default().tolerance)
}

fn slower(compared: &[LatencyComparison]) -> bool {
    compared.iter().any(|comparison| comparison.verdict == LatencyVerdict::Slower)
}

/// The same noise on a quieter machine: every time is this power of its distance from the query's
/// median. The recording's own is of a machine on which the medians of runs lie a factor of 65 apart,
/// where nothing tells 15%.
fn quieter(runs: &[Vec<f64>], power: f64) -> Vec<Vec<f64>> {
    let median = |query: usize| {
        let mut times: Vec<f64> = runs.iter().map(|run| run[query]).collect();
        times.sort_unstable_by(f64::total_cmp);
        quantile(&times, 0.5)
    };
    let medians: Vec<f64> = (0..runs[0].len()).map(median).collect();
    let calm = |(time, median): (&f64, &f64)| median * (time / median).powf(power);
    runs.iter().map(|run| run.iter().zip(&medians).map(calm).collect()).collect()
}

fn count(runs: &[Vec<f64>], replays: u64, factor: f64) -> u64 {
    let rounds = InterleavedRules::default().rounds;
    assert!(runs.len() >= 2 * rounds && runs.iter().all(|run| run.len() == runs[0].len()));
    (0..replays).filter(|&seed| slower(&replay(runs, seed, rounds, factor))).count() as u64
}

#[test]
fn recorded_noise_never_shuts_the_gate() {
    let runs = runs();
    assert_eq!(count(&runs, REPLAYS, 1.0), 0);
    // On a quieter machine intervals are narrow, and still hold what is the same.
    assert_eq!(count(&quieter(&runs, QUIET), REPLAYS, 1.0), 0);
}

#[test]
fn a_slowdown_of_fifteen_percent_is_caught_where_runs_differ_by_no_more() {
    let runs = quieter(&runs(), QUIET);
    let caught = count(&runs, 100, 1.15);
    assert!(caught >= 95, "{caught} of 100 slowdowns were caught");
}
