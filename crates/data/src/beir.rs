//! Evaluation sets in the layout of the BEIR benchmark: `corpus.jsonl`, `queries.jsonl` and
//! `qrels/SPLIT.tsv` in one folder, each of them plain or packed (`.gz`, `.zst`).

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use secondpass_core::{Corpus, Dataset, DocId, Document, Grade, Qrels, Query, QueryId};
use serde_json::json;

use crate::lines::{Input, Line, Lines, open};
use crate::output::write_folder;
use crate::{Access, Compression, DataError, Defect, WriteError, json, write_file};

/// Reads one split of the set in a folder; the set takes the folder's name.
///
/// A document is an object with `_id`, `text` and perhaps `title`; a query one with `_id`, `text`
/// and perhaps `metadata`, whose strings, numbers and truth values become the query's attributes.
/// A judgement is a line of query id, document id and grade, separated by tabs, below a header.
///
/// # Errors
/// Files that are missing, empty or malformed, there both plain and packed, ids that occur twice,
/// judgements of documents or queries that are not there: each with file and line. A missing split
/// lists those there are.
pub fn read(folder: &Path, split: &str) -> Result<Dataset, DataError> {
    let available = splits(folder);
    let corpus = read_corpus(open_part(folder, CORPUS)?)?;
    let queries = read_queries(open_part(folder, QUERIES)?)?;
    if !available.iter().any(|name| name == split) {
        let (set, split) = (folder.display().to_string(), split.to_owned());
        return Err(DataError::MissingSplit { set, split, available });
    }
    let qrels = open_part(folder, &qrels_of(split))?;
    assemble(&name_of(folder), split, corpus, queries, qrels)
}

/// The splits that the set in a folder has judgements for, by name.
pub fn splits(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join("qrels")) else {
        return Vec::new();
    };
    let split = |name: &str| {
        Compression::ALL.iter().find_map(|compression| {
            let name = name.strip_suffix(compression.suffix())?.strip_suffix(".tsv")?;
            Some(name.to_owned())
        })
    };
    let names: BTreeSet<String> =
        entries.flatten().filter_map(|entry| split(entry.file_name().to_str()?)).collect();
    names.into_iter().collect()
}

/// Writes a set, one judgements file for each of its splits, that [`read`] gives back: whole, to a
/// folder that is not there yet or is empty. Since the files hold users' texts, only their owner
/// may read them (mode 0600 on Unix).
///
/// The sets must share one corpus and differ in their splits. Queries are written once, in the
/// order of the splits.
///
/// # Errors
/// No set at all, sets that do not make one folder together, ids or names of splits that the layout
/// cannot express, a folder in use, and what the operating system refuses.
pub fn write(folder: &Path, sets: &[&Dataset], packed: Compression) -> Result<(), WriteError> {
    let queries = shared(sets)?;
    let Some(corpus) = sets.first().map(|set| set.corpus()) else {
        return Err(WriteError::NoSets);
    };
    write_folder(folder, |folder| {
        let file = |name: &str| folder.join(format!("{name}{}", packed.suffix()));
        write_file(&file(CORPUS), Access::Owner, |file| {
            corpus.documents().iter().try_for_each(|document| {
                let Document { id, title, text } = document;
                Ok(writeln!(file, "{}", json!({"_id": id, "title": title, "text": text}))?)
            })
        })?;
        write_file(&file(QUERIES), Access::Owner, |file| {
            queries.iter().try_for_each(|Query { id, text, attributes }| {
                let line = json!({"_id": id, "text": text, "metadata": attributes});
                Ok(writeln!(file, "{line}")?)
            })
        })?;
        fs::create_dir(folder.join("qrels"))?;
        sets.iter().try_for_each(|set| {
            write_file(&file(&qrels_of(set.split())), Access::Owner, |file| {
                writeln!(file, "{}", LAYOUT.replace(' ', "\t"))?;
                set.qrels().iter().try_for_each(|(query, documents)| {
                    documents.iter().try_for_each(|(document, grade)| {
                        Ok(writeln!(file, "{query}\t{document}\t{grade}")?)
                    })
                })
            })
        })
    })
}

/// The queries of all splits, each once, after checks that one folder can hold the sets.
fn shared<'a>(sets: &[&'a Dataset]) -> Result<Vec<&'a Query>, WriteError> {
    let (mut queries, mut texts, mut splits) = (Vec::new(), HashMap::new(), BTreeSet::new());
    let mut corpus = None;
    for set in sets {
        let split = set.split();
        let name = |text: &str| !text.is_empty() && !text.contains(['/', '\\', '\0', '\n']);
        if !name(split) || split.starts_with('.') || !splits.insert(split) {
            return Err(WriteError::Split { split: split.to_owned() });
        }
        let hash = set.corpus().hash();
        if *corpus.get_or_insert_with(|| hash.clone()) != hash {
            return Err(WriteError::OtherCorpus { split: split.to_owned() });
        }
        for query in set.queries() {
            column("query", query.id.as_str())?;
            match texts.insert(&query.id, query) {
                None => queries.push(query),
                Some(earlier) if earlier == query => {}
                Some(_) => return Err(WriteError::OtherQuery { id: query.id.to_string() }),
            }
        }
    }
    let documents = sets.first().map(|set| set.corpus().documents()).unwrap_or_default();
    documents.iter().try_for_each(|document| column("document", document.id.as_str()))?;
    Ok(queries)
}

