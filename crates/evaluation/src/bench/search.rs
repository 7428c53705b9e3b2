//! The highest rate of arrivals that keeps a stated percentile: bracketed by doubling and halving,
//! then bisected, each probe an open loop of its own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::drive::{CutShort, Subject, drive};
use super::error::BenchError;
use super::load::{Arrivals, Extent, Load};
use super::percentile::{Percentile, percentile, samples_needed};
use super::sample::Sample;

/// A probe is broken off when a query waits for its turn so many times the limit.
const PATIENCE: f64 = 20.0;

/// What must hold, and how hard it is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// Which percentile of the latency: 0.95 for p95.
    pub share: f64,
    /// Seconds it may be.
    pub limit: f64,
    /// Failed queries that are tolerated, as a share of those asked.
    pub failures: f64,
    /// The rate of the first probe, in queries a second.
    pub start: f64,
    /// Queries in work at a time.
    pub workers: usize,
    /// Stops when the lowest rate that broke the limit is above the highest that kept it by no more
    /// than this share.
    pub precision: f64,
    /// Queries a probe.
    pub queries: usize,
    /// A probe that cannot tell is asked again, with other arrivals, at most so many times.
    pub repeats: usize,
    /// Probes at most, repeats not counted.
    pub probes: usize,
    /// Draws the arrivals, which are Poisson's.
    pub seed: u64,
}

/// What the search found. Rates are in queries a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// What was searched for.
    pub search: Search,
    /// The highest rate that kept the limit; `None` where none did.
    pub kept: Option<f64>,
    /// The lowest rate that broke it; `None` where none did.
    pub broken: Option<f64>,
    /// How it ended.
    pub end: SearchEnd,
    /// Every probe, in the order they were made.
    pub probes: Vec<Probe>,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchEnd {
    /// Within the stated precision.
    Found,
    /// Out of probes before that: the rates are as far apart as they are.
    OutOfProbes,
    /// Stopped by the user or by the deadline.
    Stopped,
    /// The reranker will answer no later query.
    Unavailable,
}

/// One rate that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Queries a second.
    pub rate: f64,
    /// Queries asked, over all repeats.
    pub asked: usize,
    /// Of these, queries without an answer.
    pub failed: usize,
    /// Times the rate was put on.
    pub runs: usize,
    /// The percentile in seconds; `None` without any answer.
    pub found: Option<Percentile>,
    /// Whether queries came to wait so long that the probe was broken off.
    pub overloaded: bool,
    /// Whether the limit was kept.
    pub kept: bool,
    /// Whether that is beyond chance: overloaded, too many failures, or the percentile's bound on
    /// this side of the limit as well. Otherwise the percentile itself decided.
    pub sure: bool,
}

/// The samples of one probe.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeSamples {
    /// Which probe, from 1.
    pub probe: usize,
    /// Its samples, run after run.
    pub samples: Vec<Sample>,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            share: 0.95,
            limit: 0.5,
            failures: 0.001,
            start: 1.0,
            workers: 64,
            precision: 0.05,
            queries: 500,
            repeats: 3,
            probes: 20,
            seed: 20_261_122,
        }
    }
}

impl Search {
    /// Whether these settings make sense.
    ///
    /// # Errors
    /// One is outside its range; too few queries for a bound on the percentile.
    pub fn check(&self) -> Result<(), BenchError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let checks = [
            (
                "the percentile's share",
                self.share,
                positive(self.share) && self.share < 1.0,
                "between 0 and 1",
            ),
            ("the limit in seconds", self.limit, positive(self.limit), "above 0"),
            (
                "the tolerated share of failures",
                self.failures,
                (0.0..1.0).contains(&self.failures),
                "at least 0 and below 1",
            ),
            ("the search's precision", self.precision, positive(self.precision), "above 0"),
            ("the number of probes", self.probes as f64, self.probes > 0, "1 or more"),
        ];
        for (setting, value, good, allowed) in checks {
            if !good {
                return Err(BenchError::Setting { setting, value, allowed });
            }
        }
        if self.queries < samples_needed(self.share) {
            return Err(BenchError::Setting {
                setting: "the number of queries a probe",
                value: self.queries as f64,
                allowed: "enough to bound the percentile: 59 for p95, 299 for p99",
            });
        }
        self.load(self.start, 0).check()
    }

    fn load(&self, rate: f64, run: u64) -> Load {
        let arrivals = Arrivals::Poisson { seed: self.seed.wrapping_add(run) };
        Load::Open { rate, arrivals, workers: self.workers }
    }
}

