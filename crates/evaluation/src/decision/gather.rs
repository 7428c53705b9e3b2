use std::collections::HashMap;

use secondpass_core::{Destination, Origin};

use super::bench::{self, BenchEvidence, FromBench};
use super::case::{Case, Ceiling, Choice, Timing};
use super::config::{ChoiceSpec, DecideConfig};
use super::constraints::Failed;
use super::error::DecideError;
use super::licence::licence;
use crate::cost::{Basis, CostModel, Figure, Hosted, SelfHosted, Staff};
use crate::prices::PriceTable;
use crate::quantile::quantile;
use crate::record::{QueryRow, Record, Role, SystemRecord};

/// One record with its table.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The manifest.
    pub record: &'a Record,
    /// One row a query and system.
    pub rows: &'a [QueryRow],
}

/// The share of a machine's rate that is planned for where a config does not say: 0.6, anywhere from
/// 0.4 to 0.8.
const UTILISATION: (f64, [f64; 2]) = (0.6, [0.4, 0.8]);
/// Standard deviations from the middle to the end of a 95% interval.
const HALF_INTERVAL: f64 = 1.96;

impl Case {
    /// What records know of their rerankers, with what the config states beside it.
    ///
    /// # Errors
    /// There is no record; records are of other queries, candidates or measures; two rerankers have
    /// one name; the config names a choice or a machine that is not there; a table is not whole.
    pub fn from_records(
        evidence: &[Evidence<'_>],
        config: &DecideConfig,
        prices: &PriceTable,
    ) -> Result<Self, DecideError> {
        Self::from_records_and_benches(evidence, &[], config, prices)
    }

    /// The same with benches: those that choices name, and those that stand beside the records. Of the
    /// latter, what does not fit a choice is left aside.
    ///
    /// # Errors
    /// As [`Case::from_records`]; a bench knows nothing of the choice that names it.
    pub fn from_records_and_benches(
        evidence: &[Evidence<'_>],
        benches: &[BenchEvidence<'_>],
        config: &DecideConfig,
        prices: &PriceTable,
    ) -> Result<Self, DecideError> {
        let [first, others @ ..] = evidence else { return Err(DecideError::NoRecord) };
        for other in others {
            comparable(first.record, other.record)?;
        }
        let record = first.record;
        let tables: Vec<Table> = evidence.iter().map(|evidence| Table::new(*evidence)).collect();
        let names = |role| {
            let systems = evidence.iter().flat_map(|evidence| &evidence.record.systems);
            systems.filter(move |system| system.role == role).map(|system| system.name.as_str())
        };
        check_names(config, &names(Role::Reranker).collect::<Vec<_>>())?;
        let base = names(Role::FirstStage).next().ok_or(DecideError::NoRecord)?;
        let (queries, first_stage) = tables[0].all_of(base);
        if queries.is_empty() {
            let (record, measure) = (record.experiment.name.clone(), record.primary.clone());
            return Err(DecideError::NoQueries { record, measure });
        }
        let mut choices = Vec::new();
        for (evidence, table) in evidence.iter().zip(&tables) {
            let rerankers = evidence.record.systems.iter();
            for system in rerankers.filter(|system| system.role == Role::Reranker) {
                let about = About { config, prices, benches, record: evidence.record, system };
                choices.push(about.choice(table, &queries)?);
            }
        }
        let oracle = record.systems.iter().find(|system| system.role == Role::Oracle);
        let oracle = oracle.and_then(|system| {
            let of_primary = |estimate: &&crate::Estimate| estimate.measure == record.primary;
            system.quality.iter().find(of_primary).map(|estimate| estimate.mean)
        });
        let demonstrations = evidence.iter().map(|e| &e.record.experiment.demonstration);
        Ok(Self {
            measure: record.primary.clone(),
            first_stage,
            choices,
            ceiling: Some(Ceiling { oracle, with_relevant: record.candidates.with_relevant }),
            documents: record.dataset.documents,
            demonstration: demonstrations.flatten().next().cloned(),
            alpha: record.statistics.alpha,
        })
    }
}

fn comparable(first: &Record, second: &Record) -> Result<(), DecideError> {
    let differs = [
        (first.dataset.hash != second.dataset.hash, "dataset"),
        (first.dataset.split != second.dataset.split, "split"),
        (first.dataset.sample != second.dataset.sample, "sample of queries"),
        (first.candidates.hash != second.candidates.hash, "candidates"),
        (first.candidates.depth != second.candidates.depth, "depth"),
        (first.primary != second.primary, "primary measure"),
    ];
    match differs.into_iter().find(|(differs, _)| *differs) {
        None => Ok(()),
        Some((_, what)) => Err(DecideError::NotComparable {
            first: first.experiment.name.clone(),
            second: second.experiment.name.clone(),
            what,
        }),
    }
}

fn check_names(config: &DecideConfig, known: &[&str]) -> Result<(), DecideError> {
    let mut sorted = known.to_vec();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(DecideError::TwoOfOneName(twice[0].to_owned()));
    }
    match config.choices.iter().find(|choice| !known.contains(&choice.name.as_str())) {
        None => Ok(()),
        Some(choice) => Err(DecideError::NoSuchChoice {
            file: config.file.clone(),
            name: choice.name.clone(),
            known: known.join(", "),
        }),
    }
}

/// A record's rows by system and query.
struct Table<'a> {
    record: &'a Record,
    measure: usize,
    rows: HashMap<(&'a str, &'a str), &'a QueryRow>,
    order: &'a [QueryRow],
}

impl<'a> Table<'a> {
    fn new(evidence: Evidence<'a>) -> Self {
        let Evidence { record, rows } = evidence;
        let measure = record.measures.iter().position(|measure| *measure == record.primary);
        let by = |row: &'a QueryRow| ((row.system.as_str(), row.query.as_str()), row);
        Self {
            record,
            measure: measure.unwrap_or(usize::MAX),
            rows: rows.iter().map(by).collect(),
            order: rows,
        }
    }

