use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks. What these locks hold is whole after every statement, so a thread that panicked while it
/// held one has left nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
