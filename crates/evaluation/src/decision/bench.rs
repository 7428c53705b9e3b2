//! What a bench knows of a choice: the rate that one machine answers within the limit, and how long a
//! query then takes.

use super::config::DecideConfig;
use super::error::DecideError;
use crate::bench::{
    BenchRecord, BenchSystem, Capacity, Cell, CellRecord, DocumentLength, Percentile, Probe,
};
use crate::cost::{Basis, Figure};
use crate::record::{Record, SystemRecord};

/// The ends of a percentile's bounds hold with 90%, those of a figure with 95%: by how much the
/// logarithm of a range grows from the one to the other (1.960 / 1.645).
const WIDER: f64 = 1.1915;
/// The percentile that limits are stated of.
const SHARE: f64 = 0.95;

/// A bench, and the choice that the config names it for; without one, whatever it measured.
#[derive(Clone, Copy, Debug)]
pub struct BenchEvidence<'a> {
    /// The choice whose table names it; `None` for one that stands beside a record.
    pub choice: Option<&'a str>,
    /// The bench.
    pub record: &'a BenchRecord,
}

/// What a bench tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FromBench {
    /// Queries a second within the limit; `None` where no search was for such a limit.
    pub rate: Option<Figure>,
    /// The 95th percentile in seconds: at the share of that rate which is planned for, else of the
    /// cell.
    pub p95: Option<Figure>,
    /// Candidates a query.
    pub candidates: f64,
}

/// What benches know of a reranker; `None` where none measured it. One that the config names must
/// have.
pub(super) fn of(
    benches: &[BenchEvidence<'_>],
    record: &Record,
    system: &SystemRecord,
    config: &DecideConfig,
    utilisation: f64,
) -> Result<Option<FromBench>, DecideError> {
    let named = benches.iter().find(|bench| bench.choice == Some(system.name.as_str()));
    if let Some(bench) = named {
        let told = told(bench.record, record, system, config, utilisation);
        return told.map(Some).map_err(|problem| DecideError::Bench {
            file: config.file.clone(),
            choice: system.name.clone(),
            bench: bench.record.name.clone(),
            problem,
        });
    }
    let mut beside = benches.iter().filter(|bench| bench.choice.is_none());
    Ok(beside.find_map(|bench| told(bench.record, record, system, config, utilisation).ok()))
}

fn told(
    bench: &BenchRecord,
    record: &Record,
    system: &SystemRecord,
    config: &DecideConfig,
    utilisation: f64,
) -> Result<FromBench, String> {
    let Some(found) = bench.system(&system.name) else {
        let known: Vec<&str> = bench.systems.iter().map(|system| system.name.as_str()).collect();
        return Err(format!("it did not measure '{}', but {}", system.name, known.join(", ")));
    };
    same(found, system)?;
    if !found.is_live() {
        return Err("a mock or a recording answered; measure the reranker itself".to_owned());
    }
    let depth = record.candidates.depth;
    let fits = |cell: &Cell| cell.candidates == depth && cell.length == DocumentLength::Own;
    let fitting: Vec<(usize, &CellRecord)> =
        found.cells.iter().enumerate().filter(|(_, cell)| fits(&cell.cell)).collect();
    if fitting.is_empty() {
        return Err(format!(
            "it has no cell of {depth} candidates with texts as they are, which the record has; \
             measure with --candidates {depth}"
        ));
    }
    let limit = config.constraints.p95_seconds;
    let capacity = |&(place, _): &(usize, &CellRecord)| {
        let of_cell = found.capacities.iter().filter(move |found| found.cell == place);
        of_cell.map(|found| &found.capacity).find(|capacity| {
            let search = &capacity.search;
            search.share == SHARE && limit.is_none_or(|limit| search.limit <= limit)
        })
    };
    let capacity = fitting.iter().find_map(capacity);
    let date = bench.finished.get(..10).map(str::to_owned);
    let figure = |value, what: &str| {
        let source = format!("the bench '{}', {}, {what}", bench.name, bench.source);
        Figure::exact(value, Basis::Measured, date.clone(), &source)
    };
    let rate = capacity.and_then(|capacity| {
        let (value, low, high) = range(capacity)?;
        let what = format!("the highest rate whose p95 keeps {} s", capacity.search.limit);
        figure(value, &what).within(low, high).ok()
    });
    let at_plan = capacity.and_then(|capacity| planned(capacity, utilisation));
    let p95 = match at_plan {
        Some(probe) => {
            let what = format!("p95 at {:.2} queries a second", probe.rate);
            probe.found.map(|found| bounded(figure(found.value, &what), &found, None))
        }
        None => slowest(&fitting).and_then(|cell| {
            let found = *cell.measured.percentile(SHARE)?;
            let what = format!("p95 of {}", cell.cell);
            Some(bounded(figure(found.value, &what), &found, Some(cell.measured.max)))
        }),
    };
    Ok(FromBench { rate, p95, candidates: depth as f64 })
}

/// That both are one reranker, whatever machine it ran on.
fn same(found: &BenchSystem, system: &SystemRecord) -> Result<(), String> {
    let (bench, record) = (&found.identity, &system.identity);
    let differs = [
        (bench.provider != record.provider, "provider"),
        (bench.model != record.model, "model"),
        (bench.revision != record.revision, "revision"),
        (bench.weights != record.weights, "weights"),
        (bench.dtype != record.dtype, "number format"),
        (bench.max_length != record.max_length, "maximum length"),
        (bench.truncation != record.truncation, "truncation"),
    ];
    match differs.into_iter().find(|(differs, _)| *differs) {
        None => Ok(()),
        Some((_, what)) => {
            Err(format!("it measured '{}' with another {what}; measure it anew", found.name))
        }
    }
}

/// The rate between those that kept the limit and those that broke it, and the ends of where it lies:
/// rates that kept or broke it beyond chance, where there are such.
fn range(capacity: &Capacity) -> Option<(f64, f64, f64)> {
    let kept = capacity.kept?;
    let probes = |keeps: bool| capacity.probes.iter().filter(move |probe| probe.kept == keeps);
    let rates = |keeps, sure: bool| {
        probes(keeps).filter(move |probe| probe.sure || !sure).map(|probe| probe.rate)
    };
    let below = |rate: &f64| *rate <= kept;
    let low = rates(true, true).filter(below).reduce(f64::max);
    let low = low.or_else(|| rates(true, false).reduce(f64::min)).unwrap_or(kept).min(kept);
    let Some(broken) = capacity.broken else { return Some((kept, low, kept)) };
    let high = rates(false, true).filter(|rate| *rate >= broken).reduce(f64::min);
    let high = high.or_else(|| rates(false, false).reduce(f64::max)).unwrap_or(broken).max(broken);
    Some(((kept * broken).sqrt(), low, high))
}

/// The probe that stands for the share of the rate which is planned for: the nearest that is not
/// below it and kept the limit.
fn planned(capacity: &Capacity, utilisation: f64) -> Option<&Probe> {
    let rate = capacity.kept? * utilisation;
    let mut kept: Vec<&Probe> =
        capacity.probes.iter().filter(|probe| probe.kept && probe.found.is_some()).collect();
    kept.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    kept.iter().find(|probe| probe.rate >= rate).or(kept.last()).copied()
}

/// The cell that was slowest: of several loads the highest says most of a service that is used.
fn slowest<'a>(fitting: &[(usize, &'a CellRecord)]) -> Option<&'a CellRecord> {
    let p95 = |cell: &CellRecord| cell.measured.percentile(SHARE).map_or(0.0, |p95| p95.value);
    let all = fitting.iter().map(|(_, cell)| *cell);
    all.max_by(|a, b| p95(a).total_cmp(&p95(b)))
}

