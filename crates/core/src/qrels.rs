use std::collections::BTreeMap;

use crate::{ContentHash, DocId, Hasher, QueryId};

/// A relevance grade. 0 is judged not relevant; at 1 and above a document is relevant; negative
/// grades (a TREC habit for spam) count as not relevant and gain nothing.
pub type Grade = i32;

/// Relevance judgements: for each query, the grade of each judged document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qrels {
    grades: BTreeMap<QueryId, BTreeMap<DocId, Grade>>,
}

impl Qrels {
    /// No judgements.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a judgement; gives the earlier grade back when this pair was judged already.
    pub fn insert(&mut self, query: QueryId, document: DocId, grade: Grade) -> Option<Grade> {
        self.grades.entry(query).or_default().insert(document, grade)
    }

    /// The judged documents of one query; `None` when nothing was judged for it.
    pub fn of(&self, query: &QueryId) -> Option<&BTreeMap<DocId, Grade>> {
        self.grades.get(query)
    }

    /// The grade of one pair; `None` when unjudged.
    pub fn grade(&self, query: &QueryId, document: &DocId) -> Option<Grade> {
        self.of(query)?.get(document).copied()
    }

    /// All queries with their judged documents, by query id.
    pub fn iter(&self) -> impl Iterator<Item = (&QueryId, &BTreeMap<DocId, Grade>)> {
        self.grades.iter()
    }

    /// Number of judged queries.
    pub fn len(&self) -> usize {
        self.grades.len()
    }

    /// Whether nothing was judged.
    pub fn is_empty(&self) -> bool {
        self.grades.is_empty()
    }

    /// Number of judgements over all queries.
    pub fn judgements(&self) -> usize {
        self.grades.values().map(BTreeMap::len).sum()
    }

    /// The hash of all judgements, by query id and document id.
    pub fn hash(&self) -> ContentHash {
        let mut hasher = Hasher::new();
        for (query, documents) in &self.grades {
            hasher.field(query.as_str());
            for (document, grade) in documents {
                hasher.field(document.as_str()).field(grade.to_le_bytes());
            }
        }
        hasher.finish()
    }
}
