use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::abstention::{Abstention, abstention, threshold};
use super::error::CalibrationError;
use super::map::{MapKind, MonotoneMap};
use super::reliability::{log_loss, squared_error};
use super::scored::{ScoredPair, ScoredQuery, pairs, validate};

/// How to calibrate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Which map.
    pub map: MapChoice,
    /// The share of answers that is to be right, above 0 and at most 1.
    pub precision: f64,
    /// Folds of the cross-validation, from 2; with fewer queries, one a query.
    pub folds: usize,
    /// Where the random numbers that deal queries into folds start.
    pub seed: u64,
}

impl Default for Options {
    /// The map with the better Brier score over 5 folds, a precision of 0.9.
    fn default() -> Self {
        let map = MapChoice::CrossValidated(Loss::Brier);
        Self { map, precision: 0.9, folds: 5, seed: 20_261_124 }
    }
}

/// Which map to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapChoice {
    /// This one.
    Fixed(MapKind),
    /// The one with the smaller loss on dev queries it was not fitted on; Platt scaling where both
    /// are as good, or where the dev split has only one query.
    CrossValidated(Loss),
}

/// By what maps are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Mean squared error of the probabilities.
    Brier,
    /// Mean cross-entropy.
    Log,
}

/// What was learned on a dev split about one model's scores. It applies to that model alone, at the
/// settings (length limit, truncation, number format) that made those scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// From score to probability.
    pub map: MonotoneMap,
    /// The probability from which the best candidate is taken for an answer; `None` where no
    /// threshold gave the precision on dev, and nothing should be answered.
    pub threshold: Option<f64>,
    /// The precision it was chosen for.
    pub precision: f64,
    /// How the maps fared on dev queries they were not fitted on; empty where the kind was told or
    /// there was only one query.
    pub cross_validation: Vec<CrossValidated>,
    /// What the threshold does on the dev split it was chosen on: kinder than the truth.
    pub dev: Abstention,
    /// Dev pairs it was fitted on.
    pub pairs: usize,
    /// Of these, relevant.
    pub relevant: usize,
}

/// A kind of map on queries it was not fitted on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossValidated {
    /// Which kind.
    pub kind: MapKind,
    /// Its Brier score, mean over pairs.
    pub brier: f64,
    /// Its log loss in nats, mean over pairs.
    pub log_loss: f64,
}

impl Calibration {
    /// Fits a map and a threshold on a dev split; nothing else is looked at. Deterministic.
    ///
    /// # Errors
    /// The split has no pairs, pairs of one label only, a score that is not finite, a query twice,
    /// or a query said to have no answer with a relevant candidate; an option makes no sense.
    pub fn fit(dev: &[ScoredQuery], options: &Options) -> Result<Self, CalibrationError> {
        if !(0.0 < options.precision && options.precision <= 1.0) {
            return Err(CalibrationError::Precision(options.precision));
        }
        if options.folds < 2 {
            return Err(CalibrationError::Folds(options.folds));
        }
        validate(dev, "dev")?;
        let all = pairs(dev);
        let relevant = all.iter().filter(|pair| pair.relevant).count();
        if relevant == 0 || relevant == all.len() {
            let label = if relevant == 0 { "not relevant" } else { "relevant" };
            return Err(CalibrationError::OneLabel { pairs: all.len(), label });
        }
        let (kind, cross_validation) = match options.map {
            MapChoice::Fixed(kind) => (kind, Vec::new()),
            MapChoice::CrossValidated(loss) => choose(dev, loss, options),
        };
        let map = kind.fit(&all);
        let threshold = threshold(dev, &map, options.precision);
        let dev = abstention(dev, &map, threshold);
        let (pairs, precision) = (all.len(), options.precision);
        Ok(Self { map, threshold, precision, cross_validation, dev, pairs, relevant })
    }

    /// Whether a query whose best candidate has this score should be answered.
    pub fn answers(&self, top_score: f64) -> bool {
        self.threshold.is_some_and(|threshold| self.map.probability(top_score) >= threshold)
    }
}

fn choose(dev: &[ScoredQuery], loss: Loss, options: &Options) -> (MapKind, Vec<CrossValidated>) {
    let scored: Vec<&ScoredQuery> = dev.iter().filter(|query| !query.pairs.is_empty()).collect();
    if scored.len() < 2 {
        return (MapKind::Platt, Vec::new());
    }
    let fold_of = deal(&scored, options);
    let results = MapKind::ALL.map(|kind| cross_validate(&scored, &fold_of, kind));
    let of = |result: &CrossValidated| match loss {
        Loss::Brier => result.brier,
        Loss::Log => result.log_loss,
    };
    let [platt, isotonic] = &results;
    let kind = if of(isotonic) < of(platt) { isotonic.kind } else { platt.kind };
    (kind, results.to_vec())
}

/// Deals whole queries into folds: pairs of one query resemble each other, and a map fitted on some
/// has seen the rest. Queries with and without a relevant candidate are dealt in turn, so that every
/// fold has its share of both.
fn deal(queries: &[&ScoredQuery], options: &Options) -> Vec<usize> {
    let folds = options.folds.min(queries.len());
    let mut order: Vec<usize> = (0..queries.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(options.seed));
    order.sort_by_key(|&index| !queries[index].has_relevant());
    let mut fold_of = vec![0; queries.len()];
    for (place, index) in order.into_iter().enumerate() {
        fold_of[index] = place % folds;
    }
    fold_of
}

fn cross_validate(queries: &[&ScoredQuery], fold_of: &[usize], kind: MapKind) -> CrossValidated {
    let folds = fold_of.iter().max().map_or(0, |last| last + 1);
    let (mut squares, mut nats, mut count) = (0.0, 0.0, 0_usize);
    for fold in 0..folds {
        let side = |held_out: bool| -> Vec<ScoredPair> {
            let chosen = queries.iter().zip(fold_of).filter(|(_, of)| (**of == fold) == held_out);
            chosen.flat_map(|(query, _)| query.pairs.iter().copied()).collect()
        };
        let map = kind.fit(&side(false));
        for pair in side(true) {
            let p = map.probability(pair.score);
            squares += squared_error(p, pair.relevant);
            nats += log_loss(p, pair.relevant);
            count += 1;
        }
    }
    let count = count.max(1) as f64;
    CrossValidated { kind, brier: squares / count, log_loss: nats / count }
}