/// The figure with a percentile's bounds. A bound that too few samples gave is the most there was.
fn bounded(figure: Figure, found: &Percentile, most: Option<f64>) -> Figure {
    let value = figure.value;
    let wider = |end: f64| value * (end / value).powf(WIDER);
    let low = found.low.filter(|low| *low > 0.0).map_or(value, wider);
    let high = found.high.or(most).map_or(value, wider);
    figure.clone().within(low.min(value), high.max(value)).unwrap_or(figure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Search, SearchEnd};

    fn probe(rate: f64, kept: bool, sure: bool) -> Probe {
        let found = Percentile {
            share: SHARE,
            value: rate / 100.0,
            low: None,
            high: None,
            design_effect: 1.0,
        };
        let (asked, failed, runs, overloaded) = (500, 0, 1, false);
        Probe { rate, asked, failed, runs, found: Some(found), overloaded, kept, sure }
    }

    fn capacity(probes: Vec<Probe>) -> Capacity {
        let of =
            |keeps| probes.iter().filter(move |probe| probe.kept == keeps).map(|probe| probe.rate);
        Capacity {
            search: Search::default(),
            kept: of(true).reduce(f64::max),
            broken: of(false).reduce(f64::min),
            end: SearchEnd::Found,
            probes,
        }
    }

    #[test]
    fn a_rate_lies_between_what_surely_kept_and_what_surely_broke() {
        let probes = vec![
            probe(4.0, true, true),
            probe(16.0, false, true),
            probe(8.0, true, true),
            probe(9.0, true, false),
            probe(10.0, false, false),
        ];
        let (value, low, high) = range(&capacity(probes)).unwrap();
        assert!((value - 90f64.sqrt()).abs() < 1e-12);
        assert_eq!((low, high), (8.0, 16.0));
        // Nothing is sure: as far as anything was tried.
        let unsure =
            vec![probe(4.0, true, false), probe(5.0, true, false), probe(6.0, false, false)];
        let (_, low, high) = range(&capacity(unsure)).unwrap();
        assert_eq!((low, high), (4.0, 6.0));
        let never = capacity(vec![probe(1.0, false, true)]);
        assert_eq!(range(&never), None);
        let always = capacity(vec![probe(1.0, true, true), probe(2.0, true, true)]);
        assert_eq!(range(&always), Some((2.0, 2.0, 2.0)));
    }

    #[test]
    fn the_time_is_that_at_the_planned_share() {
        let probes = vec![probe(4.0, true, true), probe(6.0, true, true), probe(10.0, true, true)];
        let found = capacity(probes);
        let at = |share| planned(&found, share).unwrap().rate;
        assert_eq!([at(0.3), at(0.5), at(0.6), at(0.61), at(1.0)], [4.0, 6.0, 6.0, 10.0, 10.0]);
    }

    #[test]
    fn bounds_of_90_percent_become_those_of_95() {
        let figure = Figure::exact(0.1, Basis::Measured, None, "here");
        let found = Percentile {
            share: SHARE,
            value: 0.1,
            low: Some(0.08),
            high: None,
            design_effect: 1.0,
        };
        let wide = bounded(figure.clone(), &found, Some(0.2));
        assert!(wide.low < 0.08 && wide.high > 0.2, "{wide:?}");
        let unbounded = bounded(figure, &Percentile { low: None, ..found }, None);
        assert!(unbounded.is_exact());
    }
}
