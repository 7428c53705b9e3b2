use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use secondpass_core::{
    Context, Corpus, DocId, Document, FirstStage, FirstStageError, Query, QueryId, Ranking, Run,
};

use crate::best::Best;
use crate::{EmbedError, Side, TextEmbedder};

/// Exact search by inner product over the vectors of a corpus, in memory as `f32`: four bytes a
/// number (200,000 documents of 384 numbers take 307 MB). Every document is a candidate for every
/// query, and none is missed, as approximate indexes do.
///
/// Products are summed in 32-bit floats in a fixed order: equal vectors give equal runs, whatever the
/// number of cores.
pub struct Dense {
    embedder: Arc<dyn TextEmbedder>,
    documents: Vec<DocId>,
    dimensions: usize,
    /// Row by row.
    vectors: Vec<f32>,
    context: Context,
}

/// Why a corpus could not be made searchable by vectors.
#[derive(Debug, thiserror::Error)]
pub enum DenseError {
    /// A document did not become a vector.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// More documents than the search can number.
    #[error(
        "the corpus has {0} documents and the exact search holds {max} at most; retrieve with \
         another system and give its run as candidates",
        max = u32::MAX
    )]
    TooManyDocuments(usize),
    /// The vectors do not fit.
    #[error(
        "{documents} vectors of {dimensions} numbers do not fit into memory; retrieve with another \
         system and give its run as candidates"
    )]
    Memory {
        /// How many documents there are.
        documents: usize,
        /// Numbers in a vector.
        dimensions: usize,
    },
}

impl Dense {
    /// Embeds title and text of every document. `progress` is told how many are done, of how many.
    /// `context` bounds this and every later search.
    ///
    /// # Errors
    /// A failing or stopped embedder, vectors that do not fit together or into memory.
    pub fn new(
        corpus: &Corpus,
        embedder: Arc<dyn TextEmbedder>,
        context: &Context,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, DenseError> {
        let documents = corpus.documents();
        let count = documents.len();
        u32::try_from(count).map_err(|_| DenseError::TooManyDocuments(count))?;
        let mut vectors = Vec::new();
        let mut dimensions = None;
        for (at, block) in documents.chunks(EMBEDDED_AT_ONCE).enumerate() {
            let passages: Vec<String> = block.iter().map(Document::passage).collect();
            let texts: Vec<&str> = passages.iter().map(String::as_str).collect();
            for vector in embed(&*embedder, Side::Document, &texts, &mut dimensions, context)? {
                if vectors.is_empty() {
                    let dimensions = vector.len();
                    let memory = DenseError::Memory { documents: count, dimensions };
                    let Some(numbers) = count.checked_mul(dimensions) else { return Err(memory) };
                    vectors.try_reserve_exact(numbers).map_err(|_| memory)?;
                }
                vectors.extend_from_slice(&vector);
            }
            progress((at * EMBEDDED_AT_ONCE + block.len()).min(count), count);
        }
        let documents = documents.iter().map(|document| document.id.clone()).collect();
        let dimensions = dimensions.unwrap_or(0);
        Ok(Self { embedder, documents, dimensions, vectors, context: context.clone() })
    }

    /// Numbers in a vector; 0 without documents.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The rankings of queries that pass over the documents together. `None` when stopped.
    fn search(
        &self,
        queries: &[(&Query, Vec<f32>)],
        depth: usize,
    ) -> Option<Result<Vec<(QueryId, Ranking)>, FirstStageError>> {
        let mut best: Vec<Best> = queries.iter().map(|_| Best::new(depth)).collect();
        let rows = SCORED_AT_ONCE * self.dimensions;
        for (at, block) in self.vectors.chunks(rows.max(1)).enumerate() {
            if self.context.is_over() {
                return None;
            }
            for ((_, query), best) in queries.iter().zip(&mut best) {
                for (document, vector) in (0..).zip(block.chunks_exact(self.dimensions)) {
                    let document = (at * SCORED_AT_ONCE) as u32 + document;
                    best.push(document, f64::from(dot(query, vector)));
                }
            }
        }
        let ranking = |((query, _), best): (&(&Query, _), &mut Best)| {
            let found = best.take().into_iter();
            let found = found.map(|(at, score)| (self.documents[at as usize].clone(), score));
            match Ranking::from_scores(found) {
                Ok(ranking) => Ok((query.id.clone(), ranking.cut(depth))),
                Err(source) => Err(FirstStageError::Ranking { query: query.id.clone(), source }),
            }
        };
        Some(queries.iter().zip(&mut best).map(ranking).collect())
    }
}

impl FirstStage for Dense {
    fn describe(&self) -> String {
        format!("dense {} exact inner product title+text", self.embedder.identity())
    }

