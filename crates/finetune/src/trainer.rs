#[cfg(test)]
mod resume_tests;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use secondpass_core::{ContentHash, Context, Hasher, QueryId, TruncationAudit};
use secondpass_evaluation::bench::peak_memory;
use secondpass_evaluation::training::{
    Evaluated, TRAINING_SCHEMA, TrainingIdentity, TrainingRecord, TrainingStep, TrainingWarning,
};
use secondpass_text::{Learner, PairTokenizer, Rates, TrainError};
use serde::Serialize;

use crate::dev::{DevResult, DevSet};
use crate::state::{Kept, States};
use crate::{
    Checkpoint, Dev, FinetuneError, GroupBatch, Head, Length, MicroBatch, ModelSource, Recipe,
    SampledGroup, Sampler, Schedule, TrainingData, check_leak, encode, guards, seeds,
};

/// All that a training run needs but the model.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// How to train.
    pub recipe: &'a Recipe,
    /// What to learn from.
    pub data: TrainingData<'a>,
    /// What to compare checkpoints on.
    pub dev: Dev<'a>,
    /// The model's tokenizer, with the recipe's limit and truncation.
    pub tokenizer: &'a PairTokenizer,
    /// What the learner is at the start.
    pub start: &'a Start,
    /// Where the best weights go.
    pub checkpoint: Checkpoint<'a>,
    /// Whether to forget a run that was stopped, instead of going on with it.
    pub fresh: bool,
}

/// What a learner is before its first step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The hash of its weights; of nothing where the recipe's seed makes them.
    pub weights: ContentHash,
    /// The hash of its tokenizer.
    pub tokenizer: ContentHash,
    /// Where it computes.
    pub device: String,
}

/// What happens while a model is trained.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A run that was stopped goes on.
    Resumed {
        /// Steps made before.
        step: usize,
        /// How many there will be.
        of: usize,
    },
    /// An optimizer step was made.
    Step {
        /// What it did.
        step: TrainingStep,
        /// How many steps there will be.
        of: usize,
        /// How long the rest will take at the pace so far, evaluations included.
        left: Duration,
    },
    /// The dev queries were ranked.
    Evaluated {
        /// Steps made.
        step: usize,
        /// The measure's mean.
        value: f64,
        /// Whether it is the best so far, and was saved.
        best: bool,
    },
    /// Something to look at.
    Warned(TrainingWarning),
    /// The memory that the run will need, in bytes, as far as can be told beforehand.
    Memory(u64),
}

/// Trains a model and saves the weights that rank the dev queries best. The same task, seed and
/// learner give the same losses. When `context` is over it ends before its next step, with what
/// was best so far; the same call then goes on where it was stopped, or where a killed one last kept
/// its state, with the same steps as an uninterrupted one. [`finish`] forgets the states.
///
/// # Errors
/// Data that do not fit together, a training query that stands in dev, a stopped run that was another
/// one, a loss that is not finite or explodes, a model that never tells documents apart, a checkpoint
/// or state that cannot be written. What was saved before the error stays.
pub fn train(
    task: &Task<'_>,
    learner: &mut dyn Learner,
    context: &Context,
    progress: &mut dyn FnMut(Event),
) -> Result<TrainingRecord, FinetuneError> {
    let mut trainer = Trainer::new(task, learner, progress)?;
    let looked = trainer.look()?;
    if let Some(bytes) = trainer.learner.memory(&looked.largest) {
        progress(Event::Memory(bytes));
    }
    let of = trainer.record.of;
    let is_stopped = loop {
        let made = trainer.record.steps.len();
        let is_due = made.is_multiple_of(task.recipe.dev.every) || made == of;
        if is_due && !trainer.is_evaluated() && !trainer.evaluate(context, progress)? {
            break true;
        }
        trainer.record.ended_early = made < of && trainer.is_out_of_patience();
        if made == of || trainer.record.ended_early {
            break false;
        }
        if made > 0 && made.is_multiple_of(task.recipe.keep.every) {
            trainer.keep(progress)?;
        }
        if context.is_over() {
            break true;
        }
        trainer.step(progress)?;
    };
    trainer.record.stopped = is_stopped;
    trainer.keep(progress)?;
    if !is_stopped {
        trainer.tell_if_nothing_was_gained(progress);
    }
    let record = trainer.record;
    match record.best {
        None if !is_stopped => Err(FinetuneError::Collapsed { steps: record.steps.len() }),
        _ => Ok(record),
    }
}

