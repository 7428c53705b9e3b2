use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use super::{JournalError, failed};
use crate::files::private;

/// The file whose lock says that a process writes this journal; the lock goes with the process.
pub(super) const FILE: &str = "lock";

/// Takes the lock of a journal's folder, or says that another process of the output folder has it.
pub(super) fn acquire(journal: &Path, folder: &Path) -> Result<File, JournalError> {
    let path = journal.join(FILE);
    loop {
        let open = private().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(failed("create", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::Busy { folder: folder.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
        }
        // A process that ends removes the file; a lock on what it removed keeps nobody out.
        if is_at(&file, &path).map_err(failed("read", &path))? {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}