/// Searches on a warm reranker; `probed` sees each probe when it is made, with its samples. A probe
/// that was stopped says nothing of its rate and is left out.
///
/// # Errors
/// Settings that make no sense; no jobs.
pub fn highest_rate(
    subject: Subject<'_>,
    search: &Search,
    probed: &mut dyn FnMut(&Probe, ProbeSamples),
) -> Result<Capacity, BenchError> {
    search.check()?;
    let mut capacity = Capacity {
        search: *search,
        kept: None,
        broken: None,
        end: SearchEnd::OutOfProbes,
        probes: Vec::new(),
    };
    for number in 1..=search.probes {
        let rate = match (capacity.kept, capacity.broken) {
            (None, None) => search.start,
            (Some(kept), None) => kept * 2.0,
            (None, Some(broken)) => broken / 2.0,
            (Some(kept), Some(broken)) => (kept * broken).sqrt(),
        };
        let (probe, samples, cut_short) = probe(subject, search, rate)?;
        if let Some(why) = cut_short {
            capacity.end = match why {
                CutShort::Unavailable(_) => SearchEnd::Unavailable,
                _ => SearchEnd::Stopped,
            };
            break;
        }
        probed(&probe, ProbeSamples { probe: number, samples });
        match probe.kept {
            true => capacity.kept = Some(rate),
            false => capacity.broken = Some(rate),
        }
        capacity.probes.push(probe);
        if let (Some(kept), Some(broken)) = (capacity.kept, capacity.broken)
            && broken <= kept * (1.0 + search.precision)
        {
            capacity.end = SearchEnd::Found;
            break;
        }
    }
    Ok(capacity)
}

fn probe(
    subject: Subject<'_>,
    search: &Search,
    rate: f64,
) -> Result<(Probe, Vec<Sample>, Option<CutShort>), BenchError> {
    let extent = Extent {
        // Far beyond what chance does at a rate that keeps the limit: the queue is growing.
        patience: Duration::try_from_secs_f64(search.limit * PATIENCE).ok(),
        ..Extent::queries(search.queries)
    };
    let mut probe = Probe {
        rate,
        asked: 0,
        failed: 0,
        runs: 0,
        found: None,
        overloaded: false,
        kept: false,
        sure: false,
    };
    let mut samples: Vec<Sample> = Vec::new();
    while !probe.sure && probe.runs <= search.repeats {
        let load = search.load(rate, probe.runs as u64);
        let driven = drive(subject, &load, &extent, samples.len())?;
        samples.extend(driven.samples);
        probe.runs += 1;
        match driven.cut_short {
            Some(CutShort::Overloaded) => probe.overloaded = true,
            Some(why) => return Ok((probe, samples, Some(why))),
            None => {}
        }
        judge(&mut probe, &samples, search);
    }
    Ok((probe, samples, None))
}

fn judge(probe: &mut Probe, samples: &[Sample], search: &Search) {
    let answered = samples.iter().filter(|sample| sample.failure.is_none());
    let seconds: Vec<f64> = answered.map(|sample| sample.latency().as_secs_f64()).collect();
    probe.asked = samples.len();
    probe.failed = samples.len() - seconds.len();
    probe.found = percentile(&seconds, search.share);
    let Some(found) = probe.found else {
        (probe.kept, probe.sure) = (false, true);
        return;
    };
    if probe.overloaded || probe.failed as f64 > search.failures * probe.asked as f64 {
        (probe.kept, probe.sure) = (false, true);
        return;
    }
    probe.kept = found.value <= search.limit;
    probe.sure = match probe.kept {
        true => found.high.is_some_and(|high| high <= search.limit),
        false => found.low.is_some_and(|low| low > search.limit),
    };
}

#[cfg(test)]
mod tests {
    use secondpass_core::Context;

    use super::*;
    use crate::bench::testing::{Outcome, Simulated, jobs};
    use crate::bench::virtual_clock::VirtualClock;

    const SERVICE: Duration = Duration::from_millis(20);

    fn searched(clock: &VirtualClock, reranker: &Simulated<'_>, search: &Search) -> Capacity {
        let (jobs, context) = (jobs(5, 2), Context::default());
        let mut seen = 0;
        let subject = Subject { reranker, jobs: &jobs, clock, context: &context };
        let capacity = highest_rate(subject, search, &mut |probe, samples| {
            seen += 1;
            assert_eq!((samples.probe, samples.samples.len()), (seen, probe.asked));
        })
        .unwrap();
        assert_eq!(seen, capacity.probes.len());
        capacity
    }

    fn search() -> Search {
        Search { workers: 1, precision: 0.02, queries: 20_000, ..Search::default() }
    }

