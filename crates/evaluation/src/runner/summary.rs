use std::collections::{BTreeMap, BTreeSet};

use secondpass_core::{Destination, Identity, Origin, QueryId, Ranking, Run};

use super::changes::{Change, extremes};
use super::collected::Collected;
use super::plan::Plan;
use super::scores::distribution;
use crate::agreement::{Changes, overlap};
use crate::bootstrap::{bootstrap_mean, differences, mean};
use crate::evaluate::{Evaluation, evaluate, unjudged};
use crate::experiment::FIRST_STAGE;
use crate::latency::latency;
use crate::measures::NamedMeasure;
use crate::record::{
    Agreement, Cost, DepthPoint, Difference, Estimate, KEPT_PLACES, LengthPoint, QueryRow, Role,
    Slice, SystemRecord, UnknownCall,
};
use crate::warning::{Warning, is_searched};

/// The cutoffs at which systems are compared with the first stage.
const AGREEMENT_AT: [usize; 4] = [1, 3, 5, 10];

/// One system with what it gave.
pub(super) struct Measured<'a> {
    pub name: &'a str,
    pub role: Role,
    pub identity: Identity,
    pub collected: Collected,
    pub depths: Vec<DepthPoint>,
    pub lengths: Vec<LengthPoint>,
    /// Queries in flight at a time.
    pub concurrency: usize,
    pub origin: Origin,
    pub destination: Option<Destination>,
    pub cost: Option<Cost>,
    pub possibly_billed_twice: Vec<UnknownCall>,
}

/// One system as it goes into the record. Its rankings are gone: of all systems together they would
/// be the most of what is in memory.
pub(super) struct Told {
    pub record: SystemRecord,
    pub rows: Vec<QueryRow>,
    /// The primary measure minus the first stage's, one value a judged query.
    pub differences: Vec<f64>,
}

