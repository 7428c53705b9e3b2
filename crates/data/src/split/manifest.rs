use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use secondpass_core::ContentHash;
use serde::Serialize;

use super::Settings;
use super::moment::Moment;
use crate::{DataError, WriteError};

/// What a split did; stands beside its parts. Holds no texts.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// The file that was split, by its name alone.
    pub source: String,
    /// The SHA-256 of its bytes.
    pub source_sha256: ContentHash,
    /// Its lines.
    pub lines: usize,
    /// What drew the parts.
    pub seed: u64,
    /// The field by whose times lines were split.
    pub by_time: Option<String>,
    /// The fields whose values kept lines together.
    pub group_by: Vec<String>,
    /// Lines that were joined to others by those fields.
    pub grouped: usize,
    /// The share of common shingles from which on queries counted as near-duplicates.
    pub near: f64,
    /// Lines that were joined to others, beyond the fields, because their queries say nearly the same.
    pub near_duplicates: usize,
    /// How often each kind of personal data was taken out; `None` where nothing was looked for.
    pub scrubbed: Option<BTreeMap<String, u64>>,
    /// The SHA-256 of the corpus that was written with them.
    pub corpus: Option<ContentHash>,
    /// The parts.
    pub parts: Vec<PartSummary>,
}

/// One part of a split.
#[derive(Clone, Debug, Serialize)]
pub struct PartSummary {
    /// Its name; the file is `NAME.jsonl`.
    pub name: String,
    /// The share of lines that was asked for.
    pub share: f64,
    /// Lines that it got.
    pub lines: usize,
    /// Sets of lines that had to stay together.
    pub clusters: usize,
    /// Its oldest line.
    pub from: Option<Moment>,
    /// Its youngest line.
    pub to: Option<Moment>,
    /// The SHA-256 of its file.
    pub sha256: ContentHash,
}

impl Manifest {
    pub(super) fn new(path: &Path, settings: &Settings, lines: usize) -> Result<Self, DataError> {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(Self {
            source: name.to_string_lossy().into_owned(),
            source_sha256: crate::sha256(path)?,
            lines,
            seed: settings.seed,
            by_time: settings.by_time.clone(),
            group_by: settings.group_by.clone(),
            grouped: 0,
            near: settings.near,
            near_duplicates: 0,
            scrubbed: None,
            corpus: None,
            parts: Vec::new(),
        })
    }

    pub(super) fn write(&self, file: &mut dyn Write) -> Result<(), WriteError> {
        serde_json::to_writer_pretty(&mut *file, self).map_err(std::io::Error::from)?;
        Ok(writeln!(file)?)
    }
}
