use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use hf_hub::progress::{DownloadEvent, FileProgress, ProgressEvent, ProgressHandler};
use hf_hub::{
    HFClientBuilder, HFClientSync, HFError, HFRepositorySync, HFResult, RepoType, RepoTypeDataset,
    RepoTypeModel,
};

use super::{HubError, HubSettings, OnProgress, Progress, RepositoryKind};
use crate::sha256;

/// One repository of the hub at one commit, read through the cache.
pub(super) struct Remote<'a, T: Kind> {
    repository: HFRepositorySync<T>,
    owner: &'a str,
    name: &'a str,
    /// The revision as the user gave it.
    asked: &'a str,
    /// The one that files are fetched at.
    revision: String,
    cache: PathBuf,
    settings: &'a HubSettings,
    progress: &'a OnProgress,
}

/// The kinds of repositories that are read here. hf-hub asks for each with another type.
pub(super) trait Kind: RepoType {
    const KIND: RepositoryKind;

    /// The repository's type as a value.
    const TYPE: Self;

    /// The commit that a revision names now, as the hub tells it.
    fn sha(repository: &HFRepositorySync<Self>, revision: &str) -> HFResult<Option<String>>
    where
        Self: Sized;
}

impl Kind for RepoTypeModel {
    const KIND: RepositoryKind = RepositoryKind::Model;
    const TYPE: Self = Self;

    fn sha(repository: &HFRepositorySync<Self>, revision: &str) -> HFResult<Option<String>> {
        Ok(repository.info().revision(revision).expand(vec!["sha".to_owned()]).send()?.sha)
    }
}

impl Kind for RepoTypeDataset {
    const KIND: RepositoryKind = RepositoryKind::Dataset;
    const TYPE: Self = Self;

    fn sha(repository: &HFRepositorySync<Self>, revision: &str) -> HFResult<Option<String>> {
        Ok(repository.info().revision(revision).expand(vec!["sha".to_owned()]).send()?.sha)
    }
}

impl<'a, T: Kind> Remote<'a, T> {
    /// Every file is fetched at the commit that the revision names now, so that a branch that moves
    /// in between cannot mix two versions. Offline, the cache knows the commit.
    pub fn open(
        (owner, name): (&'a str, &'a str),
        revision: &'a str,
        settings: &'a HubSettings,
        progress: &'a OnProgress,
    ) -> Result<Self, HubError> {
        if !is_revision(revision) {
            return Err(HubError::BadRevision { revision: revision.to_owned() });
        }
        let bad_endpoint = |_| HubError::BadEndpoint { endpoint: settings.endpoint.clone() };
        let mut builder = HFClientBuilder::new()
            .endpoint(&settings.endpoint)
            .retry_max_attempts(settings.retries);
        if let Some(cache) = &settings.cache {
            builder = builder.cache_dir(cache);
        }
        if let Some(token) = &settings.token {
            builder = builder.token(token.expose());
        }
        let client = builder.build().map_err(bad_endpoint)?;
        let cache = client.cache_dir().to_owned();
        let client = HFClientSync::from_inner(client).map_err(bad_endpoint)?;
        let repository = client.repository(T::TYPE, owner, name);
        let revision_now = revision.to_owned();
        let mut remote = Self {
            repository,
            owner,
            name,
            asked: revision,
            revision: revision_now,
            cache,
            settings,
            progress,
        };
        if !settings.offline && !is_commit(revision) {
            remote.revision = remote.commit()?;
        }
        Ok(remote)
    }

    /// Whether only the cache is used.
    pub fn offline(&self) -> bool {
        self.settings.offline
    }

    /// A file that must be there; `hint` says what its absence means.
    pub fn required(&self, file: &str, hint: &'static str) -> Result<PathBuf, HubError> {
        match self.file(file)? {
            Some(path) => Ok(path),
            None => {
                // A commit is not looked up first, so that what is cached needs no network. When it
                // lacks a file, asking for it tells a missing repository from a missing file.
                if !self.settings.offline {
                    self.commit()?;
                }
                Err(self.missing(file, hint))
            }
        }
    }

