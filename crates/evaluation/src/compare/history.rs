//! What records found over time: a Parquet table with one row a figure, and the records it knows.

use std::collections::BTreeSet;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use polars::prelude::{DataFrame, ParquetReader, ParquetWriter, PolarsError, SerReader};

use super::experiment::hash;
use super::outcome::label;
use crate::bench::BenchRecord;
use crate::record::{Record, Role};
use crate::store::{StoreError, Unfinished, failed};
use crate::table::{TableError, column, there};

/// One figure of one system in one record.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRow {
    /// The hash of the record.
    pub record: String,
    /// When it ended, RFC 3339 in UTC.
    pub finished: String,
    /// The experiment.
    pub experiment: String,
    /// The program's version.
    pub version: String,
    /// The system; `(mock)` or `(replay)` stands behind its name where its figures decide nothing.
    pub system: String,
    /// What it is: a measure's name, `p50 seconds`, `p95 seconds`, `usd a query`.
    pub figure: String,
    /// How much.
    pub value: f64,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
}

/// The figures of records over time, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    rows: Vec<HistoryRow>,
}

impl History {
    /// All rows, in the order of the records' time.
    pub fn rows(&self) -> &[HistoryRow] {
        &self.rows
    }

    /// How many records it knows.
    pub fn records(&self) -> usize {
        self.rows.iter().map(|row| &row.record).collect::<BTreeSet<_>>().len()
    }

    /// Adds an experiment's record, unless it is there. Whether it was new.
    pub fn add(&mut self, record: &Record) -> bool {
        let base = HistoryRow {
            record: hash(record).to_string(),
            finished: record.finished.clone(),
            experiment: record.experiment.name.clone(),
            version: record.version.clone(),
            system: String::new(),
            figure: String::new(),
            value: 0.0,
            low: None,
            high: None,
        };
        let mut rows = Vec::new();
        for system in record.systems.iter().filter(|system| system.role != Role::Oracle) {
            let system_name = label(&system.name, &system.origin);
            let base = HistoryRow { system: system_name, ..base.clone() };
            let figure = |figure: &str, value| HistoryRow {
                figure: figure.to_owned(),
                value,
                ..base.clone()
            };
            for estimate in system.quality.iter().filter(|estimate| estimate.queries > 0) {
                let (low, high) = (Some(estimate.low), Some(estimate.high));
                rows.push(HistoryRow { low, high, ..figure(&estimate.measure, estimate.mean) });
            }
            if let Some(latency) = &system.latency {
                rows.push(figure("p50 seconds", latency.p50));
                rows.push(figure("p95 seconds", latency.p95));
            }
            let usd = system.cost.as_ref().and_then(|cost| cost.query.as_ref()?.usd);
            rows.extend(usd.map(|usd| figure("usd a query", usd)));
        }
        self.extend(rows)
    }

    /// Adds a bench's record, unless it is there: p50 and p95 of each reranker's first cell. Whether
    /// it was new.
    pub fn add_bench(&mut self, record: &BenchRecord) -> bool {
        let record_hash = hash(record).to_string();
        let mut rows = Vec::new();
        for system in &record.systems {
            let Some(cell) = system.cells.first() else { continue };
            let told = cell.measured.latency.iter();
            let told = told.filter(|percentile| [0.5, 0.95].contains(&percentile.share));
            rows.extend(told.map(|percentile| HistoryRow {
                record: record_hash.clone(),
                finished: record.finished.clone(),
                experiment: record.name.clone(),
                version: record.version.clone(),
                system: system.name.clone(),
                figure: format!("p{:.0} seconds", 100.0 * percentile.share),
                value: percentile.value,
                low: percentile.low,
                high: percentile.high,
            }));
        }
        self.extend(rows)
    }

    fn extend(&mut self, rows: Vec<HistoryRow>) -> bool {
        let known = |row: &HistoryRow| self.rows.iter().any(|other| other.record == row.record);
        match rows.first() {
            Some(first) if !known(first) => {}
            _ => return false,
        }
        self.rows.extend(rows);
        // Stable, so that a record's own rows keep their order.
        self.rows.sort_by(|a, b| (&a.finished, &a.record).cmp(&(&b.finished, &b.record)));
        true
    }

