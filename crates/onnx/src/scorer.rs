use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ort::session::Session;
use secondpass_text::{ScoreError, Scorer, TokenBatch};

use crate::config::Config;
use crate::inputs::Inputs;
use crate::outputs::Logits;
use crate::runtime::{self, Library};
use crate::{Graph, LoadError};

/// A cross-encoder in an ONNX file, on the CPU. Copies share it, and take turns: one batch at a time
/// has all threads.
///
/// A batch is padded to its longest sequence. Models that quantize activations by what is in the
/// batch are given one sequence at a time, so that a score never depends on its neighbours.
#[derive(Clone, Debug)]
pub struct OnnxModel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    session: Mutex<Session>,
    inputs: Inputs,
    logits: Logits,
    config: Config,
    graph: Graph,
    library: Library,
}

impl OnnxModel {
    /// Loads a model with its `config.json`, to run on so many threads. A process has one runtime: the
    /// library of its first model.
    ///
    /// # Errors
    /// A runtime that does not start; files that are no model; a model with other inputs than a
    /// cross-encoder's, or with more than one value a pair.
    pub fn load(
        library: &Library,
        config: &Path,
        file: &Path,
        threads: NonZeroUsize,
    ) -> Result<Self, LoadError> {
        let config = Config::read(config)?;
        let graph = Graph::read(file)?;
        let (environment, library) = runtime::start(library)?;
        let refused = |reason: String| LoadError::Refused {
            path: file.to_owned(),
            version: library.version.clone(),
            reason,
        };
        let session = Session::builder(&environment)
            .map_err(|error| refused(error.to_string()))?
            .with_intra_threads(threads.get())
            .map_err(|error| refused(error.to_string()))?
            // Plans of memory are kept by shape, and hardly two batches have the same.
            .with_memory_pattern(false)
            .map_err(|error| refused(error.to_string()))?
            .commit_from_file(file)
            .map_err(|error| refused(error.to_string()))?;
        let inputs = Inputs::of(file, session.inputs())?;
        let logits = Logits::of(file, session.outputs())?;
        let session = Mutex::new(session);
        Ok(Self(Arc::new(Inner { session, inputs, logits, config, graph, library })))
    }

    /// The longest sequence that it has positions for.
    pub fn max_length(&self) -> usize {
        self.0.config.max_length()
    }

    /// What its file says of its weights.
    pub fn graph(&self) -> &Graph {
        &self.0.graph
    }

    /// The runtime that runs it.
    pub fn library(&self) -> &Library {
        &self.0.library
    }

    fn score_one(&self, batch: &TokenBatch) -> Result<Vec<f32>, ScoreError> {
        let Inner { session, inputs, logits, config, .. } = &*self.0;
        let filled = inputs.fill(batch, config)?;
        let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(filled).map_err(|error| failed(&error.to_string()))?;
        logits.take(&outputs, batch.len())
    }
}

impl Scorer for OnnxModel {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        let mut scores = Vec::with_capacity(batches.iter().map(TokenBatch::len).sum());
        for batch in batches.iter().filter(|batch| !batch.is_empty()) {
            if self.0.graph.quantizes_batches {
                for alone in batch.split(batch.len()) {
                    scores.extend(self.score_one(&alone)?);
                }
            } else {
                scores.extend(self.score_one(batch)?);
            }
        }
        Ok(scores)
    }

    fn batch_bytes(&self, sequences: usize, longest: usize) -> Option<u64> {
        let at_once = if self.0.graph.quantizes_batches { 1 } else { sequences };
        self.0.config.batch_bytes(at_once, longest)
    }
}

/// Tells a refused allocation, after which a smaller batch may do, from anything else.
fn failed(reason: &str) -> ScoreError {
    let refused = ["Failed to allocate memory", "bad_alloc", "bad allocation"];
    match refused.iter().any(|sign| reason.contains(sign)) {
        true => ScoreError::OutOfMemory(reason.to_owned()),
        false => ScoreError::Device(reason.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_allocation_is_told_from_other_failures() {
        let refused = "Non-zero status code returned while running MatMul node. \
             BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 68719476736";
        assert!(matches!(failed(refused), ScoreError::OutOfMemory(_)));
        assert!(matches!(failed("std::bad_alloc"), ScoreError::OutOfMemory(_)));
        assert!(matches!(failed("Invalid rank for input"), ScoreError::Device(_)));
    }
}
