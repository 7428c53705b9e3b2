use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{Against, Lock, LockedFile, Manifest, Mismatch, PullError, RemoteFile};
use crate::hub::{HubSettings, OnProgress, dataset_files};
use crate::sha256;

/// A set that was pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// Its BEIR folder.
    pub folder: PathBuf,
    /// The lockfile beside it.
    pub lockfile: PathBuf,
    /// The splits that were asked for.
    pub splits: Vec<String>,
    /// The files that this pull put there, as paths in the folder; none when all were there already.
    pub placed: Vec<String>,
}

/// Gets a set: its documents, its queries, and the judgements of `splits` (of all it has when none is
/// named) as a BEIR folder `root/NAME`, with the lockfile `root/NAME.lock.toml` beside it.
///
/// Files come through the hub's cache; compressed ones stay compressed and share their space with the
/// cache where the file system can. The first pull writes what it got into the lockfile; later ones
/// hold every file against it, the ones in the folder and those from the hub, and fetch at the commit
/// that it names. When all is there nothing is asked of the hub. A folder appears whole or not at
/// all, and so does each file that is added to it later; of two pulls at once one waits.
///
/// # Errors
/// A split the set has not, whatever the hub or its cache refuses, a file that is not the one in the
/// lockfile or the manifest, a folder that cannot be written. Whatever was there stays as it was.
pub fn pull(
    manifest: &Manifest,
    splits: &[String],
    root: &Path,
    settings: &HubSettings,
    progress: &OnProgress,
) -> Result<Pulled, PullError> {
    let (splits, wanted) = wanted(manifest, splits)?;
    let target = Target::new(manifest, root);
    let pulled = |placed: Vec<String>| {
        let (folder, lockfile) = (target.folder.clone(), target.lock.clone());
        Pulled { folder, lockfile, splits: splits.clone(), placed }
    };
    // Needs no writing, so that a cache that others filled may be read-only.
    if target.open(&Lock::read(&target.lock, target.name, &target.folder)?, &wanted)?.is_empty() {
        return Ok(pulled(Vec::new()));
    }
    fs::create_dir_all(root).map_err(|source| io(root, source))?;
    let _turn = target.turn()?;
    let mut lock = Lock::read(&target.lock, target.name, &target.folder)?;
    let open = target.open(&lock, &wanted)?;
    let fetched = target.fetch(&lock, open, settings, progress)?;
    for file in &fetched {
        lock.note(file.locked.clone());
    }
    if !fetched.is_empty() {
        // Before the files: those of a pull that is killed in between are then known to the next.
        lock.write(&target.lock)?;
    }
    Ok(pulled(target.put(&fetched)?))
}

/// The BEIR folder of a set that was pulled with this split, or with any when none is named.
///
/// Looks at nothing but which files are there: `pull` holds them against the lockfile.
///
/// # Errors
/// A split the set has not, and files that are not there yet, with the command that gets them.
pub fn resolve(
    manifest: &Manifest,
    split: Option<&str>,
    root: &Path,
) -> Result<PathBuf, PullError> {
    let splits: Vec<String> = split.into_iter().map(str::to_owned).collect();
    let (_, wanted) = wanted(manifest, &splits)?;
    let folder = root.join(&manifest.name);
    let absent = |file: &&Wanted<'_>| !folder.join(&file.path).is_file();
    let (texts, qrels) = wanted.split_at(TEXTS.min(wanted.len()));
    let missing = texts.iter().find(absent).or_else(|| match split {
        Some(_) => qrels.iter().find(absent),
        None => qrels.first().filter(|_| qrels.iter().all(|file| absent(&file))),
    });
    match missing {
        None => Ok(folder),
        Some(missing) => Err(PullError::NotPulled {
            name: manifest.name.clone(),
            split: split.map(str::to_owned),
            missing: missing.path.clone(),
            folder,
        }),
    }
}

/// How many of the wanted files are texts; the judgements come after them.
const TEXTS: usize = 2;

/// A file of the set: its path in the folder, and where it comes from.
struct Wanted<'a> {
    path: String,
    remote: &'a RemoteFile,
}

/// A file that the hub gave and that is what it should be.
struct Fetched {
    locked: LockedFile,
    cached: PathBuf,
    /// Whether it lies in the folder already.
    there: bool,
}

