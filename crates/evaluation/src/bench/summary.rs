use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::percentile::{Percentile, percentiles};
use super::sample::Sample;
use crate::quantile::quantile;
use crate::record::LatencyParts;

/// The quantiles that are told.
pub const SHARES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];
/// Parts of equal count that samples are split into, in the order of time.
const BLOCKS: usize = 20;

/// What the samples of one load say together. Times are in seconds, of answered queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Queries asked.
    pub asked: usize,
    /// Of these, queries without an answer: they are in no percentile.
    pub failed: usize,
    /// Why the first of them failed.
    pub first_failure: Option<String>,
    /// [`SHARES`] of the latency, from the intended start; none without any answer.
    pub latency: Vec<Percentile>,
    /// The mean latency.
    pub mean: f64,
    /// The largest latency seen; nothing bounds the largest possible.
    pub max: f64,
    /// The mean wait for a worker, part of the latency. 0 in a closed loop.
    pub waiting: f64,
    /// The 99th percentile of how late free workers woke, part of the latency: the measuring
    /// program's own fault.
    pub late: f64,
    /// Means of what the reranker tells of its time.
    pub parts: LatencyParts,
    /// What was done a second.
    pub throughput: Throughput,
    /// The same over time.
    pub blocks: Vec<Block>,
}

/// What was done a second, from the first query's start to the last one's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Seconds from the first start to the last end.
    pub seconds: f64,
    /// Answered queries a second.
    pub queries: f64,
    /// Scored pairs a second.
    pub pairs: f64,
    /// Tokens a second.
    pub tokens: f64,
}

/// Consecutive answered queries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Seconds from the load's start to its first query's intended start.
    pub begin: f64,
    /// Queries.
    pub queries: usize,
    /// Median latency in seconds.
    pub p50: f64,
    /// 95th percentile of the latency in seconds.
    pub p95: f64,
}

impl Measured {
    /// Of samples in the order in which they were to be asked.
    pub fn of(samples: &[Sample]) -> Self {
        let answered: Vec<&Sample> =
            samples.iter().filter(|sample| sample.failure.is_none()).collect();
        let seconds: Vec<f64> =
            answered.iter().map(|sample| sample.latency().as_secs_f64()).collect();
        let mean = |part: &dyn Fn(&Sample) -> Duration| {
            let total: Duration = answered.iter().map(|sample| part(sample)).sum();
            total.as_secs_f64() / answered.len().max(1) as f64
        };
        let mut late: Vec<f64> = answered.iter().map(|sample| sample.late.as_secs_f64()).collect();
        late.sort_unstable_by(f64::total_cmp);
        Self {
            asked: samples.len(),
            failed: samples.len() - answered.len(),
            first_failure: samples.iter().find_map(|sample| sample.failure.clone()),
            latency: percentiles(&seconds, &SHARES),
            mean: mean(&Sample::latency),
            max: seconds.iter().copied().fold(0.0, f64::max),
            waiting: mean(&|sample| sample.waited().saturating_sub(sample.late)),
            late: quantile(&late, 0.99),
            parts: parts(&answered),
            throughput: Throughput::of(&answered),
            blocks: blocks(&answered, &seconds),
        }
    }

    /// One of the quantiles that are told.
    pub fn percentile(&self, share: f64) -> Option<&Percentile> {
        self.latency.iter().find(|percentile| percentile.share == share)
    }

    /// Failed queries as a share of those asked.
    pub fn failed_share(&self) -> f64 {
        self.failed as f64 / self.asked.max(1) as f64
    }
}

impl Throughput {
    fn of(answered: &[&Sample]) -> Self {
        let begin = answered.iter().map(|sample| sample.start).min().unwrap_or_default();
        let end = answered.iter().map(|sample| sample.end).max().unwrap_or_default();
        let seconds = end.saturating_sub(begin).as_secs_f64();
        // Below the clock's resolution there is no rate to tell.
        let rate = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        Self {
            seconds,
            queries: rate(answered.len() as u64),
            pairs: rate(answered.iter().map(|sample| sample.pairs).sum()),
            tokens: rate(answered.iter().map(|sample| sample.tokens).sum()),
        }
    }
}

fn parts(answered: &[&Sample]) -> LatencyParts {
    let samples: Vec<crate::Sample> = answered
        .iter()
        .map(|sample| crate::Sample {
            elapsed: sample.end.saturating_sub(sample.start),
            candidates: sample.candidates,
            pairs: sample.pairs,
            tokens: sample.tokens,
            timings: sample.timings,
        })
        .collect();
    crate::latency(&samples, 1).map(|latency| latency.parts).unwrap_or_default()
}

fn blocks(answered: &[&Sample], seconds: &[f64]) -> Vec<Block> {
    let count = answered.len();
    let parts = BLOCKS.min(count);
    let block = |part: usize| {
        let place = |part: usize| part * count / parts;
        let mut seconds = seconds[place(part)..place(part + 1)].to_vec();
        seconds.sort_unstable_by(f64::total_cmp);
        Block {
            begin: answered[place(part)].intended.as_secs_f64(),
            queries: seconds.len(),
            p50: quantile(&seconds, 0.5),
            p95: quantile(&seconds, 0.95),
        }
    };
    (0..parts).map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(place: u64, milliseconds: u64) -> Sample {
        let at = |milliseconds| Duration::from_millis(milliseconds);
        Sample {
            intended: at(10 * place),
            start: at(10 * place + 3),
            end: at(10 * place + milliseconds),
            late: at(1),
            pairs: 50,
            tokens: 4_000,
            ..Sample::default()
        }
    }

    #[test]
    fn failures_are_counted_and_left_out() {
        let mut samples: Vec<Sample> = (0..100).map(|place| sample(place, 7)).collect();
        samples[5].failure = Some("no luck".to_owned());
        samples[5].end = samples[5].start;
        samples[40].failure = Some("again".to_owned());
        let measured = Measured::of(&samples);
        assert_eq!((measured.asked, measured.failed), (100, 2));
        assert_eq!(measured.first_failure.as_deref(), Some("no luck"));
        assert_eq!(measured.failed_share(), 0.02);
        assert!(measured.latency.iter().all(|p| (p.value - 0.007).abs() < 1e-12));
        let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        close(measured.mean, 0.007);
        close(measured.max, 0.007);
        close(measured.waiting, 0.002);
        close(measured.late, 0.001);
        // From 3 ms to 997 ms.
        close(measured.throughput.seconds, 0.994);
        close(measured.throughput.queries, 98.0 / 0.994);
        close(measured.throughput.pairs, 98.0 * 50.0 / 0.994);
        close(measured.throughput.tokens, 98.0 * 4_000.0 / 0.994);
    }

    #[test]
    fn blocks_hold_every_answer_in_order() {
        let samples: Vec<Sample> = (0..47).map(|place| sample(place, 4 + place)).collect();
        let blocks = Measured::of(&samples).blocks;
        assert_eq!(blocks.len(), 20);
        assert_eq!(blocks.iter().map(|block| block.queries).sum::<usize>(), 47);
        assert!(
            blocks
                .windows(2)
                .all(|pair| pair[0].begin < pair[1].begin && pair[0].p50 < pair[1].p50)
        );
    }

    #[test]
    fn nothing_gives_no_nan() {
        let measured = Measured::of(&[]);
        assert_eq!((measured.asked, measured.latency.len(), measured.blocks.len()), (0, 0, 0));
        assert_eq!((measured.mean, measured.max, measured.failed_share()), (0.0, 0.0, 0.0));
        assert_eq!(measured.throughput, Throughput::default());
    }
}