    fn retrieve(&self, queries: &[Query], depth: usize) -> Result<Run, FirstStageError> {
        let mut dimensions = (!self.documents.is_empty()).then_some(self.dimensions);
        let mut vectors = Vec::with_capacity(queries.len());
        for block in queries.chunks(EMBEDDED_AT_ONCE) {
            let texts: Vec<&str> = block.iter().map(|query| query.text.as_str()).collect();
            let embedder = &*self.embedder;
            let given = embed(embedder, Side::Query, &texts, &mut dimensions, &self.context);
            vectors.extend(given.map_err(|error| match error {
                EmbedError::Stopped => FirstStageError::Stopped,
                error => FirstStageError::Failed { source: error.into() },
            })?);
        }
        let queries: Vec<(&Query, Vec<f32>)> = queries.iter().zip(vectors).collect();
        let together =
            queries.len().div_ceil(rayon::current_num_threads()).clamp(1, QUERIES_AT_ONCE);
        let found: Vec<_> =
            queries.par_chunks(together).map(|block| self.search(block, depth)).collect();
        let mut rankings = BTreeMap::new();
        for block in found {
            rankings.extend(block.ok_or(FirstStageError::Stopped)??);
        }
        Ok(Run { name: "dense".into(), rankings })
    }
}

/// Documents or queries embedded in one call.
const EMBEDDED_AT_ONCE: usize = 512;

/// Documents and queries that meet in one pass: both blocks stay in a core's cache.
const SCORED_AT_ONCE: usize = 128;
const QUERIES_AT_ONCE: usize = 64;

/// Embeds and holds the embedder to what it promises; `dimensions` is learned from the first vector.
fn embed(
    embedder: &dyn TextEmbedder,
    side: Side,
    texts: &[&str],
    dimensions: &mut Option<usize>,
    context: &Context,
) -> Result<Vec<Vec<f32>>, EmbedError> {
    let vectors = embedder.embed(side, texts, context)?;
    if vectors.len() != texts.len() {
        return Err(EmbedError::Count { expected: texts.len(), found: vectors.len() });
    }
    for vector in &vectors {
        let (expected, found) = (*dimensions.get_or_insert(vector.len()), vector.len());
        if found != expected || found == 0 {
            return Err(EmbedError::Dimensions { expected: expected.max(1), found });
        }
        if vector.iter().any(|x| !x.is_finite()) {
            return Err(EmbedError::NotFinite);
        }
    }
    Ok(vectors)
}

/// Lanes that do not wait for one another, so that the compiler makes vector instructions of them.
const LANES: usize = 16;

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secondpass_core::Cancel;

    use super::*;
    use crate::normalise;

    /// Reads a text as the numbers of its vector.
    struct Written;

    impl TextEmbedder for Written {
        fn identity(&self) -> &str {
            "written"
        }

        fn embed(
            &self,
            _: Side,
            texts: &[&str],
            context: &Context,
        ) -> Result<Vec<Vec<f32>>, EmbedError> {
            if context.is_over() {
                return Err(EmbedError::Stopped);
            }
            let number = |word: &str| word.parse::<f32>().map_err(EmbedError::model);
            texts.iter().map(|text| text.split_whitespace().map(number).collect()).collect()
        }
    }

