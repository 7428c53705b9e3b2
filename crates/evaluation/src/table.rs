//! The Parquet table of query rows: `query`, `system`, `candidates`, `seconds`, `tokens`,
//! `pairs_cut`, `top`, `documents`, `scores`, then one column a measure, named as ir_measures writes it.

use std::io::Cursor;

use polars::prelude::{
    Column, DataFrame, DataType, ListChunked, NamedFrom, ParquetReader, ParquetWriter, PolarsError,
    SerReader, Series,
};
use secondpass_core::{DocId, Ranking, RankingError};

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
    /// The documents and scores of a row make no ranking.
    #[error("row {row} of the table: {source}")]
    Ranking {
        /// The row, from 1.
        row: usize,
        /// What is wrong with them.
        source: RankingError,
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
    columns.extend(rankings(rows)?);
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
    let rankings = Rankings::of(&frame)?;
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
            ranking: rankings.as_ref().map_or(Ok(None), |rankings| rankings.row(row))?,
        })
    });
    rows.collect()
}

/// The columns `documents` and `scores`: lists of equal length, without a score for what came back
/// unscored.
fn rankings(rows: &[QueryRow]) -> Result<[Column; 2], PolarsError> {
    let list = |name: &str, of: &dyn Fn(&Ranking) -> Series, inner: &DataType| {
        let lists = rows.iter().map(|row| row.ranking.as_ref().map(of));
        let column = Series::new(name.into(), lists.collect::<Vec<_>>());
        // Without any list, or with empty ones only, the type of what they hold is not known.
        column.cast(&DataType::List(Box::new(inner.clone()))).map(Column::from)
    };
    let documents = |ranking: &Ranking| {
        let ids: Vec<&str> = ranking.documents().map(DocId::as_str).collect();
        Series::new("".into(), ids)
    };
    let scores = |ranking: &Ranking| {
        let scores: Vec<Option<f64>> = ranking.ranked().iter().map(|place| place.score).collect();
        Series::new("".into(), scores)
    };
    Ok([
        list("documents", &documents, &DataType::String)?,
        list("scores", &scores, &DataType::Float64)?,
    ])
}

/// Those columns of a table that has them.
struct Rankings<'a> {
    documents: &'a ListChunked,
    scores: &'a ListChunked,
}

impl<'a> Rankings<'a> {
    /// `None` where the table was written before rankings were kept.
    fn of(frame: &'a DataFrame) -> Result<Option<Self>, PolarsError> {
        if frame.column("documents").is_err() {
            return Ok(None);
        }
        let list = |name: &str| frame.column(name)?.as_materialized_series().list();
        Ok(Some(Self { documents: list("documents")?, scores: list("scores")? }))
    }

    fn row(&self, row: usize) -> Result<Option<Ranking>, TableError> {
        let Some(documents) = self.documents.get_as_series(row) else { return Ok(None) };
        let scores = self.scores.get_as_series(row);
        let scores =
            scores.ok_or(TableError::Null { row: row + 1, column: "scores".to_owned() })?;
        let (mut scored, mut unscored) = (Vec::new(), Vec::new());
        for (document, score) in documents.str()?.iter().zip(scores.f64()?.iter()) {
            let document = DocId::from(there(document, row, "documents")?);
            match score {
                Some(score) => scored.push((document, score)),
                None => unscored.push(document),
            }
        }
        Ranking::with_unscored(scored, unscored)
            .map(Some)
            .map_err(|source| TableError::Ranking { row: row + 1, source })
    }
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
