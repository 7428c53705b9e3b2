//! The one place that names polars: a CSV, TSV or Parquet file as columns of cells.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use polars::prelude::{
    AnyValue, ArrowDataType, CsvParseOptions, CsvReadOptions, DataFrame, DataType,
    ParallelStrategy, ParquetReader, PolarsError, SerReader, Series,
};

use serde_json::Value;

use super::{CellDefect, separated};
use crate::lines::read_whole;
use crate::{Compression, DataError, Defect};

/// A table with some of its file's columns.
pub(crate) struct Frame {
    file: String,
    frame: DataFrame,
}

/// One column, knowing where it is.
pub(crate) struct Cells<'a> {
    file: &'a str,
    name: &'a str,
    series: &'a Series,
}

/// What stands in one cell.
#[derive(Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    Text(&'a str),
    Whole(i128),
    Number(f64),
    Truth(bool),
    /// Texts, numbers, truth values and gaps.
    List(Vec<Value>),
    /// A date and the like.
    Other,
}

impl Frame {
    /// Reads those columns of a file that `choose` picks from the names of all. The extension tells
    /// the format: `.csv`, `.tsv`, `.parquet`, each perhaps with `.gz` or `.zst` behind it.
    pub fn read(
        path: &Path,
        choose: impl FnOnce(&str, &[String]) -> Result<Vec<String>, DataError>,
    ) -> Result<Self, DataError> {
        const HINT: &str = "a table as .csv, .tsv or .parquet, plain or as .gz or .zst";
        let file = path.display().to_string();
        let format =
            Format::of(path).ok_or_else(|| DataError::NoTableFormat { file: file.clone() })?;
        let bytes = read_whole(path, HINT)?;
        let named = |message: &str| {
            // The rest of what polars says is advice on its own options.
            let message = message.lines().next().unwrap_or_default().trim_end_matches('.');
            DataError::Table { file: file.clone(), message: message.to_owned() }
        };
        let failed = |source: PolarsError| named(&source.to_string());
        let frame = match format {
            Format::Parquet => {
                let mut reader = ParquetReader::new(Cursor::new(bytes));
                let schema = guarded(|| reader.schema()).map_err(named)?.map_err(failed)?;
                let names: Vec<_> = schema.iter_names().map(ToString::to_string).collect();
                let chosen = choose(&file, &names)?;
                for name in &chosen {
                    let stored = schema.get(name).map(|field| field.dtype());
                    if let Some(stored) = stored.filter(|stored| is_narrow(stored)) {
                        let what = format!("column '{name}' holds {stored:?}, store it as Int32");
                        return Err(named(&what));
                    }
                }
                // In this thread, so that what goes wrong there is told here and nowhere else.
                let reader =
                    reader.with_columns(Some(chosen)).read_parallel(ParallelStrategy::None);
                guarded(|| reader.finish()).map_err(named)?.map_err(failed)?
            }
            Format::Separated(separator) => {
                let bytes = text(&file, bytes)?;
                if bytes.iter().all(u8::is_ascii_whitespace) {
                    return Err(DataError::Empty { file, what: "table" });
                }
                if let Some(broken) = separated::open_quote(&bytes, separator) {
                    return Err(named(&broken));
                }
                // Without inference every cell is a text: ids such as 007 stay what they are.
                let parse = CsvParseOptions::default().with_separator(separator);
                let options = CsvReadOptions::default()
                    .with_infer_schema_length(Some(0))
                    .with_parse_options(parse);
                let reader = options.into_reader_with_file_handle(Cursor::new(&bytes));
                let failed = |source: PolarsError| match separated::ragged(&bytes, separator) {
                    Some(ragged) => named(&ragged),
                    None => failed(source),
                };
                let frame = guarded(|| reader.finish()).map_err(named)?.map_err(failed)?;
                let names: Vec<_> =
                    frame.get_column_names().iter().map(ToString::to_string).collect();
                let chosen = choose(&file, &names)?;
                frame.select(chosen).map_err(failed)?
            }
        };
        let texts = frame.columns().iter().map(|column| match column.dtype() {
            dtype if dtype.is_categorical() || dtype.is_enum() => column.cast(&DataType::String),
            _ => Ok(column.clone()),
        });
        let texts = texts.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let frame = DataFrame::new(frame.height(), texts).map_err(failed)?;
        Ok(Self { file, frame })
    }

    /// Whether a file's extension names a format of tables.
    pub fn is_table(path: &Path) -> bool {
        Format::of(path).is_some()
    }

