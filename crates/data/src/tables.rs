//! Sets in tables with named columns: CSV (RFC 4180), TSV (quoted in the same way) and Parquet.
//! Errors name file, row (counted from 1 below the header) and column.

mod columns;
mod defect;
mod frame;

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
                Cell::Missing | Cell::Other => return None,
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
        Cell::Other => None,
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
        Cell::Other => "a list, a date or the like".to_owned(),
    };
    cells.fail(row, CellDefect::Type { expected, found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const DOCUMENTS: &str = "id,title,text\n1,T,one\n007,,\"two\nlines\"\n";
    const QUERIES: &str = "id\ttext\tkind\n7\twhy\ttypo\n8\thow\t\n";
    const JUDGEMENTS: &str = "query,document,grade\n7,1,2\n7,007,0\n8,1,1.0\n";

    fn files(parts: [&str; 3]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in ["d.csv", "q.tsv", "j.csv"].iter().zip(parts) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn set(parts: [&str; 3]) -> Result<Dataset, String> {
        let folder = files(parts);
        let path = |name: &str| folder.path().join(name);
        let (documents, queries) = (DocumentColumns::default(), QueryColumns::default());
        let set = read(
            "set",
            "test",
            (&path("d.csv"), &documents),
            (&path("q.tsv"), &queries),
            (&path("j.csv"), &JudgementColumns::default()),
        );
        set.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
    }

    #[test]
    fn three_tables_make_a_set() {
        let set = set([DOCUMENTS, QUERIES, JUDGEMENTS]).unwrap();
        let [one, two] = set.corpus().documents() else { panic!("two documents") };
        assert_eq!((one.passage().as_str(), two.text.as_str()), ("T one", "two\nlines"));
        assert_eq!(two.id.as_str(), "007");
        assert_eq!(set.queries()[0].attributes["kind"], "typo");
        assert!(set.queries()[1].attributes.is_empty());
        assert_eq!(set.qrels().grade(&"7".into(), &"007".into()), Some(0));
        assert_eq!(set.qrels().grade(&"8".into(), &"1".into()), Some(1));
    }

    #[test]
    fn errors_name_file_row_and_column() {
        let expect = |parts: [&str; 3], message: &str| {
            let error = set(parts).unwrap_err();
            assert_eq!(error, message);
        };
        let documents = |row: &str| set([&format!("{DOCUMENTS}{row}"), QUERIES, JUDGEMENTS]);
        let judged =
            |row: &str| set([DOCUMENTS, QUERIES, &format!("{JUDGEMENTS}{row}")]).unwrap_err();
        assert_eq!(
            documents("1,,x\n").unwrap_err(),
            "d.csv row 3, column 'id': id '1' was already used in row 1; give each its own id"
        );
        assert_eq!(
            documents(",,x\n").unwrap_err(),
            "d.csv row 3, column 'id': the cell is empty; fill it in or remove the row"
        );
        expect(
            ["id,body\n1,x\n", QUERIES, JUDGEMENTS],
            "d.csv: there is no column 'text'; it has: id, body (name the right one)",
        );
        expect(
            ["id,text\n", QUERIES, JUDGEMENTS],
            "d.csv: the file holds no documents; check that it was written completely",
        );
        expect(
            [DOCUMENTS, "id\ttext\n7\t \n", JUDGEMENTS],
            "q.tsv row 1, column 'text': the cell is empty; fill it in or remove the row",
        );
        assert!(
            judged("7,9,1").starts_with("j.csv row 4, column 'document': document '9' is not in")
        );
        assert!(
            judged("9,1,1").starts_with("j.csv row 4, column 'query': query '9' is not in q.tsv")
        );
        assert!(
            judged("7,1,1").contains("row 4, column 'grade': grade 1, but an earlier row gave")
        );
        for grade in ["1.5", "many", "1e99", "nan"] {
            let error = judged(&format!("8,007,{grade}"));
            assert!(error.contains("row 4, column 'grade': expected a whole number"), "{error}");
        }
        assert!(judged("8,007,").contains("column 'grade': the cell is empty"));
    }

    #[test]
    fn columns_may_have_other_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.csv");
        std::fs::write(&path, "title,body,head,n\na,b,c,d\n").unwrap();
        let columns = |text: &str| toml::from_str::<DocumentColumns>(text).unwrap();
        let document = |text: &str| {
            let corpus = read_documents(&path, &columns(text))?;
            let Document { id, title, text } = corpus.documents()[0].clone();
            Ok::<_, DataError>((id.to_string(), title, text))
        };
        let of = |id: &str, title: &str, text: &str| (id.into(), title.into(), text.into());
        assert_eq!(document("id = 'n'\ntext = 'body'").unwrap(), of("d", "a", "b"));
        assert_eq!(document("id = 'n'\ntext = 'body'\ntitle = 'head'").unwrap(), of("d", "c", "b"));
        // A column that serves as the id is no title.
        assert_eq!(document("id = 'title'\ntext = 'body'").unwrap(), of("a", "", "b"));
        let error = document("id = 'n'\ntext = 'body'\ntitle = 'none'").unwrap_err();
        assert!(error.to_string().contains("there is no column 'none'"), "{error}");
    }

    #[test]
    fn pairs_make_a_set_from_parquet_too() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            read_pairs(&path, &PairColumns::default()).map_err(|error| error.to_string())
        };
        let text = "label,query,document\n1,q,A\nfalse,q,B\n1,q,A\n0,r,A\n";
        let Pairs { dataset, candidates } = read("pairs.csv", text.as_bytes()).unwrap();
        assert_eq!(
            (dataset.name(), dataset.corpus().len(), dataset.queries().len()),
            ("pairs", 2, 2)
        );
        assert_eq!(dataset.qrels().judgements(), 3);
        for (query, grades) in dataset.qrels().iter() {
            assert!(candidates.rankings[query].documents().eq(grades.keys()));
        }
        let error = read("a.csv", format!("{text}1,q,B\n").as_bytes()).unwrap_err();
        assert!(
            error.contains("row 5, column 'label': grade 1, but an earlier row gave this pair 0")
        );
        // Numbers are ids of people's making, not texts.
        let error = read("a.parquet", &frame::tests::parquet()).unwrap_err();
        assert!(error.contains("row 1, column 'query': expected a text, found the number 7"));
        let path = folder.path().join("a.parquet");
        let columns = JudgementColumns { grade: "label".into(), ..JudgementColumns::default() };
        let qrels = read_judgements(&path, &columns).unwrap();
        assert_eq!(qrels.grade(&"7".into(), &"é".into()), Some(1));
        let columns = QueryColumns {
            id: "document".into(),
            text: "document".into(),
            attributes: Some(vec!["held".into()]),
        };
        let queries = read_queries(&path, &columns).unwrap();
        assert_eq!(queries[0].attributes["held"], "true");
        assert!(queries[1].attributes.is_empty());
    }

    #[test]
    fn quoted_texts_come_back_as_they_were() {
        use proptest::prelude::*;
        let text = || "([a-cé,;\t\r\n\"\\\\' 黑]|\\PC){0,12}";
        let rows = prop::collection::vec((text(), text()), 1..8);
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let folder = tempfile::tempdir().unwrap();
        proptest!(ProptestConfig::with_cases(256), |(
            rows in rows, end in prop::sample::select(vec!["\n", "\r\n"]), tabs in any::<bool>(),
        )| {
            let separator = if tabs { "\t" } else { "," };
            let mut lines = vec![["id", "title", "text"].join(separator)];
            for (id, (title, text)) in rows.iter().enumerate() {
                lines.push([format!("0{id}"), quoted(title), quoted(text)].join(separator));
            }
            let path = folder.path().join(if tabs { "a.tsv" } else { "a.csv" });
            std::fs::write(&path, lines.join(end) + end).unwrap();
            let corpus = read_documents(&path, &DocumentColumns::default()).unwrap();
            for (id, (document, (title, text))) in corpus.documents().iter().zip(&rows).enumerate() {
                prop_assert_eq!(document.id.as_str(), format!("0{id}"));
                prop_assert_eq!((&document.title, &document.text), (title, text));
            }
            prop_assert_eq!(corpus.len(), rows.len());
        });
    }

    #[test]
    fn quotes_that_do_not_close_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        for text in
            ["1,\"x\n2,y\n", "1,\"x\n2,\"y\"\n", "1,x\n2,\"y\n3,z\n", "1,a\"b\n2,c\"\n3,d\n"]
        {
            std::fs::write(&path, format!("id,text\n{text}")).unwrap();
            let error = read_documents(&path, &DocumentColumns::default()).unwrap_err();
            assert!(matches!(error, DataError::Table { .. }), "{text:?}: {error}");
        }
    }

    /// Every file that `tests/golden/tables/make.py` writes; one has what cannot be read.
    #[test]
    fn tables_of_pandas_and_pyarrow_give_their_rows() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tables");
        let expected = std::fs::read_to_string(folder.join("expected.json")).unwrap();
        let expected: Vec<serde_json::Value> = serde_json::from_str(&expected).unwrap();
        let of = |row: &serde_json::Value| {
            let text = |field: &str| row[field].as_str().unwrap().to_owned();
            ((text("query"), text("document")), row["label"].as_i64().unwrap())
        };
        let expected: BTreeMap<_, _> = expected.iter().map(of).collect();
        let (mut read, mut refused) = (0, Vec::new());
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if ["py", "json"].iter().any(|other| path.extension().unwrap() == *other) {
                continue;
            }
            let set = match read_pairs(&path, &PairColumns::default()) {
                Ok(pairs) => pairs.dataset,
                Err(error) => {
                    refused.push(error.to_string());
                    continue;
                }
            };
            let mut found = BTreeMap::new();
            for query in set.queries() {
                for (id, &grade) in set.qrels().of(&query.id).unwrap() {
                    let text = set.corpus().get(id).unwrap().text.clone();
                    found.insert((query.text.clone(), text), i64::from(grade));
                }
            }
            assert_eq!(found, expected, "{}", path.display());
            read += 1;
        }
        assert_eq!(read, 19, "{refused:?}");
        let narrow = "narrow.parquet: not a table that can be read (column 'label' holds Int8, store it \
                      as Int32); check its quotes and columns";
        assert!(refused.len() == 1 && refused[0].ends_with(narrow), "{refused:?}");
    }
}
