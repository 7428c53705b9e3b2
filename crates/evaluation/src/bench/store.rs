//! A bench record on disk: `bench.json` and `samples.parquet`. On Unix only their owner may read
//! them.

use std::fs;
use std::path::{Path, PathBuf};

use secondpass_core::ContentHash;
use serde::Deserialize;

use super::record::{BENCH_SCHEMA, BenchRecord};
use super::table::{SampleRow, decode_samples, encode_samples};
use crate::store::{StoreError, Unfinished, failed};
use crate::table::TableError;

/// The record's file name.
pub const BENCH_FILE: &str = "bench.json";
/// The file name of the raw samples.
pub const SAMPLES_FILE: &str = "samples.parquet";

/// Why a bench record could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BenchStoreError {
    /// The system refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Cut, or no record.
    #[error(
        "'{}' is truncated or is not a bench record: {message}; measure again into a new folder",
        path.display()
    )]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// What the parser found.
        message: String,
    },
    /// Another layout.
    #[error(
        "'{}' has schema {found}, this program reads {BENCH_SCHEMA}; measure again with this version",
        path.display()
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// The schema it says it has.
        found: u64,
    },
    /// Somebody else's folder.
    #[error(
        "'{}' holds the bench '{owner}'; choose another folder for '{name}', or secondpass purge it",
        folder.display()
    )]
    OtherBench {
        /// The folder.
        folder: PathBuf,
        /// Whose it is.
        owner: String,
        /// Who wants it.
        name: String,
    },
    /// Not the table that was written with the record.
    #[error(
        "'{}' is not the table that was written with {BENCH_FILE}: it was cut or changed; measure \
         again", path.display()
    )]
    OtherTable {
        /// The table.
        path: PathBuf,
    },
    /// The rows make no table, or the table no rows.
    #[error("'{}': {source}; measure again", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// What is wrong with it.
        source: TableError,
    },
}

/// Makes the folder where it is missing, and makes sure that what it holds is of this name: an
/// experiment's record and its bench may stand side by side.
///
/// # Errors
/// It cannot be made; it holds another experiment's record or another bench.
pub fn claim_bench(folder: &Path, name: &str) -> Result<(), BenchStoreError> {
    match bench_owner(folder) {
        Some(owner) if owner != name => Err(BenchStoreError::OtherBench {
            folder: folder.to_owned(),
            owner,
            name: name.to_owned(),
        }),
        _ => Ok(crate::store::claim(folder, name)?),
    }
}

/// The name of the bench that a folder holds, of any schema; `None` where it holds none of ours.
pub fn bench_owner(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(BENCH_FILE)).ok()?;
    // Every layout has a table's hash, which no other program's file has.
    let Owner { name, .. } = serde_json::from_str(&text).ok()?;
    Some(name)
}

/// Writes a record and its samples into the folder, which is made where it is missing, over earlier
/// ones. Worth calling after each cell: files appear under their names only when they are whole, and
/// the record holds the table's hash.
///
/// # Errors
/// The folder or a file cannot be written.
pub fn write_bench(
    folder: &Path,
    record: &BenchRecord,
    samples: &[SampleRow],
) -> Result<(), BenchStoreError> {
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    let (record_path, table_path) = (folder.join(BENCH_FILE), folder.join(SAMPLES_FILE));
    let table = encode_samples(samples)
        .map_err(|source| BenchStoreError::Table { path: table_path.clone(), source })?;
    let json = json(record, &ContentHash::of(&table))
        .map_err(|error| failed("write", &record_path)(error.into()))?;
    let table = Unfinished::write(&table_path, &table)?;
    let json = Unfinished::write(&record_path, &json)?;
    json.finish(&record_path)?;
    Ok(table.finish(&table_path)?)
}