    /// The file's name, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Number of rows, without the header.
    pub fn rows(&self) -> usize {
        self.frame.height()
    }

    /// All columns that were read.
    pub fn columns(&self) -> impl Iterator<Item = Cells<'_>> {
        self.frame.columns().iter().map(|column| Cells {
            file: &self.file,
            name: column.name().as_str(),
            series: column.as_materialized_series(),
        })
    }
}

impl<'a> Cells<'a> {
    /// The column's name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The cell of a row, counted from 0.
    pub fn cell(&self, row: usize) -> Cell<'a> {
        match self.series.get(row) {
            Ok(AnyValue::Null) | Err(_) => Cell::Missing,
            Ok(AnyValue::String(text)) => Cell::Text(text),
            Ok(AnyValue::Boolean(truth)) => Cell::Truth(truth),
            Ok(AnyValue::List(items)) => Cell::List(items.iter().map(value).collect()),
            Ok(AnyValue::Float32(number)) => Cell::Number(number.into()),
            Ok(AnyValue::Float64(number)) => Cell::Number(number),
            Ok(other) if other.is_integer() => match other.extract::<i128>() {
                Some(number) => Cell::Whole(number),
                None => Cell::Other,
            },
            Ok(_) => Cell::Other,
        }
    }

    /// An error that names file, row (counted from 1 below the header) and column.
    pub fn fail(&self, row: usize, defect: CellDefect) -> DataError {
        let (file, column) = (self.file.to_owned(), self.name.to_owned());
        DataError::Cell { file, row: row as u64 + 1, column, defect }
    }
}

/// An item of a list; what JSON has no value for is a gap.
fn value(item: AnyValue<'_>) -> Value {
    match item {
        AnyValue::String(text) => text.into(),
        AnyValue::StringOwned(text) => text.as_str().into(),
        AnyValue::Boolean(truth) => truth.into(),
        other if other.is_integer() => other.extract::<i64>().into(),
        other if other.is_float() => other.extract::<f64>().into(),
        _ => Value::Null,
    }
}

/// Runs a parser of polars, which panics on many a corrupt Parquet file. (There are corrupt pages
/// for which it asks for more memory than there can be; that ends the process, and nothing here can
/// prevent it.)
fn guarded<T>(parse: impl FnOnce() -> T) -> Result<T, &'static str> {
    // What was half done is dropped with the error.
    catch_unwind(AssertUnwindSafe(parse)).map_err(|_| "the file is corrupt")
}

/// Whether a column is of integers that polars, as it is built here, has no type for.
fn is_narrow(stored: &ArrowDataType) -> bool {
    use ArrowDataType::{Int8, Int16, UInt8, UInt16};
    matches!(stored, Int8 | Int16 | UInt8 | UInt16)
}

