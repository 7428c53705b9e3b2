//! Asking until answers take as long as they will: the first ones pay for connections, caches, pages
//! and clocks that later ones find ready.

use serde::{Deserialize, Serialize};

use super::drive::{CutShort, Subject, drive};
use super::error::BenchError;
use super::load::{Extent, Load};
use crate::quantile::quantile;

/// When a reranker counts as warm: two successive windows of the same queries have medians that
/// differ by at most `tolerance`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarmUp {
    /// Queries a window: the same in each, so that only the reranker can differ.
    pub window: usize,
    /// Difference of two medians, as a share of the smaller one.
    pub tolerance: f64,
    /// Queries after which it is given up; what follows is measured all the same, and said to be
    /// unsteady.
    pub at_most: usize,
    /// Seconds after which no further window begins, once there are two.
    pub seconds: f64,
}

/// What warming up showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Warmed {
    /// Queries asked.
    pub queries: usize,
    /// Queries without an answer.
    pub failed: usize,
    /// Seconds it took.
    pub seconds: f64,
    /// Seconds of the very first answer.
    pub first: f64,
    /// The median seconds of each window.
    pub medians: Vec<f64>,
    /// Whether the last two medians agree.
    pub steady: bool,
}

impl Default for WarmUp {
    fn default() -> Self {
        Self { window: 20, tolerance: 0.05, at_most: 400, seconds: 60.0 }
    }
}

impl WarmUp {
    /// Whether these settings make sense.
    ///
    /// # Errors
    /// No queries in a window, room for fewer than two windows, no tolerance.
    pub fn check(&self) -> Result<(), BenchError> {
        let setting =
            |setting, value, allowed| Err(BenchError::Setting { setting, value, allowed });
        if self.window == 0 {
            return setting("the warm-up's window", 0.0, "1 query or more");
        }
        if self.at_most / 2 < self.window {
            return setting("the warm-up's limit", self.at_most as f64, "two windows or more");
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            return setting("the warm-up's tolerance", self.tolerance, "above 0");
        }
        if !(self.seconds.is_finite() && self.seconds > 0.0) {
            return setting("the warm-up's time in seconds", self.seconds, "above 0");
        }
        Ok(())
    }
}

