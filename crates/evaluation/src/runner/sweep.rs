//! Quality and time at smaller depths and at other maximum lengths.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use secondpass_core::{DocId, QueryId, Ranking, Run, Scoring};

use super::collected::Collected;
use super::error::RunError;
use super::pass::{Pass, Runner};
use super::plan::{Contender, Plan};
use super::summary::Summary;
use crate::latency::{Sample, latency};
use crate::record::{DepthPoint, LengthPoint};

/// The depths of a plan's sweep.
pub(super) struct Depths {
    /// Below the full depth, ascending.
    pub smaller: Vec<usize>,
    /// Asked for, but deeper than the candidates go.
    pub too_deep: Vec<usize>,
    /// Asked for, but no query has more candidates: the full depth gives the same.
    pub all_candidates: Vec<usize>,
    /// The most candidates that a query has.
    pub most: usize,
    /// What the best order of so many candidates reaches, at these and at the full depth.
    oracle: BTreeMap<usize, f64>,
}

impl Depths {
    pub(super) fn new(plan: &Plan<'_>, summary: &Summary<'_>) -> Self {
        let mut depths = Self::asked_for(plan, summary.candidates);
        let full = plan.experiment.first_stage.depth;
        // Where every other depth is left out, the full one alone is no sweep.
        let is_sweep = !depths.smaller.is_empty()
            || depths.all_candidates.is_empty() && plan.sweep.depths.iter().any(|&depth| depth > 0);
        let points = depths.smaller.iter().chain(is_sweep.then_some(&full));
        let reached = |depth| {
            let mean = summary.primary(&best_order(plan, summary.candidates, depth)).mean(0);
            // A measure that applies to no query: JSON has no NaN.
            if mean.is_nan() { 0.0 } else { mean }
        };
        depths.oracle = points.map(|&depth| (depth, reached(depth))).collect();
        depths
    }

    /// Without what the best order reaches.
    pub(super) fn asked_for(plan: &Plan<'_>, candidates: &Run) -> Self {
        let full = plan.experiment.first_stage.depth;
        let asked: BTreeSet<usize> = plan.sweep.depths.iter().copied().filter(|&d| d > 0).collect();
        let (smaller, rest): (Vec<usize>, Vec<usize>) =
            asked.iter().partition(|&&depth| depth < full);
        let most = candidates.rankings.values().map(Ranking::len).max().unwrap_or(0);
        let (smaller, all_candidates): (Vec<usize>, Vec<usize>) =
            smaller.into_iter().partition(|&depth| depth < most);
        let too_deep = rest.into_iter().filter(|&d| d > full).collect();
        Self { smaller, too_deep, all_candidates, most, oracle: BTreeMap::new() }
    }

    /// The passes that measuring a reranker takes, one a smaller depth: of a pointwise one, only
    /// these queries, for their times.
    pub(super) fn each<'a>(
        &self,
        plan: &Plan<'_>,
        contender: &Contender<'a>,
        timed: &'a BTreeSet<QueryId>,
    ) -> Vec<Pass<'a>> {
        let queries = match contender.reranker.identity().scoring {
            Scoring::Pointwise if timed.is_empty() => return Vec::new(),
            Scoring::Pointwise => Some(timed),
            Scoring::Listwise => None,
        };
        let pass = |&depth: &usize| Pass::at_depth(plan, contender, depth, queries);
        self.smaller.iter().map(pass).collect()
    }

    /// Passes that a reranker takes for this sweep.
    pub(super) fn passes(&self, plan: &Plan<'_>, scoring: Scoring) -> usize {
        match scoring {
            Scoring::Pointwise if plan.sweep.timed_queries == 0 => 0,
            _ => self.smaller.len(),
        }
    }

    /// One point a depth. A pointwise reranker's quality at a depth follows from its scores at the
    /// full one, and only some queries run again to be timed; a listwise one runs in full.
    pub(super) fn measure(
        &self,
        contender: &Contender<'_>,
        main: &Collected,
        runner: &mut Runner<'_, '_>,
        summary: &Summary<'_>,
    ) -> Result<Vec<DepthPoint>, RunError> {
        let candidates = summary.candidates;
        let timed = runner.timed().clone();
        let mut passes = self.each(summary.plan, contender, &timed).into_iter();
        let concurrency = contender.concurrency.max(1);
        let mut points = Vec::new();
        for &depth in &self.smaller {
            let pass = passes.next().filter(|_| !runner.has_given_up());
            let taken = pass.map(|pass| runner.pass(&pass)).transpose()?;
            let (run, samples) = match contender.reranker.identity().scoring {
                Scoring::Pointwise => {
                    let samples = taken.map(|taken| taken.samples);
                    (at_depth(&main.run, candidates, depth), samples.unwrap_or_default())
                }
                Scoring::Listwise => match taken.filter(|taken| taken.given_up.is_none()) {
                    Some(taken) => (with_the_rest(taken.run, candidates), taken.samples),
                    // Half a pass is no quality at this depth.
                    None => continue,
                },
            };
            points.push(self.point(depth, &run, &samples, concurrency, summary));
        }
        if let Some((&full, _)) = self.oracle.last_key_value() {
            points.push(self.point(full, &main.run, &main.samples, concurrency, summary));
        }
        Ok(points)
    }

    fn point(
        &self,
        depth: usize,
        run: &Run,
        samples: &[Sample],
        concurrency: usize,
        summary: &Summary<'_>,
    ) -> DepthPoint {
        let primary = summary.primary(run);
        DepthPoint {
            depth,
            estimate: summary.estimate_primary(&primary),
            versus_first_stage: summary.versus_first_stage(&primary),
            oracle: self.oracle.get(&depth).copied().unwrap_or(0.0),
            pairs: pairs(samples, summary.candidates, depth),
            latency: latency(samples, concurrency),
        }
    }
}