/// Forgets the states of a run whose model is finished: all that comes of it is written.
///
/// # Errors
/// Files that cannot be removed.
pub fn finish(checkpoint: &Checkpoint<'_>) -> Result<(), FinetuneError> {
    let states = States::of(checkpoint.folder, 1);
    let path = states.folder().to_owned();
    states.clear().map_err(|source| FinetuneError::Checkpoint { path, source })
}

/// What a training run would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// Groups there are.
    pub groups: usize,
    /// Optimizer steps.
    pub steps: usize,
    /// Groups a step.
    pub groups_per_step: usize,
    /// Micro-batches that the steps looked at have, a step.
    pub batches_per_step: f64,
    /// Pairs of the steps looked at.
    pub pairs: usize,
    /// Their mean length in tokens.
    pub mean_length: f64,
    /// The length that 19 of 20 of them do not exceed.
    pub length_95: usize,
    /// The longest of them.
    pub longest: usize,
    /// How many of them are cut.
    pub pairs_cut: usize,
    /// Evaluations on dev.
    pub evaluations: usize,
    /// Pairs that each of them scores.
    pub dev_pairs: usize,
    /// The most bytes needed at once; `None` where the learner cannot tell.
    pub memory: Option<u64>,
    /// Seconds for everything, at the pace of one step and one batch of dev pairs that were tried.
    pub seconds: f64,
}

/// Steps that a forecast looks at.
const LOOKED_AT: usize = 10;

/// What [`train`] would do, from its first steps' texts and one step tried for its time. Nothing is
/// written; the learner is of no use afterwards.
///
/// # Errors
/// As [`train`], up to its first step.
pub fn forecast(task: &Task<'_>, learner: &mut dyn Learner) -> Result<Forecast, FinetuneError> {
    let mut trainer = Trainer::assemble(task, learner)?;
    let training = &task.recipe.training;
    let of = trainer.record.of;
    let Looked { steps, mut lengths, batches, largest, pairs_cut } = trainer.look()?;
    let groups = trainer.drawn(0)?;
    let started = Instant::now();
    trainer.accumulate(0, &groups, &mut |_| {})?;
    let step = started.elapsed().as_secs_f64();
    let (dev, share) = trainer.dev.pairs().try_one(&*trainer.learner)?;
    let every = task.recipe.dev.every;
    let evaluations = 1 + of / every + usize::from(!of.is_multiple_of(every));
    lengths.sort_unstable();
    let at = |share: f64| lengths[((lengths.len() as f64 * share) as usize).min(lengths.len() - 1)];
    Ok(Forecast {
        groups: trainer.sampler.len(),
        steps: of,
        groups_per_step: training.groups_per_step,
        batches_per_step: batches as f64 / steps.max(1) as f64,
        pairs: lengths.len(),
        mean_length: lengths.iter().sum::<usize>() as f64 / lengths.len().max(1) as f64,
        length_95: at(0.95),
        longest: at(1.0),
        pairs_cut,
        evaluations,
        dev_pairs: trainer.dev.pairs().len(),
        // What is held now, texts and all, is known; a larger batch may be to come.
        memory: trainer.learner.memory(&largest).map(|bytes| bytes.max(peak_memory().unwrap_or(0))),
        seconds: step * of as f64 + dev / share * evaluations as f64,
    })
}

/// What the first steps are made of.
struct Looked {
    steps: usize,
    /// Tokens of every pair.
    lengths: Vec<usize>,
    batches: usize,
    /// Tokens of the pairs of the micro-batch that takes most memory.
    largest: Vec<usize>,
    pairs_cut: usize,
}

struct Trainer<'a, 'l> {
    task: Task<'a>,
    learner: &'l mut dyn Learner,
    sampler: Sampler<'a>,
    dev: DevSet,
    schedule: Schedule,
    states: States,
    /// The step whose state was kept last.
    kept: Option<usize>,
    /// Whether the learner has states to keep.
    keeps: bool,
    micro_batch: MicroBatch,
    /// Groups over all steps.
    groups: usize,
    started: Instant,
    /// Seconds of the starts before this one.
    before: f64,
    /// Steps of the starts before this one.
    resumed: usize,
    record: TrainingRecord,
}

impl<'a, 'l> Trainer<'a, 'l> {
    fn new(
        task: &Task<'a>,
        learner: &'l mut dyn Learner,
        progress: &mut dyn FnMut(Event),
    ) -> Result<Self, FinetuneError> {
        let mut trainer = Self::assemble(task, learner)?;
        trainer.begin(progress)?;
        Ok(trainer)
    }

