use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, BufRead};

use secondpass_core::{Corpus, DocId, Query, QueryId, Ranking, RankingError, Run};
use serde::Deserialize;

/// Reads candidates that another system found, as JSON lines, and joins them to a data set. A line is
/// one candidate,
///
/// ```json
/// {"query_id": "q1", "document_id": "d7", "score": 0.83}
/// ```
///
/// or one query with its candidates, each an id or an object:
///
/// ```json
/// {"query_id": "q1", "candidates": [{"id": "d7", "score": 0.83}, "d2"]}
/// ```
///
/// `query` with the query's exact text may stand for `query_id`, `id` or the document's exact `text`
/// for `document_id`; where an id is given, a text beside it is not read. Ids may be numbers. Higher
/// scores are better; candidates without a score keep the order of their lines, below those with one.
/// Blank lines are passed over; queries without candidates get none. `origin` names the source in
/// errors and in the run.
///
/// # Errors
/// A line that is no such object, an id or text that the data set does not have, a candidate that
/// comes twice; the first one, with its line.
pub fn read_candidates(
    reader: impl BufRead,
    origin: &str,
    queries: &[Query],
    corpus: &Corpus,
) -> Result<Run, CandidatesError> {
    let names = Names::new(queries, corpus);
    let mut found: BTreeMap<QueryId, Found> = BTreeMap::new();
    for (index, line) in reader.lines().enumerate() {
        let at = |problem| CandidatesError { origin: origin.to_owned(), line: index + 1, problem };
        let line = line.map_err(|source| at(CandidateProblem::Read(source)))?;
        // Some editors begin a file with a byte order mark.
        let line = line.strip_prefix('\u{feff}').filter(|_| index == 0).unwrap_or(&line);
        if !line.trim().is_empty() {
            read_line(line, &names, &mut found).map_err(at)?;
        }
    }
    let mut run = Run::new(origin);
    for (query, found) in found {
        let ranking = Ranking::with_unscored(found.scored, found.unscored);
        let ranking = ranking.map_err(|source| CandidatesError {
            origin: origin.to_owned(),
            line: found.line,
            problem: CandidateProblem::Ranking(source),
        })?;
        run.rankings.insert(query, ranking);
    }
    Ok(run)
}

/// What is wrong with candidates, and in which line.
#[derive(Debug, thiserror::Error)]
#[error("{origin}, line {line}: {problem}")]
pub struct CandidatesError {
    /// The file, or where the lines came from.
    pub origin: String,
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub problem: CandidateProblem,
}

/// What can be wrong with a line of candidates.
#[derive(Debug, thiserror::Error)]
pub enum CandidateProblem {
    /// The source gave out, or its bytes are not UTF-8.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// Not the JSON that is expected.
    #[error(
        "{0}; a line holds \"query_id\" or \"query\", and either \"document_id\" (or \"id\", \
         \"text\") with an optional \"score\", or \"candidates\""
    )]
    Json(serde_json::Error),
    /// Neither `query_id` nor `query`.
    #[error("names no query; give \"query_id\", or \"query\" with its text")]
    NoQuery,
    /// Neither a document nor candidates, or both.
    #[error(
        "must hold either one document (\"document_id\", \"id\" or \"text\") or \"candidates\", \
         which may hold scores of their own"
    )]
    Shape,
    /// A query that the data set lacks.
    #[error(
        "query '{0}' is not among the judged queries of the data set; leave its candidates out, or \
         check that ids and split are the same"
    )]
    UnknownQuery(String),
    /// An id where a query's text belongs.
    #[error("'{0}' is the id of a query, not its text; write \"query_id\": \"{0}\"")]
    IdAsText(String),
    /// A document that the corpus lacks.
    #[error(
        "document '{0}' is not in the corpus; the other system must search the same documents under \
         the same ids"
    )]
    UnknownDocument(String),
    /// A text that two have.
    #[error("the text '{text}' is that of '{one}' and of '{other}'; give ids")]
    Ambiguous {
        /// Its beginning.
        text: String,
        /// One of those who have it.
        one: String,
        /// Another one.
        other: String,
    },
    /// A document that comes twice for a query.
    #[error("document '{document}' has already been given for query '{query}'; give each once")]
    Twice {
        /// Which query.
        query: QueryId,
        /// Which document.
        document: DocId,
    },
    /// The scores make no ranking.
    #[error(transparent)]
    Ranking(RankingError),
}

/// Candidates of one query so far.
#[derive(Default)]
struct Found {
    line: usize,
    scored: Vec<(DocId, f64)>,
    unscored: Vec<DocId>,
    seen: HashSet<DocId>,
}

