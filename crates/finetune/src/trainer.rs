#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use secondpass_core::{Context, TruncationAudit};
use secondpass_text::{AdamW, Learner, PairTokenizer, Rates, TrainError};

use crate::dev::{DevResult, DevSet};
use crate::{
    Checkpoint, Dev, Evaluated, FinetuneError, GroupBatch, Length, Recipe, Sampler, Schedule,
    Summary, TrainingData, encode, leak, losses, seeds,
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
    /// Where the best weights go.
    pub checkpoint: Checkpoint<'a>,
}

/// What happens while a model is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// An optimizer step was made.
    Step {
        /// Its number, from 1.
        step: usize,
        /// How many there will be.
        of: usize,
        /// Mean over its groups.
        loss: f32,
        /// Share of its groups whose positive scored highest, 0 to 1.
        accuracy: f64,
        /// Its learning rate.
        learning_rate: f64,
        /// Global gradient norm before clipping.
        gradient_norm: f64,
        /// Tokens learned from in a second of it, padding excluded.
        tokens_per_second: f64,
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
    /// A warning: every document of a dev query scores alike, so nothing was saved. Seen again, it
    /// means a learning rate that is too high.
    Collapsed {
        /// Steps made.
        step: usize,
    },
}

/// Trains a model and saves the weights that rank the dev queries best. The same task, seed and
/// learner give the same losses. When `context` is over it ends before its next step, with what
/// was best so far.
///
/// # Errors
/// Data that do not fit together, a training query that stands in dev, a loss that is not finite or
/// a model that never tells documents apart, a checkpoint that cannot be written. What was saved
/// before the error stays.
pub fn train(
    task: &Task<'_>,
    learner: &mut dyn Learner,
    context: &Context,
    progress: &mut dyn FnMut(Event),
) -> Result<Summary, FinetuneError> {
    let mut trainer = Trainer::new(task, learner)?;
    let every = task.recipe.dev.every;
    let steps = trainer.summary.of;
    let mut is_over = !trainer.evaluate(0, context, progress)?;
    for step in 0..steps {
        is_over = is_over || context.is_over();
        if is_over {
            break;
        }
        trainer.step(step, progress)?;
        let made = step + 1;
        if made.is_multiple_of(every) || made == steps {
            is_over = !trainer.evaluate(made, context, progress)?;
        }
    }
    let mut summary = trainer.summary;
    summary.stopped = is_over;
    summary.seconds = trainer.started.elapsed().as_secs_f64();
    match summary.best {
        None if !summary.stopped => Err(FinetuneError::Collapsed { steps: summary.steps }),
        _ => Ok(summary),
    }
}

struct Trainer<'a, 'l> {
    task: Task<'a>,
    learner: &'l mut dyn Learner,
    sampler: Sampler<'a>,
    dev: DevSet,
    schedule: Schedule,
    /// Groups over all steps.
    groups: usize,
    started: Instant,
    summary: Summary,
}

impl<'a, 'l> Trainer<'a, 'l> {
    fn new(task: &Task<'a>, learner: &'l mut dyn Learner) -> Result<Self, FinetuneError> {
        let started = Instant::now();
        let Task { recipe, data, dev, tokenizer, checkpoint } = *task;
        check_tokenizer(recipe, tokenizer)?;
        check_leak(data, dev)?;
        let training = &recipe.training;
        let sampler = Sampler::new(data, recipe.sampling, recipe.seed)?;
        let groups = match training.length {
            Length::Epochs(epochs) => sampler.len().saturating_mul(epochs),
            Length::Steps(steps) => training.groups_per_step.saturating_mul(steps),
        };
        let steps = groups.div_ceil(training.groups_per_step);
        let dev_set = DevSet::new(dev, &recipe.dev, tokenizer, recipe.seed)?;
        checkpoint.prepare()?;
        let summary = Summary {
            name: recipe.name.clone(),
            recipe: recipe.hash.clone(),
            seed: recipe.seed,
            dev: dev.dataset.hash(),
            dev_candidates: dev.candidates.hash(),
            dev_queries: dev_set.queries(),
            measure: recipe.dev.measure.to_string(),
            steps: 0,
            of: steps,
            stopped: false,
            groups: 0,
            tokens: 0,
            seconds: 0.0,
            losses: Vec::new(),
            evaluations: Vec::new(),
            best: None,
            truncation: TruncationAudit::default(),
            dev_truncation: dev_set.audit,
        };
        let schedule = Schedule::new(training.learning_rate, training.warmup, steps);
        Ok(Self { task: *task, learner, sampler, dev: dev_set, schedule, groups, started, summary })
    }

