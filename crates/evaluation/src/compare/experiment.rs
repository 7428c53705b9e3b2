use secondpass_core::{ContentHash, Identity, Origin};

use super::canary::Drift;
use super::config::{GateConfig, Runner};
use super::latency::{self, LatencyBasis, LatencyComparison, Rows};
use super::outcome::{Comparison, Finding, Side, SystemComparison, Weight};
use super::quality::{Cell, quality};
use super::ranks::{self, RankVerdict, check};
use super::same::{Difference, differences};
use super::words;
use crate::record::{QueryRow, Record, Role, SystemRecord};
use crate::statistics::Settings;

/// A record with its table.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The record.
    pub record: &'a Record,
    /// Its table.
    pub rows: &'a [QueryRow],
}

/// Compares what one experiment gave before and gives now. A hosted model that `drifted` is not held
/// against the current record.
pub fn experiments(
    baseline: Evidence<'_>,
    current: Evidence<'_>,
    config: &GateConfig,
    drifted: &[Drift],
) -> Comparison {
    compare(baseline, current, config, drifted, &stored)
}

/// Compares two builds that ran one experiment side by side: quality by the first round, latency over
/// all. Every pair is one round, the baseline's records first. `None` without any round.
pub fn interleaved(
    rounds: &[(Evidence<'_>, Evidence<'_>)],
    config: &GateConfig,
    drifted: &[Drift],
) -> Option<Comparison> {
    let (baseline, current) = *rounds.first()?;
    let mut comparison = compare(baseline, current, config, drifted, &|pair| {
        let tables: Vec<_> = rounds
            .iter()
            .map(|(old, new)| (rows_of(*old, pair.name), rows_of(*new, pair.name)))
            .collect();
        latency::interleaved(&latency::rounds(&tables), config.interleaved.tolerance)
    });
    for (round, (old, new)) in (2..).zip(&rounds[1..]) {
        for (which, first, later) in
            [("baseline", baseline, *old), ("current build", current, *new)]
        {
            comparison.findings.extend(unsteady(which, round, first, later, config));
        }
    }
    let Comparison { baseline, current, findings, differences, systems, .. } = comparison;
    Some(Comparison::new(baseline, current, findings, differences, systems))
}

/// The same build on the same experiment should rank alike in every round.
fn unsteady(
    which: &str,
    round: usize,
    first: Evidence<'_>,
    later: Evidence<'_>,
    config: &GateConfig,
) -> Vec<Finding> {
    let of = |system: &SystemRecord| {
        let rows = |evidence| rows_of(evidence, &system.name);
        let check = check(&rows(first), &rows(later), config.ranks.tolerance);
        (check.verdict == RankVerdict::Changed).then(|| Finding {
            weight: Weight::Warn,
            text: words::unsteady(which, round, &system.name, &check),
        })
    };
    first.record.systems.iter().filter_map(of).collect()
}

/// A system of both records.
pub(super) struct Pair<'a> {
    pub name: &'a str,
    pub baseline: (Evidence<'a>, &'a SystemRecord),
    pub current: (Evidence<'a>, &'a SystemRecord),
    pub config: &'a GateConfig,
}

