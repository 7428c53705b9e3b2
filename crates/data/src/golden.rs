//! Golden sets: the 50 to 100 queries with their relevant documents that a team writes by hand, one
//! JSON object a line.
//!
//! ```json
//! {"query": "How do I undo a commit?", "relevant": ["git revert makes a new commit that …"]}
//! {"query": "reset a branch", "relevant": [{"id": "git-7", "grade": 2}], "candidates": ["git-7", "git-9"]}
//! ```
//!
//! `relevant` lists documents, `candidates` (which may be left out) those to rerank, best first. With
//! a corpus file each item is the id of one of its documents. Without one, each is a text; the corpus
//! is then the union of all texts of the file. An item may also be an object with `id`, `text`,
//! `title`, and `grade` (in `relevant`, 1 unless given) or `score` (in `candidates`). Optional beside
//! them: the query's `id` (or `_id`) and its `attributes` (or `metadata`). Other fields are not
//! looked at.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use secondpass_core::{Corpus, Dataset, DocId, Document, Qrels, Query, QueryId, Ranking, Run};
use serde_json::{Map, Value, json};

use crate::beir::{self, Seen, corpus_of, insert};
use crate::lines::{Line, Lines, open};
use crate::texts::{self, TextPool};
use crate::{Access, DataError, Defect, WriteError, documents, json, write_file};

/// What a golden set gives.
#[derive(Clone, Debug)]
pub struct Golden {
    /// Corpus, queries and judgements; its split is [`SPLIT`].
    pub dataset: Dataset,
    /// The candidates of the queries that list some, named `candidates`; `None` when none does.
    pub candidates: Option<Run>,
}

/// The split of a golden set, which has no others.
pub const SPLIT: &str = "all";

/// Reads a golden set. `corpus` is a file of documents as [`documents::read`] takes it (BEIR's
/// `corpus.jsonl` is one) or a BEIR folder. The set takes the file's name up to its first dot.
///
/// Without a corpus a string stands for a document's text; where an object of the file has that
/// string as its id, or has that text, it stands for that document. Equal texts are one document; a
/// document without an id gets one from the hash of its title and text, and so does a query, so ids
/// stay when lines are moved.
///
/// Candidates are ordered by their scores where they have any (those without one, which must come
/// last, stay behind in their order); where none has, they keep the order they are given in, scored
/// by the reciprocals of their ranks. An empty `relevant` says that nothing answers the query: its
/// candidates then count as judged, with grade 0.
///
/// # Errors
/// A missing or empty file, malformed lines, unknown or duplicate ids, one id with two texts,
/// conflicting grades, a query with nothing to judge: with file, line and field.
pub fn read(path: &Path, corpus: Option<&Path>) -> Result<Golden, DataError> {
    read_on(path, corpus, &mut Err)
}

/// The same for a caller that wants to know all defects: each goes to `fault`, and reading goes on
/// behind it when that gives `Ok`.
pub(crate) fn read_on(
    path: &Path,
    corpus: Option<&Path>,
    fault: Fault<'_>,
) -> Result<Golden, DataError> {
    let corpus = corpus.map(read_corpus).transpose()?;
    golden(open(path, "a golden set, JSONL")?, &file_name(path), corpus, fault)
}

/// What is told of a defect, and decides whether it ends the reading.
pub(crate) type Fault<'a> = &'a mut dyn FnMut(DataError) -> Result<(), DataError>;

/// Reads a golden set from anywhere; `name` stands for the file in messages and names the set,
/// `corpus` comes with the name of its file.
///
/// # Errors
/// As [`read`].
pub fn read_from(
    reader: impl Read,
    name: &str,
    corpus: Option<(Corpus, String)>,
) -> Result<Golden, DataError> {
    golden(Lines::new(BufReader::new(reader), name), name, corpus, &mut Err)
}

