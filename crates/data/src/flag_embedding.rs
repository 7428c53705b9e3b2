//! Training data as FlagEmbedding's fine-tuning takes it, one JSON object a line: `query`, `pos` and
//! `neg` (lists of texts), perhaps `pos_scores` and `neg_scores` (a teacher's, one for each text).
//! See "Data format" in the fine-tuning examples of <https://github.com/FlagOpen/FlagEmbedding>.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use secondpass_core::{Dataset, DocId, Qrels, Query, QueryId, Run};

use crate::beir::corpus_of;
use crate::error::shortened;
use crate::golden::file_name;
use crate::lines::{Line, Lines, open};
use crate::texts::{self, TextPool};
use crate::triples::Group;
use crate::{DataError, Defect, json};

/// What a file of FlagEmbedding's gives: a set to evaluate on, and the groups to train on.
#[derive(Clone, Debug)]
pub struct FlagEmbedding {
    /// The union of all texts as the corpus; positives have grade 1, negatives grade 0. Its split
    /// is [`SPLIT`].
    pub dataset: Dataset,
    /// All texts of each query, positives and negatives, in the order of their ids. The format
    /// knows no first stage, and any order that came from the labels would flatter one; ids are
    /// hashes of the texts, so this is a fixed shuffle.
    pub candidates: Run,
    /// One group a query, in the order their first lines stand.
    pub groups: Vec<TeacherGroup>,
}

/// The split of such a file, which has no others.
pub const SPLIT: &str = "all";

/// One query with its positives and negatives, each perhaps with a teacher's score.
#[derive(Clone, Debug, PartialEq)]
pub struct TeacherGroup {
    /// The query.
    pub query: QueryId,
    /// Documents that answer it, at least one, in the order they were read.
    pub positives: Vec<Taught>,
    /// Documents that do not; may be empty.
    pub negatives: Vec<Taught>,
}

/// A document with the score that a teacher model gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Taught {
    /// The document.
    pub document: DocId,
    /// `None` where the file has no scores. Comparable only within its group.
    pub score: Option<f64>,
}

impl TeacherGroup {
    /// A group for each positive, with all negatives; none when there are no negatives.
    pub fn groups(&self) -> Vec<Group> {
        let ids = |taught: &[Taught]| -> Vec<DocId> {
            taught.iter().map(|taught| taught.document.clone()).collect()
        };
        let negatives = ids(&self.negatives);
        let group = |positive| {
            let (query, negatives) = (self.query.clone(), negatives.clone());
            Group { query, positive, negatives }
        };
        match negatives.is_empty() {
            true => Vec::new(),
            false => ids(&self.positives).into_iter().map(group).collect(),
        }
    }
}

/// Reads a file of FlagEmbedding's. Ids are made from the hashes of the texts: the same text is one
/// document, the same query one query, whose lines are put together. A text that one list has twice
/// counts once, with its first score. Other fields (`prompt`, `type`) are not looked at.
///
/// # Errors
/// A missing or empty file, malformed lines, blank texts, no positive, lists of scores of another
/// length, a text that is both positive and negative of one query: with file, line and field.
pub fn read(path: &Path) -> Result<FlagEmbedding, DataError> {
    parse(open(path, "FlagEmbedding training data, JSONL")?, &file_name(path))
}

/// Reads the same from anywhere; `name` stands for the file in messages and names the set.
///
/// # Errors
/// As [`read`].
pub fn read_from(reader: impl Read, name: &str) -> Result<FlagEmbedding, DataError> {
    parse(Lines::new(BufReader::new(reader), name), name)
}

