//! Training triples: a query, a document that answers it, a document that does not.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use secondpass_core::{DocId, QueryId};

use crate::lines::{Lines, open};
use crate::{DataError, Defect};

/// One positive of a query with its negatives, and a teacher's scores of them where there are any.
/// A query with several positives makes a group of each, all with the same negatives: none of the
/// query's positives may be drawn as a negative of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The query.
    pub query: QueryId,
    /// The document that should rank above the others.
    pub positive: DocId,
    /// The others, in the order they were read; at least one in files of triples, perhaps none in
    /// groups.
    pub negatives: Vec<DocId>,
    /// A teacher's scores, of all documents of the group or of none.
    pub teacher: Option<TeacherScores>,
}

/// What a teacher model thinks of the documents of a group, for distillation. Comparable only within
/// the group; whether they are logits or probabilities is for the recipe to say.
#[derive(Clone, Debug, PartialEq)]
pub struct TeacherScores {
    /// Of the positive.
    pub positive: f64,
    /// Of each negative, in the order of [`Group::negatives`] and as many.
    pub negatives: Vec<f64>,
}

impl Group {
    /// A group without a teacher.
    pub fn new(query: QueryId, positive: DocId, negatives: Vec<DocId>) -> Self {
        Self { query, positive, negatives, teacher: None }
    }
}

/// Reads a file of triples into groups, in the order their first lines stand: below the header
/// `query-id`, `positive-id`, `negative-id`, each line has the three ids, separated by tabs.
///
/// # Errors
/// A missing or empty file, no header, another number of columns, a triple twice, a positive that
/// is its own negative: with file and line.
pub fn read(path: &Path) -> Result<Vec<Group>, DataError> {
    groups(open(path, "training triples")?)
}

/// Reads triples from anywhere; `name` stands for the file in messages.
///
/// # Errors
/// As [`read`].
pub fn read_from(reader: impl BufRead, name: &str) -> Result<Vec<Group>, DataError> {
    groups(Lines::new(reader, name))
}

fn groups(mut lines: Lines<impl BufRead>) -> Result<Vec<Group>, DataError> {
    const LAYOUT: &str = "query-id positive-id negative-id";
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<(QueryId, DocId), usize> = HashMap::new();
    let mut seen: HashMap<(usize, DocId), u64> = HashMap::new();
    let mut header = true;
    lines.each_filled(|line| {
        if std::mem::take(&mut header) {
            return line.header(LAYOUT);
        }
        let columns: [&str; 3] = line.tabbed(LAYOUT)?;
        let [query, positive, negative] = columns;
        if positive == negative {
            return Err(line.fail(Defect::PositiveIsNegative { id: positive.to_owned() }));
        }
        let (query, positive) = (QueryId::from(query), DocId::from(positive));
        let negative = DocId::from(negative);
        let place = *places.entry((query.clone(), positive.clone())).or_insert(groups.len());
        if let Some(&first) = seen.get(&(place, negative.clone())) {
            return Err(line.fail(Defect::RepeatedTriple { first }));
        }
        seen.insert((place, negative.clone()), line.number);
        match groups.get_mut(place) {
            Some(group) => group.negatives.push(negative),
            None => groups.push(Group::new(query, positive, vec![negative])),
        }
        Ok(())
    })?;
    match groups.is_empty() {
        true => Err(DataError::Empty { file: lines.file().to_owned(), what: "triples" }),
        false => Ok(groups),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "query-id\tpositive-id\tnegative-id\n";

    fn parse(lines: &str) -> Result<Vec<Group>, String> {
        let text = format!("{HEADER}{lines}");
        read_from(text.as_bytes(), "t").map_err(|error| error.to_string())
    }

    #[test]
    fn groups_by_query_and_positive() {
        let groups = parse("q\ta\tb\nr\ta\tb\nq\ta\tc\nq\td\tb\n").unwrap();
        let group = |query: &str, positive: &str, negatives: &[&str]| {
            let negatives = negatives.iter().map(|&id| id.into()).collect();
            Group::new(query.into(), positive.into(), negatives)
        };
        let expected =
            [group("q", "a", &["b", "c"]), group("r", "a", &["b"]), group("q", "d", &["b"])];
        assert_eq!(groups, expected);
    }

    #[test]
    fn errors_name_file_and_line() {
        let error = |lines: &str| parse(lines).unwrap_err();
        assert!(error("q\ta\tb\nq\ta\n").starts_with("t line 3: found 2 columns, expected 3"));
        assert!(error("q\ta\ta\n").contains("line 2: document 'a' is both"));
        assert!(
            error("q\ta\tb\nq\ta\tb\n").contains("line 3: this triple stands already at line 2")
        );
        assert!(error("q\t\tb\n").contains("line 2: 'positive-id' is empty"));
        assert!(error("").contains("holds no triples"));
        let headless = read_from("q\ta\tb\n".as_bytes(), "t").unwrap_err().to_string();
        assert!(headless.contains("line 1: the first line must be the header"), "{headless}");
    }
}
