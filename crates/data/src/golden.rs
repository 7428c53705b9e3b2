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
//! is then the union of all texts of the file. An item may also be an object with `id`, `text` and
//! `title` (the corpus file's count where there is one), and `grade` (in `relevant`, 1 unless given)
//! or `score` (in `candidates`). Optional beside them: the query's `id` (or `_id`) and its
//! `attributes` (or `metadata`). Other fields are not looked at.

mod item;
mod lookup;
#[cfg(test)]
mod tests;
mod write;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use secondpass_core::{Corpus, Dataset, Qrels, Query, Ranking, Run};

pub use write::write;

use crate::beir::{self, Seen, insert};
use crate::lines::{Line, Lines, open};
use crate::{DataError, Defect, documents, json, texts};
use item::{Item, Object, items};
use lookup::Documents;

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
/// string as its id, or has that text, it stands for that document. Where all of the file is strings
/// of a single word each, they are taken for ids that lack their corpus, and refused. Equal texts are one document; a
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
        None => match only_words(&entries) {
            Some(example) => {
                let example = crate::error::shortened(example);
                return Err(DataError::IdsWithoutCorpus { file, example });
            }
            None => Documents::of_texts(&lines, &entries, fault)?,
        },
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

/// The first relevant document of a file that names nothing but single words: ids, in all
/// likelihood, whose documents would each be made of their own id.
fn only_words(entries: &[Entry]) -> Option<&str> {
    let word = |item: &Item| matches!(item, Item::Text(text) if texts::words(text) == 1);
    let all =
        |entry: &Entry| entry.relevant.iter().chain(entry.candidates.iter().flatten()).all(word);
    match entries.iter().find_map(|entry| entry.relevant.first()) {
        Some(Item::Text(first)) if entries.iter().all(all) => Some(first),
        _ => None,
    }
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