fn read_line(
    line: &str,
    names: &Names,
    found: &mut BTreeMap<QueryId, Found>,
) -> Result<(), CandidateProblem> {
    let line: Line = serde_json::from_str(line).map_err(CandidateProblem::Json)?;
    let query = names.query(line.query_id, line.query)?;
    let has_document = line.document_id.is_some() || line.text.is_some();
    let candidates = match (has_document, line.candidates) {
        (true, None) => {
            let Line { document_id: id, text, score, .. } = line;
            vec![Listed::Full(Full { id, text, score })]
        }
        (false, Some(candidates)) if line.score.is_none() => candidates,
        _ => return Err(CandidateProblem::Shape),
    };
    let of_query = found.entry(query.clone()).or_default();
    for candidate in candidates {
        let (id, text, score) = match candidate {
            Listed::Id(id) => (Some(id), None, None),
            Listed::Full(Full { id, text, score }) => (id, text, score),
        };
        let document = names.document(id, text)?;
        if !of_query.seen.insert(document.clone()) {
            return Err(CandidateProblem::Twice {
                query: query.clone(),
                document: document.clone(),
            });
        }
        match score {
            Some(score) => of_query.scored.push((document.clone(), score)),
            None => of_query.unscored.push(document.clone()),
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    query_id: Option<Id>,
    query: Option<String>,
    #[serde(alias = "id")]
    document_id: Option<Id>,
    text: Option<String>,
    score: Option<f64>,
    candidates: Option<Vec<Listed>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a candidate is an id, or {\"id\" or \"text\", \"score\"}")]
enum Listed {
    Id(Id),
    Full(Full),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    #[serde(alias = "document_id")]
    id: Option<Id>,
    text: Option<String>,
    score: Option<f64>,
}

/// Written as text or, by many databases, as a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "an id is a text or a whole number")]
enum Id {
    Text(String),
    Positive(u64),
    Negative(i64),
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        match id {
            Id::Text(text) => text,
            Id::Positive(number) => number.to_string(),
            Id::Negative(number) => number.to_string(),
        }
    }
}

/// The ids of a data set, and what else they are found by.
struct Names<'a> {
    queries: HashSet<&'a QueryId>,
    by_text: HashMap<&'a str, Vec<&'a QueryId>>,
    corpus: &'a Corpus,
    documents_by_text: std::cell::OnceCell<HashMap<String, Vec<&'a DocId>>>,
}

impl<'a> Names<'a> {
    fn new(queries: &'a [Query], corpus: &'a Corpus) -> Self {
        let mut by_text: HashMap<&str, Vec<&QueryId>> = HashMap::new();
        queries.iter().for_each(|query| by_text.entry(&query.text).or_default().push(&query.id));
        let queries = queries.iter().map(|query| &query.id).collect();
        Self { queries, by_text, corpus, documents_by_text: std::cell::OnceCell::new() }
    }

    fn query(&self, id: Option<Id>, text: Option<String>) -> Result<&'a QueryId, CandidateProblem> {
        if let Some(id) = id {
            let id = String::from(id);
            return match self.queries.get(&QueryId::from(id.as_str())) {
                Some(query) => Ok(query),
                None => Err(CandidateProblem::UnknownQuery(id)),
            };
        }
        let text = text.ok_or(CandidateProblem::NoQuery)?;
        let found = self.by_text.get(text.as_str()).map(Vec::as_slice);
        one_of(found, &text)?.ok_or_else(|| match self.queries.get(&QueryId::from(text.as_str())) {
            Some(id) => CandidateProblem::IdAsText(id.to_string()),
            None => CandidateProblem::UnknownQuery(beginning(&text)),
        })
    }

    fn document(
        &self,
        id: Option<Id>,
        text: Option<String>,
    ) -> Result<&'a DocId, CandidateProblem> {
        if let Some(id) = id {
            let id = DocId::from(String::from(id));
            return match self.corpus.get(&id) {
                Some(document) => Ok(&document.id),
                None => Err(CandidateProblem::UnknownDocument(id.to_string())),
            };
        }
        let text = text.ok_or(CandidateProblem::Shape)?;
        let found = self.texts().get(text.as_str()).map(Vec::as_slice);
        one_of(found, &text)?.ok_or_else(|| CandidateProblem::UnknownDocument(beginning(&text)))
    }

    /// Documents by their text, and by title and text where they have both. Made when first needed.
    fn texts(&self) -> &HashMap<String, Vec<&'a DocId>> {
        self.documents_by_text.get_or_init(|| {
            let mut texts: HashMap<String, Vec<&DocId>> = HashMap::new();
            for document in self.corpus.documents() {
                texts.entry(document.text.clone()).or_default().push(&document.id);
                if !document.title.is_empty() {
                    texts.entry(document.passage()).or_default().push(&document.id);
                }
            }
            texts
        })
    }
}

fn one_of<'a, T: std::fmt::Display>(
    found: Option<&[&'a T]>,
    text: &str,
) -> Result<Option<&'a T>, CandidateProblem> {
    match found {
        Some([one, other, ..]) => Err(CandidateProblem::Ambiguous {
            text: beginning(text),
            one: one.to_string(),
            other: other.to_string(),
        }),
        Some([one]) => Ok(Some(one)),
        _ => Ok(None),
    }
}

