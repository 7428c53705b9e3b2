use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use secondpass_data::user_folder;

use crate::exit::usage;

/// Where this program keeps what it can make again: `SECONDPASS_CACHE`, else `secondpass` in the
/// user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`).
pub fn cache() -> Result<PathBuf> {
    user_folder("SECONDPASS_CACHE", Path::new("secondpass"))
        .context("no folder to keep caches in: set SECONDPASS_CACHE to one")
        .map_err(usage)
}

/// A part of the cache: `scores`, `vectors`, `indexes`, `batches`, `kernels`.
pub fn part(name: &str) -> Result<PathBuf> {
    Ok(cache()?.join(name))
}
