//! Time that passes only when everybody sleeps, for tests: a worker runs alone until it sleeps, then
//! the one that is to wake first goes on. The same calls give the same times, always.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::Clock;

thread_local! {
    /// Which worker of the running simulation this thread is.
    static WORKER: Cell<usize> = const { Cell::new(0) };
}

#[derive(Default)]
pub(super) struct VirtualClock {
    state: Mutex<State>,
    turned: Condvar,
}

#[derive(Default)]
struct State {
    now: Duration,
    /// When each worker is to wake; `None` once it has ended.
    wakes: Vec<Option<Duration>>,
    /// Whose turn it is.
    turn: Option<usize>,
}

impl VirtualClock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_turn(&self, mut state: MutexGuard<'_, State>, worker: usize) {
        while state.turn != Some(worker) {
            state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn pass_on(&self, state: &mut State) {
        let waiting =
            state.wakes.iter().zip(0..).filter_map(|(wake, worker)| Some(((*wake)?, worker)));
        let next = waiting.min();
        if let Some((wake, _)) = next {
            state.now = state.now.max(wake);
        }
        state.turn = next.map(|(_, worker)| worker);
        self.turned.notify_all();
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        self.state().now
    }

    fn sleep_until(&self, moment: Duration) {
        let mut state = self.state();
        if state.wakes.is_empty() {
            // Nobody runs beside the caller.
            state.now = state.now.max(moment);
            return;
        }
        let worker = WORKER.get();
        state.wakes[worker] = Some(moment.max(state.now));
        self.pass_on(&mut state);
        self.wait_for_turn(state, worker);
    }

    fn run(&self, workers: usize, work: &(dyn Fn(usize) + Sync)) {
        {
            let mut state = self.state();
            let now = state.now;
            state.wakes = vec![Some(now); workers];
            self.pass_on(&mut state);
        }
        std::thread::scope(|scope| {
            for worker in 0..workers {
                scope.spawn(move || {
                    WORKER.set(worker);
                    self.wait_for_turn(self.state(), worker);
                    let _turn = Turn { clock: self, worker };
                    work(worker);
                });
            }
        });
        self.state().wakes.clear();
    }
}

/// Passes the turn on when its worker ends, by a panic too, so that no test waits forever.
struct Turn<'a> {
    clock: &'a VirtualClock,
    worker: usize,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        state.wakes[self.worker] = None;
        self.clock.pass_on(&mut state);
    }
}

#[test]
fn the_earliest_wakes_first_and_nobody_waits_for_real() {
    let clock = VirtualClock::default();
    let order = Mutex::new(Vec::new());
    clock.run(3, &|worker| {
        let hours = [3, 1, 2][worker];
        clock.sleep_until(Duration::from_secs(3600 * hours));
        order.lock().unwrap().push((worker, clock.now()));
    });
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    assert_eq!(order.into_inner().unwrap(), [(1, hours(1)), (2, hours(2)), (0, hours(3))]);
}