/// Turns what systems gave into their records and rows.
pub(super) struct Summary<'a> {
    pub plan: &'a Plan<'a>,
    pub candidates: &'a Run,
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

    /// The candidates as they came.
    pub(super) fn first_stage(&self, identity: Identity) -> Told {
        self.told(self.candidates, FIRST_STAGE, Role::FirstStage, identity)
    }

    /// A run of another first stage.
    pub(super) fn retriever(&self, name: &str, identity: Identity, run: &Run) -> Told {
        self.told(run, name, Role::Retriever, identity)
    }

    /// A system that was given the candidates.
    pub(super) fn system(&self, measured: Measured<'_>) -> Told {
        let Measured { name, role, collected, .. } = measured;
        let run = &collected.run;
        let mut told = self.told(run, name, role, measured.identity);
        let record = &mut told.record;
        record.agreement = AGREEMENT_AT.iter().map(|&k| self.agreement(run, k)).collect();
        record.cached = collected.cached;
        record.latency = latency(&collected.samples, measured.concurrency);
        record.truncation = collected.truncation;
        record.usage = collected.usage;
        (record.depths, record.lengths) = (measured.depths, measured.lengths);
        (record.origin, record.destination) = (measured.origin, measured.destination);
        record.cost = measured.cost;
        record.possibly_billed_twice = measured.possibly_billed_twice;
        if role == Role::Reranker {
            let before = self.first_stage.queries.iter().map(|row| &row.query);
            let after = told.rows.iter().map(|row| row.values[self.primary]);
            let changes: Vec<Change<'_>> = (before.zip(self.first_stage.column(self.primary)))
                .zip(after)
                .map(|((query, before), after)| Change { query, before, after })
                .collect();
            (record.most_hurt, record.most_helped) =
                extremes(self.plan, self.candidates, run, &changes);
            record.scores = distribution(run, self.plan.dataset.qrels());
        }
        for row in &mut told.rows {
            let given = self.candidates.rankings.get(&row.query).map_or(0, Ranking::len);
            row.candidates = u32::try_from(given).unwrap_or(u32::MAX);
            if let Some(consumed) = collected.queries.get(&row.query) {
                row.seconds = consumed.seconds;
                row.tokens = consumed.tokens;
                row.pairs_cut = consumed.pairs_cut;
            }
        }
        record.failures = collected.failures;
        told
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
        let (of, queries) = (self.plan.dataset.queries().len(), self.without_candidates());
        let searched = is_searched(self.plan.first_stage);
        let none = (queries > 0).then_some(Warning::NoCandidates { queries, of, searched });
        deep.chain(unknown.map(|name| Warning::NoSuchAttribute { attribute: name.clone() }))
            .chain(none)
            .collect()
    }

    /// Candidates of each query, by query id of the candidates; queries without any are not in it.
    pub(super) fn given(&self) -> Vec<usize> {
        let lengths = self.candidates.rankings.values().map(Ranking::len);
        lengths.filter(|&length| length > 0).collect()
    }

    fn without_candidates(&self) -> usize {
        self.plan.dataset.queries().len() - self.given().len()
    }

    /// The primary measure of a run.
    pub(super) fn primary(&self, run: &Run) -> Evaluation {
        let measure: &[NamedMeasure] = std::slice::from_ref(&self.plan.experiment.primary);
        evaluate(run, self.plan.dataset.qrels(), measure)
    }

    /// The mean of what [`Summary::primary`] gave, with its interval.
    pub(super) fn estimate_primary(&self, primary: &Evaluation) -> Estimate {
        estimate(primary, 0, &all(primary))
    }

    /// What [`Summary::primary`] gave against the first stage.
    pub(super) fn versus_first_stage(&self, primary: &Evaluation) -> Difference {
        self.difference(&self.differences(primary, 0), &all(primary))
    }

    /// What rankings alone say.
    fn told(&self, run: &Run, name: &str, role: Role, identity: Identity) -> Told {
        let qrels = self.plan.dataset.qrels();
        let evaluation = evaluate(run, qrels, &self.plan.experiment.measures);
        let all = all(&evaluation);
        let differences = self.differences(&evaluation, self.primary);
        let versus = |rows: &[usize]| {
            (role != Role::FirstStage).then(|| self.difference(&differences, rows))
        };
        let slice = |part: &Part| Slice {
            attribute: part.attribute.clone(),
            value: part.value.clone(),
            estimate: estimate(&evaluation, self.primary, &part.rows),
            versus_first_stage: versus(&part.rows),
        };
        let columns = 0..evaluation.measures.len();
        let record = SystemRecord {
            name: name.to_owned(),
            role,
            identity,
            origin: Origin::Live,
            destination: None,
            quality: columns.map(|column| estimate(&evaluation, column, &all)).collect(),
            versus_first_stage: versus(&all),
            comparison: None,
            unjudged: unjudged(run, qrels, &self.plan.experiment.primary),
            depths: Vec::new(),
            lengths: Vec::new(),
            scores: None,
            most_hurt: Vec::new(),
            most_helped: Vec::new(),
            agreement: Vec::new(),
            cached: 0,
            latency: None,
            truncation: None,
            usage: Default::default(),
            cost: None,
            possibly_billed_twice: Vec::new(),
            failures: BTreeMap::new(),
            slices: self.slices.iter().map(slice).collect(),
        };
        let rows = evaluation.queries.into_iter().map(|row| {
            let ranking = run.rankings.get(&row.query);
            QueryRow {
                system: name.to_owned(),
                values: row.values,
                candidates: ranking
                    .map_or(0, |ranking| u32::try_from(ranking.len()).unwrap_or(u32::MAX)),
                seconds: None,
                tokens: 0,
                pairs_cut: None,
                top: ranking
                    .and_then(|ranking| ranking.documents().next())
                    .map(|id| id.to_string()),
                ranking: ranking.map(|ranking| ranking.cut(KEPT_PLACES)),
                query: row.query,
            }
        });
        Told { record, rows: rows.collect(), differences }
    }

    /// Both evaluations hold all judged queries by query id, so rows of one are rows of the other.
    fn differences(&self, ours: &Evaluation, column: usize) -> Vec<f64> {
        differences(&ours.column(column), &self.first_stage.column(self.primary))
    }

    fn difference(&self, differences: &[f64], rows: &[usize]) -> Difference {
        let differences = applicable(differences, rows);
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

fn all(evaluation: &Evaluation) -> Vec<usize> {
    (0..evaluation.queries.len()).collect()
}

fn estimate(evaluation: &Evaluation, column: usize, rows: &[usize]) -> Estimate {
    let values = applicable(&evaluation.column(column), rows);
    let interval = bootstrap_mean(&values);
    let missing = rows.iter().map(|&row| &evaluation.queries[row]);
    let missing = missing.filter(|row| row.missing && !row.values[column].is_nan()).count();
    Estimate {
        measure: evaluation.measures[column].to_string(),
        mean: interval.mean,
        low: interval.low,
        high: interval.high,
        queries: values.len(),
        missing,
    }
}

/// The values of these rows, without those that are not a number because the measure does not apply
/// to their query.
fn applicable(values: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|&row| values[row]).filter(|value| !value.is_nan()).collect()
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
