use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use secondpass_core::{ContentHash, Hasher};
use secondpass_text::Learner;

use crate::FinetuneError;

/// Where the best weights go. Each save is written beside the folder and renamed into its place, so
/// that a save that is cut short leaves the one before it: under the folder's own name or, when cut
/// between the two renames, under that name with a dot before and `.old` behind, which the next
/// training into this folder puts back.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint<'a> {
    /// The folder; it must not exist, or be empty, when training starts anew.
    pub folder: &'a Path,
    /// What belongs to a model beside `config.json` and its weights, by file name: its
    /// `tokenizer.json`.
    pub files: &'a [(&'a str, &'a [u8])],
    /// Whether weights are stored as 16-bit floats, otherwise as 32-bit ones.
    pub half: bool,
}

impl Checkpoint<'_> {
    /// Keeps others from training into this folder while the lock is held.
    ///
    /// # Errors
    /// Somebody does, or nothing can be written beside the folder.
    pub fn lock(&self) -> Result<Lock, FinetuneError> {
        let path = self.beside("lock");
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        let file = fs::File::create(&path).map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { path, _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(FinetuneError::InUse(self.folder.to_owned())),
            Err(fs::TryLockError::Error(source)) => Err(at(&path)(source)),
        }
    }

    /// Puts back what a save that was cut short moved aside, and tells what stands in the folder:
    /// nothing, or files, as their hash.
    pub(crate) fn found(&self) -> Result<Option<ContentHash>, FinetuneError> {
        let old = self.beside("old");
        if !self.folder.exists() && old.exists() {
            fs::rename(&old, self.folder).map_err(at(&old))?;
        }
        let is_empty = match fs::read_dir(self.folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(at(self.folder)(error)),
        };
        if is_empty { Ok(None) } else { self.hash(self.folder).map(Some) }
    }

    /// Makes sure that the folder can be written.
    pub(crate) fn try_write(&self) -> Result<(), FinetuneError> {
        let partial = self.beside("partial");
        fresh(&partial)?;
        fs::remove_dir(&partial).map_err(at(&partial))
    }

    /// Removes what a run left that is not to go on.
    pub(crate) fn clear(&self) -> Result<(), FinetuneError> {
        remove(&self.beside("old"))?;
        remove(self.folder)
    }

    /// Writes the learner's weights after this many steps beside the folder: the hash that it will
    /// have once [`Checkpoint::publish`] puts them there.
    pub(crate) fn stage(
        &self,
        learner: &dyn Learner,
        step: usize,
    ) -> Result<ContentHash, FinetuneError> {
        let partial = self.beside("partial");
        fresh(&partial)?;
        learner.save(&partial, self.half).map_err(|source| FinetuneError::Save { step, source })?;
        for (name, bytes) in self.files {
            let file = partial.join(name);
            fs::write(&file, bytes).map_err(at(&file))?;
        }
        for entry in fs::read_dir(&partial).map_err(at(&partial))? {
            let path = entry.map_err(at(&partial))?.path();
            fs::File::open(&path).and_then(|file| file.sync_all()).map_err(at(&path))?;
        }
        self.hash(&partial)
    }

    /// Replaces the folder by what was staged.
    pub(crate) fn publish(&self) -> Result<(), FinetuneError> {
        let (partial, old) = (self.beside("partial"), self.beside("old"));
        remove(&old)?;
        if self.folder.exists() {
            fs::rename(self.folder, &old).map_err(at(self.folder))?;
        }
        fs::rename(&partial, self.folder).map_err(at(self.folder))?;
        remove(&old)
    }

    /// Of what a save writes into a folder; what else is there, a report for one, does not count.
    fn hash(&self, folder: &Path) -> Result<ContentHash, FinetuneError> {
        let mut hasher = Hasher::new();
        for name in ["config.json", "model.safetensors"].into_iter().chain(self.names()) {
            let path = folder.join(name);
            match path.is_file() {
                true => {
                    let hash = secondpass_data::sha256(&path);
                    hasher.field(
                        hash.map_err(|error| FinetuneError::Read(error.to_string()))?.as_str(),
                    )
                }
                false => hasher.field("missing"),
            };
        }
        Ok(hasher.finish())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| *name)
    }

    fn beside(&self, what: &str) -> PathBuf {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        self.folder.with_file_name(format!(".{name}.{what}"))
    }
}

