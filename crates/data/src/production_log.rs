//! Logs of a system in production, one JSON object an answer: what was asked, which documents the
//! model was shown, which of them it cited.
//!
//! ```json
//! {"query": "how long is the warranty", "candidates": [{"id": "kb-4", "text": "…"}, "kb-9"], "cited": ["kb-9"], "time": "2026-03-01T10:00:00Z"}
//! ```
//!
//! What is cited was among what was shown, and mostly near its top. Measures over such sets are
//! biased towards the order that was shown: they compare systems on the documents that one of them
//! chose, and a document that was never shown can never count.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use secondpass_core::{Corpus, DocId, Document, Qrels, Query, QueryId, Ranking, Run};
use serde_json::Value;

use crate::beir::{Seen, corpus_of};
use crate::lines::{Line, Lines, open};
use crate::{DataError, Defect, json, texts};

/// What a log gives.
#[derive(Clone, Debug)]
pub struct ProductionLog {
    /// What was asked, in the order of the log. A time that the log has is the attribute `time`.
    pub queries: Vec<Query>,
    /// The documents whose texts the log has, each once; those that were only named are not here.
    pub corpus: Corpus,
    /// What was shown, in the order it was shown, named `shown`.
    pub shown: Run,
    /// What was cited, each document once, in the order it was cited. Every query has an entry,
    /// which is empty where nothing was cited.
    pub cited: BTreeMap<QueryId, Vec<DocId>>,
    /// What was odd, but no reason to refuse a log.
    pub oddities: Oddities,
}

/// What a running system does and a log of it may tell. Counted, not refused: one such line must
/// not make a year's log unreadable, and none may go unnoticed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Citations of documents that were not among the candidates; they are left out.
    pub cited_unshown: Counted,
    /// Lines whose scores do not fall in the order that was shown; their order counts, and their
    /// scores do not.
    pub reordered: Counted,
    /// Documents that came with another text than before; the last text counts.
    pub revised: Counted,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many times.
    pub count: usize,
    /// The first line where it did, from 1; `None` when the count is 0.
    pub first_line: Option<u64>,
}

impl ProductionLog {
    /// Citations as judgements: grade 1 for a document that was cited, grade 0 for one that was
    /// shown and was not. Not relevance: see the bias that this module tells of.
    pub fn as_qrels(&self) -> Qrels {
        let mut qrels = Qrels::new();
        for (query, ranking) in &self.shown.rankings {
            for document in ranking.documents() {
                qrels.insert(query.clone(), document.clone(), 0);
            }
        }
        for (query, documents) in &self.cited {
            for document in documents {
                qrels.insert(query.clone(), document.clone(), 1);
            }
        }
        qrels
    }
}

impl Counted {
    fn note(&mut self, line: &Line<'_>) {
        self.count += 1;
        self.first_line.get_or_insert(line.number);
    }
}

/// Reads a log: `query`; `candidates`, the documents in the order they were shown (ids, or objects
/// with `id` and perhaps `text`, `title`, `score`); `cited`, a list of ids; perhaps `id` (or `_id`),
/// `scores` (one for each candidate) and `time`. A query without an id is known by the number of its
/// line (`line-12`), for the same words are asked often. Other fields are not looked at.
///
/// Scores are kept where they fall in the order shown; otherwise a ranking is scored by the
/// reciprocals of its ranks.
///
/// # Errors
/// A missing or empty file, malformed lines, no candidates, a document shown twice, duplicate ids,
/// another number of scores than candidates: with file, line and field. What is odd without being
/// wrong is counted in [`Oddities`].
pub fn read(path: &Path) -> Result<ProductionLog, DataError> {
    parse(open(path, "a production log, JSONL")?)
}

/// Reads a log from anywhere; `name` stands for the file in messages.
///
/// # Errors
/// As [`read`].
pub fn read_from(reader: impl Read, name: &str) -> Result<ProductionLog, DataError> {
    parse(Lines::new(BufReader::new(reader), name))
}

const CANDIDATES: &str = "candidates";
const CITED: &str = "cited";

