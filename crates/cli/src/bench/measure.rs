use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;
use secondpass_core::{Context, Reranker, rfc3339};
use secondpass_evaluation::bench::{
    self, BENCH_SCHEMA, BenchError, BenchRecord, BenchSystem, Budgeted, Cell, CellCapacity,
    CellRecord, Environment, Extent, Load, Sample, SampleRow, SearchEnd, Subject, SystemClock,
    Watch, write_bench,
};
use secondpass_evaluation::{BenchSpec, BenchTexts, Machine};

use super::child::cold_start;
use super::timed::{Source, Timed};
use super::watched::Watched;
use crate::progress;

/// A first probe at this share of what a closed loop did.
const BELOW: f64 = 0.5;
/// The rate of a first probe where nothing was measured before, in queries a second.
const SLOW: f64 = 0.1;

/// What is measured, and where its record goes.
pub struct Bench<'a> {
    pub name: &'a str,
    pub spec: &'a BenchSpec,
    pub timed: &'a [Timed<'a>],
    pub source: Source<'a>,
    pub context: &'a Context,
    pub folder: &'a Path,
}

/// Measures everything, and writes the record after each cell: what an end by Ctrl-C or by a provider
/// leaves is whole. What ended early says so in the record.
pub fn measure(plan: &Bench<'_>) -> Result<(BenchRecord, Vec<SampleRow>)> {
    plan.timed.iter().try_for_each(|timed| timed.check(plan.source))?;
    let (dataset, texts) = (plan.source.dataset, plan.source.texts);
    let record = BenchRecord {
        schema: BENCH_SCHEMA,
        name: plan.name.to_owned(),
        finished: now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        machine: Machine::here(),
        source: match texts {
            BenchTexts::Synthetic => "synthetic".to_owned(),
            BenchTexts::Set => format!("{} {}", dataset.name(), dataset.split()),
        },
        warm_up: plan.spec.warm_up,
        systems: Vec::new(),
    };
    let mut run = Run { plan, record, rows: Vec::new(), bar: bar() };
    for timed in plan.timed {
        run.one(timed)?;
        if plan.context.is_over() {
            break;
        }
    }
    run.bar.finish_and_clear();
    Ok((run.record, run.rows))
}

struct Run<'a> {
    plan: &'a Bench<'a>,
    record: BenchRecord,
    rows: Vec<SampleRow>,
    bar: ProgressBar,
}

/// One reranker while it is measured.
struct Now<'a> {
    /// Which of the record's.
    place: usize,
    timed: &'a Timed<'a>,
    budgeted: &'a Budgeted<'a>,
    watch: Watch,
    system: BenchSystem,
}