enum Format {
    Separated(u8),
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        let inner = match Compression::of(path) {
            Compression::Plain => path.to_owned(),
            _ => PathBuf::from(path.file_stem()?),
        };
        match inner.extension()?.to_ascii_lowercase().to_str()? {
            "csv" => Some(Self::Separated(b',')),
            "tsv" => Some(Self::Separated(b'\t')),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// The bytes without a byte order mark, once they are UTF-8.
fn text(file: &str, mut bytes: Vec<u8>) -> Result<Vec<u8>, DataError> {
    if let Err(error) = std::str::from_utf8(&bytes) {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |place| place + 1);
        let defect = Defect::InvalidUtf8 { column: before.len() - start + 1 };
        return Err(DataError::Line { file: file.to_owned(), line, defect });
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use polars::prelude::{Column, IntoColumn, NamedFrom, ParquetWriter};

    use super::*;

    fn all(_: &str, names: &[String]) -> Result<Vec<String>, DataError> {
        Ok(names.to_vec())
    }

    fn cells(path: &Path) -> Result<Vec<Vec<String>>, DataError> {
        let frame = Frame::read(path, all)?;
        let column = |cells: Cells<'_>| {
            (0..frame.rows()).map(|row| format!("{:?}", cells.cell(row))).collect()
        };
        Ok(frame.columns().map(column).collect())
    }

    /// A Parquet file with an id of numbers, texts, and grades with a gap.
    pub(crate) fn parquet() -> Vec<u8> {
        let columns: Vec<Column> = vec![
            Series::new("query".into(), [7_i64, 7]).into_column(),
            Series::new("document".into(), ["é", "b"]).into_column(),
            Series::new("label".into(), [Some(1.0), Some(0.0)]).into_column(),
            Series::new("held".into(), [Some(true), None]).into_column(),
        ];
        let mut bytes = Vec::new();
        let mut frame = DataFrame::new(2, columns).unwrap();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        bytes
    }

    /// A Parquet file of one group with a teacher's scores.
    pub(crate) fn groups_parquet() -> Vec<u8> {
        let list = |name: &str, items: Series| Series::new(name.into(), [items]).into_column();
        let texts = |items: &[&str]| Series::new("".into(), items);
        let columns: Vec<Column> = vec![
            Series::new("query".into(), ["q"]).into_column(),
            list("pos", texts(&["A", "B"])),
            list("neg", texts(&["C"])),
            list("pos_scores", Series::new("".into(), [2_i64, 1])),
            list("neg_scores", Series::new("".into(), [-1.5_f64])),
        ];
        let mut bytes = Vec::new();
        let mut frame = DataFrame::new(1, columns).unwrap();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        bytes
    }

    #[test]
    fn formats_give_cells_of_their_types() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            let whole = |file: &mut dyn std::io::Write| Ok(file.write_all(bytes)?);
            crate::write_file(&path, crate::Access::Default, whole).unwrap();
            path
        };
        let text = "\u{feff}id,text\n007,\"a, \"\"b\"\"\nc\"\n8,\n";
        for name in ["a.csv", "a.csv.gz", "a.CSV.zst"] {
            let found = cells(&write(name, text.as_bytes())).unwrap();
            let texts = ["Text(\"a, \\\"b\\\"\\nc\")", "Missing"].map(String::from).to_vec();
            assert_eq!(found, [vec!["Text(\"007\")".to_owned(), "Text(\"8\")".into()], texts]);
        }
        let found = cells(&write("a.tsv", b"id\ttext\n1\ta, b\n")).unwrap();
        assert_eq!(found, [["Text(\"1\")"], ["Text(\"a, b\")"]]);
        let found = cells(&write("a.parquet.gz", &parquet())).unwrap();
        assert_eq!(found[0], ["Whole(7)", "Whole(7)"]);
        assert_eq!(found[1], ["Text(\"é\")", "Text(\"b\")"]);
        assert_eq!(found[2], ["Number(1.0)", "Number(0.0)"]);
        assert_eq!(found[3], ["Truth(true)", "Missing"]);
    }

    #[test]
    fn what_is_no_table_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            cells(&path).unwrap_err().to_string()
        };
        assert!(error("a.xlsx", b"").contains("a.xlsx: not a table by its extension"));
        assert!(error("a.csv", b" \n").contains("a.csv: the file holds no table"));
        let utf8 = error("a.csv", b"a,b\n1,\xff\n");
        assert!(utf8.contains("a.csv line 2: invalid UTF-8 at byte 3"), "{utf8}");
        let ragged = error("a.csv", b"a,b\n\"1\n\",2\n1,2,3\n");
        let expected =
            "a.csv: not a table that can be read (line 4: 3 cells, and the header has 2)";
        assert!(
            ragged.starts_with(&folder.path().join(expected).display().to_string()),
            "{ragged}"
        );
        let open = error("a.csv", b"a,b\n1,\"x\n2,y\n");
        assert!(open.contains("(line 2: a quote opens here and does not close)"), "{open}");
        assert!(error("a.parquet", b"PAR1 nothing").contains("a.parquet: not a table"));
    }

    // Each bit of a footer turned round, one at a time, and not at random: corrupt pages, which random
    // bytes would meet one day, can end the process (see `guarded`).
    #[test]
    fn corrupt_parquet_files_are_errors_or_tables() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let valid = parquet();
        let footer = valid.last_chunk::<8>().unwrap().first_chunk::<4>().unwrap();
        let start = valid.len() - 8 - u32::from_le_bytes(*footer) as usize;
        let (mut refused, mut panicked) = (0, 0);
        for place in (start..valid.len()).step_by(3) {
            let mut bytes = valid.clone();
            bytes[place] ^= 1 << (place % 8);
            std::fs::write(&path, bytes).unwrap();
            if let Err(error) = Frame::read(&path, all) {
                refused += 1;
                panicked += usize::from(error.to_string().contains("the file is corrupt"));
            }
        }
        assert!(panicked > 0 && refused > panicked, "{panicked} of {refused}");
        for length in (0..valid.len()).step_by(7) {
            std::fs::write(&path, &valid[..length]).unwrap();
            assert!(Frame::read(&path, all).is_err(), "{length} bytes");
        }
    }
}
