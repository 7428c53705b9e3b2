//! Evaluation sets in the layout of the BEIR benchmark: `corpus.jsonl`, `queries.jsonl` and
//! `qrels/SPLIT.tsv` in one folder.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;
use std::path::Path;

use secondpass_core::{Corpus, Dataset, DocId, Document, Qrels, Query, QueryId};
use serde_json::Value;

use crate::lines::{Line, Lines, open};
use crate::{DataError, Defect, json};

/// Reads one split of the set in a folder; the set takes the folder's name.
///
/// A document is an object with `_id`, `text` and perhaps `title`; a query one with `_id`, `text`
/// and perhaps `metadata`, whose strings, numbers and truth values become the query's attributes.
/// A judgement is a line of query id, document id and grade, separated by tabs, below a header.
///
/// # Errors
/// Files that are missing, empty or malformed, ids that occur twice, judgements of documents or
/// queries that are not there: each with file and line. A missing split lists those there are.
pub fn read(folder: &Path, split: &str) -> Result<Dataset, DataError> {
    const HINT: &str = "a BEIR folder holds corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv";
    let available = splits(folder);
    let corpus = read_corpus(open(&folder.join("corpus.jsonl"), HINT)?)?;
    let queries = read_queries(open(&folder.join("queries.jsonl"), HINT)?)?;
    if !available.iter().any(|name| name == split) {
        let (set, split) = (folder.display().to_string(), split.to_owned());
        return Err(DataError::MissingSplit { set, split, available });
    }
    let qrels = open(&folder.join("qrels").join(format!("{split}.tsv")), HINT)?;
    let name = match folder.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => folder.display().to_string(),
    };
    assemble(&name, split, corpus, queries, qrels)
}

/// The splits that the set in a folder has judgements for, by name.
pub fn splits(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder.join("qrels")) else {
        return Vec::new();
    };
    let mut splits: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".tsv").map(str::to_owned))
        .collect();
    splits.sort();
    splits
}

/// Values and where they came from.
pub(crate) struct Read<T> {
    file: String,
    values: T,
    lines: Vec<u64>,
}

/// Joins the parts, checking every judgement at its line.
pub(crate) fn assemble(
    name: &str,
    split: &str,
    corpus: Read<Corpus>,
    queries: Read<Vec<Query>>,
    qrels: Lines<impl BufRead>,
) -> Result<Dataset, DataError> {
    let places: HashMap<&QueryId, usize> =
        queries.values.iter().enumerate().map(|(place, query)| (&query.id, place)).collect();
    let qrels = read_qrels(qrels, |line, query, document| {
        let unknown = |what, id: &str, file: &str| {
            line.fail(Defect::Unknown { what, id: id.to_owned(), file: file.to_owned() })
        };
        let Some(&place) = places.get(query) else {
            return Err(unknown("query", query.as_str(), &queries.file));
        };
        if corpus.values.get(document).is_none() {
            return Err(unknown("document", document.as_str(), &corpus.file));
        }
        let empty = queries.values.get(place).is_some_and(|query| query.text.trim().is_empty());
        match empty {
            false => Ok(()),
            true => Err(DataError::Line {
                file: queries.file.clone(),
                line: queries.lines.get(place).copied().unwrap_or_default(),
                defect: Defect::EmptyQuery { id: query.as_str().to_owned() },
            }),
        }
    })?;
    Dataset::new(name, split, corpus.values, queries.values, qrels)
        .map_err(|source| DataError::Dataset { set: name.to_owned(), source })
}

/// Reads `corpus.jsonl`.
pub(crate) fn read_corpus(mut lines: Lines<impl BufRead>) -> Result<Read<Corpus>, DataError> {
    let mut seen = Seen::new("document");
    let mut documents = Vec::new();
    lines.each_filled(|line| {
        let mut object = json::object(&line, "_id")?;
        let id = DocId::from(json::id(&line, &mut object, &["_id"])?);
        seen.note(&line, id.as_str())?;
        let title = json::optional_text(&line, &mut object, "title")?;
        let text = json::text(&line, &mut object, "text")?;
        documents.push(Document { id, title, text });
        Ok(())
    })?;
    let file = lines.file().to_owned();
    if documents.is_empty() {
        return Err(DataError::Empty { file, what: "documents" });
    }
    let values = corpus_of(documents, &file)?;
    Ok(Read { file, values, lines: Vec::new() })
}