/// Writes a golden set that [`read`] gives back: whole or not at all, packed as the extension says,
/// and for its owner alone (mode 0600 on Unix), for it holds users' texts.
///
/// Without `corpus` every item carries its text, and documents that are neither judged nor
/// candidates are left out. With it the items are ids, and all documents are written to that file.
///
/// # Errors
/// Candidates that are not in the corpus, a score that is infinite, and what the operating system
/// refuses.
pub fn write(
    path: &Path,
    dataset: &Dataset,
    candidates: Option<&Run>,
    corpus: Option<&Path>,
) -> Result<(), WriteError> {
    if let Some(path) = corpus {
        write_file(path, Access::Owner, |file| {
            dataset.corpus().documents().iter().try_for_each(|document| {
                let Document { id, title, text } = document;
                Ok(writeln!(file, "{}", json!({"id": id, "title": title, "text": text}))?)
            })
        })?;
    }
    let item = |query: &QueryId, id: &DocId| match dataset.corpus().get(id) {
        None => {
            Err(WriteError::UnknownCandidate { query: query.to_string(), document: id.to_string() })
        }
        Some(_) if corpus.is_some() => Ok(fields(json!({"id": id}))),
        Some(Document { title, text, .. }) => Ok(match title.is_empty() {
            true => fields(json!({"id": id, "text": text})),
            false => fields(json!({"id": id, "title": title, "text": text})),
        }),
    };
    write_file(path, Access::Owner, |file| {
        dataset.queries().iter().try_for_each(|Query { id, text, attributes }| {
            let mut line = fields(json!({"id": id, "query": text}));
            if !attributes.is_empty() {
                line.insert("attributes".into(), json!(attributes));
            }
            let judged = dataset.qrels().of(id).into_iter().flatten().map(|(document, &grade)| {
                let mut item = item(id, document)?;
                if grade != 1 {
                    item.insert("grade".into(), grade.into());
                }
                Ok(Value::Object(item))
            });
            line.insert("relevant".into(), judged.collect::<Result<_, WriteError>>()?);
            if let Some(ranking) = candidates.and_then(|run| run.rankings.get(id)) {
                let ranked = ranking.ranked().iter().map(|ranked| {
                    let mut item = item(id, &ranked.document)?;
                    if let Some(score) = ranked.score {
                        let number = serde_json::Number::from_f64(score).ok_or_else(|| {
                            let (query, document) = (id.to_string(), ranked.document.to_string());
                            WriteError::Score { query, document, score }
                        })?;
                        item.insert("score".into(), number.into());
                    }
                    Ok(Value::Object(item))
                });
                line.insert("candidates".into(), ranked.collect::<Result<_, WriteError>>()?);
            }
            Ok(writeln!(file, "{}", Value::Object(line))?)
        })
    })
}

/// A corpus and the name of its file.
fn read_corpus(path: &Path) -> Result<(Corpus, String), DataError> {
    let path = match path.is_dir() {
        true => beir::locate(&path.join(beir::CORPUS))?,
        false => path.to_owned(),
    };
    Ok((documents::read(&path)?, path.display().to_string()))
}

/// A file's name up to its first dot.
pub(crate) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    match name.split('.').next() {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => name,
    }
}

/// One document as a line names it.
enum Item {
    /// A string: an id or a text.
    Text(String),
    Object(Object),
}

/// A document in an object, or an id written as a number.
#[derive(Default)]
struct Object {
    id: Option<String>,
    title: String,
    text: Option<String>,
    grade: Option<i32>,
    score: Option<f64>,
}

/// One line, its documents not looked up yet.
struct Entry {
    line: u64,
    query: Query,
    relevant: Vec<Item>,
    candidates: Option<Vec<Item>>,
}

const RELEVANT: &str = "relevant";
const CANDIDATES: &str = "candidates";

