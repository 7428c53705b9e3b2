//! Training data as FlagEmbedding's fine-tuning takes it, one JSON object a line: `query`, `pos` and
//! `neg` (lists of texts), perhaps `pos_scores` and `neg_scores` (a teacher's, one for each text).
//! See "Data format" in the fine-tuning examples of <https://github.com/FlagOpen/FlagEmbedding>.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use secondpass_core::{Dataset, DocId, QueryId, Run};

use crate::golden::file_name;
use crate::lines::{Lines, open};
use crate::training::{self, Builder};
use crate::triples::{Group, TeacherScores};
use crate::{DataError, texts};

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
    /// A group for each positive, with all negatives (perhaps none: what trains on it draws them from
    /// elsewhere). Its teacher's scores are there when all of its documents have one.
    pub fn groups(&self) -> Vec<Group> {
        let negatives: Vec<DocId> =
            self.negatives.iter().map(|taught| taught.document.clone()).collect();
        let scores: Option<Vec<f64>> = self.negatives.iter().map(|taught| taught.score).collect();
        let group = |positive: &Taught| Group {
            teacher: positive
                .score
                .zip(scores.clone())
                .map(|(positive, negatives)| TeacherScores { positive, negatives }),
            ..Group::new(self.query.clone(), positive.document.clone(), negatives.clone())
        };
        self.positives.iter().map(group).collect()
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
    let mut builder = Builder::default();
    lines.each_filled(|line| {
        builder.add(training::group(&line)?).map_err(|defect| line.fail(defect))
    })?;
    let file = lines.file().to_owned();
    if builder.rows() == 0 {
        return Err(DataError::Empty { file, what: "queries" });
    }
    let (dataset, groups) = builder.finish(name, SPLIT, &file)?;
    let mut candidates: BTreeMap<QueryId, Vec<DocId>> = BTreeMap::new();
    for (query, judged) in dataset.qrels().iter() {
        candidates.insert(query.clone(), judged.keys().cloned().collect());
    }
    let candidates = unordered(candidates, &file)?;
    Ok(FlagEmbedding { dataset, candidates, groups })
}

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
        let teacher = TeacherScores { positive: 9.5, negatives: vec![1.0, -2.0] };
        assert_eq!(groups[0].teacher, Some(teacher));
        assert_eq!(groups[1].teacher, None, "D has no score");
        assert_eq!(r.groups().iter().map(|group| group.negatives.len()).sum::<usize>(), 0);
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