/// Asks windows of the first jobs, with so many clients, until two medians agree.
///
/// # Errors
/// As [`drive`]; a window without any answer; stopped, or a reranker that cannot be asked any more.
pub fn warm_up(
    subject: Subject<'_>,
    clients: usize,
    settings: &WarmUp,
) -> Result<Warmed, BenchError> {
    settings.check()?;
    let mut warmed = Warmed {
        queries: 0,
        failed: 0,
        seconds: 0.0,
        first: 0.0,
        medians: Vec::new(),
        steady: false,
    };
    let begin = subject.clock.now();
    let load = Load::Closed { clients: clients.min(settings.window) };
    let elapsed = || subject.clock.now().saturating_sub(begin).as_secs_f64();
    while !warmed.steady && warmed.queries + settings.window <= settings.at_most {
        if warmed.medians.len() >= 2 && elapsed() >= settings.seconds {
            break;
        }
        let driven = drive(subject, &load, &Extent::queries(settings.window), 0)?;
        match driven.cut_short {
            Some(CutShort::Unavailable(why)) => return Err(BenchError::Unavailable(why)),
            Some(_) => return Err(BenchError::Stopped),
            None => {}
        }
        let answered = driven.samples.iter().filter(|sample| sample.failure.is_none());
        let mut seconds: Vec<f64> = answered.map(|sample| sample.latency().as_secs_f64()).collect();
        if seconds.is_empty() {
            let first = driven.samples.into_iter().find_map(|sample| sample.failure);
            let first = first.unwrap_or_default();
            return Err(BenchError::NoAnswer { asked: settings.window, first });
        }
        if warmed.queries == 0 {
            warmed.first = seconds[0];
        }
        warmed.queries += settings.window;
        warmed.failed += settings.window - seconds.len();
        seconds.sort_unstable_by(f64::total_cmp);
        let median = quantile(&seconds, 0.5);
        warmed.steady = warmed.medians.last().is_some_and(|&before| {
            (median - before).abs() <= settings.tolerance * median.min(before)
        });
        warmed.medians.push(median);
    }
    warmed.seconds = elapsed();
    Ok(warmed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secondpass_core::Context;

    use super::*;
    use crate::bench::testing::{Outcome, Simulated, jobs};
    use crate::bench::virtual_clock::VirtualClock;

    fn warmed(
        clock: &VirtualClock,
        milliseconds: impl Fn(usize) -> (u64, Outcome) + Send + Sync,
    ) -> Result<Warmed, BenchError> {
        let reranker = Simulated::new(clock, |place| {
            let (time, outcome) = milliseconds(place);
            (Duration::from_millis(time), outcome)
        });
        let (jobs, context) = (jobs(50, 3), Context::default());
        warm_up(
            Subject { reranker: &reranker, jobs: &jobs, clock, context: &context },
            1,
            &WarmUp { window: 10, at_most: 65, ..WarmUp::default() },
        )
    }

    #[test]
    fn goes_on_until_two_windows_agree() {
        let clock = VirtualClock::default();
        // 500, then a window of 200, one of 120, and 100 from then on.
        let time = |place| match place {
            0 => 500,
            1..10 => 200,
            10..20 => 120,
            _ => 100,
        };
        let warmed = warmed(&clock, |place| (time(place), Outcome::Answer)).unwrap();
        assert!(warmed.steady);
        assert_eq!((warmed.queries, warmed.first), (40, 0.5));
        assert_eq!(warmed.medians, [0.2, 0.12, 0.1, 0.1]);
        assert!((warmed.seconds - 5.5).abs() < 1e-9, "{}", warmed.seconds);
    }

    #[test]
    fn one_that_never_settles_is_said_to_be_unsteady() {
        let clock = VirtualClock::default();
        let warmed = warmed(&clock, |place| (100 + 10 * place as u64, Outcome::Answer)).unwrap();
        assert!(!warmed.steady);
        assert_eq!((warmed.queries, warmed.medians.len()), (60, 6));
    }

    #[test]
    fn a_slow_one_is_given_up_after_its_time() {
        let clock = VirtualClock::default();
        // Windows of 25, 50, 75 seconds: the third begins at 75.
        let warmed = warmed(&clock, |place| (2500 * (1 + place as u64 / 10), Outcome::Answer));
        let warmed = warmed.unwrap();
        assert!(!warmed.steady);
        assert_eq!((warmed.medians.len(), warmed.seconds), (2, 75.0));
    }

    #[test]
    fn failures_are_counted_and_silence_is_an_error() {
        let clock = VirtualClock::default();
        let half = |place: usize| match place % 2 {
            0 => (100, Outcome::Answer),
            _ => (1, Outcome::Failure),
        };
        let warmed = warmed(&clock, half).unwrap();
        assert_eq!((warmed.queries, warmed.failed, warmed.medians[1]), (20, 10, 0.1));
        let error = self::warmed(&clock, |_| (1, Outcome::Failure)).unwrap_err();
        assert!(error.to_string().contains("none of the first 10"), "{error}");
        let error = self::warmed(&clock, |_| (1, Outcome::Unavailable)).unwrap_err();
        assert!(matches!(&error, BenchError::Unavailable(why) if why.contains("no key")));
    }

    #[test]
    fn settings_are_checked() {
        let good = WarmUp::default();
        assert!(good.check().is_ok());
        for bad in [
            WarmUp { window: 0, ..good },
            WarmUp { at_most: 39, ..good },
            WarmUp { tolerance: f64::NAN, ..good },
            WarmUp { seconds: 0.0, ..good },
        ] {
            assert!(matches!(bad.check(), Err(BenchError::Setting { .. })), "{bad:?}");
        }
    }
}
