//! Signs in a training run's curve that something is wrong. Each rests on the record alone, so that a
//! continued run sees what an uninterrupted one does.

use secondpass_evaluation::training::{TrainingRecord, TrainingStep, TrainingWarning};

/// Steps whose losses are averaged, so that one hard batch means nothing.
const FEWEST: usize = 5;
const MOST: usize = 50;

/// How many times the first steps' mean a loss must be to have exploded. Hard batches reach a few
/// times; what diverges passes a hundred within some steps.
const EXPLODED: f64 = 100.0;

/// The mean loss of the first steps, when the loss of the next step has exploded beside it.
pub(crate) fn exploded(record: &TrainingRecord, loss: f64) -> Option<f64> {
    let first = record.steps.get(..record.steps.len().min(FEWEST))?;
    if first.is_empty() {
        return None;
    }
    let before = mean(first);
    // Losses near 0 say nothing about what is large.
    (loss > EXPLODED * before.max(0.1)).then_some(before)
}

/// A warning when, once and a while after the warm-up, the loss has not fallen.
pub(crate) fn not_learning(record: &TrainingRecord, warmup: usize) -> Option<TrainingWarning> {
    let window = (record.of / 10).clamp(FEWEST, MOST);
    if record.steps.len() != warmup + 2 * window {
        return None;
    }
    let (before, now) = (
        mean(&record.steps[..window.min(record.steps.len())]),
        mean(&record.steps[record.steps.len() - window..]),
    );
    let step = record.steps.len();
    (now >= before).then_some(TrainingWarning::NotLearning { step, before, now })
}

/// A warning when the last two evaluations each fell while the loss before them fell too. Told once.
pub(crate) fn overfitting(record: &TrainingRecord) -> Option<TrainingWarning> {
    let is_told =
        |warning: &TrainingWarning| matches!(warning, TrainingWarning::Overfitting { .. });
    let [.., first, second, third] = record.evaluations[..] else { return None };
    if record.warnings.iter().any(is_told)
        || !(second.value < first.value && third.value < second.value)
    {
        return None;
    }
    let between = |from: usize, to: usize| record.steps.get(from..to).map(mean);
    let earlier = between(first.step, second.step)?;
    let later = between(second.step, third.step)?;
    let best = record.best?;
    (later < earlier).then_some(TrainingWarning::Overfitting {
        step: third.step,
        value: third.value,
        best,
    })
}

fn mean(steps: &[TrainingStep]) -> f64 {
    steps.iter().map(|step| step.loss).sum::<f64>() / steps.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use secondpass_evaluation::training::Evaluated;

    use super::*;
    use crate::testing::record;

    fn losses(record: &mut TrainingRecord, losses: impl IntoIterator<Item = f64>) {
        for loss in losses {
            let step = record.steps.len() + 1;
            record.steps.push(TrainingStep {
                step,
                loss,
                accuracy: 0.0,
                learning_rate: 1.0,
                gradient_norm: 1.0,
                tokens_per_second: 1.0,
            });
        }
    }

    #[test]
    fn an_explosion_is_no_hard_batch() {
        let mut record = record(100);
        assert_eq!(exploded(&record, 1e9), None);
        losses(&mut record, [2.0, 1.0]);
        assert_eq!(exploded(&record, 20.0), None);
        assert_eq!(exploded(&record, 151.0), Some(1.5));
        losses(&mut record, [0.0; 50]);
        assert_eq!(exploded(&record, 50.0), None, "the first steps decide");
    }

    #[test]
    fn no_learning_is_told_once_after_the_warm_up() {
        let mut record = record(100);
        let mut told = Vec::new();
        for step in 0..60 {
            losses(&mut record, [1.0 + 0.001 * f64::from(step % 3)]);
            told.extend(not_learning(&record, 10));
        }
        let [TrainingWarning::NotLearning { step: 30, .. }] = told[..] else { panic!("{told:?}") };
        let mut falls = crate::testing::record(100);
        losses(&mut falls, (0..30).map(|step| 1.0 - 0.01 * f64::from(step)));
        assert_eq!(not_learning(&falls, 10), None);
    }

    #[test]
    fn dev_that_falls_while_the_loss_falls() {
        let mut record = record(100);
        record.best = Some(Evaluated { step: 10, value: 0.8 });
        let evaluate = |record: &mut TrainingRecord, value: f64, loss: f64| {
            losses(record, [loss; 10]);
            record.evaluations.push(Evaluated { step: record.steps.len(), value });
            overfitting(record)
        };
        assert_eq!(evaluate(&mut record, 0.8, 1.0), None);
        assert_eq!(evaluate(&mut record, 0.7, 0.8), None);
        let told = evaluate(&mut record, 0.6, 0.6).unwrap();
        assert!(told.to_string().contains("dev fell to 0.6000 (0.8000 at step 10)"), "{told}");
        record.warnings.push(told);
        assert_eq!(evaluate(&mut record, 0.5, 0.5), None);
        record.warnings.clear();
        assert_eq!(evaluate(&mut record, 0.4, 0.9), None, "the loss rises");
    }
}
