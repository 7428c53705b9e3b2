//! Runs an experiment: the same candidates to every system, one query at a time, into a record.

mod collect;
mod error;
mod plan;
mod summary;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use secondpass_core::{Context, Dataset, Identity, Run, Scoring};

use crate::evaluate::evaluate;
use crate::experiment::{FIRST_STAGE, ORACLE};
use crate::measures::NamedMeasure;
use crate::record::{
    CandidatesInfo, DatasetInfo, ExperimentInfo, Machine, QueryRow, Record, Role, SCHEMA,
    StatisticsInfo,
};
use crate::time::rfc3339;
use crate::warning::{self, Warning};
use collect::Collected;
pub use error::RunError;
pub use plan::{Contender, LengthVariant, Levels, Plan, Progress, Retriever, Sweep};
use summary::{Measured, Summary};

/// Runs the plan. Each query is reranked by itself, so that its wall-clock time is that of one
/// query; the first is run once more before the clock starts, as a warm-up that counts for nothing.
/// A query that fails scores 0 and is listed. Rows come by system, then by query id.
///
/// # Errors
/// Candidates outside the corpus; the context is over.
pub fn run(
    plan: &Plan<'_>,
    context: &Context,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Record, Vec<QueryRow>), RunError> {
    let candidates = shared_candidates(plan)?;
    let mut measured = vec![Measured {
        name: FIRST_STAGE,
        role: Role::FirstStage,
        identity: first_stage_identity(plan.first_stage),
        collected: Collected::untouched(&candidates),
    }];
    let contenders = plan.rerankers.iter().map(|contender| (Role::Reranker, *contender));
    let oracle = plan
        .oracle
        .map(|reranker| (Role::Oracle, Contender { name: ORACLE, reranker, lengths: &[] }));
    for (role, contender) in contenders.chain(oracle) {
        let timed = role == Role::Reranker;
        let collected =
            collect::collect(plan.dataset, &candidates, contender, timed, context, progress)?;
        let identity = contender.reranker.identity().clone();
        measured.push(Measured { name: contender.name, role, identity, collected });
    }
    let summary = Summary::new(plan, &candidates);
    let systems = measured.iter().map(|system| summary.system(system)).collect();
    let rows = measured.iter().flat_map(|system| summary.rows(system)).collect();
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
        dataset: dataset_info(plan.dataset),
        candidates: candidates_info(plan, &candidates),
        measures: plan.experiment.measures.iter().map(NamedMeasure::to_string).collect(),
        primary: plan.experiment.primary.to_string(),
        statistics: StatisticsInfo {
            alpha: plan.levels.alpha,
            margin: plan.levels.margin,
            permutations: plan.levels.permutations,
            resamples: crate::RESAMPLES,
            corrected_over: plan.rerankers.len(),
        },
        systems,
    };
    let mut warnings = summary.config_warnings();
    warnings.extend(warning::warnings(&record));
    record.experiment.warnings = warnings.iter().map(Warning::to_string).collect();
    Ok((record, rows))
}

/// The candidates of the dataset's queries, cut to the experiment's depth.
fn shared_candidates(plan: &Plan<'_>) -> Result<Run, RunError> {
    let mut candidates = Run::new(FIRST_STAGE);
    for query in plan.dataset.queries() {
        let Some(ranking) = plan.candidates.rankings.get(&query.id) else { continue };
        let ranking = ranking.cut(plan.experiment.first_stage.depth);
        if let Some(id) = ranking.documents().find(|id| plan.dataset.corpus().get(id).is_none()) {
            let document = id.clone();
            return Err(RunError::UnknownDocument { query: query.id.clone(), document });
        }
        candidates.rankings.insert(query.id.clone(), ranking);
    }
    Ok(candidates)
}

fn first_stage_identity(description: &str) -> Identity {
    Identity {
        name: FIRST_STAGE.to_owned(),
        provider: "baseline".to_owned(),
        model: description.to_owned(),
        revision: None,
        weights: None,
        device: None,
        dtype: None,
        max_length: None,
        truncation: None,
        scoring: Scoring::Pointwise,
    }
}

fn dataset_info(dataset: &Dataset) -> DatasetInfo {
    DatasetInfo {
        name: dataset.name().to_owned(),
        split: dataset.split().to_owned(),
        hash: dataset.hash(),
        documents: dataset.corpus().len(),
        queries: dataset.queries().len(),
        judgements: dataset.qrels().judgements(),
    }
}

fn candidates_info(plan: &Plan<'_>, candidates: &Run) -> CandidatesInfo {
    let depth = plan.experiment.first_stage.depth;
    let queries = plan.dataset.queries().len().max(1) as f64;
    let total: usize = candidates.rankings.values().map(secondpass_core::Ranking::len).sum();
    let mean = |name: &str| {
        let measures: Vec<NamedMeasure> = name.parse().into_iter().collect();
        evaluate(candidates, plan.dataset.qrels(), &measures).mean(0)
    };
    CandidatesInfo {
        first_stage: plan.first_stage.to_owned(),
        depth,
        mean: total as f64 / queries,
        hash: candidates.hash(),
        with_relevant: mean(&format!("Success@{depth}")),
        judged_at_10: mean("Judged@10"),
        seconds: plan.first_stage_seconds,
    }
}