fn parse(mut lines: Lines<impl BufRead>, name: &str) -> Result<FlagEmbedding, DataError> {
    let mut texts = TextPool::default();
    let (mut queries, mut groups) = (Vec::new(), Vec::<TeacherGroup>::new());
    let mut places: HashMap<QueryId, usize> = HashMap::new();
    let mut seen = Sides::new();
    lines.each_filled(|line| {
        let mut object = json::object(&line, "query")?;
        let text = json::filled_text(&line, &mut object, "query")?;
        let positives = taught(&line, &mut object, &mut texts, "pos", "pos_scores")?;
        let negatives = taught(&line, &mut object, &mut texts, "neg", "neg_scores")?;
        if positives.is_empty() {
            return Err(line.fail(Defect::EmptyField { field: "pos" }));
        }
        let query = texts::query_id(&text);
        let place = *places.entry(query.clone()).or_insert_with(|| {
            queries.push(Query { id: query.clone(), text, attributes: BTreeMap::new() });
            let (positives, negatives) = (Vec::new(), Vec::new());
            groups.push(TeacherGroup { query: query.clone(), positives, negatives });
            groups.len() - 1
        });
        let Some(group) = groups.get_mut(place) else { return Ok(()) };
        for (positive, list) in [(true, positives), (false, negatives)] {
            for (text, taught) in list {
                let key = (query.clone(), taught.document.clone());
                match seen.get(&key) {
                    Some(&(side, _)) if side == positive => {}
                    Some(&(_, first)) => {
                        let text = shortened(&text);
                        return Err(line.fail(Defect::BothSides { text, first }));
                    }
                    None => {
                        seen.insert(key, (positive, line.number));
                        match positive {
                            true => group.positives.push(taught),
                            false => group.negatives.push(taught),
                        }
                    }
                }
            }
        }
        Ok(())
    })?;
    let file = lines.file().to_owned();
    if groups.is_empty() {
        return Err(DataError::Empty { file, what: "queries" });
    }
    let mut qrels = Qrels::new();
    let mut candidates: BTreeMap<QueryId, Vec<DocId>> = BTreeMap::new();
    for ((query, document), (positive, _)) in seen {
        candidates.entry(query.clone()).or_default().push(document.clone());
        qrels.insert(query, document, i32::from(positive));
    }
    let candidates = unordered(candidates, &file)?;
    let corpus = corpus_of(texts.into_documents(), &file)?;
    let dataset = Dataset::new(name, SPLIT, corpus, queries, qrels)
        .map_err(|source| DataError::Dataset { set: file, source })?;
    Ok(FlagEmbedding { dataset, candidates, groups })
}

/// Whether a document is a positive of a query, and the line that said so first.
type Sides = BTreeMap<(QueryId, DocId), (bool, u64)>;

/// Candidates of files that know no first stage, in the order of their ids.
pub(crate) fn unordered(
    candidates: BTreeMap<QueryId, Vec<DocId>>,
    file: &str,
) -> Result<Run, DataError> {
    let mut run = Run::new("unordered");
    for (query, mut documents) in candidates {
        documents.sort();
        let ranking = texts::in_order(documents).map_err(|source| DataError::Ranking {
            file: file.to_owned(),
            query: query.to_string(),
            source,
        })?;
        run.rankings.insert(query, ranking);
    }
    Ok(run)
}

