use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{Loss, MapChoice, MapKind, ScoredPair};
use super::*;

/// A model whose scores are honest log odds, shifted and stretched: of ten candidates, each is
/// relevant with a chance drawn for it. Every fifth query has no answer, and low scores throughout.
fn world(name: &str, queries: usize, seed: u64, curve: impl Fn(f64) -> f64) -> Vec<ScoredQuery> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let query = |index: usize| {
        let answerable = !index.is_multiple_of(5);
        let middle = if answerable { random.random_range(-4.0..2.0) } else { -4.0 };
        let pairs: Vec<ScoredPair> = (0..10)
            .map(|_| {
                let log_odds: f64 = middle + random.random_range(-2.0..2.0);
                let chance = 1.0 / (1.0 + (-log_odds).exp());
                let relevant = answerable && random.random_bool(chance);
                ScoredPair { score: curve(log_odds), relevant }
            })
            .collect();
        let query = format!("{name}{index}").as_str().into();
        ScoredQuery { query, pairs, has_answer: answerable }
    };
    (0..queries).map(query).collect()
}

fn split(curve: impl Fn(f64) -> f64 + Copy) -> (Vec<ScoredQuery>, Vec<ScoredQuery>) {
    (world("dev", 300, 1, curve), world("test", 300, 2, curve))
}

#[test]
fn scores_become_true_probabilities_and_the_threshold_keeps_its_precision() {
    let (dev, test) = split(|log_odds| 3.0 * log_odds + 7.0);
    let (calibration, report) = calibrate(&dev, &test, &Options::default()).unwrap();
    assert!(report.pairs.ece < 0.03, "{report:?}");
    let base = report.pairs.base_rate;
    assert!(report.pairs.brier < 0.8 * base * (1.0 - base), "better than the base rate");
    assert!(calibration.dev.precision.unwrap() >= 0.9);
    let abstention = &report.abstention;
    assert!(abstention.precision.unwrap() > 0.8 && abstention.coverage > 0.02, "{abstention:?}");
    assert_eq!(abstention.no_answer.queries, 60);
    assert!(abstention.no_answer.abstained >= 58, "{abstention:?}");
    assert_eq!(calibration.pairs, 3000);
    let relevant = dev.iter().flat_map(|query| &query.pairs).filter(|pair| pair.relevant).count();
    assert_eq!(calibration.relevant, relevant);
}

#[test]
fn cross_validation_takes_the_shape_that_fits() {
    // A logistic shape is Platt's own; a staircase is far from it.
    let kind = |dev: &[ScoredQuery], loss| {
        let map = MapChoice::CrossValidated(loss);
        let calibration = Calibration::fit(dev, &Options { map, ..Options::default() }).unwrap();
        assert_eq!(calibration.cross_validation.len(), 2);
        calibration.map.kind()
    };
    let logistic = world("dev", 60, 1, |log_odds| log_odds);
    let staircase = world("dev", 300, 1, |log_odds| match log_odds {
        low if low < -3.0 => -100.0,
        middle if middle < 0.5 => 0.0,
        _ => 1.0,
    });
    for loss in [Loss::Brier, Loss::Log] {
        assert_eq!(kind(&logistic, loss), MapKind::Platt);
        assert_eq!(kind(&staircase, loss), MapKind::Isotonic);
    }
}

#[test]
fn the_fit_knows_nothing_of_the_test_split() {
    let (dev, test) = split(|log_odds| log_odds);
    let (calibration, _) = calibrate(&dev, &test, &Options::default()).unwrap();
    let other = world("other", 40, 9, |log_odds| -log_odds);
    let (again, _) = calibrate(&dev, &other, &Options::default()).unwrap();
    assert_eq!(calibration, again);
    assert_eq!(calibration, Calibration::fit(&dev, &Options::default()).unwrap());
    let mut leaking = test;
    leaking[3].query = dev[0].query.clone();
    let refused = calibrate(&dev, &leaking, &Options::default()).unwrap_err();
    assert_eq!(refused, CalibrationError::Shared { query: dev[0].query.clone() });
}

