use std::time::Duration;

use secondpass_core::Timings;

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
    /// Where the time went.
    pub timings: Timings,
}

/// What the samples say together; `None` without any. Percentiles are [`quantile`]'s (type 7);
/// rates are over the sum of all times. `concurrency` queries were in flight at a time.
pub fn latency(samples: &[Sample], concurrency: usize) -> Option<Latency> {
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
        concurrency,
        parts: parts(samples),
    })
}

/// Means over all samples, so that they add up; a server that was silent on some counts as 0 there.
fn parts(samples: &[Sample]) -> LatencyParts {
    // Whole nanoseconds add up to the same in any order.
    let mean = |part: &dyn Fn(&Timings) -> Duration| {
        let total: Duration = samples.iter().map(|sample| part(&sample.timings)).sum();
        total.as_secs_f64() / samples.len().max(1) as f64
    };
    let told = samples.iter().any(|sample| sample.timings.server.is_some());
    LatencyParts {
        queue: mean(&|timings| timings.queue),
        tokenize: mean(&|timings| timings.tokenize),
        compute: mean(&|timings| timings.compute),
        network: mean(&|timings| timings.network),
        server: told.then(|| mean(&|timings| timings.server.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(milliseconds: u64) -> Sample {
        let elapsed = Duration::from_millis(milliseconds);
        let timings = Timings { network: elapsed / 2, ..Timings::default() };
        Sample { elapsed, candidates: 50, pairs: 40, tokens: 4_000, timings }
    }

    #[test]
    fn percentiles_and_rates() {
        let samples: Vec<Sample> = [400, 100, 300, 200].map(sample).to_vec();
        let latency = latency(&samples, 3).unwrap();
        assert_eq!((latency.samples, latency.candidates), (4, 50.0));
        assert_eq!(latency.concurrency, 3);
        let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        close(latency.p50, 0.25);
        close(latency.p95, 0.385);
        close(latency.mean, 0.25);
        close(latency.pairs_per_second, 160.0);
        close(latency.tokens_per_second, 16_000.0);
    }

    #[test]
    fn parts_are_means_that_add_up() {
        let mut samples: Vec<Sample> = [100, 300].map(sample).to_vec();
        let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        let silent = latency(&samples, 1).unwrap().parts;
        close(silent.network, 0.1);
        assert_eq!((silent.server, silent.queue, silent.compute), (None, 0.0, 0.0));
        samples[1].timings.server = Some(Duration::from_millis(50));
        close(latency(&samples, 1).unwrap().parts.server.unwrap(), 0.025);
    }

    #[test]
    fn no_samples_and_no_time_give_no_nan() {
        assert_eq!(latency(&[], 1), None);
        assert_eq!(latency(&[sample(0)], 1).unwrap().pairs_per_second, 0.0);
    }
}
