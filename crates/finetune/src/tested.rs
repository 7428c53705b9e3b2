//! A model before and after training, on a set that nothing was chosen on.

use secondpass_core::{Context, Dataset, Run};
use secondpass_evaluation::statistics::{Settings, compare};
use secondpass_evaluation::training::{Change, ChangedQuery, Tested};
use secondpass_evaluation::{
    Changes, Difference, Estimate, Evaluation, bootstrap_mean, differences, evaluate,
};
use secondpass_text::{PairTokenizer, Scorer};

use crate::dev::Pairs;
use crate::{FinetuneError, TestSpec};

/// Queries that gained or lost which a record names, at most.
const NAMED: usize = 20;

/// A set to test on.
#[derive(Clone, Copy, Debug)]
pub struct TestSet<'a> {
    /// What the recipe says of it.
    pub spec: &'a TestSpec,
    /// The set.
    pub dataset: &'a Dataset,
    /// The first stage's candidates of its queries.
    pub candidates: &'a Run,
}

/// Ranks a set's candidates with the model before and after training. `None` when it was stopped.
///
/// # Errors
/// Texts that the tokenizer or the models reject, scores that are not finite, a set without
/// candidates.
pub fn test(
    set: TestSet<'_>,
    before: Option<&dyn Scorer>,
    after: &dyn Scorer,
    tokenizer: &PairTokenizer,
    context: &Context,
) -> Result<Option<Tested>, FinetuneError> {
    let TestSet { spec, dataset, candidates } = set;
    let queries: Vec<_> = dataset.queries().iter().collect();
    let pairs = Pairs::new(dataset, &queries, candidates, spec.depth, tokenizer)?;
    let measure = std::slice::from_ref(&spec.measure);
    let measured = |run: &Run| evaluate(run, dataset.qrels(), measure);
    let ranked = |scorer: &dyn Scorer| -> Result<Option<Evaluation>, FinetuneError> {
        let run = pairs.rank(scorer, context).map_err(|source| FinetuneError::Test {
            set: spec.name.clone(),
            source: Box::new(source),
        })?;
        Ok(run.map(|(run, _)| measured(&run)))
    };
    let first = measured(&cut(candidates, spec.depth));
    let before = match before {
        None => None,
        Some(before) => match ranked(before)? {
            None => return Ok(None),
            found => found,
        },
    };
    let Some(after) = ranked(after)? else { return Ok(None) };
    Ok(Some(Tested {
        name: spec.name.clone(),
        other_domain: spec.other_domain,
        depth: spec.depth,
        first_stage: estimate(&first),
        before: before.as_ref().map(estimate),
        after: estimate(&after),
        against_first_stage: change(&after, &first),
        against_before: before.as_ref().map(|before| change(&after, before)),
    }))
}

/// The first stage's rankings as deep as the model sees them.
fn cut(candidates: &Run, depth: usize) -> Run {
    let mut run = Run::new("first stage");
    for (query, ranking) in &candidates.rankings {
        run.rankings.insert(query.clone(), ranking.cut(depth));
    }
    run
}

fn estimate(evaluation: &Evaluation) -> Estimate {
    let applicable: Vec<f64> =
        evaluation.column(0).into_iter().filter(|value| value.is_finite()).collect();
    let interval = bootstrap_mean(&applicable);
    Estimate {
        measure: evaluation.measures.first().map(ToString::to_string).unwrap_or_default(),
        mean: interval.mean,
        low: interval.low,
        high: interval.high,
        queries: applicable.len(),
        missing: evaluation.missing(),
    }
}

fn change(ours: &Evaluation, theirs: &Evaluation) -> Change {
    let (after, before) = (ours.column(0), theirs.column(0));
    let all = differences(&after, &before);
    let applicable: Vec<f64> = all.iter().copied().filter(|value| value.is_finite()).collect();
    let interval = bootstrap_mean(&applicable);
    let Changes { helped, hurt, unchanged } = Changes::count(&applicable);
    let mut changed: Vec<(f64, ChangedQuery)> = all
        .iter()
        .enumerate()
        .filter(|(_, by)| by.is_finite() && **by != 0.0)
        .map(|(row, &by)| {
            let query = ours.queries[row].query.clone();
            (by, ChangedQuery { query, before: before[row], after: after[row] })
        })
        .collect();
    changed
        .sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.query.cmp(&other.query)));
    Change {
        difference: Difference {
            measure: ours.measures.first().map(ToString::to_string).unwrap_or_default(),
            mean: interval.mean,
            low: interval.low,
            high: interval.high,
            helped,
            hurt,
            unchanged,
        },
        comparison: compare(&[&applicable], &Settings::default()).remove(0),
        won: named(changed.iter().filter(|(by, _)| *by > 0.0)),
        lost: named(changed.iter().rev().filter(|(by, _)| *by < 0.0)),
    }
}

fn named<'a>(changed: impl Iterator<Item = &'a (f64, ChangedQuery)>) -> Vec<ChangedQuery> {
    changed.take(NAMED).map(|(_, query)| query.clone()).collect()
}