    /// Reads a history; an empty one where there is no file yet.
    ///
    /// # Errors
    /// The file cannot be read, or is no history.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed("read", path)(error)),
        };
        let rows = guarded(|| decode(&bytes))
            .map_err(|message| StoreError::NotAHistory { path: path.to_owned(), message })?;
        Ok(Self { rows })
    }

    /// Writes it beside its place and then into it, so that a reader sees the old one or the new one.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), StoreError> {
        let table = |source| StoreError::Table { path: path.to_owned(), source };
        let bytes = encode(&self.rows).map_err(table)?;
        if let Some(folder) = path.parent().filter(|folder| *folder != PathBuf::new()) {
            std::fs::create_dir_all(folder).map_err(failed("create", folder))?;
        }
        Unfinished::write(path, &bytes)?.finish(path)
    }
}

/// The bytes may be anybody's, and a Parquet reader may panic on what is no Parquet.
fn guarded<T>(read: impl FnOnce() -> Result<T, TableError>) -> Result<T, String> {
    let read = std::panic::AssertUnwindSafe(read);
    match std::panic::catch_unwind(read) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("its columns cannot be read".to_owned()),
    }
}

fn encode(rows: &[HistoryRow]) -> Result<Vec<u8>, TableError> {
    let columns = vec![
        column("record", rows, |row| row.record.as_str()),
        column("finished", rows, |row| row.finished.as_str()),
        column("experiment", rows, |row| row.experiment.as_str()),
        column("version", rows, |row| row.version.as_str()),
        column("system", rows, |row| row.system.as_str()),
        column("figure", rows, |row| row.figure.as_str()),
        column("value", rows, |row| row.value),
        column("low", rows, |row| row.low),
        column("high", rows, |row| row.high),
    ];
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut DataFrame::new(rows.len(), columns)?)?;
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Vec<HistoryRow>, TableError> {
    let frame = ParquetReader::new(Cursor::new(bytes)).finish()?;
    let series = |name: &str| Ok::<_, PolarsError>(frame.column(name)?.as_materialized_series());
    let text = |name: &'static str| Ok::<_, PolarsError>((name, series(name)?.str()?));
    let texts = [
        text("record")?,
        text("finished")?,
        text("experiment")?,
        text("version")?,
        text("system")?,
        text("figure")?,
    ];
    let (value, low, high) =
        (series("value")?.f64()?, series("low")?.f64()?, series("high")?.f64()?);
    let rows = (0..frame.height()).map(|row| {
        let [record, finished, experiment, version, system, figure] =
            texts.map(|(name, column)| there(column.get(row), row, name).map(str::to_owned));
        Ok(HistoryRow {
            record: record?,
            finished: finished?,
            experiment: experiment?,
            version: version?,
            system: system?,
            figure: figure?,
            value: there(value.get(row), row, "value")?,
            low: low.get(row),
            high: high.get(row),
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::record;

    #[test]
    fn grows_by_new_records_only_and_keeps_the_order_of_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports/history.parquet");
        let mut history = History::read(&path).unwrap();
        assert_eq!(history, History::default());
        let mut later = record();
        later.finished = "2027-01-01T00:00:00Z".to_owned();
        assert!(history.add(&later) && history.add(&record()));
        history.write(&path).unwrap();

        let mut again = History::read(&path).unwrap();
        assert_eq!(again, history);
        assert!(!again.add(&record()) && !again.add(&later));
        assert_eq!((again.records(), again.rows().len()), (2, 8));
        assert!(again.rows()[0].finished < again.rows()[4].finished);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_history_is_told_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.parquet");
        let mut history = History::default();
        history.add(&record());
        history.write(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for bytes in [&b""[..], b"text", &whole[..whole.len() / 2]] {
            std::fs::write(&path, bytes).unwrap();
            let error = History::read(&path).unwrap_err().to_string();
            assert!(error.contains("history.parquet") && error.contains("move it away"), "{error}");
        }
    }
}
