use std::sync::{Arc, Mutex, PoisonError};

/// Gives the bytes that this process may still take; `None` where nobody can tell.
pub type AvailableMemory = Arc<dyn Fn() -> Option<u64> + Send + Sync>;

/// Batches that take less are not worth asking the system for.
const WORTH_ASKING: u64 = 64 << 20;

/// Of what is available, so much stays free: estimates err, and others take memory too.
const SPARE: u64 = 10;

/// Keeps account of the memory that batches take.
pub(crate) struct Room {
    available: AvailableMemory,
    accounts: Mutex<Accounts>,
}

#[derive(Default)]
struct Accounts {
    /// What batches that are over have left for the next ones: engines keep their workspaces.
    kept: Vec<u64>,
    /// What batches that are being scored will take beyond that.
    promised: u64,
}

/// Whether there is room for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is; to be given back to [`Room::over`].
    Fits(Place),
    /// There is not, with the bytes that are available.
    Short(u64),
}

/// A batch's place in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    need: u64,
    kept: u64,
}

impl Room {
    pub fn new(available: AvailableMemory) -> Self {
        Self { available, accounts: Mutex::default() }
    }

    /// Asks for room for a batch that takes so many bytes.
    pub fn ask(&self, need: u64) -> Verdict {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = accounts.kept.pop().unwrap_or(0);
        let more = need.saturating_sub(kept);
        if more > WORTH_ASKING
            && let Some(available) = (self.available)()
        {
            let free = available.saturating_sub(accounts.promised);
            if more > free - free / SPARE {
                accounts.kept.push(kept);
                return Verdict::Short(free.saturating_add(kept));
            }
        }
        accounts.promised = accounts.promised.saturating_add(more);
        Verdict::Fits(Place { need, kept })
    }

    /// A batch is over; its engine keeps what it took.
    pub fn over(&self, place: Place) {
        let Place { need, kept } = place;
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.promised = accounts.promised.saturating_sub(need.saturating_sub(kept));
        accounts.kept.push(need.max(kept));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1 << 30;

    fn room(available: Option<u64>) -> Room {
        Room::new(Arc::new(move || available))
    }

    fn place(verdict: Verdict) -> Place {
        match verdict {
            Verdict::Fits(place) => place,
            Verdict::Short(free) => panic!("only {free} bytes"),
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_there_is() {
        let room = room(Some(GB));
        assert_eq!(room.ask(2 * GB), Verdict::Short(GB));
        // A tenth stays free.
        assert_eq!(room.ask(GB - GB / 20), Verdict::Short(GB));
        place(room.ask(GB / 2));
    }

    #[test]
    fn what_an_engine_kept_is_not_needed_again() {
        let room = room(Some(GB));
        let first = place(room.ask(GB * 3 / 4));
        room.over(first);
        // The system has no more of it than before, and none is needed.
        place(room.ask(GB * 3 / 2));
    }

    #[test]
    fn batches_at_the_same_time_share() {
        let room = room(Some(GB));
        let first = place(room.ask(GB * 3 / 4));
        assert_eq!(room.ask(GB / 2), Verdict::Short(GB / 4));
        room.over(first);
        place(room.ask(GB / 2));
    }

    #[test]
    fn small_batches_and_unknown_memory_are_let_through() {
        place(room(Some(0)).ask(WORTH_ASKING));
        place(room(None).ask(u64::MAX));
    }
}