fn golden(
    mut lines: Lines<impl BufRead>,
    name: &str,
    corpus: Option<(Corpus, String)>,
    fault: Fault<'_>,
) -> Result<Golden, DataError> {
    let mut entries = Vec::new();
    let mut seen = Seen::new("query");
    lines.each(|line| {
        let entry = line.and_then(|line| {
            let entry = entry(&line)?;
            seen.note(&line, entry.query.id.as_str())?;
            Ok(entry)
        });
        match entry {
            Ok(entry) => entries.push(entry),
            Err(error) => fault(error)?,
        }
        Ok(())
    })?;
    let file = lines.file().to_owned();
    if entries.is_empty() {
        return Err(DataError::Empty { file, what: "queries" });
    }
    let mut documents = match corpus {
        Some((corpus, file)) => Documents::Given { corpus, file },
        None => Documents::of_texts(&lines, &entries, fault)?,
    };
    let (mut queries, mut qrels) = (Vec::new(), Qrels::new());
    let mut run = Run::new("candidates");
    for Entry { line, query, relevant, candidates } in entries {
        let line = lines.at(line);
        let nothing_answers = relevant.is_empty();
        for (place, item) in relevant.into_iter().enumerate() {
            let grade = match &item {
                Item::Object(Object { grade: Some(grade), .. }) => *grade,
                _ => 1,
            };
            let judged = documents.find(&line, RELEVANT, place, item);
            let judged = judged
                .and_then(|document| insert(&line, &mut qrels, query.id.clone(), document, grade));
            judged.or_else(&mut *fault)?;
        }
        match candidates.map(|items| documents.rank(&line, &query.id, items)) {
            Some(Ok(ranking)) => {
                if nothing_answers {
                    ranking.documents().for_each(|document| {
                        qrels.insert(query.id.clone(), document.clone(), 0);
                    });
                }
                run.rankings.insert(query.id.clone(), ranking);
            }
            Some(Err(error)) => fault(error)?,
            None => {}
        }
        if nothing_answers && run.rankings.get(&query.id).is_none_or(Ranking::is_empty) {
            fault(line.fail(Defect::EmptyField { field: RELEVANT }))?;
        }
        queries.push(query);
    }
    let corpus = documents.into_corpus(&file)?;
    let dataset = Dataset::new(name, SPLIT, corpus, queries, qrels)
        .map_err(|source| DataError::Dataset { set: file, source })?;
    Ok(Golden { dataset, candidates: (!run.rankings.is_empty()).then_some(run) })
}

fn entry(line: &Line<'_>) -> Result<Entry, DataError> {
    let mut object = json::object(line, "query")?;
    let text = json::filled_text(line, &mut object, "query")?;
    let id = match ["id", "_id"].iter().any(|field| object.contains_key(*field)) {
        true => json::id(line, &mut object, &["id", "_id"])?.into(),
        false => texts::query_id(&text),
    };
    let mut attributes = json::attributes(line, &mut object, "metadata")?;
    attributes.append(&mut json::attributes(line, &mut object, "attributes")?);
    let relevant = items(line, RELEVANT, json::list(line, &mut object, RELEVANT)?)?;
    let candidates = json::optional_list(line, &mut object, CANDIDATES)?
        .map(|values| items(line, CANDIDATES, values))
        .transpose()?;
    Ok(Entry { line: line.number, query: Query { id, text, attributes }, relevant, candidates })
}

fn items(line: &Line<'_>, field: &'static str, values: Vec<Value>) -> Result<Vec<Item>, DataError> {
    let one = |(place, value): (usize, Value)| match value {
        Value::String(text) if text.trim().is_empty() => {
            let lacks = "is empty; write the id or the text, or remove it";
            Err(line.fail(Defect::Item { field, item: place + 1, lacks }))
        }
        Value::String(text) => Ok(Item::Text(text)),
        Value::Number(id) if !id.is_f64() => {
            Ok(Item::Object(Object { id: Some(id.to_string()), ..Object::default() }))
        }
        Value::Object(object) => described(line, field, place, object).map(Item::Object),
        other => Err(json::wrong_item(line, field, place, "an id, a text or an object", &other)),
    };
    values.into_iter().enumerate().map(one).collect()
}

fn described(
    line: &Line<'_>,
    field: &'static str,
    place: usize,
    mut object: Map<String, Value>,
) -> Result<Object, DataError> {
    let id = match ["id", "_id"].iter().any(|field| object.contains_key(*field)) {
        true => Some(json::id(line, &mut object, &["id", "_id"])?),
        false => None,
    };
    let title = json::optional_text(line, &mut object, "title")?;
    let text = match object.contains_key("text") {
        true => Some(json::text(line, &mut object, "text")?),
        false => None,
    };
    // Only a document with an id of its own may be blank: it is one of many, not what was meant.
    let named = id.is_some() || text.as_deref().is_some_and(|text| !text.trim().is_empty());
    if !named {
        let lacks = "has neither an 'id' nor a 'text'; write one of them";
        return Err(line.fail(Defect::Item { field, item: place + 1, lacks }));
    }
    let grade = match object.remove("grade") {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_i64().and_then(|grade| i32::try_from(grade).ok()) {
            Some(grade) => Some(grade),
            None => {
                let expected = "a whole number that fits 32 bits";
                let text = crate::error::shortened(&value.to_string());
                return Err(line.fail(Defect::Number { column: "grade", text, expected }));
            }
        },
    };
    let score = match object.remove("score") {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_f64() {
            Some(score) => Some(score),
            None => return Err(json::wrong(line, "score", "a number", &value)),
        },
    };
    Ok(Object { id, title, text, grade, score })
}

