//! Scores kept across experiments, so that another depth, first stage or set of measures asks no
//! model again for what it has said already.
//!
//! A folder holds one file a reranker (its quality identity), to which every process appends whole
//! checked lines under a lock; several experiments may share it at a time. A pointwise score is
//! found by the texts of its pair, a listwise result by the texts of the query and its ordered
//! candidates. The files hold hashes and numbers, no texts and no ids. What was cut by a power
//! failure or damaged since is left out and scored again.
//!
//! Cached scores give quality, never latency. Only scores that rest on texts and known weights alone
//! may be kept: those of the provider `baseline`, which may look at first-stage ranks, never are, nor
//! those of a model on a device of ours whose weights were not hashed.

mod shelf;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use secondpass_core::Identity;

use crate::files::remedy;
pub(crate) use shelf::Shelf;

/// How the files of a cache end.
const EXTENSION: &str = "scores";

/// Scores kept across experiments, in a folder that the caller names.
#[derive(Clone, Debug)]
pub struct ScoreCache {
    folder: PathBuf,
}

/// What lies in a cache, or was taken out of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheSize {
    /// Rerankers, one a file.
    pub rerankers: usize,
    /// Bytes in all.
    pub bytes: u64,
}

/// Why a cache could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} '{}': {source}; {}", path.display(), remedy(source))]
pub struct CacheError {
    /// `read`, `write`, `create`, `lock` or `remove`.
    doing: &'static str,
    /// Which file or folder.
    path: PathBuf,
    /// What the system said.
    source: io::Error,
}

impl ScoreCache {
    /// Opens the cache in this folder, which is made where it is missing.
    ///
    /// # Errors
    /// The system refuses.
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        fs::create_dir_all(folder).map_err(failed("create", folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// How much it holds.
    ///
    /// # Errors
    /// The system refuses.
    pub fn size(&self) -> Result<CacheSize, CacheError> {
        self.files(|_| Ok(()))
    }

    /// Takes all scores away, and nothing else that lies in the folder. Says how much it was.
    ///
    /// # Errors
    /// The system refuses.
    pub fn purge(&self) -> Result<CacheSize, CacheError> {
        self.files(|path| fs::remove_file(path).map_err(failed("remove", path)))
    }

    /// The scores of one reranker; `None` for one whose scores may not be kept.
    pub(crate) fn shelf(&self, identity: &Identity) -> Result<Option<Shelf>, CacheError> {
        let is_known = identity.device.is_none() || identity.weights.is_some();
        match identity.provider.as_str() {
            "baseline" => Ok(None),
            _ if !is_known => Ok(None),
            _ => Shelf::open(&self.folder, identity).map(Some),
        }
    }

    fn files(
        &self,
        each: impl Fn(&Path) -> Result<(), CacheError>,
    ) -> Result<CacheSize, CacheError> {
        let reading = || failed("read", &self.folder);
        let mut size = CacheSize::default();
        for entry in fs::read_dir(&self.folder).map_err(reading())? {
            let entry = entry.map_err(reading())?;
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                let bytes = entry.metadata().map_err(failed("read", &path))?.len();
                each(&path)?;
                size.rerankers += 1;
                size.bytes += bytes;
            }
        }
        Ok(size)
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CacheError {
    move |source| CacheError { doing, path: path.to_owned(), source }
}
