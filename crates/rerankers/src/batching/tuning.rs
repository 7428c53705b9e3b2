use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is tried, in tokens, beside what is used until then.
const BUDGETS: [usize; 5] = [1024, 2048, 4096, 8192, 16384];
/// A query with fewer tokens is one batch or two under any budget, and says nothing.
const ENOUGH: usize = 4096;
/// So many queries with enough tokens are scored as always before anything is tried: a short job never
/// pays for what only a long one gains by.
const BEFORE: usize = 16;
/// Queries for each budget, in turns, so that whatever else the machine does meets all of them.
const ROUNDS: usize = 5;
/// How much faster another budget must be than the one in use: less is noise.
const GAIN: f64 = 1.03;

/// Queries of at least [`TUNING_TOKENS`] tokens each after which a size is found, begun with one of those
/// that are tried.
pub const TUNING_QUERIES: usize = BEFORE + ROUNDS * BUDGETS.len();
/// See [`TUNING_QUERIES`].
pub const TUNING_TOKENS: usize = ENOUGH;

/// Finds the size of a batch that a model likes best on this machine, while it works: each of the first
/// queries that are long enough is scored under one of a few budgets and its time noted. Nothing is
/// computed for this alone, and scores are the same under any budget.
pub struct Tuning {
    start: usize,
    state: Mutex<State>,
    keep: Keep,
}

/// Told what was found.
type Keep = Box<dyn Fn(&Tuned) + Send + Sync>;

enum State {
    Known(usize),
    Before(usize),
    Trying { next: usize, trials: Vec<Trial> },
}

/// What a tuning found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// Tokens a batch, padding included.
    pub batch_tokens: usize,
    /// What was measured.
    pub trials: Vec<Trial>,
}

/// One budget's work and time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Tokens a batch, padding included.
    pub batch_tokens: usize,
    /// Queries scored under it.
    pub queries: usize,
    /// Their tokens.
    pub tokens: u64,
    /// Their time.
    pub seconds: f64,
}

/// A query that is scored under some budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub budget: usize,
    counts: bool,
}

impl Trial {
    fn rate(&self) -> f64 {
        self.tokens as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}

impl Tuning {
    /// Begins with a budget; `keep` is told once, when a better one was looked for.
    pub fn new(start: usize, keep: impl Fn(&Tuned) + Send + Sync + 'static) -> Self {
        Self { start, state: Mutex::new(State::Before(0)), keep: Box::new(keep) }
    }

    /// Uses what was found before.
    pub fn known(budget: usize) -> Self {
        Self { start: budget, state: Mutex::new(State::Known(budget)), keep: Box::new(|_| ()) }
    }

    /// The budget for a query of so many tokens.
    pub(crate) fn choose(&self, tokens: usize) -> Attempt {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = tokens >= ENOUGH;
        match &mut *state {
            State::Known(budget) => Attempt { budget: *budget, counts: false },
            State::Before(_) => Attempt { budget: self.start, counts },
            State::Trying { .. } if !counts => Attempt { budget: self.start, counts },
            State::Trying { next, trials } => {
                let budget = trials[*next % trials.len()].batch_tokens;
                *next += 1;
                Attempt { budget, counts }
            }
        }
    }