/// Where documents are looked up.
enum Documents {
    Given {
        corpus: Corpus,
        file: String,
    },
    Made {
        texts: TextPool,
        /// Documents with ids of their own.
        declared: HashMap<String, Declared>,
        /// The first of them with each text.
        by_text: HashMap<String, DocId>,
    },
}

struct Declared {
    title: String,
    text: String,
    line: u64,
}

impl Documents {
    /// Takes note of all documents that have both an id and a text.
    fn of_texts(
        lines: &Lines<impl BufRead>,
        entries: &[Entry],
        fault: Fault<'_>,
    ) -> Result<Self, DataError> {
        let mut declared: HashMap<String, Declared> = HashMap::new();
        let (mut texts, mut by_text) = (TextPool::default(), HashMap::new());
        for Entry { line, relevant, candidates, .. } in entries {
            for item in relevant.iter().chain(candidates.iter().flatten()) {
                let Item::Object(Object { id: Some(id), text: Some(text), title, .. }) = item
                else {
                    continue;
                };
                match declared.get(id) {
                    Some(first) if first.title == *title && first.text == *text => {}
                    Some(Declared { line: first, .. }) => {
                        let defect = Defect::OtherText { id: id.clone(), first: *first };
                        fault(lines.at(*line).fail(defect))?;
                    }
                    None => {
                        let (title, text, line) = (title.clone(), text.clone(), *line);
                        let document = DocId::from(id.as_str());
                        by_text.entry(text.clone()).or_insert_with(|| document.clone());
                        let (id, title_, text_) = (id.clone(), title.clone(), text.clone());
                        texts.declare(Document { id: document, title, text });
                        declared.insert(id, Declared { title: title_, text: text_, line });
                    }
                }
            }
        }
        Ok(Self::Made { texts, declared, by_text })
    }

    /// The document that an item names, `place` counted from 0.
    fn find(
        &mut self,
        line: &Line<'_>,
        field: &'static str,
        place: usize,
        item: Item,
    ) -> Result<DocId, DataError> {
        match (self, item) {
            (Self::Given { corpus, file }, item) => {
                let id = match item {
                    Item::Text(id) | Item::Object(Object { id: Some(id), .. }) => id,
                    Item::Object(_) => {
                        let lacks = "has no 'id', which says which document of the corpus it is; \
                                     add it, or leave out the corpus";
                        return Err(line.fail(Defect::Item { field, item: place + 1, lacks }));
                    }
                };
                match corpus.get(&DocId::from(id.as_str())) {
                    Some(document) => Ok(document.id.clone()),
                    None => {
                        let id = crate::error::shortened(&id);
                        let (what, file) = ("document", file.clone());
                        Err(line.fail(Defect::Unknown { what, id, file }))
                    }
                }
            }
            (Self::Made { declared, .. }, Item::Object(Object { id: Some(id), .. })) => {
                match declared.contains_key(&id) {
                    true => Ok(id.into()),
                    false => Err(line.fail(Defect::NoText { field, id })),
                }
            }
            (Self::Made { texts, declared, by_text }, Item::Text(text)) => {
                Ok(match by_text.get(&text) {
                    _ if declared.contains_key(&text) => text.into(),
                    Some(id) => id.clone(),
                    None => texts.add(String::new(), text),
                })
            }
            (Self::Made { texts, .. }, Item::Object(Object { title, text, .. })) => {
                Ok(texts.add(title, text.unwrap_or_default()))
            }
        }
    }

