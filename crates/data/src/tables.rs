//! Sets in tables with named columns: CSV (RFC 4180), TSV (quoted in the same way) and Parquet.
//! Errors name file, row (counted from 1 below the header) and column.

mod columns;
mod defect;
mod frame;
mod separated;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use secondpass_core::{Corpus, Dataset, DocId, Document, Grade, Qrels, Query, QueryId, Run};

pub use columns::{DocumentColumns, JudgementColumns, PairColumns, QueryColumns};
pub use defect::CellDefect;

use crate::DataError;
use crate::beir::corpus_of;
use crate::error::shortened;
use crate::flag_embedding::unordered;
use crate::golden::file_name;
use crate::texts::{self, TextPool};
use crate::training;
#[cfg(test)]
pub(crate) use frame::tests::groups_parquet;
use frame::{Cell, Cells, Frame};

/// What a table of pairs gives.
#[derive(Clone, Debug)]
pub struct Pairs {
    /// All texts of documents, all queries, and the labels as grades. Its split is [`SPLIT`].
    pub dataset: Dataset,
    /// The documents of each query, in the order of their ids, which are hashes of their texts: the
    /// table knows no first stage, and its own order may give the labels away.
    pub candidates: Run,
}

/// The split of a table of pairs, which has no others.
pub const SPLIT: &str = "all";

/// Reads a set of three tables: documents, queries, and the judgements of one split.
///
/// # Errors
/// As [`read_documents`], [`read_queries`] and [`read_judgements`], and judgements of documents or
/// queries that are not there.
pub fn read(
    name: &str,
    split: &str,
    documents: (&Path, &DocumentColumns),
    queries: (&Path, &QueryColumns),
    judgements: (&Path, &JudgementColumns),
) -> Result<Dataset, DataError> {
    let corpus = read_documents(documents.0, documents.1)?;
    let found = read_queries(queries.0, queries.1)?;
    let ids: std::collections::HashSet<&QueryId> = found.iter().map(|query| &query.id).collect();
    let qrels = judged(judgements.0, judgements.1, |query, document| {
        let unknown = |what, id: &str, path: &Path| {
            Some(CellDefect::Unknown { what, id: id.to_owned(), file: path.display().to_string() })
        };
        match (ids.contains(query), corpus.get(document)) {
            (false, _) => (unknown("query", query.as_str(), queries.0), None),
            (_, None) => (None, unknown("document", document.as_str(), documents.0)),
            _ => (None, None),
        }
    })?;
    Dataset::new(name, split, corpus, found, qrels)
        .map_err(|source| DataError::Dataset { set: name.to_owned(), source })
}

/// Reads a table of documents.
///
/// # Errors
/// A missing, empty or malformed file, a missing column, an empty or duplicate id, a cell of another
/// type: with file, row and column. Texts may be empty.
pub fn read_documents(path: &Path, columns: &DocumentColumns) -> Result<Corpus, DataError> {
    let frame = Frame::read(path, |file, names| {
        let mut chosen =
            present(file, names, [&columns.id, &columns.text].into_iter().chain(&columns.title))?;
        let title = "title".to_owned();
        if columns.title.is_none() && names.contains(&title) && !chosen.contains(&title) {
            chosen.push(title);
        }
        Ok(chosen)
    })?;
    let (ids, texts) = (column(&frame, &columns.id)?, column(&frame, &columns.text)?);
    let titles = frame.columns().find(|cells| match &columns.title {
        Some(name) => cells.name() == name,
        None => {
            cells.name() == "title" && ![&columns.id, &columns.text].contains(&&"title".to_owned())
        }
    });
    let mut seen = HashMap::new();
    let documents = (0..frame.rows()).map(|row| {
        let title = match &titles {
            Some(titles) => text(titles, row)?,
            None => String::new(),
        };
        let id = unique_id(&ids, row, &mut seen)?;
        Ok(Document { id: id.into(), title, text: text(&texts, row)? })
    });
    let documents: Vec<_> = documents.collect::<Result<_, DataError>>()?;
    match documents.is_empty() {
        true => Err(DataError::Empty { file: frame.file().to_owned(), what: "documents" }),
        false => corpus_of(documents, frame.file()),
    }
}