/// The point at the reranker's own maximum length, and one a variant, from short to long; empty
/// without variants.
pub(super) fn lengths(
    contender: &Contender<'_>,
    main: &Collected,
    runner: &mut Runner<'_, '_>,
    summary: &Summary<'_>,
) -> Result<Vec<LengthPoint>, RunError> {
    let point = |max_length, collected: &Collected| LengthPoint {
        max_length,
        estimate: summary.estimate_primary(&summary.primary(&collected.run)),
        truncation: collected.truncation,
        latency: latency(&collected.samples, contender.concurrency.max(1)),
    };
    let mut points = Vec::new();
    for variant in contender.lengths {
        if runner.has_given_up() {
            break;
        }
        let collected = runner.pass(&Pass::at_length(summary.plan, contender, variant))?;
        if collected.given_up.is_some() {
            break;
        }
        points.push(point(variant.max_length, &collected));
    }
    let own = contender.reranker.identity().max_length.filter(|_| !points.is_empty());
    points.extend(own.map(|own| point(own, main)));
    points.sort_by_key(|point| point.max_length);
    Ok(points)
}

/// The rankings that a pointwise reranker would have given of the first `depth` candidates: these by
/// their scores, then the others in first-stage order.
fn at_depth(full: &Run, candidates: &Run, depth: usize) -> Run {
    let mut run = Run::new(full.name.clone());
    for (query, ranking) in &full.rankings {
        let Some(first_stage) = candidates.rankings.get(query) else { continue };
        let places: HashMap<&DocId, usize> = first_stage.documents().zip(0..).collect();
        let near = ranking
            .ranked()
            .iter()
            .filter(|ranked| places.get(&ranked.document).is_some_and(|&place| place < depth));
        let (scored, unscored): (Vec<_>, Vec<_>) = near.partition(|ranked| ranked.score.is_some());
        let scored =
            scored.into_iter().filter_map(|ranked| Some((ranked.document.clone(), ranked.score?)));
        let unscored = unscored.into_iter().map(|ranked| ranked.document.clone());
        let far = first_stage.documents().skip(depth).cloned();
        // A part of one ranking and the rest of the same documents make a ranking.
        let ranking = Ranking::with_unscored(scored, unscored.chain(far)).unwrap_or_default();
        run.rankings.insert(query.clone(), ranking);
    }
    run
}

/// Rankings of the first candidates, with the other candidates below in first-stage order.
fn with_the_rest(mut run: Run, candidates: &Run) -> Run {
    for (query, ranking) in &mut run.rankings {
        let Some(first_stage) = candidates.rankings.get(query) else { continue };
        let ranked = ranking.ranked();
        let scored =
            ranked.iter().filter_map(|ranked| Some((ranked.document.clone(), ranked.score?)));
        let unscored = ranked.iter().filter(|ranked| ranked.score.is_none());
        let rest = first_stage.documents().skip(ranked.len()).cloned();
        let unscored = unscored.map(|ranked| ranked.document.clone()).chain(rest);
        if let Ok(whole) = Ranking::with_unscored(scored, unscored) {
            *ranking = whole;
        }
    }
    run
}

/// The first `depth` candidates by grade (equal grades, unjudged ones as 0 among them, in first-stage
/// order), then the others.
fn best_order(plan: &Plan<'_>, candidates: &Run, depth: usize) -> Run {
    let mut run = Run::new("best order");
    for (query, ranking) in &candidates.rankings {
        let mut documents: Vec<DocId> = ranking.documents().cloned().collect();
        let near = depth.min(documents.len());
        documents[..near].sort_by_cached_key(|document| {
            Reverse(plan.dataset.qrels().grade(query, document).unwrap_or(0).max(0))
        });
        let ranking = Ranking::with_unscored([], documents).unwrap_or_default();
        run.rankings.insert(query.clone(), ranking);
    }
    run
}

/// Pairs scored a query: as measured, or the candidates where nothing was measured.
fn pairs(samples: &[Sample], candidates: &Run, depth: usize) -> f64 {
    let (total, count) = match samples.is_empty() {
        false => (samples.iter().map(|sample| sample.pairs).sum(), samples.len()),
        true => {
            let given = candidates.rankings.values().filter(|ranking| !ranking.is_empty());
            let given: Vec<u64> = given.map(|ranking| ranking.len().min(depth) as u64).collect();
            (given.iter().sum::<u64>(), given.len())
        }
    };
    total as f64 / count.max(1) as f64
}
