use std::collections::{BTreeMap, BTreeSet};

use secondpass_core::{Identity, QueryId, Ranking, Run};

use super::Plan;
use super::collect::Collected;
use crate::agreement::{Changes, overlap};
use crate::bootstrap::{bootstrap_mean, differences, mean};
use crate::evaluate::{Evaluation, evaluate};
use crate::latency::latency;
use crate::record::{
    Agreement, Difference, Estimate, QueryRow, Role, Slice, SystemRecord, Unjudged,
};
use crate::warning::Warning;

/// The cutoffs at which systems are compared with the first stage.
const AGREEMENT_AT: [usize; 2] = [1, 5];

/// One system with what it gave.
pub(super) struct Measured<'a> {
    pub name: &'a str,
    pub role: Role,
    pub identity: Identity,
    pub collected: Collected,
}

/// Turns what systems gave into their records and rows.
pub(super) struct Summary<'a> {
    plan: &'a Plan<'a>,
    candidates: &'a Run,
    first_stage: Evaluation,
    primary: usize,
    slices: Vec<Part>,
}

/// The rows of an evaluation whose queries share an attribute.
struct Part {
    attribute: String,
    value: String,
    rows: Vec<usize>,
}

impl<'a> Summary<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, candidates: &'a Run) -> Self {
        let experiment = plan.experiment;
        let first_stage = evaluate(candidates, plan.dataset.qrels(), &experiment.measures);
        let primary = experiment.measures.iter().position(|name| *name == experiment.primary);
        let slices = parts(plan, &first_stage);
        Self { plan, candidates, first_stage, primary: primary.unwrap_or(0), slices }
    }

    pub(super) fn system(&self, system: &Measured<'_>) -> SystemRecord {
        let collected = &system.collected;
        let evaluation = self.evaluate(collected);
        let all: Vec<usize> = (0..evaluation.queries.len()).collect();
        let columns = 0..evaluation.measures.len();
        let is_first_stage = system.role == Role::FirstStage;
        let versus = |rows: &[usize]| (!is_first_stage).then(|| self.difference(&evaluation, rows));
        let slice = |part: &Part| Slice {
            attribute: part.attribute.clone(),
            value: part.value.clone(),
            estimate: estimate(&evaluation, self.primary, &part.rows),
            versus_first_stage: versus(&part.rows),
        };
        let agreement = if is_first_stage { &[][..] } else { &AGREEMENT_AT[..] };
        SystemRecord {
            name: system.name.to_owned(),
            role: system.role,
            identity: system.identity.clone(),
            quality: columns.map(|column| estimate(&evaluation, column, &all)).collect(),
            versus_first_stage: versus(&all),
            comparison: None,
            unjudged: Unjudged { judged_at_10: 1.0, low: 0.0, high: 1.0, condensed: 0.0 },
            depths: Vec::new(),
            lengths: Vec::new(),
            scores: None,
            most_hurt: Vec::new(),
            most_helped: Vec::new(),
            cached: 0,
            agreement: agreement.iter().map(|&k| self.agreement(&collected.run, k)).collect(),
            latency: latency(&collected.samples),
            truncation: collected.truncation,
            usage: collected.usage,
            failures: collected.failures.clone(),
            slices: self.slices.iter().map(slice).collect(),
        }
    }

    pub(super) fn rows(&self, system: &Measured<'_>) -> Vec<QueryRow> {
        let collected = &system.collected;
        let rows = self.evaluate(collected).queries.into_iter().map(|row| {
            let consumed = collected.queries.get(&row.query);
            let given = self.candidates.rankings.get(&row.query).map_or(0, Ranking::len);
            let ranking = collected.run.rankings.get(&row.query);
            QueryRow {
                system: system.name.to_owned(),
                values: row.values,
                candidates: u32::try_from(given).unwrap_or(u32::MAX),
                seconds: consumed.and_then(|consumed| consumed.seconds),
                tokens: consumed.map_or(0, |consumed| consumed.tokens),
                pairs_cut: consumed.and_then(|consumed| consumed.pairs_cut),
                top: ranking
                    .and_then(|ranking| ranking.documents().next())
                    .map(|id| id.to_string()),
                query: row.query,
            }
        });
        rows.collect()
    }

    /// What is odd about the config, given this dataset.
    pub(super) fn config_warnings(&self) -> Vec<Warning> {
        let experiment = self.plan.experiment;
        let depth = experiment.first_stage.depth;
        let deep = experiment.measures.iter().filter(|measure| measure.cutoff() > Some(depth));
        let deep = deep.map(|measure| Warning::Deep { measure: measure.to_string(), depth });
        let known: BTreeSet<&str> =
            self.slices.iter().map(|part| part.attribute.as_str()).collect();
        let unknown = experiment.slices.iter().filter(|name| !known.contains(name.as_str()));
        deep.chain(unknown.map(|name| Warning::NoSuchAttribute { attribute: name.clone() }))
            .collect()
    }

    fn evaluate(&self, collected: &Collected) -> Evaluation {
        evaluate(&collected.run, self.plan.dataset.qrels(), &self.plan.experiment.measures)
    }

    /// Both evaluations hold all judged queries by query id, so rows of one are rows of the other.
    fn difference(&self, ours: &Evaluation, rows: &[usize]) -> Difference {
        let values = |evaluation: &Evaluation| pick(&evaluation.column(self.primary), rows);
        let differences = differences(&values(ours), &values(&self.first_stage));
        let interval = bootstrap_mean(&differences);
        let Changes { helped, hurt, unchanged } = Changes::count(&differences);
        Difference {
            measure: self.plan.experiment.primary.to_string(),
            mean: interval.mean,
            low: interval.low,
            high: interval.high,
            helped,
            hurt,
            unchanged,
        }
    }

    /// Over the queries that have a ranking; failures say nothing about agreement.
    fn agreement(&self, run: &Run, k: usize) -> Agreement {
        let overlaps: Vec<f64> = run
            .rankings
            .iter()
            .filter_map(|(query, ranking)| {
                overlap(ranking, self.candidates.rankings.get(query)?, k)
            })
            .collect();
        Agreement { k, overlap: mean(&overlaps) }
    }
}

fn estimate(evaluation: &Evaluation, column: usize, rows: &[usize]) -> Estimate {
    let interval = bootstrap_mean(&pick(&evaluation.column(column), rows));
    let missing = rows.iter().filter(|&&row| evaluation.queries[row].missing).count();
    Estimate {
        measure: evaluation.measures[column].to_string(),
        mean: interval.mean,
        low: interval.low,
        high: interval.high,
        queries: rows.len(),
        missing,
    }
}

fn pick(values: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|&row| values[row]).collect()
}

fn parts(plan: &Plan<'_>, evaluation: &Evaluation) -> Vec<Part> {
    let row_of: BTreeMap<&QueryId, usize> =
        evaluation.queries.iter().enumerate().map(|(row, values)| (&values.query, row)).collect();
    let mut parts = Vec::new();
    for attribute in &plan.experiment.slices {
        let mut by_value: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for query in plan.dataset.queries() {
            if let (Some(value), Some(&row)) =
                (query.attributes.get(attribute), row_of.get(&query.id))
            {
                by_value.entry(value).or_default().push(row);
            }
        }
        parts.extend(by_value.into_iter().map(|(value, rows)| Part {
            attribute: attribute.clone(),
            value: value.to_owned(),
            rows,
        }));
    }
    parts
}