    /// A query's candidates.
    fn rank(
        &mut self,
        line: &Line<'_>,
        query: &QueryId,
        items: Vec<Item>,
    ) -> Result<Ranking, DataError> {
        let mut found: Vec<(DocId, Option<f64>)> = Vec::with_capacity(items.len());
        let mut places = BTreeMap::new();
        for (place, item) in items.into_iter().enumerate() {
            let score = match &item {
                Item::Object(object) => object.score,
                Item::Text(_) => None,
            };
            let document = self.find(line, CANDIDATES, place, item)?;
            if places.insert(document.clone(), place).is_some() {
                return Err(line.fail(Defect::RankedTwice {
                    query: query.to_string(),
                    document: document.to_string(),
                    first: line.number,
                }));
            }
            let unscored_above = matches!(found.last(), Some((_, None)));
            if score.is_some() && unscored_above {
                let id = document.to_string();
                return Err(line.fail(Defect::ScoredBelowUnscored { id }));
            }
            found.push((document, score));
        }
        let ranking = match found.first() {
            Some((_, Some(_))) => {
                let scored = found.iter().filter_map(|(id, score)| Some((id.clone(), (*score)?)));
                let unscored = found.iter().filter(|(_, score)| score.is_none());
                Ranking::with_unscored(scored, unscored.map(|(id, _)| id.clone()))
            }
            _ => texts::in_order(found.into_iter().map(|(id, _)| id).collect()),
        };
        let (file, query) = (line.file().to_owned(), query.to_string());
        ranking.map_err(|source| DataError::Ranking { file, query, source })
    }

    fn into_corpus(self, file: &str) -> Result<Corpus, DataError> {
        match self {
            Self::Given { corpus, .. } => Ok(corpus),
            Self::Made { texts, .. } => corpus_of(texts.into_documents(), file),
        }
    }
}

