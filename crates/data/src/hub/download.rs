use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use hf_hub::progress::{DownloadEvent, FileProgress, ProgressEvent, ProgressHandler};
use hf_hub::{HFClientBuilder, HFClientSync, HFError, HFRepositorySync, RepoTypeModel};

use super::folder::{INDEX, NO_WEIGHTS, WEIGHTS, shards};
use super::{HubError, HubSettings, ModelFiles, OnProgress, Progress};
use crate::sha256;

/// The files of a model on the hub, downloaded where the cache lacks them.
pub(super) fn fetch(
    owner: &str,
    name: &str,
    revision: &str,
    settings: &HubSettings,
    progress: &OnProgress,
) -> Result<ModelFiles, HubError> {
    if !is_revision(revision) {
        return Err(HubError::BadRevision { revision: revision.to_owned() });
    }
    let bad_endpoint = |_| HubError::BadEndpoint { endpoint: settings.endpoint.clone() };
    let mut builder =
        HFClientBuilder::new().endpoint(&settings.endpoint).retry_max_attempts(settings.retries);
    if let Some(cache) = &settings.cache {
        builder = builder.cache_dir(cache);
    }
    if let Some(token) = &settings.token {
        builder = builder.token(token.expose());
    }
    let client = builder.build().map_err(bad_endpoint)?;
    let cache = client.cache_dir().to_owned();
    let repository = HFClientSync::from_inner(client).map_err(bad_endpoint)?.model(owner, name);
    let mut remote = Remote {
        repository,
        id: format!("{owner}/{name}"),
        asked: revision,
        revision: revision.to_owned(),
        cache,
        settings,
        progress,
    };
    // Every file is fetched at the commit that the revision names now, so that a branch that moves
    // in between cannot mix two versions. Offline, the cache knows the commit.
    if !settings.offline && !is_commit(revision) {
        remote.revision = remote.commit()?;
    }
    let files = remote.files()?;
    if !settings.offline {
        remote.note_revision(&files)?;
    }
    Ok(files)
}

struct Remote<'a> {
    repository: HFRepositorySync<RepoTypeModel>,
    id: String,
    /// The revision as the user gave it.
    asked: &'a str,
    /// The one that files are fetched at.
    revision: String,
    cache: PathBuf,
    settings: &'a HubSettings,
    progress: &'a OnProgress,
}

