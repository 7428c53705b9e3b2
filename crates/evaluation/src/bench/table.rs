//! Raw samples as a Parquet table: `system`, `cell`, `probe`, then the fields of a [`Sample`], times in whole
//! nanoseconds (`end_ns`).

use std::io::Cursor;
use std::time::Duration;

use polars::prelude::{DataFrame, ParquetReader, ParquetWriter, PolarsError, SerReader};
use secondpass_core::Timings;

use super::sample::Sample;
use crate::table::{TableError, column, there};

/// A sample with where it belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleRow {
    /// Which reranker of the record, from 0.
    pub system: u32,
    /// Which of its cells, from 0; the cell that a search began from for its probes.
    pub cell: u32,
    /// Which probe of a search, from 1; 0 for the cell's own load.
    pub probe: u32,
    /// The sample.
    pub sample: Sample,
}

/// The rows as the bytes of a Parquet file.
///
/// # Errors
/// The table cannot be written.
pub fn encode_samples(rows: &[SampleRow]) -> Result<Vec<u8>, TableError> {
    let columns = vec![
        column("system", rows, |row| row.system),
        column("cell", rows, |row| row.cell),
        column("probe", rows, |row| row.probe),
        column("job", rows, |row| row.sample.job as u64),
        column("candidates", rows, |row| row.sample.candidates as u64),
        column("intended_ns", rows, |row| nanoseconds(row.sample.intended)),
        column("start_ns", rows, |row| nanoseconds(row.sample.start)),
        column("end_ns", rows, |row| nanoseconds(row.sample.end)),
        column("late_ns", rows, |row| nanoseconds(row.sample.late)),
        column("pairs", rows, |row| row.sample.pairs),
        column("tokens", rows, |row| row.sample.tokens),
        column("queue_ns", rows, |row| nanoseconds(row.sample.timings.queue)),
        column("tokenize_ns", rows, |row| nanoseconds(row.sample.timings.tokenize)),
        column("compute_ns", rows, |row| nanoseconds(row.sample.timings.compute)),
        column("network_ns", rows, |row| nanoseconds(row.sample.timings.network)),
        column("server_ns", rows, |row| row.sample.timings.server.map(nanoseconds)),
        column("live", rows, |row| row.sample.live),
        column("failure", rows, |row| row.sample.failure.as_deref()),
    ];
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut DataFrame::new(rows.len(), columns)?)?;
    Ok(bytes)
}

/// The rows of a Parquet file.
///
/// # Errors
/// Not Parquet; a column is missing, of another type, or lacks a value.
pub fn decode_samples(bytes: &[u8]) -> Result<Vec<SampleRow>, TableError> {
    let frame = ParquetReader::new(Cursor::new(bytes)).finish()?;
    let series = |name: &str| Ok::<_, PolarsError>(frame.column(name)?.as_materialized_series());
    let short = |name: &'static str| Ok::<_, TableError>((name, series(name)?.u32()?));
    let long = |name: &'static str| Ok::<_, TableError>((name, series(name)?.u64()?));
    let (system, cell, probe) = (short("system")?, short("cell")?, short("probe")?);
    let (job, candidates) = (long("job")?, long("candidates")?);
    let (intended, start, end) = (long("intended_ns")?, long("start_ns")?, long("end_ns")?);
    let (late, pairs, tokens) = (long("late_ns")?, long("pairs")?, long("tokens")?);
    let (queue, tokenize) = (long("queue_ns")?, long("tokenize_ns")?);
    let (compute, network) = (long("compute_ns")?, long("network_ns")?);
    let server = series("server_ns")?.u64()?;
    let live = series("live")?.bool()?;
    let failure = series("failure")?.str()?;
    let rows = (0..frame.height()).map(|row| {
        let number = |(name, values): &(&'static str, &polars::prelude::UInt64Chunked)| {
            there(values.get(row), row, name)
        };
        let small = |(name, values): &(&'static str, &polars::prelude::UInt32Chunked)| {
            there(values.get(row), row, name)
        };
        let time = |column| number(column).map(Duration::from_nanos);
        Ok(SampleRow {
            system: small(&system)?,
            cell: small(&cell)?,
            probe: small(&probe)?,
            sample: Sample {
                job: number(&job)? as usize,
                candidates: number(&candidates)? as usize,
                intended: time(&intended)?,
                start: time(&start)?,
                end: time(&end)?,
                late: time(&late)?,
                pairs: number(&pairs)?,
                tokens: number(&tokens)?,
                timings: Timings {
                    queue: time(&queue)?,
                    tokenize: time(&tokenize)?,
                    compute: time(&compute)?,
                    network: time(&network)?,
                    server: server.get(row).map(Duration::from_nanos),
                },
                live: there(live.get(row), row, "live")?,
                failure: failure.get(row).map(str::to_owned),
            },
        })
    });
    rows.collect()
}

/// Longer than five centuries counts as that.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use polars::prelude::{NamedFrom, Series};

    use super::*;

    #[test]
    fn round_trip() {
        let at = Duration::from_nanos;
        let timings = Timings {
            queue: at(1),
            tokenize: at(2),
            compute: at(3),
            network: at(4),
            server: Some(at(5)),
        };
        let answered = Sample {
            job: 3,
            candidates: 50,
            intended: at(10),
            start: at(12),
            end: at(u64::MAX),
            late: at(2),
            pairs: 50,
            tokens: 6_000,
            timings,
            live: true,
            failure: None,
        };
        let failed = Sample {
            timings: Timings { server: None, ..timings },
            live: false,
            failure: Some("no luck".to_owned()),
            ..answered.clone()
        };
        let rows = [
            SampleRow { system: 0, cell: 0, probe: 0, sample: answered },
            SampleRow { system: 1, cell: 2, probe: 7, sample: failed },
        ];
        assert_eq!(decode_samples(&encode_samples(&rows).unwrap()).unwrap(), rows);
        assert_eq!(decode_samples(&encode_samples(&[]).unwrap()).unwrap(), []);
    }

    #[test]
    fn other_tables_are_refused() {
        assert!(decode_samples(b"no parquet").is_err());
        let columns = vec![Series::new("cell".into(), vec![1_u32]).into()];
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut DataFrame::new(1, columns).unwrap()).unwrap();
        let error = decode_samples(&bytes).unwrap_err().to_string();
        assert!(error.contains("system"), "{error}");
    }
}