/// The fields of an object that was written out just before.
fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Golden, String> {
        read_from(text.as_bytes(), "g", None).map_err(|error| error.to_string())
    }

    fn with_corpus(text: &str) -> Result<Golden, String> {
        let corpus = "{\"_id\": \"d1\", \"text\": \"one\"}\n{\"id\": 2, \"text\": \"two\"}\n";
        let corpus = documents::read_from(corpus.as_bytes(), "c").unwrap();
        read_from(text.as_bytes(), "g", Some((corpus, "c".into()))).map_err(|e| e.to_string())
    }

    fn candidates(golden: &Golden) -> Vec<Vec<String>> {
        let run = golden.candidates.as_ref().unwrap();
        let texts = |ranking: &Ranking| {
            let text = |id| golden.dataset.corpus().get(id).unwrap().text.clone();
            ranking.documents().map(text).collect()
        };
        golden.dataset.queries().iter().map(|q| texts(&run.rankings[&q.id])).collect()
    }

    #[test]
    fn texts_make_the_corpus_and_equal_ones_are_one_document() {
        let golden = parse(
            "{\"query\": \"a?\", \"relevant\": [\"A\", \"B\"], \"candidates\": [\"C\", \"A\"]}\n\
             {\"query\": \"b?\", \"relevant\": [{\"text\": \"B\", \"grade\": 2}], \"id\": 7, \
             \"attributes\": {\"kind\": \"typo\"}, \"metadata\": {\"n\": 1}, \"note\": \"mine\"}\n",
        );
        let Golden { dataset, candidates } = golden.unwrap();
        let texts: Vec<_> = dataset.corpus().documents().iter().map(|d| d.text.as_str()).collect();
        assert_eq!((texts, dataset.split()), (vec!["A", "B", "C"], SPLIT));
        let [a, b] = dataset.queries() else { panic!("two queries") };
        assert_eq!((a.id.as_str().len(), b.id.as_str()), (16, "7"));
        assert_eq!(b.attributes.keys().collect::<Vec<_>>(), ["kind", "n"]);
        let id = |place: usize| &dataset.corpus().documents()[place].id;
        assert_eq!(dataset.qrels().grade(&a.id, id(1)), Some(1));
        assert_eq!(dataset.qrels().grade(&b.id, id(1)), Some(2));
        let run = candidates.unwrap();
        assert_eq!(run.rankings.len(), 1);
        assert!(run.rankings[&a.id].documents().eq([id(2), id(0)]));
    }

    #[test]
    fn ids_name_documents_of_the_corpus_or_of_the_file() {
        let text =
            "{\"query\": \"a\", \"relevant\": [\"d1\"], \"candidates\": [2, {\"id\": \"d1\"}]}";
        let golden = with_corpus(text).unwrap();
        assert_eq!(candidates(&golden), [["two", "one"]]);
        let text = "{\"query\": \"a\", \"relevant\": [\"x\", \"Y\"], \"candidates\": \
                    [{\"id\": \"x\", \"text\": \"X\"}, {\"id\": \"y\", \"title\": \"t\", \"text\": \
                    \"Y\"}]}\n{\"query\": \"b\", \"relevant\": [{\"id\": \"y\"}]}";
        let golden = parse(text).unwrap().dataset;
        let judged: Vec<_> = golden.qrels().iter().flat_map(|(_, d)| d.keys()).collect();
        assert_eq!(golden.corpus().len(), 2);
        assert!(judged.iter().all(|id| ["x", "y"].contains(&id.as_str())), "{judged:?}");
    }

    #[test]
    fn scores_order_candidates_and_those_without_one_stay_behind() {
        let line = |candidates: &str| {
            parse(&format!(
                "{{\"query\": \"a\", \"relevant\": [\"A\"], \"candidates\": {candidates}}}"
            ))
        };
        let golden = line(
            "[{\"text\": \"A\", \"score\": 1}, {\"text\": \"B\", \"score\": 2.5}, \"D\", \
             {\"text\": \"C\", \"score\": null}]",
        );
        assert_eq!(candidates(&golden.unwrap()), [["B", "A", "D", "C"]]);
        let error = line("[\"A\", {\"id\": \"b\", \"text\": \"B\", \"score\": 2.5}]").unwrap_err();
        assert!(error.starts_with("g line 1: candidate 'b' has a score but one before"), "{error}");
    }

    #[test]
    fn an_empty_list_says_that_nothing_answers() {
        let golden =
            parse("{\"query\": \"a\", \"relevant\": [], \"candidates\": [\"A\", \"B\"]}").unwrap();
        let (_, grades) = golden.dataset.qrels().iter().next().unwrap();
        assert_eq!(grades.values().collect::<Vec<_>>(), [&0, &0]);
        let error = parse("{\"query\": \"a\", \"relevant\": []}").unwrap_err();
        assert!(error.starts_with("g line 1: 'relevant' is empty"), "{error}");
    }

    #[test]
    fn errors_name_file_line_and_field() {
        let good = "{\"query\": \"good\", \"relevant\": [{\"id\": \"d\", \"text\": \"D\"}]}\n";
        let error = |line: &str| parse(&format!("{good}{line}")).unwrap_err();
        let relevant = |items: &str| error(&format!("{{\"query\": \"a\", \"relevant\": {items}}}"));
        assert!(error("{\"query\": 1}").contains("g line 2: field 'query' is a number, expected"));
        assert!(error("{\"query\": \" \"}").contains("g line 2: 'query' is empty"));
        assert!(error("{\"query\": \"a\"}").contains("line 2: field 'relevant' is missing"));
        assert!(error(good).contains("line 2: query id '") && error(good).contains("at line 1"));
        assert!(relevant("\"x\"").contains("field 'relevant' is a string, expected a list"));
        assert!(relevant("[\"x\", true]").contains("'relevant' item 2 is a truth value, expected"));
        assert!(relevant("[\"x\", \" \"]").contains("'relevant' item 2 is empty"));
        assert!(relevant("[{\"grade\": 1}]").contains("item 1 has neither an 'id' nor a 'text'"));
        assert!(relevant("[{\"text\": \"\"}]").contains("item 1 has neither an 'id' nor a 'text'"));
        assert!(
            relevant("[7]").contains("'relevant' names document '7', whose text stands nowhere")
        );
        assert!(
            relevant("[{\"text\": \"x\", \"grade\": 1.5}]").contains("grade '1.5' is not a whole")
        );
        assert!(
            relevant("[\"x\", {\"text\": \"x\", \"grade\": 2}]").contains("earlier line gave it 1")
        );
        assert!(
            relevant("[{\"id\": \"d\", \"text\": \"E\"}]")
                .contains("g line 2: document 'd' has another text or title than at line 1")
        );
        let twice = "{\"query\": \"a\", \"relevant\": [\"x\"], \"candidates\": [\"x\", \"x\"]}";
        assert!(error(twice).contains("a second time"));
        assert!(parse("\n").unwrap_err().starts_with("g: the file holds no queries"));
        let unknown = with_corpus("{\"query\": \"a\", \"relevant\": [\"d9\"]}").unwrap_err();
        assert!(unknown.starts_with("g line 1: document 'd9' is not among the documents of c"));
        let nameless = with_corpus("{\"query\": \"a\", \"relevant\": [{\"text\": \"one\"}]}");
        assert!(nameless.unwrap_err().contains("'relevant' item 1 has no 'id'"));
    }

    #[test]
    fn corpora_are_files_or_beir_folders_and_names_end_at_the_dot() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = folder.path().join("corpus.jsonl.gz");
        let document = b"{\"_id\": \"d1\", \"title\": \"T\", \"text\": \"one\"}";
        write_file(&corpus, Access::Default, |file| Ok(file.write_all(document)?)).unwrap();
        let path = folder.path().join("support.golden.jsonl");
        std::fs::write(&path, "{\"query\": \"a\", \"relevant\": [\"d1\"]}").unwrap();
        for corpus in [folder.path(), &corpus] {
            let set = read(&path, Some(corpus)).unwrap().dataset;
            assert_eq!((set.name(), set.corpus().documents()[0].title.as_str()), ("support", "T"));
        }
    }

    #[test]
    fn sets_come_back_as_they_were() {
        use proptest::prelude::*;
        let documents = prop::collection::btree_map("\\PC{0,3}x", (".{0,4}", "(?s).{0,9}"), 1..6);
        let attributes = prop::collection::btree_map(".{0,4}", ".{0,4}", 0..3);
        let queries = prop::collection::btree_map("\\PC{0,3}x", ("(?s)x.{0,9}", attributes), 1..4);
        let grades = prop::collection::vec((any::<usize>(), any::<usize>(), any::<i32>()), 1..9);
        let scores = prop::collection::vec(prop::option::of(-9e9..9e9_f64), 0..6);
        let packed = prop::sample::select(&crate::Compression::ALL);
        proptest!(ProptestConfig::with_cases(64), |(
            documents in documents, queries in queries, grades in grades, scores in scores,
            packed in packed, apart in any::<bool>(),
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
            let ids = || documents.iter().map(|document| document.id.clone()).zip(&scores);
            let scored: Vec<_> = ids().filter_map(|(id, score)| Some((id, (*score)?))).collect();
            let unscored = ids().filter(|(_, score)| score.is_none()).map(|(id, _)| id);
            let ranking = Ranking::with_unscored(scored.clone(), unscored).unwrap();
            let corpus = Corpus::new(documents).unwrap();
            let set = Dataset::new("set", SPLIT, corpus, queries, qrels).unwrap();
            let mut run = Run::new("candidates");
            run.rankings.insert(set.queries()[0].id.clone(), ranking.clone());
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(format!("set.jsonl{}", packed.suffix()));
            let corpus = folder.path().join("corpus.jsonl");
            let corpus = apart.then_some(corpus.as_path());
            write(&path, &set, Some(&run), corpus).unwrap();
            let back = read(&path, corpus).unwrap();
            prop_assert_eq!(back.dataset.queries(), set.queries());
            prop_assert_eq!(back.dataset.qrels(), set.qrels());
            prop_assert_eq!(back.dataset.name(), "set");
            match apart {
                true => prop_assert_eq!(back.dataset.hash(), set.hash()),
                false => for document in back.dataset.corpus().documents() {
                    prop_assert_eq!(set.corpus().get(&document.id), Some(document));
                },
            }
            let found = &back.candidates.unwrap().rankings[&set.queries()[0].id];
            prop_assert!(found.documents().eq(ranking.documents()));
            if !scored.is_empty() {
                prop_assert_eq!(found, &ranking);
            }
        });
    }
}
