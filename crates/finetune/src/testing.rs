//! A made-up set and a learner small enough to be checked by hand.

use std::path::Path;

use secondpass_core::{ContentHash, Corpus, Document, Query, TruncationAudit};
use secondpass_evaluation::training::{TRAINING_SCHEMA, TrainingIdentity, TrainingRecord};
use secondpass_text::{
    Derivatives, Learner, PairTokenizer, Rates, ScoreError, Scorer, StepReport, TokenBatch,
    TrainError, Truncation, train_unigram,
};

pub(crate) fn query(id: &str, text: &str) -> Query {
    Query { id: id.into(), text: text.to_owned(), attributes: Default::default() }
}

pub(crate) fn corpus(texts: &[(&str, &str)]) -> Corpus {
    let document = |&(id, text): &(&str, &str)| Document {
        id: id.into(),
        title: String::new(),
        text: text.to_owned(),
    };
    Corpus::new(texts.iter().map(document).collect()).unwrap()
}

pub(crate) fn tokenizer(texts: &[&str], max_length: usize) -> PairTokenizer {
    let texts = texts.iter().map(|&text| text.to_owned());
    let bytes = train_unigram(texts, 200).unwrap();
    PairTokenizer::from_bytes(&bytes, "test", max_length, Truncation::LongestFirst).unwrap()
}

/// A record before its first step.
pub(crate) fn record(of: usize) -> TrainingRecord {
    let hash = ContentHash::of(b"toy");
    TrainingRecord {
        schema: TRAINING_SCHEMA,
        name: "toy".to_owned(),
        seed: 1,
        identity: TrainingIdentity {
            recipe: hash.clone(),
            data: hash.clone(),
            dev: hash.clone(),
            dev_candidates: hash.clone(),
            weights: hash.clone(),
            tokenizer: hash,
            device: "toy".to_owned(),
        },
        loss: "toy".to_owned(),
        dev_queries: 1,
        measure: "RR".to_owned(),
        of,
        stopped: false,
        ended_early: false,
        groups: 0,
        tokens: 0,
        seconds: 0.0,
        steps: Vec::new(),
        evaluations: Vec::new(),
        best: None,
        warnings: Vec::new(),
        truncation: TruncationAudit::default(),
        dev_truncation: TruncationAudit::default(),
        tested: Vec::new(),
    }
}

/// Scores a pair by the weights of what query and document share. Plain gradient descent.
#[derive(Default)]
pub(crate) struct Toy {
    pub weights: Vec<f32>,
    gradient: Vec<f32>,
    steps: usize,
    /// Sequences and seed of every micro-batch, step by step.
    pub batches: Vec<Vec<(usize, u64)>>,
    /// Gives a NaN loss at this step, from 0.
    pub nan_at: Option<usize>,
    /// Turns all weights around after this many steps.
    pub spoilt_after: Option<usize>,
    /// Never learns.
    pub is_dull: bool,
    /// Cannot save.
    pub disk_is_full: bool,
    /// Cannot keep states.
    pub forgets: bool,
    /// The device is lost at this step, from 0.
    pub fails_at: Option<usize>,
    /// The most sequences that fit into memory.
    pub room: Option<usize>,
}

impl Toy {
    pub(crate) fn new(weights: usize) -> Self {
        let weights = vec![0.0; weights];
        Self { gradient: weights.clone(), weights, batches: vec![Vec::new()], ..Self::default() }
    }

    fn logit(&self, ids: &[u32]) -> f32 {
        self.shared(ids).iter().map(|&place| self.weights[place]).sum()
    }

    /// The weights of what stands on both sides of the first `</s>`: tokens and pairs of
    /// neighbours, each once.
    fn shared(&self, ids: &[u32]) -> Vec<usize> {
        let places = |ids: &[u32]| -> Vec<usize> {
            let alone = ids.iter().map(|&id| id as usize);
            let pairs = ids.windows(2).map(|pair| pair[0] as usize * 31 + pair[1] as usize * 7 + 1);
            let mut places: Vec<usize> =
                alone.chain(pairs).map(|place| place % self.weights.len()).collect();
            places.sort_unstable();
            places.dedup();
            places
        };
        let middle = ids.iter().position(|&id| id == 2).unwrap();
        let document = places(&ids[middle..]);
        let mut shared = places(&ids[..middle]);
        shared.retain(|place| document.contains(place));
        shared
    }
}

impl Scorer for Toy {
    fn score(&self, batches: &[TokenBatch]) -> Result<Vec<f32>, ScoreError> {
        Ok(batches.iter().flat_map(TokenBatch::sequences).map(|(ids, _)| self.logit(ids)).collect())
    }
}

impl Learner for Toy {
    fn accumulate(
        &mut self,
        batch: &TokenBatch,
        seed: u64,
        derivatives: &mut Derivatives<'_>,
    ) -> Result<(), TrainError> {
        if self.room.is_some_and(|room| batch.len() > room) {
            return Err(TrainError::OutOfMemory(format!("{} sequences", batch.len())));
        }
        if self.fails_at == Some(self.steps) {
            return Err(ScoreError::Device("lost".to_owned()).into());
        }
        self.batches.last_mut().unwrap().push((batch.len(), seed));
        let mut logits = self.score(std::slice::from_ref(batch))?;
        if self.nan_at == Some(self.steps) {
            logits.fill(f32::NAN);
        }
        let derivatives = derivatives(&logits)?;
        for ((ids, _), derivative) in batch.sequences().zip(derivatives) {
            for id in self.shared(ids) {
                self.gradient[id] += derivative;
            }
        }
        Ok(())
    }

    fn apply(&mut self, rates: &Rates) -> Result<StepReport, TrainError> {
        let mut norm = 0.0;
        for (weight, gradient) in self.weights.iter_mut().zip(&mut self.gradient) {
            let gradient = std::mem::take(gradient);
            norm += f64::from(gradient * gradient);
            if !self.is_dull {
                *weight -= rates.learning_rate as f32 * gradient;
            }
        }
        self.steps += 1;
        self.batches.push(Vec::new());
        if self.spoilt_after == Some(self.steps) {
            self.weights.iter_mut().for_each(|weight| *weight = -*weight);
        }
        Ok(StepReport { gradient_norm: norm.sqrt() })
    }

    fn save(&self, folder: &Path, half: bool) -> Result<(), TrainError> {
        let _ = half;
        if self.disk_is_full {
            return Err(TrainError::Save("no space left".to_owned()));
        }
        let config = format!("{{\"weights\":{}}}", self.weights.len());
        std::fs::write(folder.join("config.json"), config).unwrap();
        std::fs::write(folder.join("model.safetensors"), self.steps.to_string()).unwrap();
        Ok(())
    }

    fn save_state(&self, folder: &Path) -> Result<(), TrainError> {
        if self.forgets {
            return Err(TrainError::State("this learner keeps none".to_owned()));
        }
        let state = serde_json::to_vec(&(&self.weights, self.steps)).unwrap();
        std::fs::write(folder.join("state.json"), state).unwrap();
        match self.disk_is_full {
            true => Err(TrainError::Save("no space left".to_owned())),
            false => Ok(()),
        }
    }

    fn load_state(&mut self, folder: &Path) -> Result<(), TrainError> {
        let damaged = |error: &dyn std::fmt::Display| TrainError::State(error.to_string());
        let state = std::fs::read(folder.join("state.json")).map_err(|e| damaged(&e))?;
        (self.weights, self.steps) = serde_json::from_slice(&state).map_err(|e| damaged(&e))?;
        Ok(())
    }
}
