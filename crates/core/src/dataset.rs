use crate::{ContentHash, Corpus, DocId, Hasher, Qrels, Query, QueryId};

/// A corpus, the judged queries of one split, and their judgements.
#[derive(Clone, Debug)]
pub struct Dataset {
    name: String,
    split: String,
    corpus: Corpus,
    queries: Vec<Query>,
    qrels: Qrels,
}

/// Why the parts do not make a dataset.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DatasetError {
    /// No documents.
    #[error("the corpus is empty; nothing can be retrieved or reranked")]
    EmptyCorpus,
    /// No judged queries.
    #[error("split '{split}' judges no query; check the split's name and its judgements file")]
    NoJudgedQueries {
        /// The split that was asked for.
        split: String,
    },
    /// A query's text is empty or blank.
    #[error("query '{0}' has an empty text; remove it or write the text")]
    EmptyQuery(QueryId),
    /// Two queries share an id.
    #[error("query id '{0}' occurs twice; give each query its own id")]
    DuplicateQuery(QueryId),
    /// A judgement names a query that is not there.
    #[error("query '{0}' is judged but is not among the queries; add it or remove its judgements")]
    UnknownQuery(QueryId),
    /// A judgement names a document that is not there.
    #[error(
        "query '{query}' judges document '{document}', which is not in the corpus; add the document \
         or remove the judgement"
    )]
    UnknownDocument {
        /// The judged query.
        query: QueryId,
        /// The missing document.
        document: DocId,
    },
}

impl Dataset {
    /// Checks the parts against each other and keeps the judged queries, in their order.
    ///
    /// # Errors
    /// Empty corpus, no judged query, empty or duplicate queries, judgements that name unknown
    /// queries or documents.
    pub fn new(
        name: impl Into<String>,
        split: impl Into<String>,
        corpus: Corpus,
        queries: Vec<Query>,
        qrels: Qrels,
    ) -> Result<Self, DatasetError> {
        let split = split.into();
        if corpus.is_empty() {
            return Err(DatasetError::EmptyCorpus);
        }
        let mut seen = std::collections::HashSet::with_capacity(queries.len());
        for query in &queries {
            if !seen.insert(&query.id) {
                return Err(DatasetError::DuplicateQuery(query.id.clone()));
            }
            if query.text.trim().is_empty() && qrels.of(&query.id).is_some() {
                return Err(DatasetError::EmptyQuery(query.id.clone()));
            }
        }
        for (query, documents) in qrels.iter() {
            if !seen.contains(query) {
                return Err(DatasetError::UnknownQuery(query.clone()));
            }
            if let Some(document) = documents.keys().find(|id| corpus.get(id).is_none()) {
                return Err(DatasetError::UnknownDocument {
                    query: query.clone(),
                    document: document.clone(),
                });
            }
        }
        let queries: Vec<_> =
            queries.into_iter().filter(|query| qrels.of(&query.id).is_some()).collect();
        if queries.is_empty() {
            return Err(DatasetError::NoJudgedQueries { split });
        }
        Ok(Self { name: name.into(), split, corpus, queries, qrels })
    }

    /// The same set with at most so many of its queries, drawn by the seed and kept in their order.
    /// A query's place in the draw depends on its id and the seed alone, so that a larger sample
    /// holds every smaller one.
    pub fn sampled(mut self, queries: usize, seed: u64) -> Self {
        if queries >= self.queries.len() {
            return self;
        }
        let place = |query: &Query| {
            let mut hasher = Hasher::new();
            hasher.field(seed.to_le_bytes()).field(query.id.as_str());
            hasher.finish()
        };
        let mut places: Vec<ContentHash> = self.queries.iter().map(place).collect();
        let mut sorted = places.clone();
        sorted.sort_unstable();
        sorted.truncate(queries);
        let mut places = places.drain(..);
        self.queries.retain(|_| places.next().is_some_and(|at| sorted.binary_search(&at).is_ok()));
        let mut qrels = Qrels::new();
        for query in &self.queries {
            for (document, &grade) in self.qrels.of(&query.id).into_iter().flatten() {
                qrels.insert(query.id.clone(), document.clone(), grade);
            }
        }
        self.qrels = qrels;
        self
    }

    /// The same set, each of whose queries has one attribute more, unless it has it already.
    pub fn with_attribute(mut self, name: &str, value: impl Fn(&Query) -> String) -> Self {
        for query in &mut self.queries {
            if !query.attributes.contains_key(name) {
                let value = value(query);
                query.attributes.insert(name.to_owned(), value);
            }
        }
        self
    }

    /// The set's name, as configs and reports show it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which split the queries and judgements are.
    pub fn split(&self) -> &str {
        &self.split
    }

