use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{ContentHash, DocId, Hasher};

/// One document of a corpus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Unique in its corpus.
    pub id: DocId,
    /// May be empty.
    pub title: String,
    /// The body.
    pub text: String,
}

impl Document {
    /// What a retriever or reranker reads: the title, a space, the text (as BEIR does); without a
    /// title the text alone.
    pub fn passage(&self) -> String {
        match self.title.is_empty() {
            true => self.text.clone(),
            false => format!("{} {}", self.title, self.text),
        }
    }
}

/// Documents with unique ids, in the order they were read.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    documents: Vec<Document>,
    by_id: HashMap<DocId, usize>,
}

/// Why a set of documents is no corpus.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CorpusError {
    /// Two documents share an id.
    #[error("document id '{0}' occurs twice; give each document its own id")]
    DuplicateId(DocId),
}

impl Corpus {
    /// A corpus of these documents, in this order.
    ///
    /// # Errors
    /// When an id occurs twice.
    pub fn new(documents: Vec<Document>) -> Result<Self, CorpusError> {
        let mut by_id = HashMap::with_capacity(documents.len());
        for (position, document) in documents.iter().enumerate() {
            if by_id.insert(document.id.clone(), position).is_some() {
                return Err(CorpusError::DuplicateId(document.id.clone()));
            }
        }
        Ok(Self { documents, by_id })
    }

    /// All documents, in the order they were read.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// The document of this id.
    pub fn get(&self, id: &DocId) -> Option<&Document> {
        self.by_id.get(id).and_then(|&position| self.documents.get(position))
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// The hash of all ids, titles and texts, in order.
    pub fn hash(&self) -> ContentHash {
        let mut hasher = Hasher::new();
        for document in &self.documents {
            hasher.field(document.id.as_str()).field(&document.title).field(&document.text);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str, title: &str) -> Document {
        Document { id: id.into(), title: title.into(), text: "text".into() }
    }

    #[test]
    fn passage_joins_title_and_text() {
        assert_eq!(document("1", "title").passage(), "title text");
        assert_eq!(document("1", "").passage(), "text");
    }

    #[test]
    fn duplicate_ids_are_refused_by_name() {
        let twice = Corpus::new(vec![document("a", ""), document("a", "x")]);
        assert_eq!(twice.unwrap_err(), CorpusError::DuplicateId("a".into()));
    }

    #[test]
    fn hash_sees_every_field() {
        let hash = |title| Corpus::new(vec![document("a", title)]).unwrap().hash();
        assert_ne!(hash("x"), hash("y"));
        assert_eq!(hash("x"), hash("x"));
    }
}