/// Checks that an id survives between tabs.
fn column(what: &'static str, id: &str) -> Result<(), WriteError> {
    match id.is_empty() || id.trim() != id || id.contains(['\t', '\n']) {
        true => Err(WriteError::TabbedId { what, id: id.to_owned() }),
        false => Ok(()),
    }
}

pub(crate) const CORPUS: &str = "corpus.jsonl";
pub(crate) const QUERIES: &str = "queries.jsonl";
const LAYOUT: &str = "query-id corpus-id score";

/// The judgements file of a split, in the set's folder.
pub(crate) fn qrels_of(split: &str) -> String {
    format!("qrels/{split}.tsv")
}

/// The name of a set in this folder.
pub(crate) fn name_of(folder: &Path) -> String {
    match folder.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => folder.display().to_string(),
    }
}

/// Opens one of a folder's files, which may be packed.
pub(crate) fn open_part(folder: &Path, name: &str) -> Result<Lines<Input>, DataError> {
    const HINT: &str = "a BEIR folder holds corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, plain \
                        or as .gz or .zst";
    open(&locate(&folder.join(name))?, HINT)
}

/// The one of a file's plain and packed forms that is there; the plain name where none is.
pub(crate) fn locate(plain: &Path) -> Result<PathBuf, DataError> {
    let with = |compression: &Compression| {
        let mut name = OsString::from(plain);
        name.push(compression.suffix());
        PathBuf::from(name)
    };
    let mut there = Compression::ALL.iter().map(with).filter(|path| path.exists());
    let Some(first) = there.next() else { return Ok(plain.to_owned()) };
    match there.next() {
        None => Ok(first),
        Some(second) => Err(DataError::Ambiguous {
            first: first.display().to_string(),
            second: second.display().to_string(),
        }),
    }
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
        let document = document(&line)?;
        seen.note(&line, document.id.as_str())?;
        documents.push(document);
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
        let query = query(&line)?;
        seen.note(&line, query.id.as_str())?;
        queries.push(query);
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

/// A line of `corpus.jsonl`.
pub(crate) fn document(line: &Line<'_>) -> Result<Document, DataError> {
    let mut object = json::object(line, "_id")?;
    let id = DocId::from(json::id(line, &mut object, &["_id"])?);
    let title = json::optional_text(line, &mut object, "title")?;
    let text = json::text(line, &mut object, "text")?;
    Ok(Document { id, title, text })
}

/// A line of `queries.jsonl`.
pub(crate) fn query(line: &Line<'_>) -> Result<Query, DataError> {
    let mut object = json::object(line, "_id")?;
    let id = QueryId::from(json::id(line, &mut object, &["_id"])?);
    let text = json::text(line, &mut object, "text")?;
    let attributes = json::attributes(line, &mut object, "metadata")?;
    Ok(Query { id, text, attributes })
}

/// A line of `qrels/SPLIT.tsv`; `None` for its header, which must be `first`.
pub(crate) fn judgement(
    line: &Line<'_>,
    first: bool,
) -> Result<Option<(QueryId, DocId, Grade)>, DataError> {
    let columns: [&str; 3] = line.tabbed(LAYOUT)?;
    let [query, document, grade] = columns;
    if first {
        // Some sets name their columns otherwise; only a first judgement must not be lost.
        return match grade.parse::<f64>() {
            Ok(_) => line.header(LAYOUT).map(|()| None),
            Err(_) => Ok(None),
        };
    }
    let grade = line.grade("score", grade)?;
    Ok(Some((query.into(), document.into(), grade)))
}

fn read_qrels(
    mut lines: Lines<impl BufRead>,
    mut check: impl FnMut(&Line<'_>, &QueryId, &DocId) -> Result<(), DataError>,
) -> Result<Qrels, DataError> {
    let mut qrels = Qrels::new();
    let mut header = true;
    lines.each_filled(|line| {
        let judged = judgement(&line, std::mem::take(&mut header))?;
        let Some((query, document, grade)) = judged else { return Ok(()) };
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

#[cfg(test)]
mod tests {
    use std::io::Write;

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
        fs::create_dir(folder.path().join("qrels")).unwrap();
        fs::write(folder.path().join("corpus.jsonl"), corpus).unwrap();
        fs::write(folder.path().join("queries.jsonl"), queries).unwrap();
        fs::write(folder.path().join("qrels/test.tsv"), qrels).unwrap();
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
        fs::write(folder.path().join("qrels/dev.tsv"), QRELS).unwrap();
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

    #[test]
    fn packed_files_are_read_and_two_forms_of_one_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("qrels")).unwrap();
        let parts = [("corpus.jsonl.gz", CORPUS), ("queries.jsonl.zst", QUERIES)];
        for (name, text) in [parts[0], parts[1], ("qrels/test.tsv.gz", QRELS)] {
            let write = |file: &mut dyn Write| Ok(file.write_all(text.as_bytes())?);
            write_file(&folder.path().join(name), Access::Default, write).unwrap();
        }
        assert_eq!(splits(folder.path()), ["test"]);
        assert_eq!(read(folder.path(), "test").unwrap().corpus().len(), 2);
        fs::write(folder.path().join("corpus.jsonl"), CORPUS).unwrap();
        let error = read(folder.path(), "test").unwrap_err().to_string();
        assert!(error.starts_with("both ") && error.contains("corpus.jsonl.gz are there; remove"));
    }

    #[test]
    fn what_one_folder_cannot_hold_is_refused() {
        let parent = folder(CORPUS, QUERIES, QRELS);
        let set = read(parent.path(), "test").unwrap();
        let again = |split: &str, corpus: Corpus, queries: Vec<Query>, qrels: Qrels| {
            Dataset::new("x", split, corpus, queries, qrels).unwrap()
        };
        let copy = |split: &str| {
            again(split, set.corpus().clone(), set.queries().to_vec(), set.qrels().clone())
        };
        let target = parent.path().join("written");
        let error = |sets: &[&Dataset]| write(&target, sets, Compression::Plain).unwrap_err();
        assert!(matches!(error(&[]), WriteError::NoSets));
        assert!(matches!(error(&[&set, &copy("test")]), WriteError::Split { .. }));
        assert!(matches!(error(&[&copy("../x")]), WriteError::Split { .. }));
        let mut queries = set.queries().to_vec();
        queries[0].text = "other".into();
        let other = again("dev", set.corpus().clone(), queries, set.qrels().clone());
        assert!(matches!(error(&[&set, &other]), WriteError::OtherQuery { .. }));
        let mut documents = set.corpus().documents().to_vec();
        documents[0].text = "other".into();
        let corpus = Corpus::new(documents.clone()).unwrap();
        let other = again("dev", corpus, set.queries().to_vec(), set.qrels().clone());
        assert!(matches!(error(&[&set, &other]), WriteError::OtherCorpus { .. }));
        documents[1].id = "a\tb".into();
        let mut qrels = Qrels::new();
        qrels.insert("q1".into(), "d1".into(), 1);
        let corpus = Corpus::new(documents).unwrap();
        let tabbed = again("dev", corpus, set.queries().to_vec(), qrels);
        assert!(matches!(error(&[&tabbed]), WriteError::TabbedId { what: "document", .. }));
        assert!(!target.exists());
        write(&target, &[&set], Compression::Plain).unwrap();
        assert!(matches!(error(&[&set]), WriteError::FolderInUse { .. }));
    }

    #[test]
    fn sets_come_back_as_they_were() {
        use proptest::prelude::*;
        let id = || "[^\\s\u{b}\u{feff}]([^\\s]| ){0,6}[^\\s]";
        let attributes = || prop::collection::btree_map(".{0,4}", ".{0,4}", 0..3);
        let documents = prop::collection::btree_map(id(), (".{0,8}", "(?s).{0,20}"), 1..6);
        let queries = prop::collection::btree_map(id(), ("(?s)x.{0,9}", attributes()), 1..4);
        let grades = prop::collection::vec((any::<usize>(), any::<usize>(), any::<i32>()), 1..9);
        let packed = prop::sample::select(&Compression::ALL);
        proptest!(ProptestConfig::with_cases(48), |(
            documents in documents, queries in queries, grades in grades, packed in packed,
        )| {
            let documents: Vec<_> = documents
                .into_iter()
                .map(|(id, (title, text))| Document { id: id.into(), title, text })
                .collect();
            let queries: Vec<_> = queries
                .into_iter()
                .map(|(id, (text, attributes))| Query { id: id.into(), text, attributes })
                .collect();
            let mut qrels = Qrels::new();
            for (query, document, grade) in grades {
                let query = queries[query % queries.len()].id.clone();
                qrels.insert(query, documents[document % documents.len()].id.clone(), grade);
            }
            let corpus = Corpus::new(documents).unwrap();
            let set = Dataset::new("set", "dev", corpus, queries, qrels).unwrap();
            let parent = tempfile::tempdir().unwrap();
            let folder = parent.path().join("set");
            write(&folder, &[&set], packed).unwrap();
            let back = read(&folder, "dev").unwrap();
            prop_assert_eq!(back.hash(), set.hash());
            prop_assert_eq!(back.queries(), set.queries());
            prop_assert_eq!((back.name(), splits(&folder)), ("set", vec!["dev".to_owned()]));
        });
    }
}