    /// The documents.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// The judged queries, in the order they were read.
    pub fn queries(&self) -> &[Query] {
        &self.queries
    }

    /// The judgements of this split.
    pub fn qrels(&self) -> &Qrels {
        &self.qrels
    }

    /// The hash of corpus, judged queries and judgements: part of a result's quality identity.
    pub fn hash(&self) -> ContentHash {
        let mut hasher = Hasher::new();
        hasher.field(self.corpus.hash().as_str()).field(self.qrels.hash().as_str());
        for query in &self.queries {
            hasher.field(query.id.as_str()).field(&query.text);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn parts() -> (Corpus, Vec<Query>, Qrels) {
        let document = Document { id: "d".into(), title: String::new(), text: "text".into() };
        let query = |id: &str, text: &str| Query {
            id: id.into(),
            text: text.into(),
            attributes: Default::default(),
        };
        let mut qrels = Qrels::new();
        qrels.insert("q".into(), "d".into(), 1);
        (Corpus::new(vec![document]).unwrap(), vec![query("q", "why"), query("r", "")], qrels)
    }

    #[test]
    fn keeps_judged_queries_only() {
        let (corpus, queries, qrels) = parts();
        let dataset = Dataset::new("x", "test", corpus, queries, qrels).unwrap();
        assert_eq!(dataset.queries().len(), 1);
    }

    #[test]
    fn an_attribute_that_is_there_stays() {
        let (corpus, mut queries, mut qrels) = parts();
        queries[1].text = "more words".into();
        queries[1].attributes.insert("length".into(), "told".into());
        qrels.insert("r".into(), "d".into(), 1);
        let set = Dataset::new("x", "test", corpus, queries, qrels).unwrap();
        let hash = set.hash();
        let set = set.with_attribute("length", |query| query.text.len().to_string());
        let lengths: Vec<&str> =
            set.queries().iter().map(|query| query.attributes["length"].as_str()).collect();
        assert_eq!(lengths, ["3", "told"]);
        assert_eq!(set.hash(), hash);
    }

    #[test]
    fn a_larger_sample_holds_every_smaller_one() {
        let (corpus, queries, mut qrels) = parts();
        let ids: Vec<String> = (0..20).map(|number| format!("q{number}")).collect();
        let mut more = queries;
        for id in &ids {
            let query = Query { id: id.as_str().into(), ..more[0].clone() };
            qrels.insert(query.id.clone(), "d".into(), 1);
            more.push(query);
        }
        let all = Dataset::new("x", "test", corpus, more, qrels).unwrap();
        let drawn = |queries, seed| -> Vec<String> {
            let sample = all.clone().sampled(queries, seed);
            assert_eq!(sample.qrels().len(), sample.queries().len());
            sample.queries().iter().map(|query| query.id.to_string()).collect()
        };
        let (small, large) = (drawn(5, 0), drawn(12, 0));
        assert_eq!((small.len(), large.len()), (5, 12));
        assert!(small.iter().all(|id| large.contains(id)));
        assert_ne!(small, drawn(5, 1));
        let order = all.queries().iter().map(|query| query.id.to_string());
        assert!(order.filter(|id| large.contains(id)).eq(large.iter().cloned()));
        assert_eq!(drawn(99, 0).len(), all.queries().len());
        assert_ne!(all.clone().sampled(5, 0).hash(), all.hash());
    }

    #[test]
    fn each_defect_is_named() {
        let (corpus, queries, qrels) = parts();
        let new = |corpus: &Corpus, queries: &[Query], qrels: &Qrels| {
            Dataset::new("x", "test", corpus.clone(), queries.to_vec(), qrels.clone()).unwrap_err()
        };
        assert_eq!(new(&Corpus::default(), &queries, &qrels), DatasetError::EmptyCorpus);
        assert_eq!(
            new(&corpus, &queries, &Qrels::new()),
            DatasetError::NoJudgedQueries { split: "test".into() }
        );
        let mut more = qrels.clone();
        more.insert("r".into(), "d".into(), 0);
        assert_eq!(new(&corpus, &queries, &more), DatasetError::EmptyQuery("r".into()));
        assert_eq!(new(&corpus, &[], &qrels), DatasetError::UnknownQuery("q".into()));
        let twice = [queries[0].clone(), queries[0].clone()];
        assert_eq!(new(&corpus, &twice, &qrels), DatasetError::DuplicateQuery("q".into()));
        let mut more = qrels;
        more.insert("q".into(), "e".into(), 0);
        assert_eq!(
            new(&corpus, &queries, &more),
            DatasetError::UnknownDocument { query: "q".into(), document: "e".into() }
        );
    }
}