    /// All that is needed, with nothing done and nothing written.
    fn assemble(task: &Task<'a>, learner: &'l mut dyn Learner) -> Result<Self, FinetuneError> {
        let started = Instant::now();
        let Task { recipe, data, dev, tokenizer, checkpoint, .. } = *task;
        check_tokenizer(recipe, tokenizer)?;
        check_leak(recipe, data, "dev", dev.dataset.queries())?;
        let training = &recipe.training;
        let mut sampler = Sampler::new(data, recipe.sampling, recipe.seed)?;
        if recipe.loss.needs_teacher() {
            sampler = sampler.taught()?;
        }
        let groups = match training.length {
            Length::Epochs(epochs) => sampler.len().saturating_mul(epochs),
            Length::Steps(steps) => training.groups_per_step.saturating_mul(steps),
        };
        let of = groups.div_ceil(training.groups_per_step);
        let dev_set = DevSet::new(dev, &recipe.dev, tokenizer, recipe.seed)?;
        let schedule = Schedule::new(training.learning_rate, training.warmup, training.decay, of);
        let record = record(task, &dev_set, of);
        let states = States::of(checkpoint.folder, recipe.keep.last);
        Ok(Self {
            task: *task,
            learner,
            sampler,
            dev: dev_set,
            schedule,
            states,
            kept: None,
            keeps: true,
            micro_batch: training.micro_batch,
            groups,
            started,
            before: 0.0,
            resumed: 0,
            record,
        })
    }

    /// Goes on with what is there, or makes sure that there is nothing. Only what a run of its own
    /// left is ever removed: whatever else stands in the folder is somebody's.
    fn begin(&mut self, progress: &mut dyn FnMut(Event)) -> Result<(), FinetuneError> {
        let checkpoint = self.task.checkpoint;
        let found = checkpoint.found()?;
        let is_ours = found.as_ref().is_some_and(|hash| self.states.checkpoints().contains(hash));
        let exists = || FinetuneError::CheckpointExists(checkpoint.folder.to_owned());
        if self.task.fresh || !self.states.exist() {
            // Killed before its first state, a run leaves nothing that the next start does not make
            // again.
            match (found, is_ours) {
                (Some(_), false) => return Err(exists()),
                (Some(_), true) => checkpoint.clear()?,
                (None, _) => {}
            }
            self.forget()?;
            checkpoint.try_write()?;
            return self.states.begin();
        }
        let mut warnings = Vec::new();
        let identity = self.record.identity.clone();
        let kept = self.states.load(&identity, self.learner, &mut |w| warnings.push(w))?;
        if let Some(Kept { record, micro_batch }) = kept {
            if (record.best.is_some() || found.is_some()) && !is_ours {
                return Err(FinetuneError::CheckpointChanged {
                    folder: checkpoint.folder.to_owned(),
                });
            }
            let step = record.steps.len();
            self.record = TrainingRecord { stopped: false, ..record };
            (self.micro_batch, self.before, self.resumed) =
                (micro_batch, self.record.seconds, step);
            self.kept = Some(step);
            self.states.renote(&self.record)?;
            progress(Event::Resumed { step, of: self.record.of });
        }
        checkpoint.try_write()?;
        warnings.into_iter().for_each(|warning| self.warn(warning, progress));
        Ok(())
    }

    /// Looks at the first steps, and leaves no trace in the record.
    fn look(&mut self) -> Result<Looked, FinetuneError> {
        let audit = std::mem::take(&mut self.record.truncation);
        let steps = self.record.of.min(LOOKED_AT);
        let (mut lengths, mut batches, mut largest) = (Vec::new(), 0, Vec::new());
        for step in 0..steps {
            let groups = self.drawn(step)?;
            let encoded = self.encoded(&groups)?;
            for part in self.micro_batch.pack(&encoded) {
                let batch = GroupBatch::joined(part.iter().map(|&index| &encoded[index]));
                let part: Vec<usize> = batch.tokens.sequences().map(|(ids, _)| ids.len()).collect();
                lengths.extend(&part);
                batches += 1;
                if self.learner.memory(&part) >= self.learner.memory(&largest) {
                    largest = part;
                }
            }
        }
        let pairs_cut = std::mem::replace(&mut self.record.truncation, audit).pairs_cut;
        Ok(Looked { steps, lengths, batches, largest, pairs_cut })
    }

