use std::collections::{BTreeMap, HashMap};

use secondpass_core::{
    Corpus, DocId, FirstStage, FirstStageError, Query, Ranking, RankingError, Run,
};

use crate::{Bm25Parameters, english_terms};

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
    documents: Vec<DocId>,
    /// Of each document, the part of the denominator that does not depend on the term.
    norms: Vec<f64>,
    /// How many documents have terms.
    with_terms: usize,
    terms: HashMap<String, usize>,
    /// Of each term, by document.
    postings: Vec<Vec<Posting>>,
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
}

#[derive(Clone, Copy, Debug)]
struct Posting {
    document: u32,
    occurrences: u32,
}

impl Bm25 {
    /// Indexes title and text of every document.
    ///
    /// # Errors
    /// More than 2^32 - 1 documents.
    pub fn new(corpus: &Corpus, parameters: Bm25Parameters) -> Result<Self, Bm25Error> {
        let documents = corpus.documents();
        let count = u32::try_from(documents.len())
            .map_err(|_| Bm25Error::TooManyDocuments(documents.len()))?;
        let mut terms = HashMap::new();
        let mut postings: Vec<Vec<Posting>> = Vec::new();
        let mut lengths = Vec::with_capacity(documents.len());
        for (document, content) in (0..count).zip(documents) {
            let mut length = 0_u64;
            for term in english_terms(&content.passage()) {
                length += 1;
                let term = *terms.entry(term).or_insert_with(|| {
                    postings.push(Vec::new());
                    postings.len() - 1
                });
                match postings[term].last_mut() {
                    Some(last) if last.document == document => {
                        last.occurrences = last.occurrences.saturating_add(1);
                    }
                    _ => postings[term].push(Posting { document, occurrences: 1 }),
                }
            }
            lengths.push(length);
        }
        let with_terms = lengths.iter().filter(|&&length| length > 0).count();
        let mean = lengths.iter().sum::<u64>() as f64 / with_terms.max(1) as f64;
        let (k1, b) = (parameters.k1(), parameters.b());
        // Without any term the mean is zero, and no norm is ever read.
        let norm = |&length: &u64| k1 * (1.0 - b + b * length as f64 / mean);
        Ok(Self {
            parameters,
            documents: documents.iter().map(|document| document.id.clone()).collect(),
            norms: lengths.iter().map(norm).collect(),
            with_terms,
            terms,
            postings,
        })
    }

    /// The documents that share a term with `query`, best first, `depth` at most.
    fn search(&self, query: &str, depth: usize) -> Result<Ranking, RankingError> {
        let mut scores = vec![0.0; self.documents.len()];
        let mut matched = vec![false; self.documents.len()];
        for (term, repeated) in self.query_terms(query) {
            let postings = &self.postings[term];
            let found = postings.len() as f64;
            let idf = (1.0 + (self.with_terms as f64 - found + 0.5) / (found + 0.5)).ln();
            for posting in postings {
                let document = posting.document as usize;
                let tf = f64::from(posting.occurrences);
                scores[document] += repeated * idf * tf / (tf + self.norms[document]);
                matched[document] = true;
            }
        }
        let mut found: Vec<(usize, f64)> =
            scores.into_iter().enumerate().filter(|&(document, _)| matched[document]).collect();
        keep_best(&mut found, depth);
        let found = found.into_iter().map(|(at, score)| (self.documents[at].clone(), score));
        Ok(Ranking::from_scores(found)?.cut(depth))
    }

    /// The query's known terms in the order of their first occurrence, and how often each occurs.
    fn query_terms(&self, query: &str) -> Vec<(usize, f64)> {
        let mut counted: Vec<(usize, f64)> = Vec::new();
        let mut places = HashMap::new();
        for term in english_terms(query) {
            let Some(&term) = self.terms.get(&term) else { continue };
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
        format!("BM25 k1={k1} b={b} english-porter title+text")
    }

    fn retrieve(&self, queries: &[Query], depth: usize) -> Result<Run, FirstStageError> {
        let ranking = |query: &Query| match self.search(&query.text, depth) {
            Ok(ranking) => Ok((query.id.clone(), ranking)),
            Err(source) => Err(FirstStageError::Ranking { query: query.id.clone(), source }),
        };
        let rankings = queries.iter().map(ranking).collect::<Result<BTreeMap<_, _>, _>>()?;
        Ok(Run { name: "bm25".into(), rankings })
    }
}

/// Drops what cannot be among the first `depth` places, and leaves ties at the edge to `Ranking`,
/// which compares scores as 32-bit floats.
fn keep_best(found: &mut Vec<(usize, f64)>, depth: usize) {
    if depth == 0 || found.len() <= depth {
        return;
    }
    let mut scores: Vec<f32> = found.iter().map(|&(_, score)| score as f32).collect();
    let (_, &mut last, _) = scores.select_nth_unstable_by(depth - 1, |a, b| b.total_cmp(a));
    found.retain(|&(_, score)| score as f32 >= last);
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
