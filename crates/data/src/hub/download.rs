use std::path::{Path, PathBuf};

use hf_hub::RepoTypeModel;

use super::folder::{INDEX, NO_WEIGHTS, WEIGHTS, shards};
use super::remote::Remote;
use super::{HubError, HubSettings, ModelFiles, OnProgress};

/// The files of a model on the hub, downloaded where the cache lacks them.
pub(super) fn fetch(
    repository: (&str, &str),
    revision: &str,
    settings: &HubSettings,
    progress: &OnProgress,
) -> Result<ModelFiles, HubError> {
    let remote = Remote::<RepoTypeModel>::open(repository, revision, settings, progress)?;
    let files = files(&remote)?;
    if let Some(commit) = &files.revision {
        remote.note_revision(commit)?;
    }
    Ok(files)
}

/// The tokenizer of a model on the hub's main branch, downloaded where the cache lacks it.
pub(super) fn tokenizer(
    repository: (&str, &str),
    settings: &HubSettings,
    progress: &OnProgress,
) -> Result<PathBuf, HubError> {
    let remote = Remote::<RepoTypeModel>::open(repository, "main", settings, progress)?;
    let tokenizer = remote.required(TOKENIZER, NO_TOKENIZER)?;
    if let Some(commit) = tokenizer.parent().and_then(Path::file_name) {
        remote.note_revision(&commit.to_string_lossy())?;
    }
    Ok(tokenizer)
}

const TOKENIZER: &str = "tokenizer.json";
const NO_TOKENIZER: &str = "; only models with a tokenizer in the fast format can be used";

fn files(remote: &Remote<'_, RepoTypeModel>) -> Result<ModelFiles, HubError> {
    let config = remote.required("config.json", "; it is no model in the Hugging Face layout")?;
    let folder = config.parent().map(Path::to_owned).unwrap_or_default();
    let tokenizer = remote.required(TOKENIZER, NO_TOKENIZER)?;
    let weights = match remote.file(WEIGHTS)? {
        Some(single) => vec![single],
        None => sharded(remote)?,
    };
    let revision = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(ModelFiles { folder, config, tokenizer, weights, revision })
}

fn sharded(remote: &Remote<'_, RepoTypeModel>) -> Result<Vec<PathBuf>, HubError> {
    let Some(index) = remote.file(INDEX)? else {
        return Err(remote.missing(WEIGHTS, NO_WEIGHTS));
    };
    let mut weights = Vec::new();
    for shard in shards(&index)? {
        match remote.file(&shard)? {
            Some(path) => weights.push(path),
            None if remote.offline() => return Err(remote.not_cached(&shard)),
            None => {
                let index = index.display().to_string();
                return Err(HubError::MissingShard { index, shard });
            }
        }
    }
    Ok(weights)
}