/// Reads a table of queries.
///
/// # Errors
/// As [`read_documents`], and texts that are blank.
pub fn read_queries(path: &Path, columns: &QueryColumns) -> Result<Vec<Query>, DataError> {
    let frame = Frame::read(path, |file, names| {
        let named = columns.attributes.iter().flatten();
        let chosen = present(file, names, [&columns.id, &columns.text].into_iter().chain(named))?;
        Ok(if columns.attributes.is_none() { names.to_vec() } else { chosen })
    })?;
    let (ids, texts) = (column(&frame, &columns.id)?, column(&frame, &columns.text)?);
    let attributes: Vec<_> = frame
        .columns()
        .filter(|cells| match &columns.attributes {
            Some(named) => named.iter().any(|name| name == cells.name()),
            None => cells.name() != columns.id && cells.name() != columns.text,
        })
        .collect();
    let mut seen = HashMap::new();
    let queries = (0..frame.rows()).map(|row| {
        let attribute = |cells: &Cells<'_>| {
            let value = match cells.cell(row) {
                Cell::Missing | Cell::List(_) | Cell::Other => return None,
                Cell::Text(text) => text.to_owned(),
                Cell::Whole(number) => number.to_string(),
                Cell::Number(number) => number.to_string(),
                Cell::Truth(truth) => truth.to_string(),
            };
            Some((cells.name().to_owned(), value))
        };
        let id = unique_id(&ids, row, &mut seen)?.into();
        let attributes = attributes.iter().filter_map(attribute).collect();
        Ok(Query { id, text: filled(&texts, row)?, attributes })
    });
    let queries: Vec<_> = queries.collect::<Result<_, DataError>>()?;
    match queries.is_empty() {
        true => Err(DataError::Empty { file: frame.file().to_owned(), what: "queries" }),
        false => Ok(queries),
    }
}

/// Reads a table of judgements. A pair that stands there twice with one grade counts once.
///
/// # Errors
/// A missing, empty or malformed file, a missing column, an empty id, a grade that is no whole
/// number, two grades for one pair: with file, row and column.
pub fn read_judgements(path: &Path, columns: &JudgementColumns) -> Result<Qrels, DataError> {
    judged(path, columns, |_, _| (None, None))
}

/// Reads a table of judged pairs of texts: equal texts are one query or one document, with ids made
/// from their hashes. The set takes the file's name up to its first dot.
///
/// # Errors
/// A missing, empty or malformed file, a missing column, a blank text, a label that is no whole
/// number, two labels for one pair: with file, row and column.
pub fn read_pairs(path: &Path, columns: &PairColumns) -> Result<Pairs, DataError> {
    let PairColumns { query, document, label } = columns;
    let frame = Frame::read(path, |file, names| present(file, names, [query, document, label]))?;
    let (asked, answers) = (column(&frame, query)?, column(&frame, document)?);
    let labels = column(&frame, label)?;
    let mut pool = TextPool::default();
    let (mut queries, mut places) = (Vec::new(), HashMap::new());
    let (mut qrels, mut candidates) = (Qrels::new(), BTreeMap::<QueryId, Vec<DocId>>::new());
    for row in 0..frame.rows() {
        let text = filled(&asked, row)?;
        let document = pool.add(String::new(), filled(&answers, row)?);
        let grade = grade(&labels, row)?;
        let query = texts::query_id(&text);
        places.entry(query.clone()).or_insert_with(|| {
            queries.push(Query { id: query.clone(), text, attributes: BTreeMap::new() });
        });
        if insert(&labels, row, &mut qrels, query.clone(), document.clone(), grade)? {
            candidates.entry(query).or_default().push(document);
        }
    }
    if queries.is_empty() {
        return Err(DataError::Empty { file: frame.file().to_owned(), what: "pairs" });
    }
    let candidates = unordered(candidates, frame.file())?;
    let corpus = corpus_of(pool.into_documents(), frame.file())?;
    let dataset = Dataset::new(file_name(path), SPLIT, corpus, queries, qrels)
        .map_err(|source| DataError::Dataset { set: frame.file().to_owned(), source })?;
    Ok(Pairs { dataset, candidates })
}

/// Whether a file's extension names a format of tables.
pub(crate) fn is_table(path: &Path) -> bool {
    Frame::is_table(path)
}

