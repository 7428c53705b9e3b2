//! The Parquet table of query rows: `query`, `system`, `candidates`, `seconds`, `tokens`,
//! `pairs_cut`, `top`, then one column a measure, named as ir_measures writes it.

use std::io::Cursor;

use polars::prelude::{
    Column, DataFrame, NamedFrom, ParquetReader, ParquetWriter, PolarsError, SerReader, Series,
};

use crate::record::QueryRow;

/// Why rows make no table, or a table no rows.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Not Parquet, or a column is missing or of another type.
    #[error("not the table of an experiment: {0}")]
    Polars(#[from] PolarsError),
    /// A value is missing where there must be one.
    #[error("row {row} of the table has no value in column '{column}'")]
    Null {
        /// The row, from 1.
        row: usize,
        /// The column.
        column: String,
    },
    /// A row with more or fewer values than there are measures.
    #[error("query '{query}' of '{system}' has {values} values for {measures} measures")]
    Width {
        /// The row's query.
        query: String,
        /// The row's system.
        system: String,
        /// Its values.
        values: usize,
        /// Measures there are.
        measures: usize,
    },
}

/// The rows as the bytes of a Parquet file.
pub(crate) fn encode(rows: &[QueryRow], measures: &[String]) -> Result<Vec<u8>, TableError> {
    if let Some(row) = rows.iter().find(|row| row.values.len() != measures.len()) {
        return Err(TableError::Width {
            query: row.query.to_string(),
            system: row.system.clone(),
            values: row.values.len(),
            measures: measures.len(),
        });
    }
    let mut columns = vec![
        column("query", rows, |row| row.query.as_str()),
        column("system", rows, |row| row.system.as_str()),
        column("candidates", rows, |row| row.candidates),
        column("seconds", rows, |row| row.seconds),
        column("tokens", rows, |row| row.tokens),
        column("pairs_cut", rows, |row| row.pairs_cut),
        column("top", rows, |row| row.top.as_deref()),
    ];
    for (position, name) in measures.iter().enumerate() {
        columns.push(column(name, rows, |row| row.values[position]));
    }
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut DataFrame::new(rows.len(), columns)?)?;
    Ok(bytes)
}

/// The rows of a Parquet file.
pub(crate) fn decode(bytes: &[u8], measures: &[String]) -> Result<Vec<QueryRow>, TableError> {
    let frame = ParquetReader::new(Cursor::new(bytes)).finish()?;
    let text = |name: &str| frame.column(name)?.as_materialized_series().str();
    let (queries, systems, tops) = (text("query")?, text("system")?, text("top")?);
    let candidates = frame.column("candidates")?.as_materialized_series().u32()?;
    let seconds = frame.column("seconds")?.as_materialized_series().f64()?;
    let tokens = frame.column("tokens")?.as_materialized_series().u64()?;
    let pairs_cut = frame.column("pairs_cut")?.as_materialized_series().u64()?;
    let values = measures
        .iter()
        .map(|name| frame.column(name)?.as_materialized_series().f64())
        .collect::<Result<Vec<_>, PolarsError>>()?;
    let rows = (0..frame.height()).map(|row| {
        Ok(QueryRow {
            query: there(queries.get(row), row, "query")?.into(),
            system: there(systems.get(row), row, "system")?.to_owned(),
            values: (values.iter().zip(measures))
                .map(|(values, name)| there(values.get(row), row, name))
                .collect::<Result<_, _>>()?,
            candidates: there(candidates.get(row), row, "candidates")?,
            seconds: seconds.get(row),
            tokens: there(tokens.get(row), row, "tokens")?,
            pairs_cut: pairs_cut.get(row),
            top: tops.get(row).map(str::to_owned),
        })
    });
    rows.collect()
}

/// A column of what `of` gives for each row.
pub(crate) fn column<'a, R, T, V: ?Sized>(
    name: &str,
    rows: &'a [R],
    of: impl Fn(&'a R) -> T,
) -> Column
where
    Series: NamedFrom<Vec<T>, V>,
{
    Series::new(name.into(), rows.iter().map(of).collect::<Vec<T>>()).into()
}

/// A value that may not be null; rows count from 0 here, and from 1 in the error.
pub(crate) fn there<T>(value: Option<T>, row: usize, column: &str) -> Result<T, TableError> {
    value.ok_or_else(|| TableError::Null { row: row + 1, column: column.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{record, rows};

    #[test]
    fn round_trip() {
        let measures = record().measures;
        let bytes = encode(&rows(), &measures).unwrap();
        assert_eq!(decode(&bytes, &measures).unwrap(), rows());
        assert_eq!(decode(&encode(&[], &measures).unwrap(), &measures).unwrap(), []);
    }

    #[test]
    fn other_tables_are_refused_by_column() {
        let measures = record().measures;
        let bytes = encode(&rows(), &measures).unwrap();
        let error = decode(&bytes, &["AP".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("AP"), "{error}");
        let error = encode(&rows(), &["AP".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "query 'q1' of 'first stage' has 2 values for 1 measures");
        assert!(decode(b"no parquet", &measures).is_err());
    }
}
