//! Dividing work over threads.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

/// A pool of threads that wait for work. Costs memory and a start, so keep one for many calls.
pub struct Threads {
    /// None for one thread: the caller's does the work.
    pool: Option<rayon::ThreadPool>,
    count: NonZeroUsize,
}

/// The operating system gave no more threads.
#[derive(Debug, thiserror::Error)]
#[error("cannot start {count} threads: {source}; ask for fewer")]
pub struct ThreadsError {
    count: NonZeroUsize,
    source: rayon::ThreadPoolBuildError,
}

impl Threads {
    /// A pool of `count` threads.
    ///
    /// # Errors
    ///
    /// The operating system refuses to start them.
    pub fn new(count: NonZeroUsize) -> Result<Self, ThreadsError> {
        let pool = if count.get() == 1 {
            None
        } else {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(count.get())
                .thread_name(|i| format!("kernels-{i}"))
                .build();
            Some(pool.map_err(|source| ThreadsError { count, source })?)
        };
        Ok(Self { pool, count })
    }

    /// Threads in the pool.
    pub fn count(&self) -> usize {
        self.count.get()
    }

    /// Does every task, each thread taking the next when it has finished one, so that a thread that
    /// the machine holds up does fewer. Each thread has one of the `spaces` to itself; there are at
    /// least as many of them as threads.
    pub(crate) fn each<T: Send, S: Send>(
        &self,
        spaces: &mut [S],
        tasks: Vec<T>,
        work: impl Fn(&mut S, T) + Sync,
    ) {
        let Some(pool) = self.pool.as_ref().filter(|_| tasks.len() > 1) else {
            for task in tasks {
                work(&mut spaces[0], task);
            }
            return;
        };
        let workers = tasks.len().min(self.count.get());
        let queue = Mutex::new(tasks.into_iter());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        pool.scope(|scope| {
            for space in &mut spaces[..workers] {
                scope.spawn(|_| {
                    while let Some(task) = next() {
                        work(space, task);
                    }
                });
            }
        });
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("count", &self.count).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once_whatever_the_number_of_threads() {
        for count in 1..=5 {
            let threads = Threads::new(NonZeroUsize::new(count).unwrap()).unwrap();
            for tasks in [0, 1, 2, 100] {
                let mut done = vec![0; tasks];
                let mut spaces = vec![0_usize; count];
                threads.each(&mut spaces, done.iter_mut().collect(), |space, task| {
                    *space += 1;
                    *task += 1;
                });
                assert!(done.iter().all(|times| *times == 1));
                assert_eq!(spaces.iter().sum::<usize>(), tasks);
            }
        }
    }
}
