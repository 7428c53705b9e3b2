//! Files that only their owner may read: records and journals may hold users' texts.

use std::fs::OpenOptions;
use std::io;

/// Options that make a file with mode 0600 on Unix; an existing file keeps its mode.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// What to do about an error of the system.
pub(crate) fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space or choose a folder on another disk"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "choose a folder you may write to"
        }
        io::ErrorKind::NotFound => "check the path, or run the experiment first",
        io::ErrorKind::Unsupported => "choose a folder on a disk that can lock files",
        _ => "check the path or choose another folder",
    }
}
