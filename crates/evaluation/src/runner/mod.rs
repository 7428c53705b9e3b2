//! Runs an experiment: the same candidates to every system, each query by itself, into a record.
//! [`pass`] takes one system over its queries: [`asked`] knows where an answer comes from, [`flight`]
//! holds those that are out.

mod asked;
#[cfg(test)]
mod cache_tests;
mod changes;
mod collected;
mod cost;
mod error;
mod flight;
mod forecast;
#[cfg(test)]
mod honesty_tests;
#[cfg(test)]
mod hosted_tests;
mod jobs;
mod notice;
mod pass;
mod plan;
#[cfg(test)]
mod resume_tests;
mod scores;
mod summary;
mod sweep;
#[cfg(test)]
mod sweep_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

use std::collections::BTreeSet;
use std::time::SystemTime;

use secondpass_core::{Context, Identity, Origin, QueryId, Ranking, Reranker, Run, Scoring};

use crate::evaluate::{Queries, evaluate_on};
use crate::experiment::{FIRST_STAGE, ORACLE};
use crate::journal::Journal;
use crate::measures::NamedMeasure;
use crate::record::{
    CandidatesInfo, DatasetInfo, ExperimentInfo, Machine, QueryRow, Record, Role, SCHEMA,
    SystemRecord, Verdict,
};
use crate::rfc3339;
use crate::statistics::{can_show, compare};
use crate::warning::{self, Warning};
pub use error::RunError;
pub use forecast::{Forecast, forecast};
use notice::Notice;
use pass::{Pass, Runner};
pub use plan::{Contender, LengthVariant, Plan, Progress, Retriever, Sweep};
use summary::{Measured, Summary, Told};
use sweep::Depths;

/// Runs the plan. Each query is reranked by itself, so that its wall-clock time is that of one
/// query, with as many in flight at a time as its contender says; the record does not depend on
/// which is back first. In this process the first query is run once more before the clock starts, as
/// a warm-up that counts for nothing; where calls are billed or leave the process, the first runs
/// alone and is not timed. A query that fails scores 0 and is listed. Rows come by system, then by
/// query id.
///
/// Where calls are billed, the most that each can cost is reserved in the context's budget before it
/// is sent. What earlier starts of the same run spent, as the journal tells, counts there first.
///
/// A reranker that says it will answer no later query either ([`RerankError::Unavailable`]) is asked
/// no more: its other queries are listed as failures, and the other systems go on.
///
/// [`RerankError::Unavailable`]: secondpass_core::RerankError::Unavailable
///
/// With a journal, every finished query is kept before it counts, and what an earlier start of the
/// same experiment finished is taken from there: scores, rankings, usage, and times measured on this
/// machine. Remove the journal when the record has been written.
///
/// # Errors
/// Candidates outside the corpus, or none for any query; the context is over; the next call could
/// pass the limit on costs, or there is a limit and no price; the journal cannot be written.
pub fn run(
    plan: &Plan<'_>,
    context: &Context,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Record, Vec<QueryRow>), RunError> {
    let candidates = of_dataset(plan, plan.candidates, FIRST_STAGE)?;
    if candidates.rankings.values().all(Ranking::is_empty) {
        return Err(no_candidates(plan));
    }
    cost::check_prices(plan, context)?;
    context.budget.spend(cost::all_earlier_usd(plan));
    let summary = Summary::new(plan, &candidates);
    let depths = Depths::new(plan, &summary);
    let passes = plan.rerankers.iter().map(|contender| passes(plan, &depths, contender));
    let passes = passes.sum::<usize>() + usize::from(plan.oracle.is_some());
    let mut runner = Runner::new(plan, &candidates, passes, context, progress);
    let mut told = vec![summary.first_stage(retrieval_identity(FIRST_STAGE, plan.first_stage))];
    for retriever in plan.retrievers {
        let run = of_dataset(plan, retriever.run, retriever.name)?;
        let identity = retrieval_identity(retriever.name, retriever.description);
        told.push(summary.retriever(retriever.name, identity, &run));
    }
    for contender in plan.rerankers {
        let measured = reranker(contender, &depths, &mut runner, &summary)?;
        told.push(summary.system(measured));
    }
    if let Some(oracle) = plan.oracle {
        told.push(summary.system(ceiling(oracle, &mut runner, plan)?));
    }
    let mut notices = std::mem::take(&mut runner.notices);
    if !depths.too_deep.is_empty() {
        let depth = plan.experiment.first_stage.depth;
        notices.push(Notice::TooDeep { depths: depths.too_deep.clone(), depth });
    }
    if !depths.all_candidates.is_empty() {
        let depths_left_out = depths.all_candidates.clone();
        notices.push(Notice::AllCandidates { depths: depths_left_out, most: depths.most });
    }
    notices.extend(cost::spent_elsewhere(plan));
    let damaged = plan.journal.map_or(0, Journal::damaged);
    notices.extend((damaged > 0).then_some(Notice::Damaged { lines: damaged }));
    let mut warnings: Vec<String> =
        summary.config_warnings().iter().map(Warning::to_string).collect();
    warnings.extend(notices.iter().map(Notice::to_string));
    Ok(assemble(&summary, told, warnings))
}

