//! Files that are there whole or not at all: written beside their place, then renamed into it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Compression, WriteError};

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone: files that hold users' texts (mode 0600 on Unix).
    Owner,
    /// Whoever the process's umask lets.
    Default,
}

/// Writes a file, packed as its extension says (`.gz`, `.zst`). Until `write` is done and the bytes
/// are on the disk, `path` stays as it was; whatever fails leaves nothing behind.
///
/// # Errors
/// Those of `write`, and what the operating system refuses, with the file's name.
///
/// ```no_run
/// # fn save(run: &secondpass_core::Run) -> Result<(), secondpass_data::WriteError> {
/// use secondpass_data::{Access, trec, write_file};
/// write_file("bm25.trec.gz".as_ref(), Access::Default, |mut file| trec::write_run(run, &mut file))
/// # }
/// ```
pub fn write_file(
    path: &Path,
    access: Access,
    write: impl FnOnce(&mut dyn Write) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let staged = Staged::beside(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if access == Access::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = access;
    let mut file = options.open(&staged.path).map_err(WriteError::Io).map_err(at(path))?;
    Compression::of(path)
        .write(&mut file, write)
        .and_then(|()| Ok(file.sync_all()?))
        .and_then(|()| Ok(fs::rename(&staged.path, path)?))
        .map_err(at(path))?;
    sync_folder(path);
    Ok(())
}

/// Writes a folder that is not there yet, or is empty. `fill` gets a folder beside it, which takes
/// its place when `fill` is done.
///
/// # Errors
/// Those of `fill`, a folder that holds something already, and what the operating system refuses.
pub(crate) fn write_folder(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    if let Ok(mut entries) = fs::read_dir(path)
        && entries.next().is_some()
    {
        return Err(WriteError::FolderInUse { folder: path.display().to_string() });
    }
    let staged = Staged::beside(path);
    fs::create_dir(&staged.path).map_err(WriteError::Io).map_err(at(path))?;
    fill(&staged.path)?;
    // Not every system renames a folder over an empty one.
    if path.is_dir() {
        fs::remove_dir(path).map_err(WriteError::Io).map_err(at(path))?;
    }
    fs::rename(&staged.path, path).map_err(WriteError::Io).map_err(at(path))?;
    sync_folder(path);
    Ok(())
}

/// A name beside the target, so that renaming stays within one file system. What stands there when
/// this is dropped (nothing, after the renaming) is removed.
struct Staged {
    path: PathBuf,
}

impl Staged {
    fn beside(path: &Path) -> Self {
        // Two writers of one target, in this process or another, must not share a name.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}-{count}.part", std::process::id()));
        Self { path: path.with_file_name(name) }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // An error has been told already, and after a renaming there is nothing to remove.
        let _ = match self.path.is_dir() {
            true => fs::remove_dir_all(&self.path),
            false => fs::remove_file(&self.path),
        };
    }
}

/// Brings a renaming to the disk where the system can; the file itself is there already.
fn sync_folder(path: &Path) {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Names the file where the operating system was at fault.
fn at(path: &Path) -> impl Fn(WriteError) -> WriteError {
    move |error| match error {
        WriteError::Io(source) => WriteError::File { file: path.display().to_string(), source },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::open;

    fn entries(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.txt", "a.gz", "a.zst"] {
            let path = folder.path().join(name);
            fs::write(&path, "before").unwrap();
            let failed = write_file(&path, Access::Owner, |file| {
                file.write_all(&[b'x'; 100_000])?;
                Err(std::io::Error::other("disk full").into())
            });
            let error = failed.unwrap_err().to_string();
            assert_eq!(error, format!("{}: disk full", path.display()));
            assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        }
        assert_eq!(entries(folder.path()), ["a.gz", "a.txt", "a.zst"]);
        let error =
            write_file(&folder.path().join("no/such"), Access::Owner, |_| Ok(())).unwrap_err();
        assert!(matches!(error, WriteError::File { .. }), "{error}");
    }

    #[test]
    fn what_is_written_comes_back_and_equal_content_gives_equal_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let content = "line é\n".repeat(50_000);
        for name in ["a.txt", "a.gz", "a.zst"] {
            let path = folder.path().join(name);
            let mut written = Vec::new();
            for _ in 0..2 {
                write_file(&path, Access::Default, |file| Ok(file.write_all(content.as_bytes())?))
                    .unwrap();
                written.push(fs::read(&path).unwrap());
            }
            assert_eq!(written[0], written[1], "{name}");
            assert_eq!(name == "a.txt", written[0].len() == content.len(), "{name}");
            let mut count = 0;
            let read = open(&path, "").unwrap().each_filled(|line| {
                assert_eq!(line.text, "line é");
                count += 1;
                Ok(())
            });
            read.unwrap();
            assert_eq!(count, 50_000);
        }
    }

    #[test]
    fn a_folder_appears_whole_and_never_over_another() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("set");
        let failed = write_folder(&folder, |staged| {
            fs::write(staged.join("half"), "x")?;
            Err(std::io::Error::other("cut").into())
        });
        assert!(failed.is_err());
        assert_eq!(entries(parent.path()), [""; 0]);
        fs::create_dir(&folder).unwrap();
        write_folder(&folder, |staged| Ok(fs::write(staged.join("whole"), "x")?)).unwrap();
        assert_eq!(
            (entries(parent.path()), entries(&folder)),
            (vec!["set".into()], vec!["whole".into()])
        );
        let error = write_folder(&folder, |_| Ok(())).unwrap_err().to_string();
        assert!(error.ends_with("set: the folder holds files already; name another or empty it"));
    }

    #[cfg(unix)]
    #[test]
    fn users_texts_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("golden.jsonl.gz");
        // A file of the same name that others could read gives way.
        fs::write(&path, "before").unwrap();
        write_file(&path, Access::Owner, |file| Ok(file.write_all(b"x")?)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
