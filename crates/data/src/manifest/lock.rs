use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::PullError;

/// What the first pull of a set got, which later pulls must match: `NAME.lock.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The version of the file's layout, [`Lock::VERSION`].
    pub version: u32,
    /// The set.
    pub name: String,
    /// Its files, by path.
    #[serde(default, rename = "file")]
    pub files: Vec<LockedFile>,
}

/// One file of a set as it was pulled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    /// Its path in the set's folder, with `/` between folders.
    pub path: String,
    /// The repository it is of.
    pub hub: String,
    /// The revision that the manifest asked for.
    pub asked: String,
    /// The commit that this named.
    pub commit: String,
    /// Its SHA-256 in lower-case hex.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Lock {
    /// The layout that is written and read.
    pub const VERSION: u32 = 1;

    /// The file of this path.
    pub fn get(&self, path: &str) -> Option<&LockedFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// A lock of nothing.
    pub(super) fn new(name: &str) -> Self {
        Self { version: Self::VERSION, name: name.to_owned(), files: Vec::new() }
    }

    /// The lock in a file; one of nothing where there is none.
    pub(super) fn read(lock: &Path, name: &str, folder: &Path) -> Result<Self, PullError> {
        let bad = |message: String| {
            let (lock, folder) = (lock.to_owned(), folder.to_owned());
            PullError::BadLock { lock, message, folder }
        };
        let text = match std::fs::read_to_string(lock) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::new(name)),
            Err(error) => return Err(bad(error.to_string())),
        };
        let read: Self = toml::from_str(&text).map_err(|error| bad(error.message().to_owned()))?;
        if read.version != Self::VERSION {
            return Err(bad(format!(
                "its layout has version {}, this program knows {}",
                read.version,
                Self::VERSION
            )));
        }
        if read.name != name {
            return Err(bad(format!("it is of the set '{}', not of '{name}'", read.name)));
        }
        Ok(read)
    }

    /// Notes a file in place of what was known of its path.
    pub(super) fn note(&mut self, file: LockedFile) {
        self.files.retain(|known| known.path != file.path);
        self.files.push(file);
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// Writes the lock, whole or not at all.
    pub(super) fn write(&self, lock: &Path) -> Result<(), PullError> {
        let failed = |source| PullError::Io { path: lock.to_owned(), source };
        let body = toml::to_string(self)
            .map_err(|error| failed(std::io::Error::new(ErrorKind::InvalidData, error)))?;
        let text = format!(
            "# Written at the first pull of '{}': later pulls must match it. Keep it with your data.\n\
             {body}",
            self.name
        );
        let partial = lock.with_extension("partial");
        std::fs::write(&partial, text)
            .and_then(|()| std::fs::rename(&partial, lock))
            .map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.lock.toml");
        let mut lock = Lock::new("tiny");
        for name in ["b", "a", "b"] {
            lock.note(LockedFile {
                path: name.to_owned(),
                hub: "org/x".to_owned(),
                asked: "main".to_owned(),
                commit: "c".to_owned(),
                sha256: "0".to_owned(),
                bytes: 7,
            });
        }
        assert_eq!(lock.files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        lock.write(&path).unwrap();
        assert_eq!(Lock::read(&path, "tiny", folder.path()).unwrap(), lock);
        let none = folder.path().join("none.lock.toml");
        assert_eq!(Lock::read(&none, "none", folder.path()).unwrap(), Lock::new("none"));
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.lock.toml");
        for (text, said) in [
            ("version = 2\nname = \"tiny\"", "version 2, this program knows 1"),
            ("version = 1\nname = \"other\"", "of the set 'other', not of 'tiny'"),
            ("version = 1\nname = \"tiny\"\nfiles = 1", "unknown field"),
            ("version = ", "move it and"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Lock::read(&path, "tiny", folder.path()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