/// The rows of a table as objects of all its columns, among which must be those that are `needed`;
/// `None` when the extension names no table. What is missing, and dates and the like, are left out.
pub(crate) fn rows(
    path: &Path,
    needed: &[&str],
) -> Result<Option<Vec<serde_json::Map<String, serde_json::Value>>>, DataError> {
    if !Frame::is_table(path) {
        return Ok(None);
    }
    let needed: Vec<String> = needed.iter().map(|name| (*name).to_owned()).collect();
    let frame = Frame::read(path, |file, names| {
        present(file, names, &needed)?;
        Ok(names.to_vec())
    })?;
    let columns: Vec<Cells<'_>> = frame.columns().collect();
    let value = |cell| match cell {
        Cell::Missing | Cell::Other => None,
        Cell::List(values) => Some(values.into()),
        Cell::Text(text) => Some(text.into()),
        // Numbers that JSON has none for are kept as texts.
        Cell::Whole(number) => {
            Some(i64::try_from(number).map_or_else(|_| number.to_string().into(), Into::into))
        }
        Cell::Number(number) => Some(number.into()),
        Cell::Truth(truth) => Some(truth.into()),
    };
    let row = |row| {
        let cells = columns.iter();
        cells.filter_map(|cells| Some((cells.name().to_owned(), value(cells.cell(row))?))).collect()
    };
    Ok(Some((0..frame.rows()).map(row).collect()))
}

/// The names of a table's columns.
pub(crate) fn columns(path: &Path) -> Result<Vec<String>, DataError> {
    let mut columns = Vec::new();
    Frame::read(path, |_, names| {
        columns = names.to_vec();
        Ok(names.iter().take(1).cloned().collect())
    })?;
    Ok(columns)
}

/// The rows of a table of training triples with the columns `query`, `positive` and perhaps
/// `negative` and `id`, or what is wrong with them.
pub(crate) fn training_rows(path: &Path) -> Result<Vec<TrainingRow>, DataError> {
    let names = ["query", "positive", "negative", "id"].map(String::from);
    let frame = Frame::read(path, |file, found| {
        let more = names[2..].iter().filter(|name| found.contains(name));
        present(file, found, names[..2].iter().chain(more))
    })?;
    let (queries, positives) = (column(&frame, &names[0])?, column(&frame, &names[1])?);
    let optional = |name: &str| frame.columns().find(|cells| cells.name() == name);
    let (negatives, ids) = (optional(&names[2]), optional(&names[3]));
    let file: std::rc::Rc<str> = frame.file().into();
    let row = |row| {
        let negative = match &negatives {
            Some(cells) if cells.cell(row) != Cell::Missing => Some((filled(cells, row)?, None)),
            _ => None,
        };
        Ok(training::Row {
            place: training::Place {
                file: file.clone(),
                number: row as u64 + 1,
                unit: training::Unit::Row,
            },
            id: ids.as_ref().and_then(|ids| id(ids, row).ok()),
            query: filled(&queries, row)?,
            positives: vec![(filled(&positives, row)?, None)],
            negatives: negative.into_iter().collect(),
        })
    };
    Ok((0..frame.rows()).map(row).collect())
}

/// A row of training data, or what is wrong with it.
type TrainingRow = Result<training::Row, DataError>;

/// Reads judgements; `check` says what is wrong with a query and with a document.
fn judged(
    path: &Path,
    columns: &JudgementColumns,
    check: impl Fn(&QueryId, &DocId) -> (Option<CellDefect>, Option<CellDefect>),
) -> Result<Qrels, DataError> {
    let JudgementColumns { query, document, grade: graded } = columns;
    let frame = Frame::read(path, |file, names| present(file, names, [query, document, graded]))?;
    let (queries, documents) = (column(&frame, query)?, column(&frame, document)?);
    let grades = column(&frame, graded)?;
    let mut qrels = Qrels::new();
    for row in 0..frame.rows() {
        let (query, document) = (id(&queries, row)?.into(), id(&documents, row)?.into());
        match check(&query, &document) {
            (Some(defect), _) => return Err(queries.fail(row, defect)),
            (_, Some(defect)) => return Err(documents.fail(row, defect)),
            _ => insert(&grades, row, &mut qrels, query, document, grade(&grades, row)?)?,
        };
    }
    match qrels.is_empty() {
        true => Err(DataError::Empty { file: frame.file().to_owned(), what: "judgements" }),
        false => Ok(qrels),
    }
}

