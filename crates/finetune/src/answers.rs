use std::collections::{HashMap, HashSet};

use secondpass_core::{ContentHash, Corpus, Dataset, DocId, Document, Query, QueryId};
use secondpass_data::normalized;

/// What answers each query: what is relevant to it or to another query of the same text (a set may
/// ask the same twice and judge it apart), and what says the same as that. Texts are the same but for
/// case, punctuation and blanks.
#[derive(Debug, Default)]
pub(crate) struct Answers<'a> {
    places: HashMap<&'a QueryId, usize>,
    found: Vec<Found<'a>>,
}

#[derive(Debug, Default)]
struct Found<'a> {
    ids: HashSet<&'a DocId>,
    texts: HashSet<ContentHash>,
}

impl<'a> Answers<'a> {
    /// Of these queries and what is relevant to each. What is not in the corpus has no text.
    pub fn new(
        queries: impl IntoIterator<Item = &'a Query>,
        corpus: &Corpus,
        relevant: impl Fn(&Query) -> Vec<&'a DocId>,
    ) -> Self {
        let mut answers = Self::default();
        let mut by_text: HashMap<String, usize> = HashMap::new();
        for query in queries {
            let place = *by_text.entry(normalized(&query.text)).or_insert_with(|| {
                answers.found.push(Found::default());
                answers.found.len() - 1
            });
            answers.places.insert(&query.id, place);
            for id in relevant(query) {
                let Found { ids, texts } = &mut answers.found[place];
                if ids.insert(id) {
                    texts.extend(corpus.get(id).map(said));
                }
            }
        }
        answers
    }

    /// Of a set's queries, by its judgements.
    pub fn of(dataset: &'a Dataset) -> Self {
        Self::new(dataset.queries(), dataset.corpus(), |query| {
            let grades = dataset.qrels().of(&query.id).into_iter().flatten();
            grades.filter(|&(_, &grade)| grade > 0).map(|(id, _)| id).collect()
        })
    }

    /// Whether a document is relevant to a query by its id.
    pub fn name(&self, query: &QueryId, document: &DocId) -> bool {
        self.to(query).is_some_and(|found| found.ids.contains(document))
    }

    /// Whether a document says the same as one that is relevant.
    pub fn say(&self, query: &QueryId, document: &Document) -> bool {
        self.to(query).is_some_and(|found| found.texts.contains(&said(document)))
    }

    fn to(&self, query: &QueryId) -> Option<&Found<'a>> {
        self.places.get(query).map(|&place| &self.found[place])
    }
}

fn said(document: &Document) -> ContentHash {
    ContentHash::of(normalized(&document.passage()).as_bytes())
}