    /// A file in the cache, downloaded if need be; `None` when there is none of this name.
    pub fn file(&self, file: &str) -> Result<Option<PathBuf>, HubError> {
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

    /// Notes which commit the revision named, where all programs that share the cache look when they
    /// are offline. Done when every file is here: a cut download must not hide an older, whole one.
    pub fn note_revision(&self, commit: &str) -> Result<(), HubError> {
        if is_commit(self.asked) || self.settings.offline {
            return Ok(());
        }
        let repository = format!("{}--{}--{}", T::TYPE.plural(), self.owner, self.name);
        let note = self.cache.join(repository).join("refs").join(self.asked);
        // Nothing to note in a cache that knows it, which may be read-only.
        if std::fs::read_to_string(&note).is_ok_and(|noted| noted == commit) {
            return Ok(());
        }
        let partial = note.with_extension("partial");
        let folder = note.parent().map_or_else(|| self.cache.clone(), Path::to_owned);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&partial, commit))
            .and_then(|()| std::fs::rename(&partial, &note))
            .map_err(|source| HubError::Cache { cache: self.cache.clone(), source })
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
        Err(HubError::Damaged { id: self.id(), file: file.to_owned(), defect })
    }

    /// The commit that the revision names on the hub now.
    fn commit(&self) -> Result<String, HubError> {
        const ASKED: &str = "the revision";
        let sha = T::sha(&self.repository, self.asked);
        match sha.map_err(|error| self.failed(ASKED, error))? {
            Some(sha) if is_commit(&sha) => Ok(sha),
            _ => {
                let error = HFError::malformed_response("the commit of the revision");
                Err(self.failed(ASKED, error))
            }
        }
    }

    /// The error for a file that is not there.
    pub fn missing(&self, file: &str, hint: &'static str) -> HubError {
        if self.settings.offline {
            return self.not_cached(file);
        }
        let folder = format!("'{}' (revision {})", self.id(), self.asked);
        HubError::MissingFile { folder, file: file.to_owned(), hint }
    }

    /// The error for a file that is not in the cache when only that may be used.
    pub fn not_cached(&self, file: &str) -> HubError {
        HubError::NotCached {
            kind: T::KIND,
            id: self.id(),
            revision: self.asked.to_owned(),
            file: file.to_owned(),
            cache: self.cache.clone(),
        }
    }

    fn id(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    fn failed(&self, file: &str, error: HFError) -> HubError {
        let (id, file) = (self.id(), file.to_owned());
        let (kind, endpoint) = (T::KIND, self.settings.endpoint.clone());
        match error {
            HFError::AuthRequired { context } | HFError::Forbidden { context } => {
                let status = context.status.as_u16();
                HubError::NotAuthorised { id, status, detail: context.server_message }
            }
            HFError::RepoNotFound { .. } => HubError::NoRepository { endpoint, kind, id },
            HFError::RevisionNotFound { context, .. } => {
                let code = context.and_then(|context| context.error_code);
                let no_repository = match code.as_deref() {
                    Some(code) => code == "RepoNotFound",
                    // Hubs that give no reason: every repository has this branch, so it is missing itself.
                    None => self.asked == "main",
                };
                match no_repository {
                    true => HubError::NoRepository { endpoint, kind, id },
                    false => HubError::NoRevision { kind, id, revision: self.asked.to_owned() },
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

/// Whether a revision is a commit in full.
pub(super) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && is_hex(revision)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The names that git allows, and none that leads out of the cache folder it names a file in.
pub(crate) fn is_revision(revision: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+');
    revision.chars().all(allowed)
        && revision.split('/').all(|part| !part.is_empty() && !part.starts_with(['.', '-']))
}