#[test]
fn written_and_read_it_says_the_same() {
    let (dev, test) = split(|log_odds| log_odds);
    for kind in [MapKind::Platt, MapKind::Isotonic] {
        let options = Options { map: MapChoice::Fixed(kind), ..Options::default() };
        let (calibration, report) = calibrate(&dev, &test, &options).unwrap();
        assert_eq!(calibration.map.kind(), kind);
        assert!(calibration.cross_validation.is_empty());
        let text = serde_json::to_string(&calibration).unwrap();
        let read: Calibration = serde_json::from_str(&text).unwrap();
        assert_eq!(read, calibration);
        assert_eq!(read.report(&test).unwrap(), report);
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<CalibrationReport>(&text).unwrap(), report);
        for query in &test {
            let top = query.top().unwrap().score;
            let p = read.map.probability(top);
            assert_eq!(read.answers(top), Some(p) >= read.threshold);
        }
        assert!(!read.answers(f64::NAN));
    }
}

#[test]
fn what_cannot_be_fitted_is_refused_with_the_reason() {
    let dev = world("dev", 20, 1, |log_odds| log_odds);
    let fit = |dev: &[ScoredQuery]| Calibration::fit(dev, &Options::default()).unwrap_err();
    assert_eq!(fit(&[]), CalibrationError::Empty { split: "dev" });
    let label = |relevant: bool| {
        let mut dev = dev.clone();
        for query in &mut dev {
            query.has_answer = true;
            query.pairs.iter_mut().for_each(|pair| pair.relevant = relevant);
        }
        dev
    };
    assert_eq!(
        fit(&label(false)),
        CalibrationError::OneLabel { pairs: 200, label: "not relevant" }
    );
    assert_eq!(fit(&label(true)), CalibrationError::OneLabel { pairs: 200, label: "relevant" });
    let mut odd = dev.clone();
    odd[2].pairs[4].score = f64::INFINITY;
    assert!(matches!(fit(&odd), CalibrationError::Score { candidate: 5, .. }));
    let mut odd = dev.clone();
    odd[0].pairs[0].relevant = true;
    assert!(matches!(fit(&odd), CalibrationError::Contradiction { split: "dev", .. }));
    let mut odd = dev.clone();
    odd[1].query = odd[0].query.clone();
    assert!(matches!(fit(&odd), CalibrationError::Duplicate { .. }));
    let refused = |options: Options| Calibration::fit(&dev, &options).unwrap_err();
    let precision = refused(Options { precision: 1.5, ..Options::default() });
    assert_eq!(precision, CalibrationError::Precision(1.5));
    let folds = refused(Options { folds: 1, ..Options::default() });
    assert_eq!(folds, CalibrationError::Folds(1));
    let calibration = Calibration::fit(&dev, &Options::default()).unwrap();
    assert_eq!(calibration.report(&[]), Err(CalibrationError::Empty { split: "test" }));
}

#[test]
fn one_query_or_tied_scores_give_a_sensible_map() {
    let pairs = |scores: [f64; 4]| {
        let labels = [false, true, false, true];
        let pair = |(score, relevant)| ScoredPair { score, relevant };
        scores.into_iter().zip(labels).map(pair).collect()
    };
    let query = |pairs| ScoredQuery { query: "q".into(), pairs, has_answer: true };
    let one = Calibration::fit(&[query(pairs([1.0, 2.0, 3.0, 4.0]))], &Options::default()).unwrap();
    assert_eq!((one.map.kind(), one.cross_validation.len()), (MapKind::Platt, 0));
    assert!(one.map.probability(4.0) > one.map.probability(1.0));
    let tied = Calibration::fit(&[query(pairs([2.0; 4]))], &Options::default()).unwrap();
    assert!((tied.map.probability(2.0) - 0.5).abs() < 1e-12);
    assert_eq!(tied.threshold, None, "the first of equal scores is not relevant");
}
