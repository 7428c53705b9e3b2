//! The interleaved gate on recorded noise: real runs of one build, dealt out as if they were of two.
//! How the recording was made: `tests/golden/noise/make.sh`.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::latency::{LatencyVerdict, Round, interleaved};
use super::{InterleavedRules, LatencyComparison};

const QUIET: &str = include_str!("../../../../tests/golden/noise/quiet.tsv");
const TRAINING: &str = include_str!("../../../../tests/golden/noise/training.tsv");
const COMPILING: &str = include_str!("../../../../tests/golden/noise/compiling.tsv");

/// One run a line, in the order of time: each query's time in microseconds.
fn runs(recording: &str) -> Vec<Vec<f64>> {
    let lines = recording.lines().filter(|line| !line.starts_with('#'));
    let runs: Vec<Vec<f64>> = lines
        .map(|line| line.split('\t').map(|us| us.parse::<f64>().unwrap() / 1e6).collect())
        .collect();
    assert!(runs.len() >= 16 && runs.iter().all(|run| run.len() == runs[0].len()));
    runs
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

/// In how many of so many replays the gate is shut by a build that is slower by this factor.
fn shut(recording: &str, replays: u64, factor: f64) -> usize {
    let (runs, rounds) = (runs(recording), InterleavedRules::default().rounds);
    (0..replays).filter(|&seed| slower(&replay(&runs, seed, rounds, factor))).count()
}

#[test]
fn recorded_noise_never_shuts_the_gate() {
    for recording in [QUIET, TRAINING, COMPILING] {
        assert_eq!(shut(recording, 300, 1.0), 0, "{}", recording.lines().next().unwrap_or(""));
    }
}

#[test]
fn a_slowdown_of_fifteen_percent_is_caught_on_a_quiet_machine() {
    let caught = shut(QUIET, 100, 1.15);
    assert!(caught >= 95, "{caught} of 100 slowdowns were caught");
}
