//! Models: from a folder in the Hugging Face layout, or from the hub by id, through its cache. Files
//! of data sets from the hub, through the same cache.

mod cached;
mod dataset;
mod download;
mod error;
mod files;
mod folder;
mod remote;
mod settings;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

pub use cached::{Cached, CachedModel, cached};
pub use dataset::{DatasetFiles, dataset_files};
pub use error::HubError;
pub use files::{NamedFiles, named_files};
pub(crate) use remote::is_revision;
pub use settings::{HubSettings, Token};

/// A model's files, all of them on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFiles {
    /// The folder that holds them.
    pub folder: PathBuf,
    /// `config.json`.
    pub config: PathBuf,
    /// `tokenizer.json`.
    pub tokenizer: PathBuf,
    /// `model.safetensors`, or the shards that its index names, by name.
    pub weights: Vec<PathBuf>,
    /// The commit on the hub; `None` for a folder that the user named.
    pub revision: Option<String>,
}

/// What a repository of the hub holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepositoryKind {
    /// A model.
    Model,
    /// A data set.
    Dataset,
}

impl RepositoryKind {
    /// What `hf download` wants to be told, with a space behind it.
    fn option(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Dataset => "--repo-type dataset ",
        }
    }
}

impl fmt::Display for RepositoryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Model => "model",
            Self::Dataset => "data set",
        })
    }
}

/// How far the download of one file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file's name in the repository.
    pub file: String,
    /// Bytes here so far.
    pub done: u64,
    /// Bytes in all; `None` while that is unknown.
    pub total: Option<u64>,
    /// Whether the file is complete and checked. The last call for every file that succeeds.
    pub finished: bool,
}

/// Told how downloads go, from other threads; called for files that are downloaded, not for those
/// found in the cache.
pub type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Finds a model's files: `spec` is the path of an existing folder or a hub id, `OWNER/NAME`.
///
/// Whatever looks like a path is never sent to the hub. `revision` is a branch, tag or commit of the
/// hub's repository, `main` without one; all files come from the commit that it names now. A file
/// that was downloaded once is taken from the cache, and one whose download is cut never appears
/// under its final name, while those finished before stay.
///
/// # Errors
/// Neither a folder nor an id, files that are missing, a hub that refuses, is not reached or has no
/// such model, a download that is cut or differs from what was announced.
pub fn resolve(
    spec: &str,
    revision: Option<&str>,
    settings: &HubSettings,
    progress: &OnProgress,
) -> Result<ModelFiles, HubError> {
    match Place::of(spec)? {
        Place::Folder(_) if revision.is_some() => {
            Err(HubError::RevisionOfFolder { folder: spec.to_owned() })
        }
        Place::Folder(path) => folder::read(&path),
        Place::Hub { owner, name } => {
            download::fetch((owner, name), revision.unwrap_or("main"), settings, progress)
        }
    }
}

/// Finds a model's tokenizer alone, as [`resolve`] finds all of its files.
///
/// # Errors
/// As [`resolve`].
pub fn tokenizer(
    spec: &str,
    settings: &HubSettings,
    progress: &OnProgress,
) -> Result<PathBuf, HubError> {
    match Place::of(spec)? {
        Place::Folder(path) => folder::tokenizer(&path),
        Place::Hub { owner, name } => download::tokenizer((owner, name), settings, progress),
    }
}

/// Where a spec says that a model is.
enum Place<'a> {
    Folder(PathBuf),
    Hub { owner: &'a str, name: &'a str },
}

impl<'a> Place<'a> {
    fn of(spec: &'a str) -> Result<Self, HubError> {
        let path = Path::new(spec);
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        if path.exists() {
            return Err(HubError::NotAFolder { path: spec.to_owned() });
        }
        let like_a_path = spec.starts_with(['.', '/', '~'])
            || spec.contains('\\')
            || spec.matches('/').count() > 1
            || spec.ends_with('/');
        if like_a_path {
            return Err(HubError::NoFolder { path: spec.to_owned() });
        }
        match hub_id(spec) {
            Some((owner, name)) => Ok(Self::Hub { owner, name }),
            None => Err(HubError::NeitherFolderNorId { spec: spec.to_owned() }),
        }
    }
}

/// The owner and the name in an id, `OWNER/NAME`.
pub(crate) fn hub_id(id: &str) -> Option<(&str, &str)> {
    id.split_once('/').filter(|(owner, name)| is_repository_name(owner) && is_repository_name(name))
}

/// The names that the hub allows: at most 96 letters, digits, `-`, `_` and `.`, neither `--` nor
/// `..` among them, `-` and `.` neither first nor last.
fn is_repository_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=96).contains(&name.len())
        && name.chars().all(allowed)
        && !name.contains("..")
        && !name.contains("--")
        && !name.starts_with(['.', '-'])
        && !name.ends_with(['.', '-'])
}

/// Whether a name stands for a file right in the folder, not for a path that leads elsewhere.
fn is_plain_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let plain = matches!(parts.next(), Some(Component::Normal(part)) if part == name);
    plain && parts.next().is_none() && !name.contains(['/', '\\', ':', '\0'])
}