    #[test]
    fn finds_the_limit_of_mm1() {
        // The latency of M/M/1 is exponential: p95 is ln(20) / (rate of service - rate of arrivals).
        for (limit, start) in [(0.2, 1.0), (0.1, 300.0)] {
            let expected = 50.0 - 20f64.ln() / limit;
            let clock = VirtualClock::default();
            let reranker = Simulated::exponential(&clock, SERVICE, 9);
            let search = Search { limit, start, ..search() };
            let capacity = searched(&clock, &reranker, &search);
            let (kept, broken) = (capacity.kept.unwrap(), capacity.broken.unwrap());
            assert_eq!(capacity.end, SearchEnd::Found);
            assert!(kept < broken && broken <= 1.02 * kept, "{kept} {broken}");
            let near = 0.05 * expected;
            assert!(
                kept - near < expected && expected < broken + near,
                "{kept} {broken} {expected}"
            );
        }
    }

    #[test]
    fn finds_the_limit_of_md1() {
        // At a load of 0.7 the golden's p95 is 5.1029 service times.
        let golden = crate::bench::testing::golden();
        let (load, shares) = &golden.md1[2];
        let clock = VirtualClock::default();
        let reranker = Simulated::constant(&clock, SERVICE);
        let limit = shares[2] * SERVICE.as_secs_f64();
        let capacity = searched(&clock, &reranker, &Search { limit, start: 7.0, ..search() });
        let expected = load / SERVICE.as_secs_f64();
        let (kept, broken) = (capacity.kept.unwrap(), capacity.broken.unwrap());
        assert!(0.97 * expected < broken && kept < 1.03 * expected, "{kept} {broken} {expected}");
    }

    #[test]
    fn says_when_there_is_nothing_to_find() {
        let clock = VirtualClock::default();
        let reranker = Simulated::constant(&clock, SERVICE);
        let never = Search { limit: 0.01, probes: 4, queries: 100, ..search() };
        let capacity = searched(&clock, &reranker, &never);
        assert_eq!((capacity.end, capacity.kept), (SearchEnd::OutOfProbes, None));
        assert_eq!(capacity.broken, Some(0.125));
        assert!(capacity.probes.iter().all(|probe| probe.sure && probe.runs == 1));
        let always = Search { limit: 1.0, probes: 3, queries: 100, ..search() };
        let capacity = searched(&clock, &reranker, &always);
        assert_eq!((capacity.kept, capacity.broken), (Some(4.0), None));
    }

    #[test]
    fn failures_break_a_rate() {
        let clock = VirtualClock::default();
        // More than 20 a second are refused.
        let before = std::sync::Mutex::new(Duration::ZERO);
        let reranker = Simulated::new(&clock, |_| {
            use crate::bench::clock::Clock;
            let mut before = before.lock().unwrap();
            let refused = clock.now() < *before + Duration::from_millis(1);
            *before = clock.now();
            (Duration::ZERO, if refused { Outcome::Failure } else { Outcome::Answer })
        });
        // 1 - exp(-rate / 1000) come within a millisecond: 1% at 10 a second.
        let search = Search { failures: 0.01, start: 3.0, precision: 0.1, ..search() };
        let capacity = searched(&clock, &reranker, &search);
        let (kept, broken) = (capacity.kept.unwrap(), capacity.broken.unwrap());
        assert!(kept < 11.0 && 9.0 < broken, "{kept} {broken}");
        let failing = capacity.probes.iter().find(|probe| !probe.kept).unwrap();
        assert!(failing.failed > 0 && failing.found.unwrap().value <= search.limit);
    }

    #[test]
    fn what_chance_could_decide_is_asked_again() {
        let clock = VirtualClock::default();
        let reranker = Simulated::exponential(&clock, SERVICE, 9);
        let near = 50.0 - 20f64.ln() / 0.2;
        let search = Search { limit: 0.2, start: near, probes: 1, queries: 200, ..search() };
        let capacity = searched(&clock, &reranker, &search);
        let probe = &capacity.probes[0];
        assert_eq!((probe.runs, probe.asked, probe.sure), (4, 800, false));
    }

    #[test]
    fn settings_are_checked() {
        assert!(Search::default().check().is_ok());
        let bad = [
            Search { share: 1.0, ..search() },
            Search { limit: 0.0, ..search() },
            Search { failures: 1.0, ..search() },
            Search { precision: f64::NAN, ..search() },
            Search { probes: 0, ..search() },
            Search { queries: 58, ..search() },
            Search { start: 0.0, ..search() },
            Search { workers: 0, ..search() },
        ];
        for bad in bad {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_lost_reranker_ends_the_search() {
        let clock = VirtualClock::default();
        let reranker = Simulated::new(&clock, |place| {
            (SERVICE, if place < 150 { Outcome::Answer } else { Outcome::Unavailable })
        });
        let search = Search { limit: 1.0, queries: 100, ..search() };
        let capacity = searched(&clock, &reranker, &search);
        assert_eq!((capacity.end, capacity.probes.len()), (SearchEnd::Unavailable, 1));
    }
}
