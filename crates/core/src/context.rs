use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::Budget;

/// What bounds a piece of work from outside.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// When the work must have ended; `None` for as long as it takes.
    pub deadline: Option<Instant>,
    /// Set when the user wants it to stop.
    pub cancel: Cancel,
    /// What it may cost.
    pub budget: Budget,
}

impl Context {
    /// Whether the work should stop before its next step.
    pub fn is_over(&self) -> bool {
        self.cancel.is_set() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// A flag that many threads watch and one sets, once.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks everyone who watches to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether someone asked.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
