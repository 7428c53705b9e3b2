use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

use secondpass_core::{Corpus, DocId, Document, QueryId, Ranking};

use super::item::{Item, Object};
use super::{CANDIDATES, Entry, Fault};
use crate::beir::corpus_of;
use crate::lines::{Line, Lines};
use crate::texts::{self, TextPool};
use crate::{DataError, Defect};

/// Where documents are looked up.
pub(super) enum Documents {
    Given {
        corpus: Corpus,
        file: String,
    },
    Made {
        texts: TextPool,
        /// Documents with ids of their own.
        declared: HashMap<String, Declared>,
        /// The first of them with each text.
        by_text: HashMap<String, DocId>,
    },
}

pub(super) struct Declared {
    title: String,
    text: String,
    line: u64,
}

impl Documents {
    /// Takes note of all documents that have both an id and a text.
    pub fn of_texts(
        lines: &Lines<impl BufRead>,
        entries: &[Entry],
        fault: Fault<'_>,
    ) -> Result<Self, DataError> {
        let mut declared: HashMap<String, Declared> = HashMap::new();
        let (mut texts, mut by_text) = (TextPool::default(), HashMap::new());
        for Entry { line, relevant, candidates, .. } in entries {
            for item in relevant.iter().chain(candidates.iter().flatten()) {
                let Item::Object(Object { id: Some(id), text: Some(text), title, .. }) = item
                else {
                    continue;
                };
                match declared.get(id) {
                    Some(first) if first.title == *title && first.text == *text => {}
                    Some(Declared { line: first, .. }) => {
                        let defect = Defect::OtherText { id: id.clone(), first: *first };
                        fault(lines.at(*line).fail(defect))?;
                    }
                    None => {
                        let (title, text, line) = (title.clone(), text.clone(), *line);
                        let document = DocId::from(id.as_str());
                        by_text.entry(text.clone()).or_insert_with(|| document.clone());
                        let (id, title_, text_) = (id.clone(), title.clone(), text.clone());
                        texts.declare(Document { id: document, title, text });
                        declared.insert(id, Declared { title: title_, text: text_, line });
                    }
                }
            }
        }
        Ok(Self::Made { texts, declared, by_text })
    }

    /// The document that an item names, `place` counted from 0.
    pub fn find(
        &mut self,
        line: &Line<'_>,
        field: &'static str,
        place: usize,
        item: Item,
    ) -> Result<DocId, DataError> {
        match (self, item) {
            (Self::Given { corpus, file }, item) => {
                let id = match item {
                    Item::Text(id) | Item::Object(Object { id: Some(id), .. }) => id,
                    Item::Object(_) => {
                        let lacks = "has no 'id', which says which document of the corpus it is; \
                                     add it, or leave out the corpus";
                        return Err(line.fail(Defect::Item { field, item: place + 1, lacks }));
                    }
                };
                match corpus.get(&DocId::from(id.as_str())) {
                    Some(document) => Ok(document.id.clone()),
                    None => {
                        let id = crate::error::shortened(&id);
                        let (what, file) = ("document", file.clone());
                        Err(line.fail(Defect::Unknown { what, id, file }))
                    }
                }
            }
            (Self::Made { declared, .. }, Item::Object(Object { id: Some(id), .. })) => {
                match declared.contains_key(&id) {
                    true => Ok(id.into()),
                    false => Err(line.fail(Defect::NoText { field, id })),
                }
            }
            (Self::Made { texts, declared, by_text }, Item::Text(text)) => {
                Ok(match by_text.get(&text) {
                    _ if declared.contains_key(&text) => text.into(),
                    Some(id) => id.clone(),
                    None => texts.add(String::new(), text),
                })
            }
            (Self::Made { texts, .. }, Item::Object(Object { title, text, .. })) => {
                Ok(texts.add(title, text.unwrap_or_default()))
            }
        }
    }

    /// A query's candidates.
    pub fn rank(
        &mut self,
        line: &Line<'_>,
        query: &QueryId,
        items: Vec<Item>,
    ) -> Result<Ranking, DataError> {
        let mut found: Vec<(DocId, Option<f64>)> = Vec::with_capacity(items.len());
        let mut places = BTreeMap::new();
        for (place, item) in items.into_iter().enumerate() {
            let score = match &item {
                Item::Object(object) => object.score,
                Item::Text(_) => None,
            };
            let document = self.find(line, CANDIDATES, place, item)?;
            if places.insert(document.clone(), place).is_some() {
                return Err(line.fail(Defect::RankedTwice {
                    query: query.to_string(),
                    document: document.to_string(),
                    first: line.number,
                }));
            }
            let unscored_above = matches!(found.last(), Some((_, None)));
            if score.is_some() && unscored_above {
                let id = document.to_string();
                return Err(line.fail(Defect::ScoredBelowUnscored { id }));
            }
            found.push((document, score));
        }
        let ranking = match found.first() {
            Some((_, Some(_))) => {
                let scored = found.iter().filter_map(|(id, score)| Some((id.clone(), (*score)?)));
                let unscored = found.iter().filter(|(_, score)| score.is_none());
                Ranking::with_unscored(scored, unscored.map(|(id, _)| id.clone()))
            }
            _ => texts::in_order(found.into_iter().map(|(id, _)| id).collect()),
        };
        let (file, query) = (line.file().to_owned(), query.to_string());
        ranking.map_err(|source| DataError::Ranking { file, query, source })
    }

    pub fn into_corpus(self, file: &str) -> Result<Corpus, DataError> {
        match self {
            Self::Given { corpus, .. } => Ok(corpus),
            Self::Made { texts, .. } => corpus_of(texts.into_documents(), file),
        }
    }
}