/// Enough of a text to find it by.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secondpass_core::Document;

    use super::*;

    fn read(lines: &str) -> Result<Run, CandidatesError> {
        let query = |id: &str, text: &str| Query {
            id: id.into(),
            text: text.into(),
            attributes: Default::default(),
        };
        let queries = [query("q1", "why"), query("2", "how"), query("q3", "how")];
        let document = |id: &str, title: &str, text: &str| Document {
            id: id.into(),
            title: title.into(),
            text: text.into(),
        };
        let documents = vec![
            document("a", "", "alpha"),
            document("7", "B", "beta"),
            document("c", "", "same"),
            document("d", "", "same"),
        ];
        read_candidates(lines.as_bytes(), "-", &queries, &Corpus::new(documents).unwrap())
    }

    #[track_caller]
    fn order(lines: &str, query: &str) -> Vec<(String, Option<f64>)> {
        let run = read(lines).unwrap();
        let places = run.rankings[query].ranked().iter();
        places.map(|place| (place.document.to_string(), place.score)).collect()
    }

    fn expected(places: &[(&str, Option<f64>)]) -> Vec<(String, Option<f64>)> {
        places.iter().map(|(id, score)| ((*id).to_owned(), *score)).collect()
    }

    #[test]
    fn one_candidate_a_line_in_any_order() {
        let lines = "\u{feff}{\"query_id\":\"q1\",\"document_id\":\"a\",\"score\":0.5}\n\n\
                     {\"query_id\":2,\"id\":7}\r\n\
                     {\"query_id\":\"q1\",\"id\":7,\"score\":2}\n";
        assert_eq!(order(lines, "q1"), expected(&[("7", Some(2.0)), ("a", Some(0.5))]));
        assert_eq!(order(lines, "2"), expected(&[("7", None)]));
    }

    #[test]
    fn one_query_a_line_and_texts_for_ids() {
        let lines = r#"{"query":"why","candidates":["c",{"text":"alpha"},{"document_id":"d","score":-1}]}
                       {"query":"why","text":"B beta","score":null}"#;
        let expected = expected(&[("d", Some(-1.0)), ("c", None), ("a", None), ("7", None)]);
        assert_eq!(order(lines, "q1"), expected);
    }

    #[test]
    fn every_problem_has_its_line() {
        for (line, problem) in [
            (r#"{"query_id":"q9","id":"a"}"#, "query 'q9' is not among"),
            (r#"{"query_id":"q1","id":"zz"}"#, "document 'zz' is not in the corpus"),
            (r#"{"query_id":"q1","text":"omega"}"#, "document 'omega' is not"),
            (r#"{"query":"how","id":"a"}"#, "'how' is that of '2' and of 'q3'"),
            (r#"{"query":"why","text":"same"}"#, "'same' is that of 'c' and of 'd'"),
            (r#"{"query":"why not","id":"a"}"#, "query 'why not'"),
            (r#"{"query":"q3","id":"a"}"#, "not its text; write \"query_id\": \"q3\""),
            (r#"{"query_id":"q1","id":"a"}"#, "already been given"),
            (r#"{"query_id":"q1","candidates":["c","c"]}"#, "already been given"),
            (r#"{"query_id":"q1"}"#, "either one document"),
            (r#"{"query_id":"q1","score":1,"candidates":["c"]}"#, "either one document"),
            (r#"{"query_id":"q1","id":"c","candidates":["c"]}"#, "either one document"),
            (r#"{"query_id":"q1","candidates":[{"score":1}]}"#, "either one document"),
            (r#"{"id":"a"}"#, "names no query"),
            (r#"{"query_id":"q1","id":"c","scores":1}"#, "unknown field `scores`"),
            (r#"{"query_id":"q1","id":"c","score":"1"}"#, "expected f64"),
            (r#"{"query_id":"q1","id":"c","score":1e999}"#, "out of range"),
            (r#"{"query_id":"q1","id":1.5}"#, "an id is a text or a whole number"),
            (r#"{"query_id":"q1","candidates":[{"rank":1}]}"#, "a candidate is an id"),
            ("[]", "a line holds"),
            ("q1 Q0 a 1 0.5 x", "a line holds"),
        ] {
            let lines = format!("{{\"query_id\":\"q1\",\"id\":\"a\"}}\n\n{line}\n");
            let error = read(&lines).unwrap_err();
            assert!(error.line == 3 && error.to_string().contains(problem), "{line}: {error}");
        }
        let error = read_candidates(&b"\xff\n"[..], "x", &[], &Corpus::default()).unwrap_err();
        assert!(error.to_string().starts_with("x, line 1: cannot be read"), "{error}");
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in r#"[{}\[\]",:a-d0-9_ .e-]{0,40}"#) {
            let _ = read(&line);
        }
    }
}