/// Held by whoever trains into a folder.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: fs::File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What cannot be removed is locked by nobody, and does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

fn fresh(folder: &Path) -> Result<(), FinetuneError> {
    remove(folder)?;
    fs::create_dir_all(folder).map_err(at(folder))
}

fn remove(folder: &Path) -> Result<(), FinetuneError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(at(folder)(error)),
        _ => Ok(()),
    }
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> FinetuneError + '_ {
    |source| FinetuneError::Checkpoint { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Toy;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> =
            entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn save(checkpoint: Checkpoint<'_>, learner: &Toy, step: usize) -> Result<(), FinetuneError> {
        checkpoint.stage(learner, step)?;
        checkpoint.publish()
    }

    #[test]
    fn a_save_replaces_the_one_before_and_leaves_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("new/best");
        let checkpoint =
            Checkpoint { folder: &folder, files: &[("tokenizer.json", b"{}")], half: true };
        checkpoint.try_write().unwrap();
        assert!(!folder.exists());
        save(checkpoint, &Toy::new(3), 1).unwrap();
        fs::write(folder.join("stray"), "").unwrap();
        let staged = checkpoint.stage(&Toy::new(4), 2).unwrap();
        assert_ne!(checkpoint.found().unwrap().as_ref(), Some(&staged));
        checkpoint.publish().unwrap();
        assert_eq!(checkpoint.found().unwrap(), Some(staged));
        assert_eq!(names(&folder), ["config.json", "model.safetensors", "tokenizer.json"]);
        assert_eq!(names(folder.parent().unwrap()), ["best"]);
        assert_eq!(fs::read_to_string(folder.join("config.json")).unwrap(), "{\"weights\":4}");
    }

    #[test]
    fn a_cut_save_leaves_the_one_before() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("best");
        let checkpoint = Checkpoint { folder: &folder, files: &[], half: true };
        save(checkpoint, &Toy::new(3), 1).unwrap();
        let mut full = Toy::new(4);
        full.disk_is_full = true;
        let error = save(checkpoint, &full, 7).unwrap_err().to_string();
        assert!(error.starts_with("the checkpoint of step 7: cannot write"), "{error}");
        assert_eq!(fs::read_to_string(folder.join("config.json")).unwrap(), "{\"weights\":3}");
        // Cut between the two renames.
        let whole = checkpoint.found().unwrap();
        fs::rename(&folder, parent.path().join(".best.old")).unwrap();
        assert_eq!(checkpoint.found().unwrap(), whole);
        assert_eq!(names(&folder), ["config.json", "model.safetensors"]);
    }

    #[test]
    fn its_hash_is_that_of_its_files() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("best");
        let checkpoint =
            Checkpoint { folder: &folder, files: &[("tokenizer.json", b"{}")], half: true };
        assert_eq!(checkpoint.found().unwrap(), None);
        save(checkpoint, &Toy::new(3), 1).unwrap();
        let whole = checkpoint.found().unwrap();
        fs::write(folder.join("README.md"), "a card").unwrap();
        assert_eq!(checkpoint.found().unwrap(), whole);
        for file in ["config.json", "model.safetensors", "tokenizer.json"] {
            let bytes = fs::read(folder.join(file)).unwrap();
            fs::write(folder.join(file), "hi").unwrap();
            assert_ne!(checkpoint.found().unwrap(), whole, "{file}");
            fs::remove_file(folder.join(file)).unwrap();
            assert_ne!(checkpoint.found().unwrap(), whole, "{file}");
            fs::write(folder.join(file), bytes).unwrap();
        }
        assert_eq!(checkpoint.found().unwrap(), whole);
        let checkpoint = Checkpoint { folder: &folder.join("config.json"), files: &[], half: true };
        assert!(matches!(checkpoint.found(), Err(FinetuneError::Checkpoint { .. })));
    }

    #[test]
    fn one_at_a_time_trains_into_a_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("best");
        let checkpoint = Checkpoint { folder: &folder, files: &[], half: true };
        let held = checkpoint.lock().unwrap();
        assert!(matches!(checkpoint.lock(), Err(FinetuneError::InUse(_))));
        drop(held);
        drop(checkpoint.lock().unwrap());
        assert!(names(parent.path()).is_empty());
    }
}
