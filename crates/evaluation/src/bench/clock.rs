use std::time::{Duration, Instant};

/// Where a measurement takes its time from, and how it waits. Tests put a simulated one in, so that
/// they wait for nothing and always find the same.
pub trait Clock: Sync {
    /// The time since some fixed moment; never goes back.
    fn now(&self) -> Duration;

    /// Returns when `moment` has come, or soon after it. Returns at once where it has passed.
    fn sleep_until(&self, moment: Duration);

    /// Calls `work` once for each number below `workers`, each call on a thread of its own, and
    /// returns when all have ended.
    fn run(&self, workers: usize, work: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            for worker in 0..workers {
                scope.spawn(move || work(worker));
            }
        });
    }
}

/// The machine's own monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock that starts at zero.
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep_until(&self, moment: Duration) {
        // A sleep may end early where a signal comes, hence the loop.
        while let Some(left) = moment.checked_sub(self.now()).filter(|left| !left.is_zero()) {
            std::thread::sleep(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_at_least_as_long_as_asked() {
        let clock = SystemClock::new();
        let moment = clock.now() + Duration::from_millis(3);
        clock.sleep_until(moment);
        assert!(clock.now() >= moment);
        clock.sleep_until(Duration::ZERO);
    }

    #[test]
    fn every_worker_runs_once() {
        let seen = std::sync::Mutex::new(Vec::new());
        SystemClock::new().run(5, &|worker| seen.lock().unwrap().push(worker));
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    }
}