    fn value(&self, row: &QueryRow) -> Option<f64> {
        row.values.get(self.measure).copied().filter(|value| value.is_finite())
    }

    /// The queries that the measure applies to for a system, with their values.
    fn all_of(&self, system: &str) -> (Vec<&'a str>, Vec<f64>) {
        let rows = self.order.iter().filter(|row| row.system == system);
        rows.filter_map(|row| Some((row.query.as_str(), self.value(row)?))).unzip()
    }

    fn of(&self, system: &str, queries: &[&str]) -> Result<Vec<f64>, DecideError> {
        let value = |query: &&str| {
            let row = self.rows.get(&(system, *query));
            row.and_then(|row| self.value(row)).ok_or_else(|| DecideError::NoValue {
                record: self.record.experiment.name.clone(),
                measure: self.record.primary.clone(),
                system: system.to_owned(),
                query: (*query).to_owned(),
            })
        };
        queries.iter().map(value).collect()
    }

    fn seconds(&self, system: &str) -> Vec<f64> {
        let rows = self.order.iter().filter(|row| row.system == system);
        rows.filter_map(|row| row.seconds).collect()
    }
}

/// One reranker, and where to look for what.
struct About<'a> {
    config: &'a DecideConfig,
    prices: &'a PriceTable,
    benches: &'a [BenchEvidence<'a>],
    record: &'a Record,
    system: &'a SystemRecord,
}

