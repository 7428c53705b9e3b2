use std::path::{Path, PathBuf};

use hf_hub::RepoTypeDataset;

use super::remote::{Remote, is_commit};
use super::{HubError, HubSettings, OnProgress, hub_id};

/// Files of a data set on the hub, all of them on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetFiles {
    /// Where each file lies in the cache, in the order they were asked for.
    pub paths: Vec<PathBuf>,
    /// The commit they are of.
    pub revision: String,
}

/// Finds files of a data set, `id` being its `OWNER/NAME`, downloaded where the cache lacks them.
///
/// `files` are paths in the repository, with `/` between folders. All come from the commit that
/// `revision` (a branch, tag or commit) names now; a commit whose files are in the cache needs no
/// network. A file whose download is cut never appears under its final name.
///
/// # Errors
/// No id, a file that is missing, a hub that refuses, is not reached or has no such data set, a
/// download that is cut or differs from what was announced.
pub fn dataset_files(
    id: &str,
    revision: &str,
    files: &[&str],
    settings: &HubSettings,
    progress: &OnProgress,
) -> Result<DatasetFiles, HubError> {
    const HINT: &str = " at this revision; its files may have moved, look at its page on the hub";
    let repository = hub_id(id).ok_or_else(|| HubError::NoId { id: id.to_owned() })?;
    let remote = Remote::<RepoTypeDataset>::open(repository, revision, settings, progress)?;
    let mut paths = Vec::with_capacity(files.len());
    for file in files {
        paths.push(remote.required(file, HINT)?);
    }
    let commit = match (paths.first(), files.first()) {
        (Some(path), Some(file)) => snapshot(path, file),
        _ => None,
    };
    let revision = commit.unwrap_or_else(|| revision.to_owned());
    if is_commit(&revision) {
        remote.note_revision(&revision)?;
    }
    Ok(DatasetFiles { paths, revision })
}

/// The commit in a path of the cache, `…/snapshots/COMMIT/FILE`.
fn snapshot(path: &Path, file: &str) -> Option<String> {
    let folder = path.ancestors().nth(file.split('/').count())?;
    Some(folder.file_name()?.to_string_lossy().into_owned())
}