    /// A query was scored, whole and undisturbed.
    pub(crate) fn done(&self, attempt: Attempt, tokens: usize, time: Duration) {
        if !attempt.counts {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Known(_) => {}
            State::Before(queries) if *queries + 1 < BEFORE => *queries += 1,
            State::Before(_) => {
                let mut budgets = BUDGETS.to_vec();
                if !budgets.contains(&self.start) {
                    budgets.push(self.start);
                }
                let trial =
                    |batch_tokens| Trial { batch_tokens, queries: 0, tokens: 0, seconds: 0.0 };
                let trials = budgets.into_iter().map(trial).collect();
                *state = State::Trying { next: 0, trials };
            }
            State::Trying { trials, .. } => {
                let of = trials.iter_mut().find(|trial| trial.batch_tokens == attempt.budget);
                if let Some(trial) = of {
                    trial.queries += 1;
                    trial.tokens += tokens as u64;
                    trial.seconds += time.as_secs_f64();
                }
                if trials.iter().all(|trial| trial.queries >= ROUNDS) {
                    let batch_tokens = best(trials, self.start);
                    let tuned = Tuned { batch_tokens, trials: std::mem::take(trials) };
                    *state = State::Known(batch_tokens);
                    drop(state);
                    (self.keep)(&tuned);
                }
            }
        }
    }
}

/// The fastest, if it is faster than the one in use by more than noise; of equally fast ones the
/// smallest, which takes the least memory.
fn best(trials: &[Trial], start: usize) -> usize {
    let used = trials.iter().find(|trial| trial.batch_tokens == start);
    let used = used.map_or(0.0, Trial::rate);
    let fastest = trials.iter().map(Trial::rate).fold(0.0, f64::max);
    if fastest < used * GAIN {
        return start;
    }
    let as_fast = trials.iter().filter(|trial| trial.rate() * GAIN >= fastest);
    as_fast.map(|trial| trial.batch_tokens).min().unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Runs queries of 5000 tokens on a machine with this rate under each budget.
    fn tuned(rate: impl Fn(usize) -> f64, queries: usize) -> (Vec<usize>, Option<Tuned>) {
        let found = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&found);
        let tuning = Tuning::new(4096, move |tuned| {
            assert!(kept.lock().unwrap().replace(tuned.clone()).is_none(), "told twice");
        });
        let budgets = (0..queries)
            .map(|_| {
                let attempt = tuning.choose(5000);
                let time = Duration::from_secs_f64(5000.0 / rate(attempt.budget));
                tuning.done(attempt, 5000, time);
                attempt.budget
            })
            .collect();
        let found = found.lock().unwrap().take();
        (budgets, found)
    }

    #[test]
    fn short_jobs_are_scored_as_always() {
        let (budgets, found) = tuned(|_| 1e4, BEFORE);
        assert!(budgets.iter().all(|&budget| budget == 4096) && found.is_none());
    }

    #[test]
    fn the_fastest_is_found_and_used_from_then_on() {
        let all = BEFORE + ROUNDS * BUDGETS.len();
        let (budgets, found) = tuned(|budget| if budget == 1024 { 2e4 } else { 1e4 }, all + 3);
        assert_eq!(budgets[BEFORE..BEFORE + 5], BUDGETS);
        assert_eq!(budgets[all..], [1024; 3]);
        let found = found.unwrap();
        assert_eq!(found.batch_tokens, 1024);
        assert!(found.trials.iter().all(|trial| trial.queries == ROUNDS));
    }

    #[test]
    fn noise_changes_nothing_and_equals_take_less_memory() {
        let all = BEFORE + ROUNDS * BUDGETS.len();
        let (_, found) = tuned(|budget| 1e4 + budget as f64 / 100.0, all);
        assert_eq!(found.unwrap().batch_tokens, 4096);
        let (_, found) = tuned(|budget| if budget > 4096 { 2e4 } else { 1e4 }, all);
        assert_eq!(found.unwrap().batch_tokens, 8192);
    }

    #[test]
    fn queries_with_few_tokens_neither_count_nor_vary() {
        let tuning = Tuning::new(4096, |_| panic!("nothing to tell"));
        for _ in 0..200 {
            let attempt = tuning.choose(ENOUGH - 1);
            assert_eq!(attempt.budget, 4096);
            tuning.done(attempt, ENOUGH - 1, Duration::from_secs(1));
        }
        assert_eq!(Tuning::known(512).choose(1 << 20), Attempt { budget: 512, counts: false });
    }

    #[test]
    fn a_start_of_its_own_is_tried_with_the_others() {
        let found = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&found);
        let tuning = Tuning::new(3000, move |tuned| *kept.lock().unwrap() = Some(tuned.clone()));
        for _ in 0..BEFORE + ROUNDS * (BUDGETS.len() + 1) {
            let attempt = tuning.choose(ENOUGH);
            tuning.done(attempt, ENOUGH, Duration::from_secs(1));
        }
        assert_eq!(found.lock().unwrap().take().unwrap().batch_tokens, 3000);
    }
}