/// One side of a line: its texts with their documents and scores.
fn taught(
    line: &Line<'_>,
    object: &mut serde_json::Map<String, serde_json::Value>,
    texts: &mut TextPool,
    field: &'static str,
    scores: &'static str,
) -> Result<Vec<(String, Taught)>, DataError> {
    let values = match field {
        "pos" => json::list(line, object, field)?,
        _ => json::optional_list(line, object, field)?.unwrap_or_default(),
    };
    let scores = match json::optional_list(line, object, scores)? {
        None => vec![None; values.len()],
        Some(list) if list.len() != values.len() => {
            let (found, expected) = (list.len(), values.len());
            return Err(line.fail(Defect::Lengths { field: scores, found, of: field, expected }));
        }
        Some(list) => json::numbers(line, scores, &list)?.into_iter().map(Some).collect(),
    };
    let one = |(place, (value, score)): (usize, (serde_json::Value, Option<f64>))| match value {
        serde_json::Value::String(text) if text.trim().is_empty() => {
            let lacks = "is empty; write the text or remove it";
            Err(line.fail(Defect::Item { field, item: place + 1, lacks }))
        }
        serde_json::Value::String(text) => {
            let document = texts.add(String::new(), text.clone());
            Ok((text, Taught { document, score }))
        }
        other => Err(json::wrong_item(line, field, place, "a text", &other)),
    };
    values.into_iter().zip(scores).enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<FlagEmbedding, String> {
        read_from(text.as_bytes(), "f").map_err(|error| error.to_string())
    }

    #[test]
    fn positives_and_negatives_are_judged_candidates() {
        let read = parse(
            "{\"query\": \"q\", \"pos\": [\"A\"], \"neg\": [\"B\", \"C\", \"B\"], \"type\": \"x\", \
             \"pos_scores\": [9.5], \"neg_scores\": [1, -2, 7]}\n\
             {\"query\": \"r\", \"pos\": [\"C\"], \"neg\": []}\n\
             {\"query\": \"q\", \"pos\": [\"D\"], \"neg\": [\"C\"]}\n",
        )
        .unwrap();
        let corpus = read.dataset.corpus();
        let text = |id: &DocId| corpus.get(id).unwrap().text.as_str();
        assert_eq!((corpus.len(), read.dataset.queries().len()), (4, 2));
        let [q, r] = read.groups.as_slice() else { panic!("two groups") };
        let side = |taught: &[Taught]| -> Vec<(String, Option<f64>)> {
            taught.iter().map(|t| (text(&t.document).to_owned(), t.score)).collect()
        };
        assert_eq!(side(&q.positives), [("A".to_owned(), Some(9.5)), ("D".to_owned(), None)]);
        assert_eq!(side(&q.negatives), [("B".to_owned(), Some(1.0)), ("C".to_owned(), Some(-2.0))]);
        let groups = q.groups();
        assert_eq!(groups.len(), 2);
        assert!(groups.iter().all(|group| group.negatives.len() == 2));
        assert!(r.groups().is_empty());
        for (query, grades) in read.dataset.qrels().iter() {
            for (document, &grade) in grades {
                let positive = match *query == q.query {
                    true => ["A", "D"].contains(&text(document)),
                    false => true,
                };
                assert_eq!(grade, i32::from(positive));
            }
            let ranking = &read.candidates.rankings[query];
            assert!(ranking.documents().eq(grades.keys()), "in the order of the ids");
        }
    }

    #[test]
    fn errors_name_file_line_and_field() {
        let error = |line: &str| {
            parse(&format!("{{\"query\": \"q\", \"pos\": [\"A\"], \"neg\": [\"B\"]}}\n{line}"))
                .unwrap_err()
        };
        let expect = |line: &str, message: &str| {
            let found = error(line);
            assert!(found.starts_with("f line 2: ") && found.contains(message), "{found}");
        };
        expect("{\"query\": \"q\", \"pos\": [\"B\"]}", "the text 'B' is both");
        expect("{\"query\": \"q\", \"pos\": [\"B\"]}", "(see line 1)");
        expect("{\"query\": \"x\", \"pos\": [\"B\"], \"neg\": [\"B\"]}", "(see line 2)");
        expect("{\"query\": \"x\", \"pos\": []}", "'pos' is empty");
        expect("{\"query\": \"x\"}", "field 'pos' is missing");
        expect("{\"query\": \"x\", \"pos\": [\"\"]}", "'pos' item 1 is empty");
        expect(
            "{\"query\": \"x\", \"pos\": [\"A\", 3]}",
            "'pos' item 2 is a number, expected a text",
        );
        expect(
            "{\"query\": \"x\", \"pos\": [\"A\"], \"pos_scores\": [1, 2]}",
            "'pos_scores' has 2 items and 'pos' has 1",
        );
        expect(
            "{\"query\": \"x\", \"pos\": [\"A\"], \"pos_scores\": [\"1\"]}",
            "'pos_scores' item 1 is a string, expected a number",
        );
        assert!(parse("").unwrap_err().starts_with("f: the file holds no queries"));
    }
}