    /// Makes one optimizer step over its micro-batches.
    fn step(&mut self, progress: &mut dyn FnMut(Event)) -> Result<(), FinetuneError> {
        let started = Instant::now();
        let step = self.record.steps.len();
        let training = &self.task.recipe.training;
        let groups = self.drawn(step)?;
        let learnt = self.accumulate(step, &groups, progress)?;
        if let Some(before) = guards::exploded(&self.record, learnt.loss) {
            let (step, loss, best) = (step + 1, learnt.loss, self.best());
            return Err(FinetuneError::Exploded {
                step,
                loss,
                before,
                queries: learnt.worst,
                best,
            });
        }
        let learning_rate = self.schedule.rate(step);
        let rates = Rates {
            learning_rate,
            weight_decay: training.weight_decay,
            clip_norm: training.clip_norm,
            adamw: training.adamw,
        };
        let report = self.learner.apply(&rates);
        let report = report.map_err(|error| self.failed(step, &groups, error))?;
        self.record.groups += groups.len();
        self.record.tokens += learnt.tokens as u64;
        let made = TrainingStep {
            step: step + 1,
            loss: learnt.loss,
            accuracy: learnt.correct as f64 / groups.len() as f64,
            learning_rate,
            gradient_norm: report.gradient_norm,
            tokens_per_second: learnt.tokens as f64 / started.elapsed().as_secs_f64().max(1e-9),
        };
        self.record.steps.push(made);
        self.record.seconds = self.before + self.started.elapsed().as_secs_f64();
        self.note(&made)?;
        let left = self.record.of - self.record.steps.len();
        let pace =
            self.started.elapsed().as_secs_f64() / (self.record.steps.len() - self.resumed) as f64;
        let left = Duration::try_from_secs_f64(pace * left as f64).unwrap_or(Duration::MAX);
        progress(Event::Step { step: made, of: self.record.of, left });
        if let Some(warning) = guards::not_learning(&self.record, self.schedule.warmup()) {
            self.warn(warning, progress);
        }
        Ok(())
    }