fn wanted<'a>(
    manifest: &'a Manifest,
    splits: &[String],
) -> Result<(Vec<String>, Vec<Wanted<'a>>), PullError> {
    let mut names: Vec<String> = match splits {
        [] => manifest.splits().map(str::to_owned).collect(),
        named => named.to_vec(),
    };
    names.sort();
    names.dedup();
    let mut wanted = vec![
        Wanted { path: manifest.corpus_path(), remote: &manifest.corpus },
        Wanted { path: manifest.queries_path(), remote: &manifest.queries },
    ];
    for split in &names {
        let (Some(path), Some(remote)) = (manifest.qrels_path(split), manifest.qrels.get(split))
        else {
            return Err(PullError::NoSplit {
                name: manifest.name.clone(),
                split: split.clone(),
                available: manifest.splits().map(str::to_owned).collect(),
            });
        };
        wanted.push(Wanted { path, remote });
    }
    Ok((names, wanted))
}

/// Where a set lies.
struct Target<'a> {
    name: &'a str,
    root: &'a Path,
    folder: PathBuf,
    lock: PathBuf,
}

impl<'a> Target<'a> {
    fn new(manifest: &'a Manifest, root: &'a Path) -> Self {
        let name = manifest.name.as_str();
        let lock = root.join(format!("{name}.lock.toml"));
        Self { name, root, folder: root.join(name), lock }
    }

    /// Waits until no other pull of this set is under way, and keeps others waiting.
    fn turn(&self) -> Result<File, PullError> {
        let path = self.root.join(format!(".{}.pulling", self.name));
        let opened = File::options().create(true).truncate(false).write(true).open(&path);
        opened
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|source| PullError::Io { path, source })
    }

    /// The files that the hub must be asked for: those that are missing, unknown to the lock, or
    /// that the manifest wants from another revision than when they were locked. The rest are there
    /// and as they were.
    fn open<'w>(
        &self,
        lock: &Lock,
        wanted: &'w [Wanted<'w>],
    ) -> Result<Vec<&'w Wanted<'w>>, PullError> {
        let mut open = Vec::new();
        for file in wanted {
            let path = self.folder.join(&file.path);
            let Some(locked) = lock.get(&file.path).filter(|_| path.is_file()) else {
                open.push(file);
                continue;
            };
            let content = Content::of(&path)?;
            if !content.is(&locked.sha256, Some(locked.bytes)) {
                let against = Against::Changed { path, lock: self.lock.clone() };
                let expected = (locked.sha256.as_str(), Some(locked.bytes));
                return Err(self.mismatch(&file.path, content, expected, against));
            }
            if (&locked.hub, &locked.asked) != (&file.remote.hub, &file.remote.revision) {
                open.push(file);
            }
        }
        Ok(open)
    }

    /// Gets files through the cache and holds each against all that is known of it.
    fn fetch(
        &self,
        lock: &Lock,
        open: Vec<&Wanted<'_>>,
        settings: &HubSettings,
        progress: &OnProgress,
    ) -> Result<Vec<Fetched>, PullError> {
        let mut repositories: BTreeMap<(&str, &str), Vec<&Wanted<'_>>> = BTreeMap::new();
        for file in open {
            let of = (file.remote.hub.as_str(), file.remote.revision.as_str());
            repositories.entry(of).or_default().push(file);
        }
        let mut fetched = Vec::new();
        for ((hub, asked), files) in repositories {
            // A branch may have moved since: the set is to stay the one that was locked.
            let known = lock.files.iter().find(|file| file.hub == hub && file.asked == asked);
            let revision = known.map_or(asked, |file| file.commit.as_str());
            let names: Vec<&str> = files.iter().map(|file| file.remote.file.as_str()).collect();
            let got = dataset_files(hub, revision, &names, settings, progress)?;
            for (file, cached) in files.into_iter().zip(got.paths) {
                fetched.push(self.checked(lock, file, cached, &got.revision)?);
            }
        }
        Ok(fetched)
    }

    fn checked(
        &self,
        lock: &Lock,
        file: &Wanted<'_>,
        cached: PathBuf,
        commit: &str,
    ) -> Result<Fetched, PullError> {
        // The name in the cache is a link to the content, which is what must be deleted to get it
        // anew.
        let cached = fs::canonicalize(&cached).map_err(|source| io(&cached, source))?;
        let content = Content::of(&cached)?;
        let path = self.folder.join(&file.path);
        let there = path.is_file();
        if let Some(locked) = lock.get(&file.path) {
            if !content.is(&locked.sha256, Some(locked.bytes)) {
                let (lock, folder) = (self.lock.clone(), self.folder.clone());
                let against = Against::Lock { lock, folder, cached };
                let expected = (locked.sha256.as_str(), Some(locked.bytes));
                return Err(self.mismatch(&file.path, content, expected, against));
            }
        } else if there {
            let present = Content::of(&path)?;
            if !present.is(&content.sha256, Some(content.bytes)) {
                let expected = (content.sha256.as_str(), Some(content.bytes));
                let against = Against::Foreign { path };
                return Err(self.mismatch(&file.path, present, expected, against));
            }
        }
        let stated = file.remote.sha256.clone().unwrap_or_else(|| content.sha256.clone());
        if !content.is(&stated, file.remote.bytes) {
            let against = Against::Manifest { cached };
            let expected = (stated.as_str(), file.remote.bytes);
            return Err(self.mismatch(&file.path, content, expected, against));
        }
        let locked = LockedFile {
            path: file.path.clone(),
            hub: file.remote.hub.clone(),
            asked: file.remote.revision.clone(),
            commit: commit.to_owned(),
            sha256: content.sha256,
            bytes: content.bytes,
        };
        Ok(Fetched { locked, cached, there })
    }

    /// Puts files into the folder, and the folder in place when it is new. Returns their paths.
    fn put(&self, fetched: &[Fetched]) -> Result<Vec<String>, PullError> {
        let new: Vec<&Fetched> = fetched.iter().filter(|file| !file.there).collect();
        let partial = self.root.join(format!(".{}.partial", self.name));
        // What a killed pull left: nobody else uses it, for we have the turn.
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(|source| io(&partial, source))?;
        }
        for file in &new {
            place(&file.cached, &partial.join(&file.locked.path))?;
        }
        if self.folder.exists() {
            for file in &new {
                let (from, to) =
                    (partial.join(&file.locked.path), self.folder.join(&file.locked.path));
                create_parent(&to)?;
                fs::rename(from, &to).map_err(|source| io(&to, source))?;
            }
            if partial.exists() {
                fs::remove_dir_all(&partial).map_err(|source| io(&partial, source))?;
            }
        } else {
            fs::rename(&partial, &self.folder).map_err(|source| io(&self.folder, source))?;
        }
        Ok(new.iter().map(|file| file.locked.path.clone()).collect())
    }

    fn mismatch(
        &self,
        file: &str,
        found: Content,
        (expected, expected_bytes): (&str, Option<u64>),
        against: Against,
    ) -> PullError {
        PullError::Mismatch(Box::new(Mismatch {
            name: self.name.to_owned(),
            file: file.to_owned(),
            expected: expected.to_owned(),
            expected_bytes,
            found: found.sha256,
            found_bytes: found.bytes,
            against,
        }))
    }
}

