use std::path::Path;

use super::{Finding, State, shown};
use crate::folders;

const SECTION: &str = "caches";

/// What each part of our own cache is for.
const PARTS: [(&str, &str); 5] = [
    ("scores", "scores of pairs, for quality without scoring again"),
    ("vectors", "vectors of dense first stages"),
    ("indexes", "BM25 indexes"),
    ("batches", "how many tokens to score at a time, by model"),
    ("kernels", "kernels compiled for cards, and which are fastest there"),
];

/// Our own cache folder.
pub fn look() -> Vec<Finding> {
    match folders::cache() {
        Ok(folder) => findings(&folder),
        Err(error) => {
            vec![
                Finding::new(SECTION, "folder", State::Broken, error.to_string())
                    .advise("set SECONDPASS_CACHE to a folder that can be written"),
            ]
        }
    }
}

fn findings(folder: &Path) -> Vec<Finding> {
    let path = folder.display().to_string();
    // A folder that is not there yet is made when it is needed.
    let writable = !folder.exists() || tempfile_in(folder);
    let state = if writable { State::Ok } else { State::Broken };
    let found = match (folder.exists(), writable) {
        (false, _) => format!("{path}, not made yet"),
        (true, true) => format!("{path}, can be written"),
        (true, false) => format!("{path} cannot be written"),
    };
    let advice = match writable {
        true => "nothing to do; `secondpass purge --caches` empties it",
        false => "make it writable, set SECONDPASS_CACHE to another folder, or use --no-cache",
    };
    let whole = Finding::new(SECTION, "folder", state, found).advise(advice).with("folder", path);
    let parts = PARTS.into_iter().filter_map(|(part, what)| {
        let (files, bytes) = size(&folder.join(part));
        (files > 0).then(|| {
            let found = format!("{files} files, {}: {what}", shown(bytes));
            Finding::new(SECTION, part, State::Ok, found)
                .advise("nothing to do; it is made again when it is missing")
                .with("files", files)
                .with("bytes", bytes)
        })
    });
    [whole].into_iter().chain(parts).collect()
}

/// Whether a file can be made in a folder.
fn tempfile_in(folder: &Path) -> bool {
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(&probe).is_ok();
    made && std::fs::remove_file(&probe).is_ok()
}

fn size(folder: &Path) -> (usize, u64) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| entry.metadata().ok()).filter(|data| data.is_file());
    files.fold((0, 0), |(count, bytes), data| (count + 1, bytes + data.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_and_a_missing_folder_is_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        let missing = findings(&folder.path().join("none"));
        assert_eq!((missing.len(), missing[0].state), (1, State::Ok));
        std::fs::create_dir(folder.path().join("scores")).unwrap();
        std::fs::write(folder.path().join("scores/a.scores"), [0; 1500]).unwrap();
        let found = findings(folder.path());
        assert_eq!((found.len(), found[1].name.as_str()), (2, "scores"));
        assert!(found[1].found.starts_with("1 files, 1.5 kB"), "{}", found[1].found);
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "the probe is gone");
    }
}