/// Reads `queries.jsonl`, the queries of all splits.
pub(crate) fn read_queries(mut lines: Lines<impl BufRead>) -> Result<Read<Vec<Query>>, DataError> {
    let mut seen = Seen::new("query");
    let (mut queries, mut numbers) = (Vec::new(), Vec::new());
    lines.each_filled(|line| {
        let mut object = json::object(&line, "_id")?;
        let id = QueryId::from(json::id(&line, &mut object, &["_id"])?);
        seen.note(&line, id.as_str())?;
        let text = json::text(&line, &mut object, "text")?;
        let attributes = match object.remove("metadata") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::Object(metadata)) => metadata
                .into_iter()
                .filter_map(|(name, value)| Some((name, attribute(value)?)))
                .collect(),
            Some(other) => return Err(json::wrong(&line, "metadata", "an object", &other)),
        };
        queries.push(Query { id, text, attributes });
        numbers.push(line.number);
        Ok(())
    })?;
    let file = lines.file().to_owned();
    match queries.is_empty() {
        true => Err(DataError::Empty { file, what: "queries" }),
        false => Ok(Read { file, values: queries, lines: numbers }),
    }
}

/// The corpus of a file's documents.
pub(crate) fn corpus_of(documents: Vec<Document>, file: &str) -> Result<Corpus, DataError> {
    Corpus::new(documents).map_err(|source| DataError::Corpus { file: file.to_owned(), source })
}

/// Remembers at which line an id was first used.
pub(crate) struct Seen {
    what: &'static str,
    first: HashMap<String, u64>,
}

impl Seen {
    /// Nothing seen yet of `what` (`document`, `query`).
    pub fn new(what: &'static str) -> Self {
        Self { what, first: HashMap::new() }
    }

    /// Notes an id; fails when an earlier line used it.
    pub fn note(&mut self, line: &Line<'_>, id: &str) -> Result<(), DataError> {
        match self.first.insert(id.to_owned(), line.number) {
            None => Ok(()),
            Some(first) => {
                Err(line.fail(Defect::DuplicateId { what: self.what, id: id.to_owned(), first }))
            }
        }
    }
}

