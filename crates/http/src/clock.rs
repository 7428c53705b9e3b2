use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use crate::sync::lock;

/// Time, as everything that waits here sees it; tests put their own in.
pub trait Clock: Send + Sync {
    /// A moment that only moves forward: for durations and deadlines.
    fn now(&self) -> Instant;

    /// The date: for HTTP dates and signatures.
    fn date(&self) -> SystemTime;

    /// Returns after this long.
    fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A clock that moves only when told: sleeping on it moves it and returns at once.
#[derive(Debug)]
pub struct ManualClock {
    started: Instant,
    date: SystemTime,
    passed: Mutex<Duration>,
}

impl ManualClock {
    /// A clock that stands at `date`.
    pub fn new(date: SystemTime) -> Self {
        Self { started: Instant::now(), date, passed: Mutex::default() }
    }

    /// Moves it forward.
    pub fn advance(&self, duration: Duration) {
        *lock(&self.passed) += duration;
    }

    /// How far it has moved since it was made.
    pub fn passed(&self) -> Duration {
        *lock(&self.passed)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.started + self.passed()
    }

    fn date(&self) -> SystemTime {
        self.date + self.passed()
    }

    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_moves_a_manual_clock_and_nothing_else_does() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.sleep(Duration::from_secs(90));
        assert_eq!(clock.now() - before, Duration::from_secs(90));
        assert_eq!(clock.date(), SystemTime::UNIX_EPOCH + Duration::from_secs(90));
    }
}