/// A reranker with all that is measured of it.
fn reranker<'a>(
    contender: &Contender<'a>,
    depths_of: &Depths,
    runner: &mut Runner<'_, '_>,
    summary: &Summary<'_>,
) -> Result<Measured<'a>, RunError> {
    let plan = summary.plan;
    let passes_before = runner.number();
    let mut main = runner.pass(&Pass::main(plan, contender))?;
    let live = main.live();
    for repetition in 2..=plan.repetitions {
        if runner.has_given_up() {
            break;
        }
        main.repeat(runner.pass(&Pass::repetition(plan, contender, repetition, &live))?);
    }
    if !main.unstable.is_empty() {
        runner.notices.push(Notice::Unstable {
            system: contender.name.to_owned(),
            differing: main.unstable.len(),
            queries: main.queries.len(),
        });
    }
    // Half of a first pass is no quality at any depth or length.
    let (depths, lengths) = match main.given_up.is_none() {
        true => (
            depths_of.measure(contender, &main, runner, summary)?,
            sweep::lengths(contender, &main, runner, summary)?,
        ),
        false => (Vec::new(), Vec::new()),
    };
    let ledger = runner.finish(passes_before, passes(plan, depths_of, contender));
    Ok(Measured {
        name: contender.name,
        role: Role::Reranker,
        identity: contender.reranker.identity().clone(),
        depths,
        lengths,
        concurrency: contender.concurrency.max(1),
        origin: ledger.origin.unwrap_or_default(),
        destination: contender.reranker.destination().filter(|_| !contender.replayed).cloned(),
        cost: cost::cost(plan, summary.candidates, contender, &main, ledger.billed),
        possibly_billed_twice: cost::possibly_billed_twice(plan.journal, contender),
        collected: main,
    })
}

/// The best order of the candidates.
fn ceiling<'a>(
    oracle: &dyn Reranker,
    runner: &mut Runner<'_, '_>,
    plan: &Plan<'_>,
) -> Result<Measured<'a>, RunError> {
    let collected = runner.pass(&Pass::oracle(plan, oracle))?;
    Ok(Measured {
        name: ORACLE,
        role: Role::Oracle,
        identity: oracle.identity().clone(),
        collected,
        depths: Vec::new(),
        lengths: Vec::new(),
        concurrency: 1,
        origin: Origin::Live,
        destination: None,
        cost: None,
        possibly_billed_twice: Vec::new(),
    })
}

/// Passes over queries that one reranker takes.
fn passes(plan: &Plan<'_>, depths: &Depths, contender: &Contender<'_>) -> usize {
    let scoring = contender.reranker.identity().scoring;
    plan.repetitions.max(1) + depths.passes(plan, scoring) + contender.lengths.len()
}

