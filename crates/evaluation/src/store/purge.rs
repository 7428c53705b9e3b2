use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{RECORD_FILE, StoreError, TABLE_FILE, UNFINISHED, failed, owner};
use crate::bench::{BENCH_FILE, SAMPLES_FILE, bench_owner};
use crate::journal::{self, JOURNAL_FOLDER, Owner};

/// The folder in which whole reports are made ready before they are published.
const STAGING: &str = ".unfinished";

/// Removes what an experiment wrote into its output folder, and nothing else: the journal, the
/// table, a bench with its samples, unfinished files, the files of `reports` (relative to the folder, as
/// `charts/quality.svg`), and last the record. Folders go where nothing is left in them, the output
/// folder too. Gives the files that were removed.
///
/// # Errors
/// The folder holds no record, no bench and no journal of ours; an experiment runs there; the system refuses.
pub fn purge(folder: &Path, reports: &[PathBuf]) -> Result<Vec<PathBuf>, StoreError> {
    let journal = must_be_ours(folder)?;
    let mut removed = match journal {
        true => journal::purge(folder)?,
        false => Vec::new(),
    };
    for folder in [&folder.join(STAGING), folder] {
        remove_unfinished(folder, &mut removed)?;
        for file in reports {
            remove(&folder.join(file), &mut removed)?;
            // Deepest first; what is not empty stays.
            for parent in file.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
                let _ = fs::remove_dir(folder.join(parent));
            }
        }
        for file in [TABLE_FILE, SAMPLES_FILE, BENCH_FILE] {
            remove(&folder.join(file), &mut removed)?;
        }
        // Last, so that a purge that was cut short can be taken up.
        remove(&folder.join(RECORD_FILE), &mut removed)?;
        let _ = fs::remove_dir(folder);
    }
    Ok(removed)
}

/// Whether there is a journal; an error where neither it nor a record is ours.
fn must_be_ours(folder: &Path) -> Result<bool, StoreError> {
    let path = folder.join(RECORD_FILE);
    let has_record = match fs::read_to_string(&path) {
        Ok(text) => owner(&text, &path).map(|_| true)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed("read", &path)(error)),
    };
    let journal = folder.join(JOURNAL_FOLDER);
    let owner = journal::owner(folder).map_err(failed("read", &journal))?;
    let has_journal = match owner {
        Owner::Experiment(_) => true,
        Owner::Nobody => journal.is_dir(),
        Owner::Stranger => false,
    };
    match has_record || has_journal || bench_owner(folder).is_some() {
        true => Ok(has_journal),
        false => Err(failed("read", &path)(io::ErrorKind::NotFound.into())),
    }
}

fn remove_unfinished(folder: &Path, removed: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed("read", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(failed("read", folder))?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            remove(&entry.path(), removed)?;
        }
    }
    Ok(())
}

fn remove(path: &Path, removed: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => removed.push(path.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("remove", path)(error)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use secondpass_core::ContentHash;

    use super::*;
    use crate::journal::{Call, Journal};
    use crate::store::write;
    use crate::testing::{record, rows};

    /// Leaves a journal with a call in it.
    fn interrupted(folder: &Path) {
        let journal = Journal::open(folder, "quickstart", false).unwrap();
        let query = "q1".into();
        let (key, system) = (ContentHash::of(b"call"), "mini");
        let call = Call { key, system, pass: "", query: &query, billed: false, most_units: None };
        journal.begin(&call, None).unwrap();
    }

    #[test]
    fn takes_its_own_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("out");
        write(&folder, &record(), &rows()).unwrap();
        interrupted(&folder);
        fs::create_dir_all(folder.join("charts")).unwrap();
        fs::create_dir_all(folder.join(STAGING)).unwrap();
        for file in [
            "report.md",
            "charts/a.svg",
            "charts/mine.svg",
            "notes.txt",
            ".secondpass-1-x",
            ".unfinished/report.md",
        ] {
            fs::write(folder.join(file), "text").unwrap();
        }
        let reports = ["report.md", "report.html", "charts/a.svg"].map(PathBuf::from);
        let removed = purge(&folder, &reports).unwrap();
        assert_eq!(removed.len(), 8, "{removed:?}");
        let mut left: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["charts", "notes.txt"]);
        assert!(folder.join("charts/mine.svg").exists());

        let error = purge(&folder, &reports).unwrap_err().to_string();
        assert!(error.contains(RECORD_FILE), "{error}");
        assert!(folder.join("notes.txt").exists());

        let other = parent.path().join("other");
        interrupted(&other);
        purge(&other, &reports).unwrap();
        assert!(!other.exists());
    }

    #[test]
    fn a_bench_is_ours_too() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("out");
        crate::bench::write_bench(&folder, &crate::bench::testing::bench_record(), &[]).unwrap();
        fs::write(folder.join("bench.html"), "page").unwrap();
        let removed = purge(&folder, &[PathBuf::from("bench.html")]).unwrap();
        assert_eq!(removed.len(), 3, "{removed:?}");
        assert!(!folder.exists());
        // A file of that name that somebody else wrote is not.
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(BENCH_FILE), "{\"name\": \"mine\"}").unwrap();
        assert!(purge(&folder, &[]).is_err());
        assert!(folder.join(BENCH_FILE).exists());
    }

    #[test]
    fn a_running_experiment_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &record(), &rows()).unwrap();
        let journal = Journal::open(folder.path(), "quickstart", false).unwrap();
        let error = purge(folder.path(), &[]).unwrap_err().to_string();
        assert!(error.starts_with("another process is running an experiment in '"), "{error}");
        assert!(folder.path().join(RECORD_FILE).exists());
        drop(journal);
        purge(folder.path(), &[]).unwrap();
    }
}
