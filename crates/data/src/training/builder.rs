use std::collections::{BTreeMap, HashMap};

use secondpass_core::{Dataset, DocId, Qrels, Query, QueryId};

use super::row::{Place, Row};
use crate::beir::corpus_of;
use crate::error::shortened;
use crate::flag_embedding::{Taught, TeacherGroup};
use crate::normal::normalized;
use crate::texts::{self, TextPool};
use crate::{DataError, Defect};

/// Puts rows together: equal texts are one document, equal queries one query.
#[derive(Default)]
pub(crate) struct Builder {
    rows: usize,
    texts: TextPool,
    queries: Vec<Query>,
    groups: Vec<TeacherGroup>,
    places: HashMap<QueryId, usize>,
    /// Whether a document is a positive of a query, and where that was said first.
    seen: HashMap<(QueryId, DocId), (bool, Place)>,
    /// The same by texts as they are compared, where those count as one.
    said: Option<HashMap<(QueryId, QueryId), (bool, Place)>>,
    /// Where each query stands first.
    origins: HashMap<QueryId, String>,
}

impl Builder {
    /// For what is learnt: a text that is a positive in one row and, but for case, punctuation and
    /// blanks, a negative in another teaches nothing.
    pub fn of_training() -> Self {
        Self { said: Some(HashMap::new()), ..Self::default() }
    }

    /// Rows that were added.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row.
    ///
    /// # Errors
    /// A text that is both positive and negative of the query.
    pub fn add(&mut self, row: Row) -> Result<(), Defect> {
        self.rows += 1;
        let Row { place: at, id, query: text, positives, negatives } = row;
        let query = texts::query_id(&text);
        self.origins.entry(query.clone()).or_insert_with(|| match id {
            Some(id) => format!("{at}, id '{}'", shortened(&id)),
            None => at.to_string(),
        });
        let asked = texts::query_id(&normalized(&text));
        let (queries, groups) = (&mut self.queries, &mut self.groups);
        let place = *self.places.entry(query.clone()).or_insert_with(|| {
            queries.push(Query { id: query.clone(), text, attributes: BTreeMap::new() });
            let (positives, negatives) = (Vec::new(), Vec::new());
            groups.push(TeacherGroup { query: query.clone(), positives, negatives });
            groups.len() - 1
        });
        for (positive, list) in [(true, positives), (false, negatives)] {
            for (text, score) in list {
                let document = self.texts.add(String::new(), text.clone());
                let key = (query.clone(), document.clone());
                if let Some(said) = &mut self.said {
                    let key = (asked.clone(), texts::query_id(&normalized(&text)));
                    match said.get(&key) {
                        Some((side, first)) if *side != positive => {
                            return Err(both_sides(&text, first, &at));
                        }
                        Some(_) => {}
                        None => _ = said.insert(key, (positive, at.clone())),
                    }
                }
                match self.seen.get(&key) {
                    Some(&(side, _)) if side == positive => {}
                    Some((_, first)) => return Err(both_sides(&text, first, &at)),
                    None => {
                        self.seen.insert(key, (positive, at.clone()));
                        let group = &mut groups[place];
                        let side =
                            if positive { &mut group.positives } else { &mut group.negatives };
                        side.push(Taught { document, score });
                    }
                }
            }
        }
        Ok(())
    }

    /// Where the queries stand that were added, each with its line's own id if it has one.
    pub fn origins(&mut self) -> HashMap<QueryId, String> {
        std::mem::take(&mut self.origins)
    }

    /// The set of all rows, and one group a query.
    ///
    /// # Errors
    /// Two texts of which the hashes agree by chance.
    pub fn finish(
        self,
        name: &str,
        split: &str,
        file: &str,
    ) -> Result<(Dataset, Vec<TeacherGroup>), DataError> {
        let mut qrels = Qrels::new();
        for ((query, document), (positive, _)) in self.seen {
            qrels.insert(query, document, i32::from(positive));
        }
        let corpus = corpus_of(self.texts.into_documents(), file)?;
        let dataset = Dataset::new(name, split, corpus, self.queries, qrels)
            .map_err(|source| DataError::Dataset { set: file.to_owned(), source })?;
        Ok((dataset, self.groups))
    }
}

/// What is wrong where a text that one side had first stands on the other.
fn both_sides(text: &str, first: &Place, at: &Place) -> Defect {
    let first = match first.file == at.file {
        true => Place { file: "".into(), ..first.clone() }.to_string(),
        false => first.to_string(),
    };
    Defect::BothSides { text: shortened(text), first: first.trim_start().to_owned() }
}