    /// The groups of a step, counted from 0.
    fn drawn(&mut self, step: usize) -> Result<Vec<SampledGroup<'a>>, FinetuneError> {
        let a_step = self.task.recipe.training.groups_per_step;
        let places = step * a_step..self.groups.min((step + 1) * a_step);
        places.map(|place| self.sampler.group(place)).collect()
    }

    /// Each group's tokens.
    fn encoded(&mut self, groups: &[SampledGroup<'_>]) -> Result<Vec<GroupBatch>, FinetuneError> {
        let groups = groups.iter().map(std::slice::from_ref);
        let (tokenizer, audit) = (self.task.tokenizer, &mut self.record.truncation);
        groups.map(|group| encode(group, tokenizer, audit)).collect()
    }

    /// Runs a step's groups through the learner, in micro-batches that fit.
    fn accumulate(
        &mut self,
        step: usize,
        groups: &[SampledGroup<'_>],
        progress: &mut dyn FnMut(Event),
    ) -> Result<Learnt, FinetuneError> {
        let kind = self.task.recipe.loss;
        let encoded = self.encoded(groups)?;
        let units = encoded.iter().map(|group| kind.units(group)).sum::<usize>().max(1) as f64;
        let mut waiting: VecDeque<Vec<usize>> = self.micro_batch.pack(&encoded).into();
        let mut learnt = Learnt::default();
        let (mut number, mut highest) = (0, f64::NEG_INFINITY);
        while let Some(part) = waiting.pop_front() {
            let batch = GroupBatch::joined(part.iter().map(|&index| &encoded[index]));
            let seed = seeds::dropout(self.task.recipe.seed, step, number);
            let mut given = (0.0, 0);
            let mut derivatives = |logits: &[f32]| {
                let found = kind.of(logits, &batch);
                if !found.sum.is_finite() {
                    return Err(TrainError::NotFinite("loss"));
                }
                given = (found.sum / units, highest_in_place(logits, &batch));
                Ok(found.derivatives.iter().map(|by| (by / units) as f32).collect())
            };
            match self.learner.accumulate(&batch.tokens, seed, &mut derivatives) {
                Ok(()) => {}
                Err(TrainError::OutOfMemory(_)) if part.len() > 1 => {
                    self.micro_batch = self.micro_batch.halved(part.len());
                    let limit = self.micro_batch.to_string();
                    self.warn(TrainingWarning::SmallerBatches { step: step + 1, limit }, progress);
                    let (front, back) = part.split_at(part.len().div_ceil(2));
                    waiting.push_front(back.to_vec());
                    waiting.push_front(front.to_vec());
                    continue;
                }
                Err(error) => {
                    let of_part: Vec<SampledGroup<'_>> =
                        part.iter().map(|&index| groups[index].clone()).collect();
                    return Err(self.failed(step, &of_part, error));
                }
            }
            let (loss, correct) = given;
            learnt.loss += loss;
            learnt.correct += correct;
            learnt.tokens += batch.tokens.tokens();
            if loss > highest {
                highest = loss;
                learnt.worst = part.iter().map(|&index| groups[index].query.id.clone()).collect();
            }
            number += 1;
        }
        Ok(learnt)
    }

    /// Ranks the dev queries with the weights as they are, and saves them when they are the best so
    /// far. False when it was stopped.
    fn evaluate(
        &mut self,
        context: &Context,
        progress: &mut dyn FnMut(Event),
    ) -> Result<bool, FinetuneError> {
        let step = self.record.steps.len();
        let best = self.best();
        let (value, is_collapsed) = match self.dev.evaluate(&*self.learner, step, best, context)? {
            DevResult::Stopped => return Ok(false),
            DevResult::Value(value) => (value, false),
            DevResult::Collapsed(value) => (value, true),
        };
        let evaluated = Evaluated { step, value };
        let is_best = !is_collapsed && self.record.best.is_none_or(|best| value > best.value);
        if is_best {
            self.save(step)?;
            self.record.best = Some(evaluated);
        }
        self.record.evaluations.push(evaluated);
        self.record.seconds = self.before + self.started.elapsed().as_secs_f64();
        self.note(&evaluated)?;
        progress(Event::Evaluated { step, value, best: is_best });
        // Before any step it is how some heads start.
        if is_collapsed && step > 0 {
            self.warn(TrainingWarning::Collapsed { step }, progress);
        }
        if let Some(warning) = guards::overfitting(&self.record) {
            self.warn(warning, progress);
        }
        Ok(true)
    }

    /// Makes the weights as they are the checkpoint. Killed in between, the next start knows both the
    /// one before and this one for its own.
    fn save(&self, step: usize) -> Result<(), FinetuneError> {
        let checkpoint = self.task.checkpoint;
        let staged = checkpoint.stage(&*self.learner, step)?;
        if !self.keeps {
            return checkpoint.publish();
        }
        let before = self.states.checkpoints();
        let both: Vec<&ContentHash> = before.iter().chain([&staged]).collect();
        self.states.note_checkpoints(&both)?;
        checkpoint.publish()?;
        self.states.note_checkpoints(&[&staged])
    }

    fn forget(&self) -> Result<(), FinetuneError> {
        let path = self.states.folder().to_owned();
        self.states.clear().map_err(|source| FinetuneError::Checkpoint { path, source })
    }

    /// Adds a line to the journal of a run that can be continued.
    fn note(&self, line: &impl Serialize) -> Result<(), FinetuneError> {
        if self.keeps { self.states.note(line) } else { Ok(()) }
    }

    /// Keeps a state to go on from, unless this step's is kept or the learner has none.
    fn keep(&mut self, progress: &mut dyn FnMut(Event)) -> Result<(), FinetuneError> {
        let step = self.record.steps.len();
        if !self.keeps || self.kept == Some(step) || step == 0 {
            return Ok(());
        }
        let kept = Kept { record: self.record.clone(), micro_batch: self.micro_batch };
        let mut warnings = Vec::new();
        self.keeps = self.states.save(&kept, &*self.learner, &mut |w| warnings.push(w))?;
        self.kept = Some(step);
        if !self.keeps {
            // The next start must not take its model for one that it can make again.
            self.forget()?;
        }
        warnings.into_iter().for_each(|warning| self.warn(warning, progress));
        Ok(())
    }

    fn warn(&mut self, warning: TrainingWarning, progress: &mut dyn FnMut(Event)) {
        self.record.warnings.push(warning.clone());
        progress(Event::Warned(warning));
    }

    fn tell_if_nothing_was_gained(&mut self, progress: &mut dyn FnMut(Event)) {
        if let Some(Evaluated { step: 0, value }) = self.record.best {
            let is_random = match &self.task.recipe.model {
                ModelSource::Random { .. } => true,
                ModelSource::Folder { head, .. } => *head == Head::New,
            };
            let warning = TrainingWarning::NothingGained { before: value, random_head: is_random };
            self.warn(warning, progress);
        }
    }

    /// Whether the weights as they are were compared on dev.
    fn is_evaluated(&self) -> bool {
        self.record.evaluations.last().is_some_and(|last| last.step == self.record.steps.len())
    }

    /// Whether so many evaluations brought no new best that training is to end.
    fn is_out_of_patience(&self) -> bool {
        let Some(patience) = self.task.recipe.dev.patience else { return false };
        let best = self.record.best.map(|best| best.step);
        let waited = self.record.evaluations.iter().rev();
        waited.take_while(|one| Some(one.step) != best).count() >= patience
    }

    fn best(&self) -> Option<usize> {
        self.record.best.map(|best| best.step)
    }

    /// Why a step could not be made with these groups.
    fn failed(&self, step: usize, groups: &[SampledGroup<'_>], error: TrainError) -> FinetuneError {
        let (step, best) = (step + 1, self.best());
        let queries: Vec<QueryId> = groups.iter().map(|group| group.query.id.clone()).collect();
        match (error, &queries[..]) {
            (TrainError::NotFinite(what), _) => {
                FinetuneError::NotFinite { what, queries, step, best }
            }
            (TrainError::OutOfMemory(reason), [query]) => {
                let mut audit = TruncationAudit::default();
                let batch = encode(groups, self.task.tokenizer, &mut audit);
                let tokens = batch.map_or(0, |batch| batch.tokens.tokens());
                FinetuneError::OutOfMemory { step, query: query.clone(), tokens, reason, best }
            }
            (source, _) => FinetuneError::Learn { step, source },
        }
    }
}

/// What the groups of a step gave.
#[derive(Default)]
struct Learnt {
    loss: f64,
    correct: usize,
    tokens: usize,
    /// The queries of the micro-batch with the largest part of the loss.
    worst: Vec<QueryId>,
}

/// A record of nothing yet.
fn record(task: &Task<'_>, dev_set: &DevSet, of: usize) -> TrainingRecord {
    let Task { recipe, data, dev, start, .. } = *task;
    TrainingRecord {
        schema: TRAINING_SCHEMA,
        name: recipe.name.clone(),
        seed: recipe.seed,
        identity: TrainingIdentity {
            recipe: recipe.hash.clone(),
            data: data.hash(),
            dev: dev.dataset.hash(),
            dev_candidates: dev.candidates.hash(),
            weights: start.weights.clone(),
            tokenizer: start.tokenizer.clone(),
            device: start.device.clone(),
        },
        loss: recipe.loss.to_string(),
        dev_queries: dev_set.queries(),
        measure: recipe.dev.measure.to_string(),
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
        dev_truncation: dev_set.pairs().audit,
        tested: Vec::new(),
    }
}

impl TrainingData<'_> {
    /// The hash of all that is learnt from.
    pub fn hash(&self) -> ContentHash {
        let mut hasher = Hasher::new();
        for query in self.queries {
            hasher.field(query.id.as_str()).field(&query.text);
        }
        hasher.field(self.corpus.hash().as_str()).field(self.qrels.hash().as_str());
        for group in self.groups {
            hasher.field(group.query.as_str()).field(group.positive.as_str());
            hasher.field((group.negatives.len() as u64).to_le_bytes());
            group.negatives.iter().for_each(|id| {
                hasher.field(id.as_str());
            });
            if let Some(teacher) = &group.teacher {
                hasher.field(teacher.positive.to_le_bytes());
                teacher.negatives.iter().for_each(|score| {
                    hasher.field(score.to_le_bytes());
                });
            }
        }
        if let Some(candidates) = self.candidates {
            hasher.field(candidates.hash().as_str());
        }
        hasher.finish()
    }
}

/// Groups whose highest logit stands where the highest target does.
fn highest_in_place(logits: &[f32], batch: &GroupBatch) -> usize {
    let highest = |values: &[f32]| {
        values.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(place, _)| place)
    };
    let mut start = 0;
    let is_in_place = |&&size: &&usize| {
        let group = start..start + size;
        start += size;
        highest(&logits[group.clone()]) == highest(&batch.targets[group])
    };
    batch.sizes.iter().filter(is_in_place).count()
}

fn check_tokenizer(recipe: &Recipe, tokenizer: &PairTokenizer) -> Result<(), FinetuneError> {
    let (found, found_truncation) = (tokenizer.max_length(), tokenizer.truncation());
    let expected = recipe.training.max_length;
    let expected_truncation = recipe.training.truncation;
    if (found, found_truncation) == (expected, expected_truncation) {
        return Ok(());
    }
    Err(FinetuneError::TokenizerSettings { found, found_truncation, expected, expected_truncation })
}
