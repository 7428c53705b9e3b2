use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use secondpass_core::{
    Corpus, DocId, FirstStage, FirstStageError, Query, QueryId, Ranking, RankingError, Run,
};

use crate::best::Best;
use crate::{Analyzer, Bm25Parameters};

mod file;
mod index;

pub use file::IndexFileError;
use index::Index;

/// BM25 over a corpus, in memory, scored as Lucene does since version 8:
///
/// `sum over query terms of idf * tf / (tf + k1 * (1 - b + b * length / mean length))`, with
/// `idf = ln(1 + (N - df + 0.5) / (df + 0.5))`; a term that the query repeats counts each time.
/// Lucene has dropped the constant factor `k1 + 1` of the paper (Robertson et al., TREC-3), which
/// changes no order. Documents without terms count neither in `N` nor in the mean length.
///
/// Lucene rounds document lengths to one byte; here they are exact, so that scores of long documents
/// differ from Lucene's a little. Sums run in 64-bit floats in the order of the query's terms: the
/// same corpus and queries give the same run, bit for bit.
#[derive(Clone, Debug)]
pub struct Bm25 {
    parameters: Bm25Parameters,
    analyzer: Analyzer,
    documents: Vec<DocId>,
    index: Index,
    /// Of each document, the part of the denominator that does not depend on the term.
    norms: Vec<f64>,
    /// How many documents have terms.
    with_terms: usize,
}

/// Why a corpus could not be indexed.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Bm25Error {
    /// More documents than the index can number.
    #[error(
        "the corpus has {0} documents and the in-memory index holds {max} at most; retrieve with \
         another system and give its run as candidates",
        max = u32::MAX
    )]
    TooManyDocuments(usize),
    /// More distinct terms than the index can number.
    #[error(
        "the corpus has more than {max} distinct terms; retrieve with another system and give its \
         run as candidates",
        max = u32::MAX
    )]
    TooManyTerms,
}

impl Bm25 {
    /// Indexes title and text of every document in English, on all cores.
    ///
    /// # Errors
    /// More than 2^32 - 1 documents or terms.
    pub fn new(corpus: &Corpus, parameters: Bm25Parameters) -> Result<Self, Bm25Error> {
        Self::with_analyzer(corpus, parameters, Analyzer::English)
    }

    /// Indexes title and text of every document in the analyser's language, on all cores; queries are
    /// read in the same way.
    ///
    /// # Errors
    /// More than 2^32 - 1 documents or terms.
    pub fn with_analyzer(
        corpus: &Corpus,
        parameters: Bm25Parameters,
        analyzer: Analyzer,
    ) -> Result<Self, Bm25Error> {
        let index = Index::build(corpus, analyzer)?;
        Ok(Self::over(index, corpus, parameters, analyzer))
    }

    /// An index that was made of this corpus by this analyser.
    fn over(index: Index, corpus: &Corpus, parameters: Bm25Parameters, analyzer: Analyzer) -> Self {
        let documents = corpus.documents().iter().map(|document| document.id.clone()).collect();
        let with_terms = index.lengths.iter().filter(|&&length| length > 0).count();
        let terms: u64 = index.lengths.iter().copied().map(u64::from).sum();
        let mean = terms as f64 / with_terms.max(1) as f64;
        let (k1, b) = (parameters.k1(), parameters.b());
        // Without any term the mean is zero, and no norm is ever read.
        let norm = |&length: &u32| k1 * (1.0 - b + b * f64::from(length) / mean);
        let norms = index.lengths.iter().map(norm).collect();
        Self { parameters, analyzer, documents, index, norms, with_terms }
    }

    /// The documents that share a term with `query`, best first, `depth` at most.
    fn search(
        &self,
        query: &str,
        depth: usize,
        scores: &mut Scores,
    ) -> Result<Ranking, RankingError> {
        for (term, repeated) in self.query_terms(query) {
            let postings = self.index.of(term);
            let found = postings.len() as f64;
            let idf = (1.0 + (self.with_terms as f64 - found + 0.5) / (found + 0.5)).ln();
            for posting in postings {
                let tf = f64::from(posting.occurrences);
                let norm = self.norms[posting.document as usize];
                scores.add(posting.document, repeated * idf * tf / (tf + norm));
            }
        }
        let mut best = Best::new(depth);
        scores.drain(|document, score| best.push(document, score));
        let found = best.take().into_iter();
        let found = found.map(|(at, score)| (self.documents[at as usize].clone(), score));
        Ok(Ranking::from_scores(found)?.cut(depth))
    }

