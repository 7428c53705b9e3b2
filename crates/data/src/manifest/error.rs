use std::fmt;
use std::path::{Path, PathBuf};

use crate::DataError;
use crate::hub::HubError;

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The operating system could not read it.
    #[error("{file}: {source}")]
    Io {
        /// The file or folder.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No TOML.
    #[error("{file} line {line}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What the parser said.
        message: String,
    },
    /// TOML, but a key is at fault.
    #[error("{file}: key '{key}' {defect}")]
    Key {
        /// The file.
        file: String,
        /// The key with those above it (`qrels.test.file`).
        key: String,
        /// What is wrong with it.
        defect: KeyDefect,
    },
    /// The file is named otherwise than the set in it.
    #[error("{file}: it describes the set '{name}'; rename it to {name}.toml, or change 'name'")]
    FileName {
        /// The file.
        file: String,
        /// The name in it.
        name: String,
    },
    /// Two manifests have one name.
    #[error("{file}: there is already a set '{name}' ({first}); give yours another name")]
    Duplicate {
        /// The file that came second.
        file: String,
        /// The name.
        name: String,
        /// Where the first came from.
        first: String,
    },
    /// No manifest has this name.
    #[error(
        "there is no set '{name}'; there are: {}; write a manifest for one of your own \
         (datasets/README.md says how)", .available.join(", ")
    )]
    NoSuch {
        /// The name that was asked for.
        name: String,
        /// Those there are.
        available: Vec<String>,
    },
}

/// What is wrong with a key of a manifest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyDefect {
    /// It must be there and is not.
    #[error("is missing; add it: {expected}")]
    Missing {
        /// What it should hold.
        expected: &'static str,
    },
    /// It holds another type.
    #[error("is {found}, expected {expected}")]
    Type {
        /// What it should hold.
        expected: &'static str,
        /// The type that stands there.
        found: &'static str,
    },
    /// Its value cannot be used.
    #[error("is '{value}', expected {expected}")]
    Value {
        /// What stands there, shortened.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// No such key is known.
    #[error("is not known here; allowed are: {}", .allowed.join(", "))]
    Unknown {
        /// The keys that may stand there.
        allowed: &'static [&'static str],
    },
}

/// Why a set could not be pulled or found.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The manifest is at fault.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The set has no such split.
    #[error("set '{name}' has no split '{split}'; it has: {}", .available.join(", "))]
    NoSplit {
        /// The set.
        name: String,
        /// The split that was asked for.
        split: String,
        /// Those it has.
        available: Vec<String>,
    },
    /// The hub, or its cache.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A file is not the one it should be. Whatever was there before is untouched.
    #[error(transparent)]
    Mismatch(Box<Mismatch>),
    /// The lockfile cannot be used.
    #[error(
        "{}: {message}; restore the lockfile, or move it and {} away and pull again",
        .lock.display(), .folder.display()
    )]
    BadLock {
        /// The lockfile.
        lock: PathBuf,
        /// What is wrong with it.
        message: String,
        /// The set's folder.
        folder: PathBuf,
    },
    /// The set was not pulled yet.
    #[error(
        "set '{name}' is not in {}: {missing} is not there; get it with `secondpass dataset pull \
         {name}{}`", .folder.display(),
        .split.as_ref().map(|split| format!(" --split {split}")).unwrap_or_default()
    )]
    NotPulled {
        /// The set.
        name: String,
        /// The split that was asked for.
        split: Option<String>,
        /// The folder it would be in.
        folder: PathBuf,
        /// The first file that is not there.
        missing: String,
    },
    /// A file or folder of the set cannot be read or written.
    #[error(
        "{}: {source}; free space, or set SECONDPASS_DATASETS to a folder that can be written",
        .path.display()
    )]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be read back.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Nothing says where sets should lie.
    #[error(
        "no folder for public sets is known; set SECONDPASS_DATASETS, XDG_CACHE_HOME or HOME to an \
         absolute path"
    )]
    NoFolder,
}

/// A file of a set that is not the one it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file} of set '{name}' has SHA-256 {found} ({found_bytes} bytes) instead of {expected}{}: \
     {against}", .expected_bytes.map(|bytes| format!(" ({bytes} bytes)")).unwrap_or_default()
)]
pub struct Mismatch {
    /// The set.
    pub name: String,
    /// The file's path in the set's folder.
    pub file: String,
    /// The hash it should have.
    pub expected: String,
    /// The size it should have, where that is known.
    pub expected_bytes: Option<u64>,
    /// The hash it has.
    pub found: String,
    /// The size it has.
    pub found_bytes: u64,
    /// What it was compared with, and what to do.
    pub against: Against,
}

/// What a file was compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// The hub's file with the lockfile.
    Lock {
        /// The lockfile.
        lock: PathBuf,
        /// The set's folder.
        folder: PathBuf,
        /// The hub's file in the cache.
        cached: PathBuf,
    },
    /// The hub's file with the hash in the manifest.
    Manifest {
        /// The hub's file in the cache.
        cached: PathBuf,
    },
    /// The file in the set's folder with the lockfile.
    Changed {
        /// The file.
        path: PathBuf,
        /// The lockfile.
        lock: PathBuf,
    },
    /// A file in the set's folder that no pull put there with the hub's.
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = Path::display;
        match self {
            Self::Lock { lock, folder, cached } => write!(
                f,
                "the hub's file is not the one that {} was written for, and nothing was changed; if \
                 it is meant to be new, move {} and the lockfile away and pull again (figures from \
                 before do not compare with new ones); if not, delete {} and pull again",
                show(lock),
                show(folder),
                show(cached)
            ),
            Self::Manifest { cached } => write!(
                f,
                "the hub's file is not the one that the manifest names, and nothing was changed; \
                 delete {} and pull again, and if it stays so, do not use the set",
                show(cached)
            ),
            Self::Changed { path, lock } => write!(
                f,
                "it was changed after it was pulled ({} has its hash); delete {} and pull again to \
                 have it as it was, or copy the folder elsewhere and use it as a set of your own",
                show(lock),
                show(path)
            ),
            Self::Foreign { path } => write!(
                f,
                "no pull put this file there, and it is not the hub's; move {} away and pull again",
                show(path)
            ),
        }
    }
}
