use std::time::Duration;

use crate::quantile::quantile;
use crate::record::{Latency, LatencyParts};

/// One timed query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// From the call to its answer.
    pub elapsed: Duration,
    /// Candidates it was given.
    pub candidates: usize,
    /// Pairs scored.
    pub pairs: u64,
    /// Tokens computed.
    pub tokens: u64,
}

/// What the samples say together; `None` without any. Percentiles are [`quantile`]'s (type 7);
/// rates are over the sum of all times.
pub fn latency(samples: &[Sample]) -> Option<Latency> {
    if samples.is_empty() {
        return None;
    }
    let mut seconds: Vec<f64> = samples.iter().map(|sample| sample.elapsed.as_secs_f64()).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    let total: f64 = seconds.iter().sum();
    // Below the clock's resolution there is no rate to tell.
    let rate = |count: u64| if total > 0.0 { count as f64 / total } else { 0.0 };
    let count = samples.len() as f64;
    Some(Latency {
        samples: samples.len(),
        candidates: samples.iter().map(|sample| sample.candidates).sum::<usize>() as f64 / count,
        p50: quantile(&seconds, 0.50),
        p95: quantile(&seconds, 0.95),
        mean: total / count,
        pairs_per_second: rate(samples.iter().map(|sample| sample.pairs).sum()),
        tokens_per_second: rate(samples.iter().map(|sample| sample.tokens).sum()),
        concurrency: 1,
        parts: LatencyParts::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(milliseconds: u64) -> Sample {
        let elapsed = Duration::from_millis(milliseconds);
        Sample { elapsed, candidates: 50, pairs: 40, tokens: 4_000 }
    }

    #[test]
    fn percentiles_and_rates() {
        let samples: Vec<Sample> = [400, 100, 300, 200].map(sample).to_vec();
        let latency = latency(&samples).unwrap();
        assert_eq!((latency.samples, latency.candidates), (4, 50.0));
        let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        close(latency.p50, 0.25);
        close(latency.p95, 0.385);
        close(latency.mean, 0.25);
        close(latency.pairs_per_second, 160.0);
        close(latency.tokens_per_second, 16_000.0);
    }

    #[test]
    fn no_samples_and_no_time_give_no_nan() {
        assert_eq!(latency(&[]), None);
        assert_eq!(latency(&[sample(0)]).unwrap().pairs_per_second, 0.0);
    }
}