    /// The query's known terms in the order of their first occurrence, and how often each occurs.
    fn query_terms(&self, query: &str) -> Vec<(u32, f64)> {
        let mut counted: Vec<(u32, f64)> = Vec::new();
        let mut places = HashMap::new();
        for term in self.analyzer.terms(query) {
            let Some(&term) = self.index.terms.get(term.as_str()) else { continue };
            let place = *places.entry(term).or_insert(counted.len());
            match counted.get_mut(place) {
                Some((_, count)) => *count += 1.0,
                None => counted.push((term, 1.0)),
            }
        }
        counted
    }
}

impl FirstStage for Bm25 {
    fn describe(&self) -> String {
        let (k1, b) = (self.parameters.k1(), self.parameters.b());
        format!("BM25 k1={k1} b={b} {} title+text", self.analyzer.describe())
    }

    fn retrieve(&self, queries: &[Query], depth: usize) -> Result<Run, FirstStageError> {
        let ranking = |scores: &mut Scores, query: &Query| {
            let id = || query.id.clone();
            match self.search(&query.text, depth, scores) {
                Ok(ranking) => Ok((id(), ranking)),
                Err(source) => Err(FirstStageError::Ranking { query: id(), source }),
            }
        };
        // Few queries at a time would each clear scores for the whole corpus.
        let scores = || Scores::new(self.documents.len());
        let queries = queries.par_iter().with_min_len(QUERIES_A_BUFFER);
        let found: Vec<Result<(QueryId, Ranking), _>> = queries.map_init(scores, ranking).collect();
        // Of several errors it is always the first query's that is told.
        let rankings = found.into_iter().collect::<Result<BTreeMap<_, _>, _>>()?;
        Ok(Run { name: "bm25".into(), rankings })
    }
}

const QUERIES_A_BUFFER: usize = 16;

/// The scores of a query's documents, in a buffer that serves many queries.
struct Scores {
    scores: Vec<f64>,
    /// Which are not [`UNMATCHED`].
    matched: Vec<u32>,
}

/// No score is below zero.
const UNMATCHED: f64 = -1.0;

impl Scores {
    fn new(documents: usize) -> Self {
        Self { scores: vec![UNMATCHED; documents], matched: Vec::new() }
    }

    fn add(&mut self, document: u32, score: f64) {
        let sum = &mut self.scores[document as usize];
        if *sum < 0.0 {
            *sum = 0.0;
            self.matched.push(document);
        }
        *sum += score;
    }