impl Run<'_> {
    fn one(&mut self, timed: &Timed<'_>) -> Result<()> {
        let plan = self.plan;
        let budgeted = Budgeted::new(timed.reranker);
        let mut system = BenchSystem {
            name: timed.name.to_owned(),
            identity: timed.reranker.identity().clone(),
            destination: timed.reranker.destination().cloned(),
            environment: Environment::default(),
            cold_start: None,
            peak_memory: None,
            cells: Vec::new(),
            capacities: Vec::new(),
            ended: None,
            spent: None,
            warnings: Vec::new(),
        };
        if let (Some(flags), Some(cell)) = (&timed.child, timed.cells.first()) {
            self.bar.set_message(format!("{}: cold starts,", timed.name));
            let work = timed.workload(plan.source, cell, 1)?;
            let starts = plan.spec.cold_starts;
            system.cold_start = cold_start(flags, &work.jobs[0], starts, plan.context)?;
        }
        // After the children, whose work would count as others'.
        let watch = Watch::start();
        let place = self.record.systems.len();
        let mut now = Now { place, timed, budgeted: &budgeted, watch, system };
        for (number, cell) in timed.cells.iter().enumerate() {
            let of = format!("{}: {}/{} {cell},", timed.name, number + 1, timed.cells.len());
            self.bar.set_message(of);
            self.bar.reset();
            if !self.cell(&mut now, cell)? {
                return Ok(());
            }
        }
        match plan.spec.find_rate {
            Some(_) if now.system.ended.is_none() => self.search(&mut now),
            _ => Ok(()),
        }
    }

    /// Measures a cell; whether others may follow.
    fn cell(&mut self, now: &mut Now<'_>, cell: &Cell) -> Result<bool> {
        let spec = self.plan.spec;
        let seconds = spec.seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
        let extent = Extent { queries: spec.queries, at_most: seconds, patience: seconds };
        let work = now.timed.workload(self.plan.source, cell, spec.queries)?;
        let measured = self.on(now, cell, &work.jobs, |subject| {
            bench::measure(subject, *cell, work.filled, &spec.warm_up, &extent)
        })?;
        let (record, samples) = match measured {
            Ok(measured) => measured,
            Err(
                error @ (BenchError::Stopped
                | BenchError::Unavailable(_)
                | BenchError::NoAnswer { .. }),
            ) => {
                now.system.ended = Some(error.to_string());
                self.keep(now, Vec::new())?;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        let ended = self.ended(&record);
        let number = now.system.cells.len() as u32;
        now.system.cells.push(record);
        now.system.ended = ended;
        let rows = rows(now.place, number, 0, samples);
        self.keep(now, rows)?;
        Ok(now.system.ended.is_none())
    }

    /// Why nothing else is measured after this cell. A load that was too high says nothing of others.
    fn ended(&self, record: &CellRecord) -> Option<String> {
        let (context, why) = (self.plan.context, record.cut_short.as_ref()?);
        let overloaded = why == &bench::CutShort::Overloaded.to_string();
        (context.is_over() || !overloaded).then(|| why.clone())
    }

    fn search(&mut self, now: &mut Now<'_>) -> Result<()> {
        let (spec, Some(base)) = (self.plan.spec, now.system.cells.first()) else { return Ok(()) };
        let (Some(find), cell) = (spec.find_rate, base.cell) else { return Ok(()) };
        let start = match cell.load {
            Load::Closed { .. } => BELOW * base.measured.throughput.queries,
            Load::Open { rate, .. } => rate,
        };
        let start = if start > 0.0 { start } else { SLOW };
        let search = find.search(start, now.timed.workers, spec.seed);
        let work = now.timed.workload(self.plan.source, &cell, spec.queries)?;
        let system = now.place;
        let mut probed = Vec::new();
        self.bar.reset();
        let bar = self.bar.clone();
        let name = now.timed.name;
        bar.set_message(format!("{name}: highest rate, from {:.2} a second,", search.start));
        let found = self.on(now, &cell, &work.jobs, |subject| {
            bench::highest_rate(subject, &search, &mut |probe, samples| {
                let kept = if probe.kept { "kept" } else { "broke" };
                let limit = find.p95_seconds;
                bar.set_message(format!(
                    "{name}: highest rate, {:.2} a second {kept} {limit} s,",
                    probe.rate
                ));
                probed.extend(rows(system, 0, samples.probe as u32, samples.samples));
            })
        })?;
        let capacity = found?;
        now.system.ended = match capacity.end {
            SearchEnd::Stopped => Some("stopped".to_owned()),
            SearchEnd::Unavailable => Some("the reranker can no longer be asked".to_owned()),
            SearchEnd::Found | SearchEnd::OutOfProbes => None,
        };
        now.system.capacities.push(CellCapacity { cell: 0, capacity });
        self.keep(now, probed)
    }

    /// Lets `work` ask the reranker of a cell.
    fn on<T>(
        &self,
        now: &Now<'_>,
        cell: &Cell,
        jobs: &[secondpass_core::Job],
        work: impl FnOnce(Subject<'_>) -> T,
    ) -> Result<T> {
        let mut made = None;
        let reranker = match cell.batch_tokens {
            // Only what runs here has batches, and nobody bills that.
            Some(_) => now.timed.of(cell, &mut made)?,
            None => now.budgeted as &dyn Reranker,
        };
        let watched = Watched { reranker, bar: &self.bar };
        let (clock, context) = (SystemClock::new(), self.plan.context);
        Ok(work(Subject { reranker: &watched, jobs, clock: &clock, context }))
    }

    /// Writes what there is by now.
    fn keep(&mut self, now: &mut Now<'_>, rows: Vec<SampleRow>) -> Result<()> {
        self.rows.extend(rows);
        let system = &mut now.system;
        system.environment = now.watch.end();
        system.spent = now.budgeted.spent();
        if self.plan.timed.len() == 1 && now.timed.own.is_some() {
            system.peak_memory = bench::peak_memory();
        }
        system.warnings = bench::warnings(system);
        self.record.finished = self::now();
        self.record.systems.truncate(now.place);
        self.record.systems.push(system.clone());
        Ok(write_bench(self.plan.folder, &self.record, &self.rows)?)
    }
}

fn rows(system: usize, cell: u32, probe: u32, samples: Vec<Sample>) -> Vec<SampleRow> {
    let row = |sample| SampleRow { system: system as u32, cell, probe, sample };
    samples.into_iter().map(row).collect()
}

fn bar() -> ProgressBar {
    let bar = progress::bar(0, "{msg} {pos} queries, {elapsed}");
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

fn now() -> String {
    rfc3339(std::time::SystemTime::now())
}