fn compare(
    baseline: Evidence<'_>,
    current: Evidence<'_>,
    config: &GateConfig,
    drifted: &[Drift],
    times: &dyn Fn(&Pair<'_>) -> Vec<LatencyComparison>,
) -> Comparison {
    let (old, new) = (baseline.record, current.record);
    let mut differ = differences(old, new);
    differ.extend(unmeasured(old, new, config));
    if !differ.is_empty() {
        return Comparison::new(side(old), side(new), Vec::new(), differ, Vec::new());
    }
    let pairs: Vec<Pair<'_>> = new
        .systems
        .iter()
        .filter_map(|system| {
            let before = old.systems.iter().find(|other| other.name == system.name)?;
            let (baseline, current) = ((baseline, before), (current, system));
            Some(Pair { name: &system.name, baseline, current, config })
        })
        .collect();
    let mut systems: Vec<SystemComparison> =
        pairs.iter().map(|pair| pair.without_quality(drifted, times)).collect();
    add_quality(&pairs, &mut systems, config);
    let mut findings = words::findings(&systems, config);
    for system in &new.systems {
        if !pairs.iter().any(|pair| pair.name == system.name) {
            findings.push(words::new_system(&system.name));
        }
        if let Some(failed) = words::failed(system) {
            findings.push(failed);
        }
    }
    let drifted = systems.iter().filter(|system| system.drifted);
    let differ: Vec<Difference> = drifted
        .map(|system| {
            let what = format!("the model that '{}' asks", system.name);
            Difference::new(what, "as recorded", "changed by itself, says the canary")
        })
        .collect();
    Comparison::new(side(old), side(new), findings, differ, systems)
}

/// Measures that are to gate and that a record lacks.
fn unmeasured(old: &Record, new: &Record, config: &GateConfig) -> Vec<Difference> {
    let told = |record: &Record, measure: &String| match record.measures.contains(measure) {
        true => "measured".to_owned(),
        false => "not measured".to_owned(),
    };
    let missing =
        |measure: &&String| !old.measures.contains(measure) || !new.measures.contains(measure);
    let of = |measure: &String| {
        let what = format!("measure {measure}, which is to gate");
        Difference::new(what, told(old, measure), told(new, measure))
    };
    config.quality.measures.iter().filter(missing).map(of).collect()
}

fn side(record: &Record) -> Side {
    Side {
        name: record.experiment.name.clone(),
        finished: record.finished.clone(),
        version: record.version.clone(),
        hash: hash(record),
        demonstration: record.experiment.demonstration.is_some(),
    }
}

/// The hash of a record's own content, by which it is known again.
pub(super) fn hash(record: &impl serde::Serialize) -> ContentHash {
    // A record that cannot be written as JSON could not have been read.
    ContentHash::of(&serde_json::to_vec(record).unwrap_or_default())
}

/// A system's rows by query.
fn rows_of<'a>(evidence: Evidence<'a>, system: &str) -> Rows<'a> {
    let rows = evidence.rows.iter().filter(|row| row.system == system);
    rows.map(|row| (&row.query, row)).collect()
}

impl<'a> Pair<'a> {
    fn rows(&self) -> (Rows<'a>, Rows<'a>) {
        (rows_of(self.baseline.0, self.name), rows_of(self.current.0, self.name))
    }

