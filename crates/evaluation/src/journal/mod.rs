//! An experiment's finished queries, kept on disk until its record is written.

use std::path::Path;

/// The journal of one output folder.
#[derive(Debug)]
pub struct Journal {}

/// Why a journal could not be opened or written.
#[derive(Debug, thiserror::Error)]
#[error("journal")]
pub struct JournalError {}

impl Journal {
    /// Opens the journal of the experiment `name` in its output folder, which is made where it is
    /// missing, and reads what earlier starts of the same experiment finished. `fresh` leaves all of
    /// that out and begins anew.
    ///
    /// # Errors
    /// Another process writes there, the journal is another experiment's, or the system refuses.
    pub fn open(_folder: &Path, _name: &str, _fresh: bool) -> Result<Self, JournalError> {
        Ok(Self {})
    }

    /// Takes the journal away: to be called when the record has been written.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remove(self) -> Result<(), JournalError> {
        Ok(())
    }
}
