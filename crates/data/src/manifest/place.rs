use std::path::{Path, PathBuf};

use super::PullError;
use crate::user_folder;

/// The folder that pulled sets lie in: `SECONDPASS_DATASETS`, else `secondpass/datasets` in the
/// user's cache folder ([`user_folder`]).
///
/// # Errors
/// When none of the variables gives a folder.
pub fn datasets_folder() -> Result<PathBuf, PullError> {
    let below = Path::new("secondpass").join("datasets");
    user_folder("SECONDPASS_DATASETS", &below).ok_or(PullError::NoFolder)
}
