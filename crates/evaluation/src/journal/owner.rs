use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::line::Line;
use super::{JOURNAL_FOLDER, lock, segment};
use crate::checked;

/// Headers are far shorter; a longer first line is none.
const LONGEST_HEADER: u64 = 1 << 16;

/// Whose unfinished run an output folder holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It holds none, or one that had not begun.
    Nobody,
    /// This experiment's.
    Experiment(String),
    /// Its `journal` is not one of ours.
    Stranger,
}

/// Whose unfinished run this output folder holds, as the first readable header says.
pub(crate) fn owner(folder: &Path) -> io::Result<Owner> {
    let journal = folder.join(JOURNAL_FOLDER);
    let entries = match fs::read_dir(&journal) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Owner::Nobody),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Owner::Stranger),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        let is_ours =
            name.to_str().is_some_and(|name| name == lock::FILE || segment::number(name).is_some());
        if !is_ours {
            return Ok(Owner::Stranger);
        }
    }
    for (_, path) in segment::list(&journal)? {
        let mut first = Vec::new();
        BufReader::new(File::open(path)?).take(LONGEST_HEADER).read_until(b'\n', &mut first)?;
        let header =
            checked::lines(&first).contents.first().and_then(|content| match serde_json::from_str(
                content,
            ) {
                Ok(Line::Header(header)) => Some(header.experiment),
                _ => None,
            });
        if let Some(experiment) = header {
            return Ok(Owner::Experiment(experiment));
        }
    }
    Ok(Owner::Nobody)
}