    /// Makes one optimizer step over its micro-batches; `step` counts from 0.
    fn step(&mut self, step: usize, progress: &mut dyn FnMut(Event)) -> Result<(), FinetuneError> {
        let started = Instant::now();
        let recipe = self.task.recipe;
        let training = &recipe.training;
        let first = step * training.groups_per_step;
        let places = first..self.groups.min(first + training.groups_per_step);
        let groups =
            places.map(|place| self.sampler.group(place)).collect::<Result<Vec<_>, _>>()?;
        let (mut loss, mut correct, mut tokens) = (0.0, 0, 0);
        for (number, part) in groups.chunks(training.groups_per_batch).enumerate() {
            let batch = encode(part, self.task.tokenizer, &mut self.summary.truncation)?;
            let share = part.len() as f32 / groups.len() as f32;
            let seed = seeds::dropout(recipe.seed, step, number);
            let mut derivatives = |logits: &[f32]| {
                let found = losses::group_softmax(logits, &batch);
                if !found.value.is_finite() {
                    return Err(TrainError::NotFinite("loss"));
                }
                loss += found.value as f32 * share;
                correct += highest_in_place(logits, &batch);
                Ok(found.derivatives.iter().map(|derivative| derivative * share).collect())
            };
            let done = self.learner.accumulate(&batch.tokens, seed, &mut derivatives);
            done.map_err(|error| self.failed(step, error))?;
            tokens += batch.tokens.tokens();
        }
        let learning_rate = self.schedule.rate(step);
        let (weight_decay, clip_norm) = (training.weight_decay, training.clip_norm);
        let adamw = AdamW::default();
        let rates = Rates { learning_rate, weight_decay, clip_norm, adamw };
        let report = self.learner.apply(&rates).map_err(|error| self.failed(step, error))?;
        self.summary.steps = step + 1;
        self.summary.groups += groups.len();
        self.summary.tokens += tokens as u64;
        self.summary.losses.push(loss);
        let left = self.summary.of - self.summary.steps;
        let pace = self.started.elapsed().as_secs_f64() / self.summary.steps as f64;
        progress(Event::Step {
            step: step + 1,
            of: self.summary.of,
            loss,
            accuracy: correct as f64 / groups.len() as f64,
            learning_rate,
            gradient_norm: report.gradient_norm,
            tokens_per_second: tokens as f64 / started.elapsed().as_secs_f64().max(1e-9),
            left: Duration::try_from_secs_f64(pace * left as f64).unwrap_or(Duration::MAX),
        });
        Ok(())
    }

    /// Ranks the dev queries after `step` steps and saves the weights when they are the best so
    /// far. False when it was stopped.
    fn evaluate(
        &mut self,
        step: usize,
        context: &Context,
        progress: &mut dyn FnMut(Event),
    ) -> Result<bool, FinetuneError> {
        let best = self.best();
        let (value, is_collapsed) = match self.dev.evaluate(&*self.learner, step, best, context)? {
            DevResult::Stopped => return Ok(false),
            DevResult::Value(value) => (value, false),
            DevResult::Collapsed(value) => (value, true),
        };
        let evaluated = Evaluated { step, value };
        self.summary.evaluations.push(evaluated);
        let is_best = !is_collapsed && self.summary.best.is_none_or(|best| value > best.value);
        if is_best {
            self.task.checkpoint.save(&*self.learner, step)?;
            self.summary.best = Some(evaluated);
        }
        progress(Event::Evaluated { step, value, best: is_best });
        // Before any step it is how some heads start.
        if is_collapsed && step > 0 {
            progress(Event::Collapsed { step });
        }
        Ok(true)
    }

    fn best(&self) -> Option<usize> {
        self.summary.best.map(|best| best.step)
    }

    fn failed(&self, step: usize, error: TrainError) -> FinetuneError {
        let step = step + 1;
        match error {
            TrainError::NotFinite(what) => {
                FinetuneError::NotFinite { what, step, best: self.best() }
            }
            source => FinetuneError::Learn { step, source },
        }
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

fn check_leak(data: TrainingData<'_>, dev: Dev<'_>) -> Result<(), FinetuneError> {
    let used: HashSet<_> = data.groups.iter().map(|group| &group.query).collect();
    let used = data.queries.iter().filter(|query| used.contains(&query.id));
    let leaks = leak(used, dev.dataset.queries());
    match leaks.first() {
        Some(first) => Err(FinetuneError::Leak { count: leaks.len(), first: first.clone() }),
        None => Ok(()),
    }
}