fn parse(mut lines: Lines<impl BufRead>) -> Result<ProductionLog, DataError> {
    let mut seen = Seen::new("query");
    let mut oddities = Oddities::default();
    let (mut queries, mut shown, mut cited) = (Vec::new(), Run::new("shown"), BTreeMap::new());
    let mut documents: Vec<Document> = Vec::new();
    let mut places: HashMap<DocId, usize> = HashMap::new();
    lines.each_filled(|line| {
        let mut object = json::object(&line, "query")?;
        let text = json::filled_text(&line, &mut object, "query")?;
        let id = match ["id", "_id"].iter().any(|field| object.contains_key(*field)) {
            true => json::id(&line, &mut object, &["id", "_id"])?,
            false => format!("line-{}", line.number),
        };
        seen.note(&line, &id)?;
        let id = QueryId::from(id);

        let values = json::list(&line, &mut object, CANDIDATES)?;
        if values.is_empty() {
            return Err(line.fail(Defect::EmptyField { field: CANDIDATES }));
        }
        let mut candidates = Vec::with_capacity(values.len());
        for (place, value) in values.into_iter().enumerate() {
            candidates.push(candidate(&line, place, value)?);
        }
        let listed = json::optional_list(&line, &mut object, "scores")?;
        let scores: Option<Vec<f64>> = match listed {
            None => candidates.iter().map(|candidate| candidate.score).collect(),
            Some(list) if list.len() != candidates.len() => {
                let (found, expected) = (list.len(), candidates.len());
                let field = "scores";
                return Err(line.fail(Defect::Lengths { field, found, of: CANDIDATES, expected }));
            }
            Some(list) => Some(json::numbers(&line, "scores", &list)?),
        };

        let mut order = Vec::with_capacity(candidates.len());
        let mut shown_here = HashSet::with_capacity(candidates.len());
        for Candidate { id: document, title, text, .. } in candidates {
            if !shown_here.insert(document.clone()) {
                return Err(line.fail(Defect::RankedTwice {
                    query: id.to_string(),
                    document: document.to_string(),
                    first: line.number,
                }));
            }
            order.push(document.clone());
            let Some(text) = text else { continue };
            let new = Document { id: document, title, text };
            match places.get(&new.id).and_then(|&place| documents.get_mut(place)) {
                None => {
                    places.insert(new.id.clone(), documents.len());
                    documents.push(new);
                }
                Some(known) if *known == new => {}
                Some(known) => {
                    *known = new;
                    oddities.revised.note(&line);
                }
            }
        }
        let (ranking, kept) = rank(order, scores).map_err(|source| DataError::Ranking {
            file: line.file().to_owned(),
            query: id.to_string(),
            source,
        })?;
        if !kept {
            oddities.reordered.note(&line);
        }

        let mut quoted = Vec::new();
        for (place, value) in json::list(&line, &mut object, CITED)?.into_iter().enumerate() {
            let document = named(&line, CITED, place, value)?;
            match shown_here.contains(&document) {
                false => oddities.cited_unshown.note(&line),
                true if quoted.contains(&document) => {}
                true => quoted.push(document),
            }
        }
        let time = object.remove("time").and_then(json::attribute);
        let attributes = time.map(|time| ("time".to_owned(), time)).into_iter().collect();
        queries.push(Query { id: id.clone(), text, attributes });
        shown.rankings.insert(id.clone(), ranking);
        cited.insert(id, quoted);
        Ok(())
    })?;
    let file = lines.file();
    if queries.is_empty() {
        return Err(DataError::Empty { file: file.to_owned(), what: "queries" });
    }
    let corpus = corpus_of(documents, file)?;
    Ok(ProductionLog { queries, corpus, shown, cited, oddities })
}

struct Candidate {
    id: DocId,
    title: String,
    text: Option<String>,
    score: Option<f64>,
}

fn candidate(line: &Line<'_>, place: usize, value: Value) -> Result<Candidate, DataError> {
    let Value::Object(mut object) = value else {
        let id = named(line, CANDIDATES, place, value)?;
        return Ok(Candidate { id, title: String::new(), text: None, score: None });
    };
    let lacks_id = || {
        let lacks = "has no 'id'; add it, for citations name it";
        line.fail(Defect::Item { field: CANDIDATES, item: place + 1, lacks })
    };
    if !["id", "_id"].iter().any(|field| object.contains_key(*field)) {
        return Err(lacks_id());
    }
    let id = json::id(line, &mut object, &["id", "_id"])?.into();
    let title = json::optional_text(line, &mut object, "title")?;
    let text = match object.remove("text") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => return Err(json::wrong(line, "text", "a string", &other)),
    };
    let score = match object.remove("score") {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_f64() {
            Some(score) => Some(score),
            None => return Err(json::wrong(line, "score", "a number", &value)),
        },
    };
    Ok(Candidate { id, title, text, score })
}

/// The id that an item of a list is.
fn named(
    line: &Line<'_>,
    field: &'static str,
    place: usize,
    value: Value,
) -> Result<DocId, DataError> {
    match value {
        Value::String(id) if id.trim().is_empty() => {
            let lacks = "is empty; write the id or remove it";
            Err(line.fail(Defect::Item { field, item: place + 1, lacks }))
        }
        Value::String(id) => Ok(id.into()),
        Value::Number(id) if !id.is_f64() => Ok(id.to_string().into()),
        other => Err(json::wrong_item(line, field, place, "a document's id", &other)),
    }
}