/// The record of all systems, and the rows of its table.
fn assemble(
    summary: &Summary<'_>,
    mut told: Vec<Told>,
    mut warnings: Vec<String>,
) -> (Record, Vec<QueryRow>) {
    let (plan, candidates) = (summary.plan, summary.candidates);
    let given = summary.given();
    let reorderable = given.iter().filter(|&&candidates| candidates > 1).count();
    let corrected_over = compare_family(Role::Reranker, &mut told, plan, reorderable);
    // Exploratory: other first stages neither take evidence from the rerankers nor lend them any.
    compare_family(Role::Retriever, &mut told, plan, plan.dataset.queries().len());
    let (systems, rows): (Vec<SystemRecord>, Vec<Vec<QueryRow>>) =
        told.into_iter().map(|told| (told.record, told.rows)).unzip();
    let mut record = Record {
        schema: SCHEMA,
        experiment: ExperimentInfo {
            name: plan.experiment.name.clone(),
            config: plan.experiment.config.clone(),
            demonstration: plan.demonstration.map(str::to_owned),
            warnings: Vec::new(),
        },
        finished: rfc3339(SystemTime::now()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        machine: Machine::here(),
        dataset: dataset_info(plan),
        candidates: candidates_info(plan, candidates),
        measures: plan.experiment.measures.iter().map(NamedMeasure::to_string).collect(),
        primary: plan.experiment.primary.to_string(),
        statistics: plan.statistics.info(corrected_over),
        volumes: plan.experiment.volumes.clone(),
        systems,
    };
    warnings.extend(warning::warnings(&record, &given).iter().map(Warning::to_string));
    record.experiment.warnings = warnings;
    (record, rows.into_iter().flatten().collect())
}

/// Compares the systems of one role with the first stage, corrected over them; how many they are.
/// Systems with failures or with a mock's figures are left out, and all of them where the primary measure applies to no
/// query. Only `movable` queries could have changed: where none did and they are too few to show a
/// difference, that shows no equivalence either.
fn compare_family(role: Role, told: &mut [Told], plan: &Plan<'_>, movable: usize) -> usize {
    let is_compared = |told: &&mut Told| {
        let system = &told.record;
        system.role == role
            && system.failures.is_empty()
            && system.origin != Origin::Mock
            && told.differences.iter().any(|difference| !difference.is_nan())
    };
    let mut family: Vec<&mut Told> = told.iter_mut().filter(is_compared).collect();
    let differences: Vec<&[f64]> = family.iter().map(|told| told.differences.as_slice()).collect();
    let comparisons = compare(&differences, &plan.statistics);
    for (told, mut comparison) in family.iter_mut().zip(comparisons) {
        let unchanged = told.differences.iter().all(|value| value.is_nan() || *value == 0.0);
        if unchanged && !can_show(movable, plan.statistics.alpha()) {
            comparison.verdict = Verdict::CannotTell;
            comparison.queries = comparison.queries.min(movable);
        }
        told.record.comparison = Some(comparison);
    }
    family.len()
}

/// Candidates that belong to no query of the dataset: the usual cause are other query ids.
fn no_candidates(plan: &Plan<'_>) -> RunError {
    let asked: BTreeSet<&QueryId> = plan.dataset.queries().iter().map(|query| &query.id).collect();
    let given = plan.candidates.rankings.iter().filter(|(_, ranking)| !ranking.is_empty());
    let other = given.map(|(query, _)| query).find(|query| !asked.contains(query)).cloned();
    let query = plan.dataset.queries().first().map_or_else(|| QueryId::from(""), |q| q.id.clone());
    RunError::NoCandidates { query, other }
}

/// A run's rankings of the dataset's queries, cut to the experiment's depth.
fn of_dataset(plan: &Plan<'_>, run: &Run, name: &str) -> Result<Run, RunError> {
    let mut cut = Run::new(name);
    for query in plan.dataset.queries() {
        let Some(ranking) = run.rankings.get(&query.id) else { continue };
        let ranking = ranking.cut(plan.experiment.first_stage.depth);
        if let Some(id) = ranking.documents().find(|id| plan.dataset.corpus().get(id).is_none()) {
            let document = id.clone();
            return Err(RunError::UnknownDocument { query: query.id.clone(), document });
        }
        cut.rankings.insert(query.id.clone(), ranking);
    }
    Ok(cut)
}

fn retrieval_identity(name: &str, description: &str) -> Identity {
    Identity {
        name: name.to_owned(),
        provider: "baseline".to_owned(),
        model: description.to_owned(),
        revision: None,
        weights: None,
        endpoint: None,
        device: None,
        dtype: None,
        max_length: None,
        truncation: None,
        scoring: Scoring::Pointwise,
    }
}

fn dataset_info(plan: &Plan<'_>) -> DatasetInfo {
    let dataset = plan.dataset;
    let answerable = dataset.qrels().iter().filter(|(_, judged)| judged.values().any(|&g| g > 0));
    let unanswerable = dataset.qrels().len() - answerable.count();
    DatasetInfo {
        name: dataset.name().to_owned(),
        split: dataset.split().to_owned(),
        hash: dataset.hash(),
        documents: dataset.corpus().len(),
        queries: dataset.queries().len(),
        judgements: dataset.qrels().judgements(),
        sample: plan.experiment.dataset.sample,
        unanswerable,
    }
}

fn candidates_info(plan: &Plan<'_>, candidates: &Run) -> CandidatesInfo {
    let depth = plan.experiment.first_stage.depth;
    let queries = plan.dataset.queries().len().max(1) as f64;
    let total: usize = candidates.rankings.values().map(Ranking::len).sum();
    let mean = |name: &str, queries: Queries<'_>| {
        let measures: Vec<NamedMeasure> = name.parse().into_iter().collect();
        evaluate_on(queries, candidates, plan.dataset.qrels(), &measures).mean(0)
    };
    CandidatesInfo {
        first_stage: plan.first_stage.to_owned(),
        depth,
        mean: total as f64 / queries,
        hash: candidates.hash(),
        with_relevant: mean(&format!("Success@{depth}"), Queries::Judged),
        judged_at_10: mean("Judged@10", Queries::Answered),
        seconds: plan.first_stage_seconds,
    }
}