/// Adds a judgement; whether the pair is new.
fn insert(
    grades: &Cells<'_>,
    row: usize,
    qrels: &mut Qrels,
    query: QueryId,
    document: DocId,
    grade: Grade,
) -> Result<bool, DataError> {
    match qrels.insert(query, document, grade) {
        Some(earlier) if earlier != grade => {
            Err(grades.fail(row, CellDefect::ConflictingGrades { grade, earlier }))
        }
        earlier => Ok(earlier.is_none()),
    }
}

/// These columns, each once, if all of them are there.
fn present<'a>(
    file: &str,
    names: &[String],
    wanted: impl IntoIterator<Item = &'a String>,
) -> Result<Vec<String>, DataError> {
    let mut chosen = Vec::new();
    for column in wanted {
        if !names.contains(column) {
            let (file, column) = (file.to_owned(), column.clone());
            return Err(DataError::NoColumn { file, column, available: names.to_vec() });
        }
        if !chosen.contains(column) {
            chosen.push(column.clone());
        }
    }
    Ok(chosen)
}

fn column<'a>(frame: &'a Frame, name: &str) -> Result<Cells<'a>, DataError> {
    frame.columns().find(|cells| cells.name() == name).ok_or_else(|| DataError::NoColumn {
        file: frame.file().to_owned(),
        column: name.to_owned(),
        available: frame.columns().map(|cells| cells.name().to_owned()).collect(),
    })
}

/// An id: a text that is not blank, or a whole number.
fn id(cells: &Cells<'_>, row: usize) -> Result<String, DataError> {
    match cells.cell(row) {
        Cell::Whole(number) => Ok(number.to_string()),
        Cell::Text(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        Cell::Text(_) | Cell::Missing => Err(cells.fail(row, CellDefect::Empty)),
        other => Err(wrong(cells, row, "a text or a whole number", &other)),
    }
}

fn unique_id(
    cells: &Cells<'_>,
    row: usize,
    seen: &mut HashMap<String, usize>,
) -> Result<String, DataError> {
    let id = id(cells, row)?;
    match seen.insert(id.clone(), row) {
        None => Ok(id),
        Some(first) => {
            Err(cells.fail(row, CellDefect::DuplicateId { id, first: first as u64 + 1 }))
        }
    }
}

/// A text, which may be empty or missing. A column of numbers is not taken for one of texts.
fn text(cells: &Cells<'_>, row: usize) -> Result<String, DataError> {
    match cells.cell(row) {
        Cell::Missing => Ok(String::new()),
        Cell::Text(text) => Ok(text.to_owned()),
        other => Err(wrong(cells, row, "a text", &other)),
    }
}

fn filled(cells: &Cells<'_>, row: usize) -> Result<String, DataError> {
    match text(cells, row)? {
        text if text.trim().is_empty() => Err(cells.fail(row, CellDefect::Empty)),
        text => Ok(text),
    }
}

/// A grade: a whole number, also one written as `1.0` (pandas writes a column with gaps so), or a
/// truth value.
fn grade(cells: &Cells<'_>, row: usize) -> Result<Grade, DataError> {
    let whole = |number: f64| {
        let fits =
            number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
        fits.then_some(number as i32)
    };
    let cell = cells.cell(row);
    let grade = match cell {
        Cell::Missing => return Err(cells.fail(row, CellDefect::Empty)),
        Cell::Text(text) if text.trim().is_empty() => {
            return Err(cells.fail(row, CellDefect::Empty));
        }
        Cell::Truth(truth) => Some(truth.into()),
        Cell::Whole(number) => i32::try_from(number).ok(),
        Cell::Number(number) => whole(number),
        Cell::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some(1),
            "false" => Some(0),
            number => number.parse().ok().or_else(|| whole(number.parse().ok()?)),
        },
        Cell::List(_) | Cell::Other => None,
    };
    grade.ok_or_else(|| wrong(cells, row, "a whole number that fits 32 bits", &cell))
}

fn wrong(cells: &Cells<'_>, row: usize, expected: &'static str, found: &Cell<'_>) -> DataError {
    let found = match found {
        Cell::Missing => "nothing".to_owned(),
        Cell::Text(text) => format!("'{}'", shortened(text)),
        Cell::Whole(number) => format!("the number {number}"),
        Cell::Number(number) => format!("the number {number}"),
        Cell::Truth(truth) => format!("the truth value {truth}"),
        Cell::List(_) => "a list".to_owned(),
        Cell::Other => "a date or the like".to_owned(),
    };
    cells.fail(row, CellDefect::Type { expected, found })
}
