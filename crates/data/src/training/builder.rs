use std::collections::{BTreeMap, HashMap};

use secondpass_core::{Dataset, DocId, Qrels, Query, QueryId};

use super::row::{Place, Row};
use crate::beir::corpus_of;
use crate::error::shortened;
use crate::flag_embedding::{Taught, TeacherGroup};
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
}

impl Builder {
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
        let Row { place: at, query: text, positives, negatives } = row;
        let query = texts::query_id(&text);
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
                match self.seen.get(&key) {
                    Some(&(side, _)) if side == positive => {}
                    Some((_, first)) => {
                        let first = match first.file == at.file {
                            true => Place { file: "".into(), ..first.clone() }.to_string(),
                            false => first.to_string(),
                        };
                        let (text, first) = (shortened(&text), first.trim_start().to_owned());
                        return Err(Defect::BothSides { text, first });
                    }
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
