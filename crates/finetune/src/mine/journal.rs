use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use secondpass_core::ContentHash;
use secondpass_evaluation::checked;
use serde::{Deserialize, Serialize};

use super::MineError;

/// What a teacher has scored so far, kept on disk until everything is mined, so that a start that was
/// killed goes on where it was. Lines carry a checksum; one that was cut off or damaged is scored
/// again. Holds hashes and numbers, no texts and no ids.
#[derive(Debug)]
pub struct TeacherJournal {
    path: Option<PathBuf>,
    file: Option<File>,
    kept: HashMap<ContentHash, Vec<f64>>,
    reused: usize,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: ContentHash,
    scores: Vec<f64>,
}

impl TeacherJournal {
    /// Keeps nothing.
    pub fn none() -> Self {
        Self { path: None, file: None, kept: HashMap::new(), reused: 0 }
    }

    /// Opens the journal at this path, where an earlier start may have left one.
    ///
    /// # Errors
    /// What the operating system refuses.
    pub fn open(path: &Path) -> Result<Self, MineError> {
        let failed =
            |doing| move |source| MineError::Journal { doing, path: path.to_owned(), source };
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed("read")(error)),
        };
        let contents = checked::lines(&bytes).contents;
        let lines =
            contents.iter().filter_map(|content| serde_json::from_str::<Line>(content).ok());
        let kept: HashMap<_, _> = lines.map(|line| (line.key, line.scores)).collect();
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed("write"))?;
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            // What was being written when the process died must not spoil the next line.
            file.write_all(b"\n").map_err(failed("write"))?;
        }
        let reused = kept.len();
        Ok(Self { path: Some(path.to_owned()), file: Some(file), kept, reused })
    }

    /// Queries that an earlier start left.
    pub fn reused(&self) -> usize {
        self.reused
    }

    /// Removes it: everything is mined and written.
    ///
    /// # Errors
    /// What the operating system refuses.
    pub fn remove(self) -> Result<(), MineError> {
        match self.path {
            None => Ok(()),
            Some(path) => fs::remove_file(&path).map_err(|source| MineError::Journal {
                doing: "remove",
                path,
                source,
            }),
        }
    }

    pub(super) fn get(&self, key: &ContentHash) -> Option<&[f64]> {
        self.kept.get(key).map(Vec::as_slice)
    }

    /// Keeps a query's scores; they are with the system when this returns.
    pub(super) fn append(&mut self, key: &ContentHash, scores: &[f64]) -> Result<(), MineError> {
        let (Some(file), Some(path)) = (&mut self.file, &self.path) else { return Ok(()) };
        let line = Line { key: key.clone(), scores: scores.to_vec() };
        let written = serde_json::to_string(&line)
            .map_err(std::io::Error::from)
            .and_then(|content| file.write_all(checked::line(&content).as_bytes()));
        written.map_err(|source| MineError::Journal { doing: "write", path: path.clone(), source })
    }
}