/// The order as a ranking, with its scores where they say the same; whether they do, or there are
/// none.
fn rank(
    order: Vec<DocId>,
    scores: Option<Vec<f64>>,
) -> Result<(Ranking, bool), secondpass_core::RankingError> {
    if let Some(scores) = scores {
        let scored = Ranking::from_scores(order.iter().cloned().zip(scores))?;
        return match scored.documents().eq(&order) {
            true => Ok((scored, true)),
            false => Ok((texts::in_order(order)?, false)),
        };
    }
    Ok((texts::in_order(order)?, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ProductionLog, String> {
        read_from(text.as_bytes(), "log").map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_shown_and_cited_is_kept_in_order() {
        let log = parse(
            "{\"query\": \"a\", \"candidates\": [\"x\", {\"id\": 2, \"text\": \"two\"}, \"z\"], \
             \"cited\": [\"z\", 2, \"z\"], \"time\": 17}\n\n\
             {\"query\": \"a\", \"id\": \"q\", \"candidates\": [\"x\"], \"cited\": []}\n",
        )
        .unwrap();
        let ids: Vec<_> = log.queries.iter().map(|query| query.id.as_str()).collect();
        assert_eq!(ids, ["line-1", "q"]);
        assert_eq!(log.queries[0].attributes["time"], "17");
        let order: Vec<_> = log.shown.rankings["line-1"].documents().map(DocId::as_str).collect();
        assert_eq!(order, ["x", "2", "z"]);
        assert_eq!(log.cited["line-1"], ["z".into(), "2".into()]);
        assert_eq!(log.cited["q"], []);
        assert_eq!(log.corpus.len(), 1);
        assert_eq!(log.oddities, Oddities::default());
        let qrels = log.as_qrels();
        let grades = |query: &str| -> Vec<_> {
            qrels.of(&query.into()).unwrap().iter().map(|(id, &g)| (id.as_str(), g)).collect()
        };
        assert_eq!(grades("line-1"), [("2", 1), ("x", 0), ("z", 1)]);
        assert_eq!(grades("q"), [("x", 0)]);
    }

    #[test]
    fn oddities_are_counted_with_their_first_line() {
        let line = |scores: &str, cited: &str, text: &str| {
            format!(
                "{{\"query\": \"a\", \"candidates\": [{{\"id\": \"x\", \"text\": \"{text}\"}}, \
                 \"y\"], \"scores\": {scores}, \"cited\": {cited}}}\n"
            )
        };
        let text = [
            line("[2, 1]", "[\"x\"]", "old"),
            line("[1, 2]", "[\"y\", \"gone\", \"lost\"]", "new"),
            line("[1, 1]", "[\"gone\"]", "new"),
        ];
        let log = parse(&text.concat()).unwrap();
        let counted = |count, line| Counted { count, first_line: Some(line) };
        assert_eq!(log.oddities.cited_unshown, counted(3, 2));
        // Equal scores fall by id, descending, which is not the order shown.
        assert_eq!(log.oddities.reordered, counted(2, 2));
        assert_eq!(log.oddities.revised, counted(1, 2));
        assert_eq!(log.corpus.documents()[0].text, "new");
        assert_eq!(log.cited["line-3"], []);
        for (query, scores) in [("line-1", [2.0, 1.0]), ("line-2", [1.0, 0.5])] {
            let ranked = log.shown.rankings[query].ranked();
            assert_eq!(ranked.iter().map(|r| r.document.as_str()).collect::<Vec<_>>(), ["x", "y"]);
            assert_eq!(ranked.iter().filter_map(|r| r.score).collect::<Vec<_>>(), scores);
        }
    }

    #[test]
    fn errors_name_file_line_and_field() {
        let good = "{\"query\": \"a\", \"id\": 1, \"candidates\": [\"x\"], \"cited\": []}\n";
        let expect = |line: &str, message: &str| {
            let found = parse(&format!("{good}{line}")).unwrap_err();
            assert!(found.starts_with("log line 2: ") && found.contains(message), "{found}");
        };
        let rest = |rest: &str| format!("{{\"query\": \"b\", {rest}}}");
        expect(good, "query id '1' was already used at line 1");
        expect(&rest("\"cited\": []"), "field 'candidates' is missing");
        expect(&rest("\"candidates\": [], \"cited\": []"), "'candidates' is empty");
        expect(&rest("\"candidates\": [\"x\"]"), "field 'cited' is missing");
        expect(&rest("\"candidates\": [\"x\", 1.5]"), "'candidates' item 2 is a number, expected");
        expect(&rest("\"candidates\": [{\"text\": \"x\"}]"), "'candidates' item 1 has no 'id'");
        expect(&rest("\"candidates\": [\"x\", \"x\"]"), "'x' a second time");
        expect(&rest("\"candidates\": [\"x\"], \"cited\": [null]"), "'cited' item 1 is null");
        expect(
            &rest("\"candidates\": [\"x\"], \"scores\": [1, 2]"),
            "'scores' has 2 items and 'candidates' has 1",
        );
        assert!(parse(" \n").unwrap_err().contains("holds no queries"));
    }
}
