use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The file name of the segment of this number.
pub(super) fn name(number: u32) -> String {
    format!("{number:04}.jsonl")
}

/// A journal's segments with their numbers, oldest first; other files are left out.
pub(super) fn list(journal: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(journal)? {
        let entry = entry?;
        if let Some(number) = entry.file_name().to_str().and_then(number) {
            segments.push((number, entry.path()));
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

/// The number in a segment's file name.
pub(super) fn number(file: &str) -> Option<u32> {
    let number = file.strip_suffix(".jsonl")?.parse().ok()?;
    (name(number) == file).then_some(number)
}