    /// Gives every matched document, and is empty afterwards.
    fn drain(&mut self, mut give: impl FnMut(u32, f64)) {
        for document in self.matched.drain(..) {
            give(document, std::mem::replace(&mut self.scores[document as usize], UNMATCHED));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secondpass_core::Document;

    use super::*;

    fn corpus(texts: &[&str]) -> Corpus {
        let document = |(at, text): (usize, &&str)| Document {
            id: format!("d{at}").as_str().into(),
            title: String::new(),
            text: (*text).into(),
        };
        Corpus::new(texts.iter().enumerate().map(document).collect()).unwrap()
    }

    fn index(texts: &[&str], k1: f64, b: f64) -> Bm25 {
        Bm25::new(&corpus(texts), Bm25Parameters::new(k1, b).unwrap()).unwrap()
    }

    fn query(text: &str) -> Query {
        Query { id: "q".into(), text: text.into(), attributes: Default::default() }
    }

    fn found(bm25: &Bm25, text: &str, depth: usize) -> Vec<(String, f64)> {
        let run = bm25.retrieve(&[query(text)], depth).unwrap();
        let places = run.rankings["q"].ranked().iter();
        places.map(|place| (place.document.to_string(), place.score.unwrap())).collect()
    }

    #[track_caller]
    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    const TEXTS: [&str; 4] = ["red apple", "red red pear tree", "green plum", "the"];

    #[test]
    fn scores_are_those_of_the_formula() {
        let bm25 = index(&TEXTS, 0.9, 0.4);
        // Three documents have terms, of lengths 2, 4, 2: the mean is 8/3. "red" is in two of them.
        let red = (1.0 + 1.5 / 2.5_f64).ln();
        let pear = (1.0 + 2.5 / 1.5_f64).ln();
        let short = 0.9 * (0.6 + 0.4 * 2.0 / (8.0 / 3.0));
        let long = 0.9 * (0.6 + 0.4 * 4.0 / (8.0 / 3.0));
        let found = found(&bm25, "red pears", 10);
        assert_eq!(found.len(), 2);
        assert_eq!((&*found[0].0, &*found[1].0), ("d1", "d0"));
        assert_close(found[0].1, red * 2.0 / (2.0 + long) + pear / (1.0 + long));
        assert_close(found[1].1, red / (1.0 + short));
    }

    #[test]
    fn a_repeated_query_term_counts_each_time() {
        let bm25 = index(&TEXTS, 0.9, 0.4);
        assert_close(found(&bm25, "plum plums", 1)[0].1, 2.0 * found(&bm25, "plum", 1)[0].1);
    }

    #[test]
    fn titles_are_searched() {
        let document = Document { id: "t".into(), title: "Kiwi".into(), text: "fruit".into() };
        let corpus = Corpus::new(vec![document]).unwrap();
        let bm25 = Bm25::new(&corpus, Bm25Parameters::default()).unwrap();
        assert_eq!(found(&bm25, "kiwi", 1).len(), 1);
    }

    #[test]
    fn without_a_matching_term_nothing_is_found() {
        let bm25 = index(&TEXTS, 0.9, 0.4);
        for text in ["", "the", "zebra", "\u{1f600}"] {
            assert_eq!(found(&bm25, text, 10), [], "{text:?}");
        }
        assert_eq!(found(&bm25, "red", 0), []);
        assert_eq!(found(&index(&[], 0.9, 0.4), "red", 10), []);
        assert_eq!(found(&index(&["the"], 0.9, 0.4), "the", 10), []);
    }

    #[test]
    fn ties_at_the_cut_go_to_the_ranking() {
        let bm25 = index(&["fig", "fig", "fig", "fig fig"], 0.9, 0.0);
        let ids: Vec<_> = found(&bm25, "fig", 3).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["d3", "d2", "d1"]);
    }

    #[test]
    fn two_builds_give_one_run() {
        let queries = [query("red pear apple plum tree")];
        let hash = || index(&TEXTS, 1.2, 0.75).retrieve(&queries, 3).unwrap().hash();
        assert_eq!(hash(), hash());
    }

    #[test]
    fn settings_are_described() {
        let described = index(&TEXTS, 0.9, 0.4).describe();
        assert_eq!(described, "BM25 k1=0.9 b=0.4 english-porter title+text");
    }

    proptest! {
        #[test]
        fn scores_are_finite_and_not_negative(
            texts in prop::collection::vec("[ab é'\u{e000}-\u{1ffff}]{0,12}", 0..6),
            text in "[ab é'\u{e000}-\u{1ffff}]{0,12}",
            k1 in prop_oneof![Just(0.0), Just(f64::MAX), 0.0..3.0],
            b in 0.0..=1.0,
            depth in 0_usize..4,
        ) {
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let found = found(&index(&texts, k1, b), &text, depth);
            prop_assert!(found.len() <= depth);
            prop_assert!(found.iter().all(|(_, score)| score.is_finite() && *score >= 0.0));
        }

        #[test]
        fn a_cut_is_a_prefix_of_the_whole(
            texts in prop::collection::vec("[abc ]{0,8}", 0..12),
            depth in 0_usize..12,
        ) {
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let bm25 = index(&texts, 0.9, 0.4);
            let mut whole = found(&bm25, "b c", 100);
            whole.truncate(depth);
            prop_assert_eq!(found(&bm25, "b c", depth), whole);
        }
    }
}
