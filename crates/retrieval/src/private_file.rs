//! Files that only their owner may read: indexes hold words of documents, and vectors give texts away.

use std::fs::OpenOptions;

/// Options that make a file with mode 0600 on Unix; an existing file keeps its mode.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
