use std::time::{Duration, Instant};

/// When to stop calling a provider that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failed attempts in a row after which nothing more goes out.
    pub failures: u32,
    /// How long nothing goes out, before one attempt may try again.
    pub pause: Duration,
}

impl Default for BreakerSettings {
    /// Open after 10 failures in a row, for 30 s.
    fn default() -> Self {
        Self { failures: 10, pause: Duration::from_secs(30) }
    }
}

/// A circuit breaker (M. Nygard, "Release It!", 2007): closed while a provider answers; open, so that
/// calls fail at once, after too many failures in a row; after a pause one attempt goes through, and
/// its outcome closes or opens it again.
#[derive(Clone, Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
    },
    /// One attempt is under way.
    Trying,
}

impl Breaker {
    /// A closed one. Zero failures count as one.
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, state: State::Closed { failures: 0 } }
    }

    /// Whether an attempt may go out. Each that may is to be followed by [`Breaker::succeeded`],
    /// [`Breaker::failed`] or [`Breaker::abandoned`].
    ///
    /// # Errors
    /// How long it stays open; zero while another attempt tries.
    pub fn allow(&mut self, now: Instant) -> Result<(), Duration> {
        match self.state {
            State::Closed { .. } => Ok(()),
            State::Open { until } if now >= until => {
                self.state = State::Trying;
                Ok(())
            }
            State::Open { until } => Err(until - now),
            State::Trying => Err(Duration::ZERO),
        }
    }

    /// The provider is alive: it answered, be it with a refusal.
    pub fn succeeded(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    /// It gave no answer, or one of a broken server.
    pub fn failed(&mut self, now: Instant) {
        let failures = match self.state {
            State::Closed { failures } => failures.saturating_add(1),
            State::Trying => self.settings.failures,
            // An attempt that had gone out before it opened.
            State::Open { .. } => return,
        };
        self.state = match failures >= self.settings.failures {
            true => State::Open { until: now + self.settings.pause },
            false => State::Closed { failures },
        };
    }

    /// The attempt ended for a reason of our own and tells nothing.
    pub fn abandoned(&mut self, now: Instant) {
        if self.state == State::Trying {
            self.state = State::Open { until: now };
        }
    }

    /// Whether calls fail without being sent.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    fn breaker(failures: u32) -> (Breaker, Instant) {
        (Breaker::new(BreakerSettings { failures, pause: PAUSE }), Instant::now())
    }

    #[test]
    fn opens_after_failures_in_a_row() {
        let (mut breaker, now) = breaker(3);
        breaker.failed(now);
        breaker.failed(now);
        breaker.succeeded();
        breaker.failed(now);
        breaker.failed(now);
        assert_eq!(breaker.allow(now), Ok(()));
        breaker.failed(now);
        assert_eq!(breaker.allow(now + PAUSE / 3), Err(PAUSE / 3 * 2));
    }

    #[test]
    fn one_attempt_tries_and_decides() {
        let (mut breaker, now) = breaker(1);
        breaker.failed(now);
        let later = now + PAUSE;
        assert_eq!(breaker.allow(later), Ok(()));
        assert_eq!(breaker.allow(later), Err(Duration::ZERO));
        breaker.failed(later);
        assert_eq!(breaker.allow(later), Err(PAUSE));
        assert_eq!(breaker.allow(later + PAUSE), Ok(()));
        breaker.succeeded();
        assert!(!breaker.is_open());
    }

    #[test]
    fn an_abandoned_try_leaves_it_to_the_next() {
        let (mut breaker, now) = breaker(1);
        breaker.failed(now);
        assert_eq!(breaker.allow(now + PAUSE), Ok(()));
        breaker.abandoned(now + PAUSE);
        assert!(breaker.is_open());
        assert_eq!(breaker.allow(now + PAUSE), Ok(()));
    }

    #[test]
    fn stragglers_do_not_prolong_it() {
        let (mut breaker, now) = breaker(1);
        breaker.failed(now);
        breaker.failed(now + PAUSE / 2);
        assert_eq!(breaker.allow(now + PAUSE), Ok(()));
    }
}