fn read_qrels(
    mut lines: Lines<impl BufRead>,
    mut check: impl FnMut(&Line<'_>, &QueryId, &DocId) -> Result<(), DataError>,
) -> Result<Qrels, DataError> {
    const LAYOUT: &str = "query-id corpus-id score";
    let mut qrels = Qrels::new();
    let mut header = true;
    lines.each_filled(|line| {
        let columns: [&str; 3] = line.tabbed(LAYOUT)?;
        let [query, document, grade] = columns;
        if std::mem::take(&mut header) {
            // Some sets name their columns otherwise; only a first judgement must not be lost.
            return match grade.parse::<f64>() {
                Ok(_) => line.header(LAYOUT),
                Err(_) => Ok(()),
            };
        }
        let grade = line.grade("score", grade)?;
        let (query, document) = (QueryId::from(query), DocId::from(document));
        check(&line, &query, &document)?;
        insert(&line, &mut qrels, query, document, grade)
    })?;
    match qrels.is_empty() {
        true => Err(DataError::Empty { file: lines.file().to_owned(), what: "judgements" }),
        false => Ok(qrels),
    }
}

/// Adds a judgement; one that stands there twice with two grades is an error.
pub(crate) fn insert(
    line: &Line<'_>,
    qrels: &mut Qrels,
    query: QueryId,
    document: DocId,
    grade: i32,
) -> Result<(), DataError> {
    match qrels.insert(query.clone(), document.clone(), grade) {
        Some(earlier) if earlier != grade => Err(line.fail(Defect::ConflictingGrades {
            query: query.into(),
            document: document.into(),
            grade,
            earlier,
        })),
        _ => Ok(()),
    }
}

fn attribute(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const CORPUS: &str = "{\"_id\": \"d1\", \"title\": \"T\", \"text\": \"one\"}\n\
                          {\"_id\": \"d2\", \"text\": \"two\", \"metadata\": {\"x\": 1}}\n";
    const QUERIES: &str = "{\"_id\": \"q1\", \"text\": \"why\", \"metadata\": \
                           {\"kind\": \"typo\", \"n\": 3, \"held\": true, \"list\": [1]}}\n\
                           {\"_id\": \"q2\", \"text\": \" \"}\n";
    const QRELS: &str = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n";

    fn folder(corpus: &str, queries: &str, qrels: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("qrels")).unwrap();
        std::fs::write(folder.path().join("corpus.jsonl"), corpus).unwrap();
        std::fs::write(folder.path().join("queries.jsonl"), queries).unwrap();
        std::fs::write(folder.path().join("qrels/test.tsv"), qrels).unwrap();
        folder
    }

    /// The message without the folder's name.
    fn error(corpus: &str, queries: &str, qrels: &str) -> String {
        let folder = folder(corpus, queries, qrels);
        let error = read(folder.path(), "test").unwrap_err().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn reads_documents_queries_and_judgements() {
        let folder = folder(CORPUS, QUERIES, QRELS);
        let set = read(folder.path(), "test").unwrap();
        assert_eq!(set.corpus().len(), 2);
        assert_eq!(set.corpus().documents()[0].passage(), "T one");
        assert_eq!(set.queries().len(), 1);
        let attributes: Vec<_> =
            set.queries()[0].attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(attributes, [("held", "true"), ("kind", "typo"), ("n", "3")]);
        assert_eq!(set.qrels().grade(&"q1".into(), &"d1".into()), Some(2));
        assert_eq!(set.name(), folder.path().file_name().unwrap().to_str().unwrap());
    }

    #[test]
    fn corpus_errors_name_file_and_line() {
        let corpus = |line: &str| error(&format!("{CORPUS}{line}"), QUERIES, QRELS);
        assert_eq!(
            corpus("{\"_id\": \"x\", \"text\": "),
            "corpus.jsonl line 3: invalid JSON at column 21: EOF while parsing a value; every line \
             must be one whole JSON object"
        );
        assert_eq!(
            corpus("{\"_id\": \"x\"}"),
            "corpus.jsonl line 3: field 'text' is missing; add it"
        );
        assert_eq!(
            corpus("{\"_id\": \"x\", \"text\": 5}"),
            "corpus.jsonl line 3: field 'text' is a number, expected a string"
        );
        assert_eq!(
            corpus("{\"_id\": \"d1\", \"text\": \"\"}"),
            "corpus.jsonl line 3: document id 'd1' was already used at line 1; give each its own id"
        );
        assert!(
            corpus("[]").contains("corpus.jsonl line 3: expected a JSON object, found an array")
        );
        assert!(corpus("{\"_id\": \"\"}").contains("line 3: '_id' is empty"));
        assert!(error("", QUERIES, QRELS).starts_with("corpus.jsonl: the file holds no documents"));
        assert!(error(CORPUS, "\n", QRELS).starts_with("queries.jsonl: the file holds no queries"));
    }

    #[test]
    fn judgement_errors_name_file_and_line() {
        let qrels = |line: &str| error(CORPUS, QUERIES, &format!("{QRELS}{line}"));
        assert_eq!(
            qrels("q1\td9\t1"),
            "qrels/test.tsv line 4: document 'd9' is not among the documents of corpus.jsonl; add \
             it there or remove this line"
        );
        assert!(qrels("q9\td1\t1").starts_with("qrels/test.tsv line 4: query 'q9' is not among"));
        assert!(qrels("q1\td1\tmany").contains("line 4: score 'many' is not a whole number"));
        assert!(
            qrels("q1\td1").contains("line 4: found 2 columns, expected 3: query-id corpus-id")
        );
        assert!(qrels("q1\t\t1").contains("line 4: 'corpus-id' is empty"));
        assert!(qrels("q1\td1\t1").contains("grade 1, but an earlier line gave it 2"));
        assert_eq!(
            qrels("q2\td1\t1"),
            "queries.jsonl line 2: query 'q2' is judged but its text is empty; write the text or \
             remove the query"
        );
        assert!(
            error(CORPUS, QUERIES, "q1\td1\t1\n")
                .contains("line 1: the first line must be the header")
        );
        assert!(
            error(CORPUS, QUERIES, "").contains("qrels/test.tsv: the file holds no judgements")
        );
    }

    #[test]
    fn a_missing_split_lists_those_there_are() {
        let folder = folder(CORPUS, QUERIES, QRELS);
        std::fs::write(folder.path().join("qrels/dev.tsv"), QRELS).unwrap();
        let error = read(folder.path(), "train").unwrap_err().to_string();
        assert!(error.ends_with("has no split 'train'; it has: dev, test"), "{error}");
        let error = read(folder.path(), "../qrels/test").unwrap_err();
        assert!(matches!(error, DataError::MissingSplit { .. }));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("no/such/folder"), "test").unwrap_err().to_string();
        assert!(error.starts_with("no/such/folder/corpus.jsonl: no such file"), "{error}");
    }

    #[test]
    fn reads_public_sets() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        if !data.exists() {
            println!("skipped: no ../shared");
            return;
        }
        for (name, split, counts) in [
            ("scifact", "test", (5183, 300, 339)),
            ("scifact", "train", (5183, 809, 919)),
            ("xquad-r-es", "test", (1215, 1190, 1190)),
            ("trecqa-test", "test", (1517, 95, 1517)),
        ] {
            let set = read(&data.join(name), split).unwrap();
            let found = (set.corpus().len(), set.queries().len(), set.qrels().judgements());
            assert_eq!(found, counts, "{name} {split}");
        }
    }
}