    fn without_quality(
        &self,
        drifted: &[Drift],
        times: &dyn Fn(&Pair<'_>) -> Vec<LatencyComparison>,
    ) -> SystemComparison {
        let (old, new) = (self.baseline.1, self.current.1);
        let (before, now) = self.rows();
        let drifted = drifted.iter().any(|drift| drift.drifted && drift.is_of(&new.identity));
        let checked = weights_are_the_same(old, new) && !drifted;
        SystemComparison {
            name: self.name.to_owned(),
            role: new.role,
            origin: new.origin.clone(),
            changed: changed(old, new),
            drifted,
            ranks: checked.then(|| check(&before, &now, self.config.ranks.tolerance)),
            quality: Vec::new(),
            cost: super::cost::cost(old, new, self.config.cost.tolerance),
            latency: times(self),
        }
    }

    /// One cell for each measure that both records have.
    fn cells(&self, ranks: Option<&ranks::RankCheck>, drifted: bool) -> Vec<Cell> {
        let (old, new) = (self.baseline.0.record, self.current.0.record);
        let (before, now) = self.rows();
        let gated = &self.config.quality.measures;
        let same_ranks = ranks.is_some_and(|check| {
            check.verdict != RankVerdict::Changed && check.of == ranks::RanksOf::Rankings
        });
        let reranker = self.current.1.role == Role::Reranker;
        let cell = |(column, measure): (usize, &String)| {
            let other = old.measures.iter().position(|name| name == measure)?;
            let gates = match gated.is_empty() {
                true => *measure == new.primary,
                false => gated.contains(measure),
            };
            let mut cell = Cell {
                measure: measure.clone(),
                gates: gates && reranker && !drifted,
                baseline: Vec::new(),
                current: Vec::new(),
                same_ranks,
            };
            for (query, row) in &now {
                let Some(old) = before.get(query) else { continue };
                cell.baseline.push(old.values.get(other).copied().unwrap_or(f64::NAN));
                cell.current.push(row.values.get(column).copied().unwrap_or(f64::NAN));
            }
            Some(cell)
        };
        new.measures.iter().enumerate().filter_map(cell).collect()
    }
}

fn add_quality(pairs: &[Pair<'_>], systems: &mut [SystemComparison], config: &GateConfig) {
    let rules = &config.quality;
    // Both were checked when the config was read; what is built by hand falls back to the defaults.
    let settings = Settings::default();
    let settings = settings.with_margin(rules.margin).unwrap_or(settings);
    let settings = settings.with_alpha(rules.alpha).unwrap_or(settings);
    let mut cells = Vec::new();
    let mut owners = Vec::new();
    for (place, (pair, system)) in pairs.iter().zip(systems.iter()).enumerate() {
        for cell in pair.cells(system.ranks.as_ref(), system.drifted) {
            cells.push(cell);
            owners.push(place);
        }
    }
    for (place, compared) in owners.into_iter().zip(quality(cells, &settings)) {
        systems[place].quality.push(compared);
    }
}

/// Whether the same order is to be expected: weights that are known to be the same, or a baseline
/// that has none.
fn weights_are_the_same(old: &SystemRecord, new: &SystemRecord) -> bool {
    let known = |identity: &Identity| identity.weights.is_some() || identity.provider == "baseline";
    let recorded = |system: &SystemRecord| matches!(system.origin, Origin::Replay { .. });
    let same_source = old.origin == new.origin;
    known(&new.identity) && changed(old, new).is_empty()
        || recorded(new) && same_source && changed(old, new).is_empty()
}

/// What of a system decides its scores and is not as it was. The device and the number format
/// are told apart by the tolerance, but told.
fn changed(old: &SystemRecord, new: &SystemRecord) -> Vec<String> {
    let (old, new) = (&old.identity, &new.identity);
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let number = |value: &Option<usize>| value.map_or("none".to_owned(), |n| n.to_string());
    let short =
        |hash: &Option<ContentHash>| hash.as_ref().map_or("unknown", ContentHash::short).to_owned();
    let parts = [
        ("provider", old.provider.clone(), new.provider.clone()),
        ("model", old.model.clone(), new.model.clone()),
        ("revision", text(&old.revision), text(&new.revision)),
        ("weights", short(&old.weights), short(&new.weights)),
        ("address", text(&old.endpoint), text(&new.endpoint)),
        ("number format", text(&old.dtype), text(&new.dtype)),
        ("maximum length", number(&old.max_length), number(&new.max_length)),
        ("truncation", text(&old.truncation), text(&new.truncation)),
        ("scoring", format!("{:?}", old.scoring), format!("{:?}", new.scoring)),
    ];
    parts
        .into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(what, old, new)| format!("{what} {old} → {new}"))
        .collect()
}

/// Latency from one record and the other, query by query.
fn stored(pair: &Pair<'_>) -> Vec<LatencyComparison> {
    let rules = &pair.config.latency;
    let times = latency::rounds(&[pair.rows()]).pop().unwrap_or_default();
    latency::over_queries(&times, rules.tolerance, &basis(pair, rules.runner))
}

fn basis(pair: &Pair<'_>, runner: Runner) -> LatencyBasis {
    let ((before, old), (now, new)) = (pair.baseline, pair.current);
    let because = if old.identity.device != new.identity.device {
        "they ran on different devices"
    } else if before.record.machine != now.record.machine {
        "they come from different machines"
    } else if runner == Runner::Shared {
        "the runner is not declared pinned ([latency] runner)"
    } else {
        return LatencyBasis::Pinned;
    };
    LatencyBasis::Stored { because: because.to_owned() }
}
