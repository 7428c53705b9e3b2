use std::path::PathBuf;
use std::time::Duration;

use super::RepositoryKind;
use crate::DataError;

/// Why a model's or data set's files could not be had.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Neither the path of a folder nor a hub id.
    #[error(
        "'{spec}' is neither an existing folder nor a hub id; give a folder with config.json, \
         tokenizer.json and model.safetensors, or an id such as BAAI/bge-reranker-v2-m3"
    )]
    NeitherFolderNorId {
        /// What was given.
        spec: String,
    },
    /// No id of a data set.
    #[error("'{id}' is no id of a data set on the hub; ids have the form OWNER/NAME")]
    NoId {
        /// What was given.
        id: String,
    },
    /// It looks like a path, and nothing is there.
    #[error(
        "no folder '{path}'; check the path (it was not looked up on the hub, whose ids have the \
         form OWNER/NAME)"
    )]
    NoFolder {
        /// What was given.
        path: String,
    },
    /// A file where a folder should be.
    #[error(
        "'{path}' is a file; give the folder that holds config.json, tokenizer.json and weights"
    )]
    NotAFolder {
        /// What was given.
        path: String,
    },
    /// A revision was asked of a folder.
    #[error(
        "'{folder}' is a folder and has no revisions; leave the revision out, or rename the folder \
         if you meant the hub's model"
    )]
    RevisionOfFolder {
        /// The folder.
        folder: String,
    },
    /// A revision that no repository can have.
    #[error("'{revision}' is no revision; give a branch, a tag or a commit")]
    BadRevision {
        /// What was given.
        revision: String,
    },
    /// The folder lacks a file.
    #[error("{folder} has no {file}{hint}")]
    MissingFile {
        /// The folder, or the id and revision on the hub.
        folder: String,
        /// The file.
        file: String,
        /// What to do.
        hint: &'static str,
    },
    /// A name that leads elsewhere.
    #[error(
        "'{file}' is no file of a model's folder; name it from that folder, as onnx/model.onnx"
    )]
    OutsideFile {
        /// The name.
        file: String,
    },
    /// The index of the shards cannot be used.
    #[error("{index}: {defect}")]
    BadIndex {
        /// The index file.
        index: String,
        /// What is wrong with it, and the remedy.
        defect: String,
    },
    /// The index names a shard that is not there.
    #[error("{index} names the shard {shard}, which is not there; get the model's files again")]
    MissingShard {
        /// The index file.
        index: String,
        /// The shard it names.
        shard: String,
    },
    /// The hub has no such model or data set.
    #[error("the hub at {endpoint} has no {kind} '{id}'; check the spelling")]
    NoRepository {
        /// The hub's address.
        endpoint: String,
        /// What was asked for.
        kind: RepositoryKind,
        /// Its id.
        id: String,
    },
    /// The model or data set has no such revision.
    #[error("{kind} '{id}' has no revision '{revision}'; give a branch, a tag or a commit it has")]
    NoRevision {
        /// What was asked for.
        kind: RepositoryKind,
        /// Its id.
        id: String,
        /// The revision that was asked for.
        revision: String,
    },
    /// The hub refuses.
    #[error(
        "the hub refuses access to '{id}' (HTTP {status}{}): it does not exist, or is private or \
         gated; check the spelling, accept its terms on its page, and set HF_TOKEN to a \
         token that may read it", .detail.as_ref().map(|d| format!(", {d}")).unwrap_or_default()
    )]
    NotAuthorised {
        /// Its id on the hub.
        id: String,
        /// The HTTP status.
        status: u16,
        /// What the hub said.
        detail: Option<String>,
    },
    /// Offline, and the file is not in the cache.
    #[error(
        "{file} of '{id}' (revision {revision}) is not in the cache {} and HF_HUB_OFFLINE is set; \
         unset it for one run, or fetch the {kind} elsewhere with `hf download {id} {}--revision \
         {revision}` and copy the cache here", .cache.display(), .kind.option()
    )]
    NotCached {
        /// What was asked for.
        kind: RepositoryKind,
        /// Its id on the hub.
        id: String,
        /// The revision.
        revision: String,
        /// The file.
        file: String,
        /// The cache folder.
        cache: PathBuf,
    },
    /// No answer from the hub.
    #[error(
        "the hub at {endpoint} cannot be reached: {source}; check the network and HF_ENDPOINT, or \
         set HF_HUB_OFFLINE=1 to use what is in the cache"
    )]
    Unreachable {
        /// The hub's address.
        endpoint: String,
        /// What failed.
        source: Box<hf_hub::HFError>,
    },
    /// Too many requests.
    #[error(
        "the hub asks to wait before fetching '{id}'{}; try again later, or set HF_TOKEN for a \
         higher limit", .wait.map(|wait| format!(" ({} s)", wait.as_secs())).unwrap_or_default()
    )]
    RateLimited {
        /// Its id on the hub.
        id: String,
        /// For how long, where the hub said so.
        wait: Option<Duration>,
    },
    /// The connection broke in the middle.
    #[error(
        "the download of {file} of '{id}' was cut: {source}; run again, finished files are kept"
    )]
    Cut {
        /// Its id on the hub.
        id: String,
        /// The file.
        file: String,
        /// What failed.
        source: Box<hf_hub::HFError>,
    },
    /// What arrived is not what was announced.
    #[error("{file} of '{id}' arrived damaged ({defect}) and was removed; run again")]
    Damaged {
        /// Its id on the hub.
        id: String,
        /// The file.
        file: String,
        /// In what it differs.
        defect: String,
    },
    /// The address in `HF_ENDPOINT` is none.
    #[error(
        "'{endpoint}' is no address of a hub; set HF_ENDPOINT to one such as https://huggingface.co"
    )]
    BadEndpoint {
        /// The address.
        endpoint: String,
    },
    /// The cache cannot be read or written.
    #[error(
        "the cache {}: {source}; free space, or set HF_HOME to a folder that can be written",
        .cache.display()
    )]
    Cache {
        /// The cache folder.
        cache: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be read back.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Anything else that the client reports.
    #[error("fetching {file} of '{id}' from {endpoint} failed: {source}")]
    Client {
        /// Its id on the hub.
        id: String,
        /// The file, or what was asked.
        file: String,
        /// The hub's address.
        endpoint: String,
        /// What failed.
        source: Box<hf_hub::HFError>,
    },
}
