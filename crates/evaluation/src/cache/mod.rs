//! Scores of earlier experiments.

use std::path::Path;

/// Scores kept across experiments, in a folder that the caller names.
#[derive(Debug)]
pub struct ScoreCache {}

/// Why a cache could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cache")]
pub struct CacheError {}

impl ScoreCache {
    /// Opens the cache in this folder, which is made where it is missing.
    ///
    /// # Errors
    /// The system refuses.
    pub fn open(_folder: &Path) -> Result<Self, CacheError> {
        Ok(Self {})
    }
}
