use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use secondpass_core::Context;

use crate::{EmbedError, Side, TextEmbedder, VectorCache, VectorCacheError, VectorKey};

/// An embedder that asks another one only for what a [`VectorCache`] does not hold, and keeps what it
/// gets: a run that was killed goes on where it was.
///
/// Texts are taken in chunks of fixed places in the list, and each chunk is written before the next
/// begins: an interrupted run hands the model the same chunks as one that was not, and ends with the
/// same vectors, bit for bit, if the model gives equal vectors for equal batches.
pub struct CachedEmbedder {
    inner: Box<dyn TextEmbedder>,
    cache: VectorCache,
    chunk: usize,
    reused: AtomicUsize,
    embedded: AtomicUsize,
}

impl CachedEmbedder {
    /// Puts the cache in `folder` before `inner`.
    ///
    /// # Errors
    /// A cache that cannot be opened.
    pub fn new(inner: Box<dyn TextEmbedder>, folder: &Path) -> Result<Self, VectorCacheError> {
        let cache = VectorCache::open(folder, inner.identity())?;
        let (reused, embedded) = Default::default();
        Ok(Self { inner, cache, chunk: CHUNK, reused, embedded })
    }

    /// How many texts are embedded between two writes, 512 unless told otherwise: at most so many
    /// are lost by a kill. For an endpoint that is paid by use, give what is in flight at once.
    #[must_use]
    pub fn with_chunk(mut self, texts: usize) -> Self {
        self.chunk = texts.max(1);
        self
    }

    /// The cache.
    pub fn cache(&self) -> &VectorCache {
        &self.cache
    }

    /// How many texts were found in the cache so far.
    pub fn reused(&self) -> usize {
        self.reused.load(Ordering::Relaxed)
    }

    /// How many texts the model was asked for so far; a text that stands twice in a chunk counts
    /// once.
    pub fn embedded(&self) -> usize {
        self.embedded.load(Ordering::Relaxed)
    }

    fn chunk(
        &self,
        side: Side,
        texts: &[&str],
        context: &Context,
        vectors: &mut Vec<Vec<f32>>,
    ) -> Result<(), EmbedError> {
        let keys: Vec<VectorKey> = texts.iter().map(|text| VectorKey::of(side, text)).collect();
        let held = self.cache.holds(&keys);
        let mut asked = HashSet::new();
        let missing: Vec<usize> =
            (0..texts.len()).filter(|&at| !held[at] && asked.insert(keys[at])).collect();
        let mut fresh: HashMap<VectorKey, Vec<f32>> = HashMap::new();
        if !missing.is_empty() {
            let wanted: Vec<&str> = missing.iter().map(|&at| texts[at]).collect();
            let given = self.inner.embed(side, &wanted, context)?;
            if given.len() != wanted.len() {
                return Err(EmbedError::Count { expected: wanted.len(), found: given.len() });
            }
            if given.iter().flatten().any(|x| !x.is_finite()) {
                return Err(EmbedError::NotFinite);
            }
            let added: Vec<(VectorKey, &[f32])> =
                missing.iter().zip(&given).map(|(&at, vector)| (keys[at], &vector[..])).collect();
            self.cache.add(&added)?;
            fresh.extend(missing.iter().map(|&at| keys[at]).zip(given));
        }
        self.embedded.fetch_add(missing.len(), Ordering::Relaxed);
        for (key, held) in keys.iter().zip(held) {
            let vector = match held {
                true => self.cache.get(key)?,
                false => fresh.get(key).cloned(),
            };
            self.reused.fetch_add(usize::from(held), Ordering::Relaxed);
            vectors.push(vector.ok_or(EmbedError::Count { expected: texts.len(), found: 0 })?);
        }
        Ok(())
    }
}

impl TextEmbedder for CachedEmbedder {
    fn identity(&self) -> &str {
        self.inner.identity()
    }

    fn embed(
        &self,
        side: Side,
        texts: &[&str],
        context: &Context,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut vectors = Vec::with_capacity(texts.len());
        for chunk in texts.chunks(self.chunk) {
            if context.is_over() {
                return Err(EmbedError::Stopped);
            }
            self.chunk(side, chunk, context, &mut vectors)?;
        }
        Ok(vectors)
    }
}

const CHUNK: usize = 512;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Notes every call, and is killed at one of them.
    #[derive(Clone, Default)]
    struct Noted {
        calls: Arc<Mutex<Vec<Vec<String>>>>,
        dies_at: Option<usize>,
    }

    impl TextEmbedder for Noted {
        fn identity(&self) -> &str {
            "noted"
        }

        fn embed(
            &self,
            side: Side,
            texts: &[&str],
            _: &Context,
        ) -> Result<Vec<Vec<f32>>, EmbedError> {
            let mut calls = self.calls.lock().unwrap();
            if Some(calls.len()) == self.dies_at {
                return Err(EmbedError::model("killed"));
            }
            calls.push(texts.iter().map(|text| (*text).to_owned()).collect());
            let side = f32::from(side == Side::Query);
            Ok(texts.iter().map(|text| vec![text.len() as f32, side]).collect())
        }
    }

    fn cached(noted: &Noted, folder: &Path) -> CachedEmbedder {
        CachedEmbedder::new(Box::new(noted.clone()), folder).unwrap().with_chunk(2)
    }

    const TEXTS: [&str; 5] = ["a", "bb", "ccc", "dddd", "eeeee"];

    #[test]
    fn a_killed_run_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let embed = |noted: &Noted, folder: &Path| {
            cached(noted, folder).embed(Side::Document, &TEXTS, &Context::default())
        };
        let killed = Noted { dies_at: Some(2), ..Default::default() };
        embed(&killed, folder.path()).unwrap_err();
        let resumed = Noted::default();
        let vectors = embed(&resumed, folder.path()).unwrap();
        assert_eq!(*resumed.calls.lock().unwrap(), [["eeeee"]]);
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(embed(&Noted::default(), elsewhere.path()).unwrap(), vectors);
    }

    #[test]
    fn a_text_is_asked_for_once_a_side() {
        let folder = tempfile::tempdir().unwrap();
        let noted = Noted::default();
        let embedder = cached(&noted, folder.path()).with_chunk(8);
        let context = Context::default();
        let twice = embedder.embed(Side::Query, &["a", "bb", "a"], &context).unwrap();
        assert_eq!(twice, [[1.0, 1.0], [2.0, 1.0], [1.0, 1.0]]);
        embedder.embed(Side::Query, &["bb", "a"], &context).unwrap();
        let document = embedder.embed(Side::Document, &["a"], &context).unwrap();
        assert_eq!(document, [[1.0, 0.0]]);
        assert_eq!(*noted.calls.lock().unwrap(), [vec!["a", "bb"], vec!["a"]]);
        assert_eq!((embedder.reused(), embedder.embedded()), (2, 3));
    }

    #[test]
    fn who_asks_it_to_stop_is_heard_between_chunks() {
        let folder = tempfile::tempdir().unwrap();
        let context = Context { deadline: Some(std::time::Instant::now()), ..Default::default() };
        let embedder = cached(&Noted::default(), folder.path());
        let error = embedder.embed(Side::Query, &TEXTS, &context).unwrap_err();
        assert!(matches!(error, EmbedError::Stopped));
    }
}