/// Reads a folder's record and samples.
///
/// # Errors
/// A file is missing, cut, of another schema, or not the one written with the other.
pub fn read_bench(folder: &Path) -> Result<(BenchRecord, Vec<SampleRow>), BenchStoreError> {
    let path = folder.join(BENCH_FILE);
    let bytes = fs::read(&path).map_err(failed("read", &path))?;
    let not_a_record = |error: serde_json::Error| BenchStoreError::NotARecord {
        path: path.clone(),
        message: error.to_string(),
    };
    let header: Header = serde_json::from_slice(&bytes).map_err(not_a_record)?;
    if header.schema != u64::from(BENCH_SCHEMA) {
        return Err(BenchStoreError::Schema { path, found: header.schema });
    }
    let record: BenchRecord = serde_json::from_slice(&bytes).map_err(not_a_record)?;
    let path = folder.join(SAMPLES_FILE);
    let bytes = fs::read(&path).map_err(failed("read", &path))?;
    // Bytes that were not written here never reach the Parquet reader.
    if header.table != Some(ContentHash::of(&bytes)) {
        return Err(BenchStoreError::OtherTable { path });
    }
    let samples = decode_samples(&bytes);
    Ok((record, samples.map_err(|source| BenchStoreError::Table { path, source })?))
}

/// Whose a record is, in every layout.
#[derive(Deserialize)]
struct Owner {
    name: String,
    #[serde(rename = "table")]
    _table: ContentHash,
}

/// What every layout has.
#[derive(Deserialize)]
struct Header {
    schema: u64,
    table: Option<ContentHash>,
}

fn json(record: &BenchRecord, table: &ContentHash) -> Result<Vec<u8>, serde_json::Error> {
    let mut value = serde_json::to_value(record)?;
    value["table"] = serde_json::to_value(table)?;
    let mut text = serde_json::to_vec_pretty(&value)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::testing::{bench_record, sample_rows};

    #[test]
    fn round_trip_and_overwrite() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/folder");
        let record = bench_record();
        write_bench(&folder, &record, &[]).unwrap();
        write_bench(&folder, &record, &sample_rows()).unwrap();
        assert_eq!(read_bench(&folder).unwrap(), (record, sample_rows()));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_belongs_to_one_name() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new");
        claim_bench(&folder, "bench").unwrap();
        write_bench(&folder, &bench_record(), &[]).unwrap();
        claim_bench(&folder, "bench").unwrap();
        let error = claim_bench(&folder, "other").unwrap_err().to_string();
        assert!(error.contains("holds the bench 'bench'"), "{error}");
        // An experiment of that name may stand beside it.
        crate::store::claim(&folder, "bench").unwrap();
        let error = crate::store::claim(&folder, "other").unwrap_err().to_string();
        assert!(error.contains("bench"), "{error}");
        // What was cut is nobody's.
        fs::write(folder.join(BENCH_FILE), "{").unwrap();
        assert!(matches!(claim_bench(&folder, "bench"), Err(BenchStoreError::Store(_))));
        let experiment = tempfile::tempdir().unwrap();
        let record = crate::testing::record();
        crate::store::write(experiment.path(), &record, &crate::testing::rows()).unwrap();
        claim_bench(experiment.path(), &record.experiment.name).unwrap();
        assert!(matches!(claim_bench(experiment.path(), "x"), Err(BenchStoreError::Store(_))));
    }

    #[test]
    fn what_was_changed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(read_bench(folder).unwrap_err().to_string().contains(BENCH_FILE));
        let write = || write_bench(folder, &bench_record(), &sample_rows()).unwrap();
        write();
        let text = fs::read_to_string(folder.join(BENCH_FILE)).unwrap();
        fs::write(folder.join(BENCH_FILE), &text[..text.len() / 2]).unwrap();
        assert!(matches!(read_bench(folder), Err(BenchStoreError::NotARecord { .. })));
        let other = text.replacen("\"schema\": 1", "\"schema\": 99", 1);
        fs::write(folder.join(BENCH_FILE), other).unwrap();
        assert!(matches!(read_bench(folder), Err(BenchStoreError::Schema { found: 99, .. })));
        write();
        fs::write(folder.join(SAMPLES_FILE), b"other").unwrap();
        assert!(matches!(read_bench(folder), Err(BenchStoreError::OtherTable { .. })));
    }
}