impl About<'_> {
    fn choice(&self, table: &Table<'_>, queries: &[&str]) -> Result<Choice, DecideError> {
        let Self { record, system, .. } = self;
        let spec = self.config.of(&system.name);
        let seconds = table.seconds(&system.name);
        let planned = spec.utilisation.as_ref().map(|given| self.config.figure(given).value);
        let planned = planned.unwrap_or(UTILISATION.0);
        let bench = bench::of(self.benches, record, system, self.config, planned)?;
        let agreement = system.agreement.iter();
        let agreement = agreement.filter(|agreement| record.candidates.is_selective(agreement.k));
        Ok(Choice {
            name: system.name.clone(),
            // Where queries failed their values may be missing; nothing rests on them then.
            quality: match system.failures.is_empty() {
                true => table.of(&system.name, queries)?,
                false => table.of(&system.name, queries).unwrap_or(vec![0.0; queries.len()]),
            },
            timing: self.timing(&spec, bench.as_ref(), &seconds),
            cost: self.cost(&spec, bench.as_ref(), &seconds)?,
            barred: self.barred(&spec),
            agreement: agreement.map(|agreement| (agreement.k, agreement.overlap)).collect(),
        })
    }

    fn is_self_hosted(&self) -> bool {
        self.system.destination.as_ref().is_none_or(|to| to.self_hosted)
    }

    fn measured(&self, value: f64) -> Figure {
        let date = self.record.finished.get(..10).map(str::to_owned);
        let source = format!("the record '{}'", self.record.experiment.name);
        Figure::exact(value, Basis::Measured, date, &source)
    }

    fn timing(
        &self,
        spec: &ChoiceSpec,
        bench: Option<&FromBench>,
        seconds: &[f64],
    ) -> Option<Timing> {
        let given = spec.p95_seconds.as_ref().map(|given| self.config.figure(given));
        if let Some(p95) = given.or_else(|| bench?.p95.clone()) {
            return Some(Timing { p95, seconds: Vec::new() });
        }
        let mut sorted = seconds.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let p95 = (!sorted.is_empty()).then(|| quantile(&sorted, 0.95))?;
        Some(Timing { p95: self.measured(p95), seconds: sorted })
    }

    fn cost(
        &self,
        spec: &ChoiceSpec,
        bench: Option<&FromBench>,
        seconds: &[f64],
    ) -> Result<Option<CostModel>, DecideError> {
        match self.is_self_hosted() {
            true => Ok(self
                .self_hosted(spec, bench, seconds)?
                .map(|own| CostModel::SelfHosted(Box::new(own)))),
            false => Ok(self.hosted(spec).map(CostModel::Hosted)),
        }
    }

    fn self_hosted(
        &self,
        spec: &ChoiceSpec,
        bench: Option<&FromBench>,
        seconds: &[f64],
    ) -> Result<Option<SelfHosted>, DecideError> {
        let config = self.config;
        let given = |given: &Option<_>| given.as_ref().map(|given| config.figure(given));
        let stated = given(&spec.queries_per_second);
        let benched = bench
            .filter(|_| stated.is_none())
            .and_then(|bench| Some((bench.rate.clone()?, bench.candidates)));
        let (benched, at) = benched.unzip();
        let rate = stated.or(benched).or_else(|| self.rate(seconds));
        let (Some(machine), Some(rate)) = (self.machine(spec)?, rate) else { return Ok(None) };
        let (value, [low, high]) = UTILISATION;
        let usual = Figure::exact(value, Basis::Assumed, None, "a usual share");
        let staff = given(&spec.staff_hours_per_month).zip(given(&spec.staff_usd_per_hour));
        let candidates = self.system.latency.as_ref().map(|latency| latency.candidates);
        Ok(Some(SelfHosted {
            machine,
            rate,
            candidates: at.or(candidates).unwrap_or(self.record.candidates.mean),
            utilisation: given(&spec.utilisation).unwrap_or(Figure { low, high, ..usual }),
            spare: spec.spare.unwrap_or(1),
            scaling: spec.scaling.unwrap_or_default(),
            staff: staff.map(|(hours, usd)| Staff { hours, usd }),
        }))
    }

    fn machine(&self, spec: &ChoiceSpec) -> Result<Option<Figure>, DecideError> {
        if let Some(given) = &spec.machine_usd_per_hour {
            return Ok(Some(self.config.figure(given)));
        }
        let Some(name) = &spec.machine else { return Ok(None) };
        let Some(machine) = self.prices.machine(name) else {
            let known: Vec<&str> = self.prices.machines().map(|m| m.name.as_str()).collect();
            return Err(DecideError::NoSuchMachine {
                file: self.config.file.clone(),
                name: name.clone(),
                choice: self.system.name.clone(),
                known: known.join(", "),
            });
        };
        let price = machine.price();
        Ok(Some(Figure::exact(price.usd, Basis::Vendor, Some(price.read), &price.source)))
    }

    /// As many a second as were in flight, over the time of one (Little's law), with the interval
    /// that the spread of the times gives it.
    fn rate(&self, seconds: &[f64]) -> Option<Figure> {
        let latency = self.system.latency.as_ref().filter(|latency| latency.mean > 0.0)?;
        let rate = self.measured(latency.concurrency as f64 / latency.mean);
        let (count, mean) = (seconds.len() as f64, crate::mean(seconds));
        let squares: f64 = seconds.iter().map(|seconds| (seconds - mean).powi(2)).sum();
        let error = (squares / (count - 1.0) / count).sqrt() / mean;
        let factor = (HALF_INTERVAL * error).exp();
        match factor.is_finite() && factor > 1.0 {
            true => Some(Figure { low: rate.value / factor, high: rate.value * factor, ..rate }),
            false => Some(rate),
        }
    }

    fn hosted(&self, spec: &ChoiceSpec) -> Option<Hosted> {
        let cost = self.system.cost.as_ref()?;
        let price = cost.tariff.price.as_ref()?;
        let query = cost.query.as_ref()?;
        let within = spec.price_within.unwrap_or_default();
        let (low, high) = (price.usd * (1.0 - within), price.usd * (1.0 + within));
        let read = Some(price.read.clone());
        let listed = Figure::exact(price.usd, Basis::Vendor, read, &price.source);
        Some(Hosted {
            unit: cost.tariff.unit,
            price: Figure { low, high, ..listed },
            units: self.measured(query.units),
            units_at_50: cost.per_50.as_ref().map(|cost| cost.units),
            discounts: spec.discounts.clone().unwrap_or_default(),
        })
    }

    fn barred(&self, spec: &ChoiceSpec) -> Vec<Failed> {
        let (system, rules) = (self.system, &self.config.constraints);
        let mut barred = Vec::new();
        if system.origin != Origin::Live {
            barred.push(Failed::NotLive(system.origin.clone()));
        }
        if !system.failures.is_empty() {
            barred.push(Failed::Queries(system.failures.len()));
        }
        if let (Some(places), Some(to)) = (&rules.residency, &system.destination) {
            let Destination { host, region, .. } = to;
            let (host, region) = (host.clone(), region.clone());
            barred.extend((!to.is_within(places)).then_some(Failed::Residency { host, region }));
        }
        if rules.commercial && self.is_self_hosted() {
            barred.extend(self.licence(spec));
        }
        match &spec.languages {
            _ if rules.languages.is_empty() => {}
            None => barred.push(Failed::LanguagesUnknown),
            Some(made_for) => {
                let missing = rules.languages.iter().filter(|l| !made_for.contains(l));
                let missing: Vec<String> = missing.cloned().collect();
                barred.extend((!missing.is_empty()).then_some(Failed::Languages(missing)));
            }
        }
        barred
    }

    fn licence(&self, spec: &ChoiceSpec) -> Option<Failed> {
        let model = &self.system.identity.model;
        match (spec.commercial, licence(model)) {
            (Some(true), _) => None,
            (Some(false), _) => Some(Failed::Licence {
                licence: format!("by {}, one without commercial use", self.config.file),
                read: None,
            }),
            (None, None) => Some(Failed::LicenceUnknown { model: model.clone() }),
            (None, Some(licence)) => (!licence.commercial).then(|| Failed::Licence {
                licence: licence.name.to_owned(),
                read: Some(licence.read.to_owned()),
            }),
        }
    }
}
