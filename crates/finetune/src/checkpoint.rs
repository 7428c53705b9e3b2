use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

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
    /// Makes sure that nothing of value stands where the checkpoint goes, and that it can be
    /// written at all. What is there may stay when it is of a run that goes on.
    pub(crate) fn prepare(&self, goes_on: bool) -> Result<(), FinetuneError> {
        let old = self.beside("old");
        if !self.folder.exists() && old.exists() {
            fs::rename(&old, self.folder).map_err(at(&old))?;
        }
        let is_empty = match fs::read_dir(self.folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(at(self.folder)(error)),
        };
        if !is_empty && !goes_on {
            return Err(FinetuneError::CheckpointExists(self.folder.to_owned()));
        }
        if let Some(parent) = self.folder.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        let partial = self.beside("partial");
        fresh(&partial)?;
        fs::remove_dir(&partial).map_err(at(&partial))
    }

    /// Removes what a run left that is not to go on.
    pub(crate) fn clear(&self) -> Result<(), FinetuneError> {
        remove(&self.beside("old"))?;
        remove(self.folder)
    }

    /// Replaces the folder by the learner's weights after this many steps.
    pub(crate) fn save(&self, learner: &dyn Learner, step: usize) -> Result<(), FinetuneError> {
        let (partial, old) = (self.beside("partial"), self.beside("old"));
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
        remove(&old)?;
        if self.folder.exists() {
            fs::rename(self.folder, &old).map_err(at(self.folder))?;
        }
        fs::rename(&partial, self.folder).map_err(at(self.folder))?;
        remove(&old)
    }

    fn beside(&self, what: &str) -> PathBuf {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        self.folder.with_file_name(format!(".{name}.{what}"))
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

    #[test]
    fn a_save_replaces_the_one_before_and_leaves_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("new/best");
        let checkpoint =
            Checkpoint { folder: &folder, files: &[("tokenizer.json", b"{}")], half: true };
        checkpoint.prepare(false).unwrap();
        assert!(!folder.exists());
        checkpoint.save(&Toy::new(3), 1).unwrap();
        fs::write(folder.join("stray"), "").unwrap();
        checkpoint.save(&Toy::new(4), 2).unwrap();
        assert_eq!(names(&folder), ["config.json", "model.safetensors", "tokenizer.json"]);
        assert_eq!(names(folder.parent().unwrap()), ["best"]);
        assert_eq!(fs::read_to_string(folder.join("config.json")).unwrap(), "{\"weights\":4}");
    }

    #[test]
    fn a_cut_save_leaves_the_one_before() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("best");
        let checkpoint = Checkpoint { folder: &folder, files: &[], half: true };
        checkpoint.save(&Toy::new(3), 1).unwrap();
        let mut full = Toy::new(4);
        full.disk_is_full = true;
        let error = checkpoint.save(&full, 7).unwrap_err().to_string();
        assert!(error.starts_with("the checkpoint of step 7: cannot write"), "{error}");
        assert_eq!(fs::read_to_string(folder.join("config.json")).unwrap(), "{\"weights\":3}");
        // Cut between the two renames.
        fs::rename(&folder, parent.path().join(".best.old")).unwrap();
        assert!(matches!(checkpoint.prepare(false), Err(FinetuneError::CheckpointExists(_))));
        assert_eq!(names(&folder), ["config.json", "model.safetensors"]);
    }

    #[test]
    fn what_stands_there_is_not_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path();
        let checkpoint = Checkpoint { folder, files: &[], half: true };
        checkpoint.prepare(false).unwrap();
        fs::write(folder.join("thesis.txt"), "").unwrap();
        assert!(matches!(checkpoint.prepare(false), Err(FinetuneError::CheckpointExists(_))));
        checkpoint.prepare(true).unwrap();
        let file = folder.join("thesis.txt");
        let checkpoint = Checkpoint { folder: &file, files: &[], half: true };
        assert!(matches!(checkpoint.prepare(false), Err(FinetuneError::Checkpoint { .. })));
    }
}