impl Remote<'_> {
    fn files(&self) -> Result<ModelFiles, HubError> {
        let config = self.required("config.json", "; it is no model in the Hugging Face layout")?;
        let folder = config.parent().map(Path::to_owned).unwrap_or_default();
        let tokenizer = self.required(
            "tokenizer.json",
            "; only models with a tokenizer in the fast format can be used",
        )?;
        let weights = match self.file(WEIGHTS)? {
            Some(single) => vec![single],
            None => self.sharded()?,
        };
        let revision = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(ModelFiles { folder, config, tokenizer, weights, revision })
    }

    fn sharded(&self) -> Result<Vec<PathBuf>, HubError> {
        let Some(index) = self.file(INDEX)? else {
            return Err(self.missing(WEIGHTS, NO_WEIGHTS));
        };
        let mut weights = Vec::new();
        for shard in shards(&index)? {
            match self.file(&shard)? {
                Some(path) => weights.push(path),
                None if self.settings.offline => return Err(self.not_cached(&shard)),
                None => {
                    let index = index.display().to_string();
                    return Err(HubError::MissingShard { index, shard });
                }
            }
        }
        Ok(weights)
    }

    fn required(&self, file: &str, hint: &'static str) -> Result<PathBuf, HubError> {
        match self.file(file)? {
            Some(path) => Ok(path),
            None => {
                // A commit is not looked up first, so that a cached model needs no network. When it
                // lacks a file, asking for it tells a missing model from a missing file.
                if !self.settings.offline {
                    self.commit()?;
                }
                Err(self.missing(file, hint))
            }
        }
    }

    /// A file in the cache, downloaded if need be; `None` when there is none of this name.
    fn file(&self, file: &str) -> Result<Option<PathBuf>, HubError> {
        let watch = Arc::new(Watch {
            file: file.to_owned(),
            announced: OnceLock::new(),
            done: AtomicU64::new(0),
            tell: self.progress.clone(),
        });
        let fetched = self
            .repository
            .download_file()
            .filename(file)
            .revision(&self.revision)
            .local_files_only(self.settings.offline)
            .progress(watch.clone())
            .send();
        match fetched {
            Ok(path) => {
                if let Some(&announced) = watch.announced.get() {
                    self.check(file, &path, announced)?;
                    watch.tell(true);
                }
                Ok(Some(path))
            }
            Err(HFError::EntryNotFound { .. } | HFError::LocalEntryNotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(file, error)),
        }
    }

    /// Compares a downloaded file with what was announced. The client looks at the status of the
    /// announcement only, so an error page in place of the content would pass for it. Large files
    /// are named by their SHA-256 in the cache, which is compared as well.
    fn check(&self, file: &str, path: &Path, announced: u64) -> Result<(), HubError> {
        let cache = |source| HubError::Cache { cache: self.cache.clone(), source };
        let content = path.canonicalize().map_err(cache)?;
        let size = content.metadata().map_err(cache)?.len();
        let defect = if announced != 0 && size != announced {
            Some(format!("{size} bytes instead of {announced}"))
        } else {
            let name = content.file_name().map(|name| name.to_string_lossy().to_lowercase());
            match name.filter(|name| name.len() == 64 && is_hex(name)) {
                Some(expected) if sha256(&content)?.as_str() != expected => {
                    Some("its SHA-256 differs".to_owned())
                }
                _ => None,
            }
        };
        let Some(defect) = defect else {
            return Ok(());
        };
        std::fs::remove_file(path).map_err(cache)?;
        if content.exists() {
            std::fs::remove_file(&content).map_err(cache)?;
        }
        Err(HubError::Damaged { id: self.id.clone(), file: file.to_owned(), defect })
    }

    /// The commit that the revision names on the hub now.
    fn commit(&self) -> Result<String, HubError> {
        const ASKED: &str = "the revision";
        let info =
            self.repository.info().revision(self.asked).expand(vec!["sha".to_owned()]).send();
        match info.map_err(|error| self.failed(ASKED, error))?.sha {
            Some(sha) if is_commit(&sha) => Ok(sha),
            _ => {
                let error = HFError::malformed_response("the commit of the revision");
                Err(self.failed(ASKED, error))
            }
        }
    }

    /// Notes which commit the revision named, where all programs that share the cache look when they
    /// are offline. Done when every file is here: a cut download must not hide an older, whole one.
    fn note_revision(&self, files: &ModelFiles) -> Result<(), HubError> {
        let repository = files.folder.parent().and_then(Path::parent);
        let (Some(repository), Some(commit)) = (repository, &files.revision) else {
            return Ok(());
        };
        if is_commit(self.asked) {
            return Ok(());
        }
        let note = repository.join("refs").join(self.asked);
        // Nothing to note in a cache that knows it, which may be read-only.
        if std::fs::read_to_string(&note).is_ok_and(|noted| noted == *commit) {
            return Ok(());
        }
        let folder = note.parent().unwrap_or(repository);
        let partial = note.with_extension("partial");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&partial, commit))
            .and_then(|()| std::fs::rename(&partial, &note))
            .map_err(|source| HubError::Cache { cache: self.cache.clone(), source })
    }

    fn missing(&self, file: &str, hint: &'static str) -> HubError {
        if self.settings.offline {
            return self.not_cached(file);
        }
        let folder = format!("'{}' (revision {})", self.id, self.asked);
        HubError::MissingFile { folder, file: file.to_owned(), hint }
    }

    fn not_cached(&self, file: &str) -> HubError {
        HubError::NotCached {
            id: self.id.clone(),
            revision: self.asked.to_owned(),
            file: file.to_owned(),
            cache: self.cache.clone(),
        }
    }

    fn failed(&self, file: &str, error: HFError) -> HubError {
        let (id, file) = (self.id.clone(), file.to_owned());
        let endpoint = self.settings.endpoint.clone();
        match error {
            HFError::AuthRequired { context } | HFError::Forbidden { context } => {
                let status = context.status.as_u16();
                HubError::NotAuthorised { id, status, detail: context.server_message }
            }
            HFError::RepoNotFound { .. } => HubError::NoModel { endpoint, id },
            HFError::RevisionNotFound { context, .. } => {
                let code = context.and_then(|context| context.error_code);
                let no_model = match code.as_deref() {
                    Some(code) => code == "RepoNotFound",
                    // Hubs that give no reason: every model has this branch, so it is the model.
                    None => self.asked == "main",
                };
                match no_model {
                    true => HubError::NoModel { endpoint, id },
                    false => HubError::NoRevision { id, revision: self.asked.to_owned() },
                }
            }
            HFError::RateLimited { retry_after, .. } => {
                HubError::RateLimited { id, wait: retry_after }
            }
            HFError::Io(source) => HubError::Cache { cache: self.cache.clone(), source },
            HFError::Request { ref source, .. } if source.is_connect() || source.is_timeout() => {
                HubError::Unreachable { endpoint, source: Box::new(error) }
            }
            HFError::Request { ref source, .. } if source.is_body() || source.is_decode() => {
                HubError::Cut { id, file, source: Box::new(error) }
            }
            error => HubError::Client { id, file, endpoint, source: Box::new(error) },
        }
    }
}

/// Listens to the client while it fetches one file.
struct Watch {
    file: String,
    /// The size in bytes that the hub announced; set only when the hub was asked for the content.
    announced: OnceLock<u64>,
    done: AtomicU64,
    tell: OnProgress,
}

impl Watch {
    fn tell(&self, finished: bool) {
        (self.tell)(&Progress {
            file: self.file.clone(),
            done: self.done.load(Ordering::Relaxed),
            total: self.announced.get().copied().filter(|&total| total > 0),
            finished,
        });
    }
}

impl ProgressHandler for Watch {
    fn on_progress(&self, event: &ProgressEvent) {
        let done = match event {
            ProgressEvent::Download(DownloadEvent::Start { total_bytes, .. }) => {
                // The first announcement counts; there is one a file.
                let _ = self.announced.set(*total_bytes);
                0
            }
            ProgressEvent::Download(DownloadEvent::Progress { files }) => {
                files.iter().map(|FileProgress { bytes_completed, .. }| bytes_completed).sum()
            }
            ProgressEvent::Download(DownloadEvent::AggregateProgress {
                bytes_completed, ..
            }) => *bytes_completed,
            _ => return,
        };
        self.done.fetch_max(done, Ordering::Relaxed);
        self.tell(false);
    }
}

fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && is_hex(revision)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The names that git allows, and none that leads out of the cache folder it names a file in.
fn is_revision(revision: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+');
    revision.chars().all(allowed)
        && revision.split('/').all(|part| !part.is_empty() && !part.starts_with(['.', '-']))
}
