//! An experiment's output folder: `record.json` and `queries.parquet`, and `journal/` while it runs.
//! It belongs to the experiment whose name stands in its record or journal, and others are refused.
//! Files here may hold users' texts: on Unix only their owner may read them.

mod purge;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use secondpass_core::ContentHash;
use serde::Deserialize;

use crate::bench::bench_owner;
use crate::files::{private, remedy};
use crate::journal::{self, JOURNAL_FOLDER, JournalError, Owner};
use crate::record::{QueryRow, Record, SCHEMA};
use crate::table::{self, TableError};

pub use purge::purge;

/// The manifest's file name.
pub const RECORD_FILE: &str = "record.json";
/// The table's file name.
pub const TABLE_FILE: &str = "queries.parquet";

/// Files that are being written start like this; one that a killed process left behind harms
/// nobody.
const UNFINISHED: &str = ".secondpass-";

/// Why an output folder could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("cannot {doing} '{}': {source}; {}", path.display(), remedy(source))]
    Io {
        /// `read`, `write` or `create`.
        doing: &'static str,
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds another experiment's results.
    #[error(
        "'{}' is the output folder of another experiment, '{owner}'; nothing was written: choose \
         another folder for '{name}'", folder.display()
    )]
    OtherExperiment {
        /// The folder.
        folder: PathBuf,
        /// The experiment it belongs to.
        owner: String,
        /// The experiment that asked.
        name: String,
    },
    /// The folder holds something that is not ours.
    #[error(
        "'{}' is not empty ('{example}' is in it) and holds no {RECORD_FILE}; nothing was written: \
         choose a new or empty folder", folder.display()
    )]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
        /// One of the things in it.
        example: String,
    },
    /// The manifest is cut or is no manifest.
    #[error(
        "'{}' is truncated or is not a record: {message}; run the experiment again into a new \
         folder",
        path.display()
    )]
    NotARecord {
        /// The manifest.
        path: PathBuf,
        /// What the parser found.
        message: String,
    },
    /// The manifest has another layout.
    #[error(
        "'{}' has schema {found}, this program reads {SCHEMA}; run the experiment again with this \
         version", path.display()
    )]
    Schema {
        /// The manifest.
        path: PathBuf,
        /// The schema it says it has.
        found: u64,
    },
    /// The manifest contradicts itself.
    #[error("'{}' contradicts itself: {problem}; run the experiment again", path.display())]
    Contradiction {
        /// The manifest.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// The table is not the one that was written with the manifest.
    #[error(
        "'{}' is not the table that was written with {RECORD_FILE}: it was cut or changed; run the \
         experiment again", path.display()
    )]
    OtherTable {
        /// The table.
        path: PathBuf,
    },
    /// The rows make no table, or the table no rows.
    #[error("'{}': {source}; run the experiment again", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// What is wrong with it.
        source: TableError,
    },
    /// A file of figures over time that is none.
    #[error("'{}' is not a history: {message}; move it away to begin a new one", path.display())]
    NotAHistory {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The folder's journal stands in the way.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Makes the folder where it is missing, and checks that this experiment may write there: it is
/// empty, or holds a record or an unfinished run of the same name. Worth calling before the
/// experiment runs.
///
/// # Errors
/// The folder is another experiment's or somebody else's; it cannot be made or read.
pub fn claim(folder: &Path, name: &str) -> Result<(), StoreError> {
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    let path = folder.join(RECORD_FILE);
    match fs::read_to_string(&path) {
        Ok(text) => match owner(&text, &path)? {
            owner if owner == name => Ok(()),
            owner => Err(StoreError::OtherExperiment {
                folder: folder.to_owned(),
                owner,
                name: name.to_owned(),
            }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => claim_without_record(folder, name),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(StoreError::NotARecord { path, message: error.to_string() })
        }
        Err(error) => Err(failed("read", &path)(error)),
    }
}

/// Writes the record and its table into the folder, replacing this experiment's earlier ones. Files
/// appear under their names only when they are whole; the manifest holds the table's hash, so that
/// no reader takes the table of another run for this one's.
///
/// # Errors
/// As [`claim`]; a file cannot be written.
pub fn write(folder: &Path, record: &Record, rows: &[QueryRow]) -> Result<(), StoreError> {
    claim(folder, &record.experiment.name)?;
    let (record_path, table_path) = (folder.join(RECORD_FILE), folder.join(TABLE_FILE));
    let table = table::encode(rows, &record.measures)
        .map_err(|source| StoreError::Table { path: table_path.clone(), source })?;
    let manifest = manifest(record, &ContentHash::of(&table))
        .map_err(|error| failed("write", &record_path)(error.into()))?;
    let table = Unfinished::write(&table_path, &table)?;
    let manifest = Unfinished::write(&record_path, &manifest)?;
    // The manifest first: a folder that holds only a table would be nobody's.
    manifest.finish(&record_path)?;
    table.finish(&table_path)
}

/// Reads a folder's manifest.
///
/// # Errors
/// It is missing, cut, of another schema, or contradicts itself.
pub fn read_record(folder: &Path) -> Result<Record, StoreError> {
    Ok(read_manifest(folder)?.0)
}

/// Reads a folder's manifest and table.
///
/// # Errors
/// As [`read_record`]; the table is missing, cut, or not the one written with the manifest.
pub fn read(folder: &Path) -> Result<(Record, Vec<QueryRow>), StoreError> {
    let (record, expected) = read_manifest(folder)?;
    let path = folder.join(TABLE_FILE);
    let bytes = fs::read(&path).map_err(failed("read", &path))?;
    // Bytes that were not written here never reach the Parquet reader.
    if expected != Some(ContentHash::of(&bytes)) {
        return Err(StoreError::OtherTable { path });
    }
    let rows = table::decode(&bytes, &record.measures);
    Ok((record, rows.map_err(|source| StoreError::Table { path, source })?))
}

/// What every layout of the manifest has.
#[derive(Deserialize)]
struct Header {
    schema: u64,
    experiment: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// What this layout has beside the record.
#[derive(Deserialize)]
struct Beside {
    table: Option<ContentHash>,
}

fn manifest(record: &Record, table: &ContentHash) -> Result<Vec<u8>, serde_json::Error> {
    let mut manifest = serde_json::to_value(record)?;
    manifest["table"] = serde_json::to_value(table)?;
    let mut text = serde_json::to_vec_pretty(&manifest)?;
    text.push(b'\n');
    Ok(text)
}

fn read_manifest(folder: &Path) -> Result<(Record, Option<ContentHash>), StoreError> {
    let path = folder.join(RECORD_FILE);
    let bytes = fs::read(&path).map_err(failed("read", &path))?;
    let not_a_record = |error: serde_json::Error| StoreError::NotARecord {
        path: path.clone(),
        message: error.to_string(),
    };
    let header: Header = serde_json::from_slice(&bytes).map_err(not_a_record)?;
    if header.schema != u64::from(SCHEMA) {
        return Err(StoreError::Schema { path, found: header.schema });
    }
    let record: Record = serde_json::from_slice(&bytes).map_err(not_a_record)?;
    let beside: Beside = serde_json::from_slice(&bytes).map_err(not_a_record)?;
    match contradiction(&record) {
        Some(problem) => Err(StoreError::Contradiction { path, problem }),
        None => Ok((record, beside.table)),
    }
}

/// What readers rely on and JSON cannot say.
fn contradiction(record: &Record) -> Option<String> {
    if !record.measures.contains(&record.primary) {
        return Some(format!("the primary measure '{}' is not measured", record.primary));
    }
    let differs = record.systems.iter().find(|system| {
        !system.quality.iter().map(|estimate| &estimate.measure).eq(&record.measures)
    });
    differs.map(|system| format!("'{}' has figures of other measures", system.name))
}

fn owner(text: &str, path: &Path) -> Result<String, StoreError> {
    serde_json::from_str::<Header>(text).map(|header| header.experiment.name).map_err(|error| {
        StoreError::NotARecord { path: path.to_owned(), message: error.to_string() }
    })
}

/// A process that was killed has left a journal, and perhaps half a report; a bench may have come
/// first.
fn claim_without_record(folder: &Path, name: &str) -> Result<(), StoreError> {
    match journal::owner(folder).map_err(failed("read", &folder.join(JOURNAL_FOLDER)))? {
        Owner::Experiment(owner) if owner == name => Ok(()),
        Owner::Experiment(owner) => Err(StoreError::OtherExperiment {
            folder: folder.to_owned(),
            owner,
            name: name.to_owned(),
        }),
        Owner::Stranger => Err(StoreError::NotEmpty {
            folder: folder.to_owned(),
            example: JOURNAL_FOLDER.to_owned(),
        }),
        Owner::Nobody => match bench_owner(folder) {
            Some(owner) if owner == name => Ok(()),
            Some(owner) => Err(StoreError::OtherExperiment {
                folder: folder.to_owned(),
                owner,
                name: name.to_owned(),
            }),
            None => must_be_empty(folder),
        },
    }
}

fn must_be_empty(folder: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(failed("read", folder))? {
        let name = entry.map_err(failed("read", folder))?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(UNFINISHED) && name != JOURNAL_FOLDER {
            let example = name.into_owned();
            return Err(StoreError::NotEmpty { folder: folder.to_owned(), example });
        }
    }
    Ok(())
}

/// A file that is not under its name yet; removed unless it gets there.
pub(crate) struct Unfinished(PathBuf);

impl Unfinished {
    pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let unfinished =
            Self(path.with_file_name(format!("{UNFINISHED}{}-{name}", std::process::id())));
        private()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&unfinished.0)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            })
            .map_err(failed("write", path))?;
        Ok(unfinished)
    }

    pub(crate) fn finish(self, path: &Path) -> Result<(), StoreError> {
        fs::rename(&self.0, path).map_err(failed("write", path))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a rename there is nothing to remove, and an error has been told already.
        let _ = fs::remove_file(&self.0);
    }
}

pub(crate) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Io { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