    fn dense(texts: &[String], context: &Context) -> Result<Dense, DenseError> {
        let document = |(at, text): (usize, &String)| Document {
            id: format!("d{at}").into(),
            title: String::new(),
            text: text.clone(),
        };
        let corpus = Corpus::new(texts.iter().enumerate().map(document).collect()).unwrap();
        Dense::new(&corpus, Arc::new(Written), context, &mut |_, _| {})
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn query(id: usize, text: &str) -> Query {
        Query { id: format!("q{id}").into(), text: text.into(), attributes: Default::default() }
    }

    #[test]
    fn the_largest_product_comes_first_and_ties_go_to_the_ranking() {
        let dense = dense(&texts(&["1 0", "0 1", "0.6 0.8", "0 1"]), &Context::default()).unwrap();
        let run = dense.retrieve(&[query(0, "0 1"), query(1, "1 0")], 2).unwrap();
        let ids = |at: &str| run.rankings[at].documents().map(DocId::as_str).collect::<Vec<_>>();
        assert_eq!(ids("q0"), ["d3", "d1"]);
        assert_eq!(ids("q1"), ["d0", "d2"]);
        assert_eq!(dense.describe(), "dense written exact inner product title+text");
        assert!(dense.retrieve(&[query(0, "1 1")], 0).unwrap().rankings["q0"].is_empty());
    }

    #[test]
    fn progress_ends_at_the_whole() {
        let count = EMBEDDED_AT_ONCE + 1;
        let document = |at: usize| Document {
            id: at.to_string().into(),
            title: "1".into(),
            text: at.to_string(),
        };
        let corpus = Corpus::new((0..count).map(document).collect()).unwrap();
        let mut told = Vec::new();
        let mut progress = |done, all| told.push((done, all));
        Dense::new(&corpus, Arc::new(Written), &Context::default(), &mut progress).unwrap();
        assert_eq!(told, [(EMBEDDED_AT_ONCE, count), (count, count)]);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let context = Context::default();
        let error = dense(&texts(&["1 0", "1"]), &context).err().unwrap();
        let dimensions = EmbedError::Dimensions { expected: 2, found: 1 };
        assert_eq!(error.to_string(), dimensions.to_string());
        let error = dense(&texts(&["1 inf"]), &context).err().unwrap();
        assert!(matches!(error, DenseError::Embed(EmbedError::NotFinite)));
        assert!(dense(&texts(&[""]), &context).is_err());
        let searched = dense(&texts(&["1 0"]), &context).unwrap();
        let error = searched.retrieve(&[query(0, "1")], 1).unwrap_err();
        assert!(error.to_string().contains("2 were expected"), "{error}");
        let error = searched.retrieve(&[query(0, "x")], 1).unwrap_err();
        assert!(matches!(error, FirstStageError::Failed { .. }));
        // The largest floats overflow to infinities whose sum is none.
        let largest = format!("{0} -{0}", f32::MAX);
        let overflow = dense(&texts(&[&largest.replace('-', "")]), &context).unwrap();
        let error = overflow.retrieve(&[query(0, &largest)], 1).unwrap_err();
        assert!(matches!(error, FirstStageError::Ranking { .. }), "{error}");
    }

    #[test]
    fn an_empty_corpus_finds_nothing() {
        let dense = dense(&[], &Context::default()).unwrap();
        assert!(dense.retrieve(&[query(0, "1 0")], 5).unwrap().rankings["q0"].is_empty());
    }

    #[test]
    fn who_asks_it_to_stop_is_heard() {
        let cancel = Cancel::default();
        let context = Context { cancel: cancel.clone(), ..Default::default() };
        let dense = dense(&texts(&["1 0"]), &context).unwrap();
        cancel.set();
        let error = dense.retrieve(&[query(0, "1 0")], 1).unwrap_err();
        assert!(matches!(error, FirstStageError::Stopped));
    }

    fn vector(dimensions: usize) -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-1.0_f32..1.0, dimensions).prop_map(|mut vector| {
            normalise(&mut vector).unwrap();
            vector
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_document_is_scored_by_its_product(
            (documents, queries) in (1_usize..40).prop_flat_map(|dimensions| (
                prop::collection::vec(vector(dimensions), 1..300),
                prop::collection::vec(vector(dimensions), 1..9),
            )),
            depth in 1_usize..400,
        ) {
            let write = |vector: &Vec<f32>| {
                vector.iter().map(f32::to_string).collect::<Vec<_>>().join(" ")
            };
            let dense = dense(&documents.iter().map(write).collect::<Vec<_>>(), &Context::default());
            let asked: Vec<Query> =
                queries.iter().enumerate().map(|(at, vector)| query(at, &write(vector))).collect();
            let run = dense.unwrap().retrieve(&asked, depth).unwrap();
            for (query, asked) in queries.iter().zip(&asked) {
                let product = |document: &Vec<f32>| -> f64 {
                    document.iter().zip(query).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
                };
                let places = run.rankings[&asked.id].ranked();
                prop_assert_eq!(places.len(), depth.min(documents.len()));
                let mut left: Vec<f64> = documents.iter().map(product).collect();
                for place in places {
                    let at: usize = place.document.as_str()[1..].parse().unwrap();
                    prop_assert!((place.score.unwrap() - left[at]).abs() < 1e-5);
                    left[at] = f64::NEG_INFINITY;
                }
                let worst = places.last().unwrap().score.unwrap();
                prop_assert!(left.iter().all(|&score| score <= worst + 1e-5));
            }
        }
    }
}