/// What is in a file.
struct Content {
    sha256: String,
    bytes: u64,
}

impl Content {
    fn of(path: &Path) -> Result<Self, PullError> {
        let hash = sha256(path)?;
        let bytes = fs::metadata(path).map_err(|source| io(path, source))?.len();
        Ok(Self { sha256: hash.as_str().to_owned(), bytes })
    }

    fn is(&self, sha256: &str, bytes: Option<u64>) -> bool {
        self.sha256 == sha256 && bytes.is_none_or(|bytes| bytes == self.bytes)
    }
}

/// Links compressed files, which nobody edits, and copies the others: an edit of a linked one would
/// reach into the hub's cache.
fn place(cached: &Path, path: &Path) -> Result<(), PullError> {
    create_parent(path)?;
    let compressed = path.extension().is_some_and(|ending| ending == "gz" || ending == "zst");
    if compressed && fs::hard_link(cached, path).is_ok() {
        return Ok(());
    }
    fs::copy(cached, path).map(|_| ()).map_err(|source| io(path, source))
}

fn create_parent(path: &Path) -> Result<(), PullError> {
    match path.parent() {
        Some(folder) => fs::create_dir_all(folder).map_err(|source| io(folder, source)),
        None => Ok(()),
    }
}

fn io(path: &Path, source: std::io::Error) -> PullError {
    PullError::Io { path: path.to_owned(), source }
}
