use std::io::Write;
use std::time::Instant;

use anyhow::{Context as _, Result};
use secondpass_core::{Context, Job, Reranker};
use secondpass_evaluation::bench::{Cell, Load};
use secondpass_evaluation::{BenchSpec, Forecast};

use super::timed::{Source, Timed};
use crate::dry_run::{duration, rerank};
use crate::table::table;

/// Queries that are reranked to learn a rate, after one that warms up.
const PROBES: usize = 3;
/// Probes that a search takes, usually.
const SEARCH: usize = 8;

/// Prints the cells that would be measured and about how long each will take, and what those that
/// bill would be asked for. Who bills is asked nothing.
pub fn dry_run(
    timed: &[Timed<'_>],
    spec: &BenchSpec,
    source: Source<'_>,
    forecasts: &[Forecast],
    context: &Context,
) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let mut plan = table(&["reranker", "cell", "queries", "about"], |at| at > 1);
    let mut total = Some(0.0);
    for timed in timed {
        let speed = speed(timed, spec, source, context)
            .with_context(|| format!("reranker '{}'", timed.name))?;
        for (number, cell) in timed.cells.iter().enumerate() {
            let tokens = tokens(timed, source, spec, cell)?;
            let seconds = speed.map(|speed| cell_seconds(cell, spec, speed * tokens));
            total = total.zip(seconds).map(|(total, seconds)| total + seconds);
            let name = if number == 0 { timed.name } else { "" };
            let about = seconds.map_or("not tried".to_owned(), duration);
            plan.add_row([name.to_owned(), cell.to_string(), spec.queries.to_string(), about]);
        }
        if let (Some(find), Some(cell)) = (spec.find_rate, timed.cells.first()) {
            let each = tokens(timed, source, spec, cell)?;
            // A probe near the highest rate lasts as long as its queries do one after the other.
            let queries = SEARCH * find.queries;
            let seconds = speed.map(|speed| queries as f64 * speed * each);
            total = total.zip(seconds).map(|(total, seconds)| total + seconds);
            plan.add_row([
                String::new(),
                format!("the highest rate whose p95 keeps {} s", find.p95_seconds),
                queries.to_string(),
                seconds.map_or("not tried".to_owned(), duration),
            ]);
        }
    }
    writeln!(out, "{plan}")?;
    match total {
        Some(total) => writeln!(
            out,
            "about {} in all, warming up included and cold starts not; estimated from {PROBES} queries",
            duration(total)
        )?,
        None => writeln!(out, "who is asked over HTTP is not tried, so that nobody is billed")?,
    }
    for Forecast { system, queries, units, usd, most_usd, tariff, .. } in forecasts {
        let cost = match (usd, most_usd) {
            (Some(usd), Some(most)) => format!("{usd:.4} USD, {most:.4} USD at the most"),
            _ => "at an unknown price".to_owned(),
        };
        writeln!(out, "{system}: about {queries} queries, {units} {}: {cost}", tariff.unit)?;
    }
    Ok(())
}

/// Seconds a token of our own engine's; `None` for who is asked over HTTP.
fn speed(
    timed: &Timed<'_>,
    spec: &BenchSpec,
    source: Source<'_>,
    context: &Context,
) -> Result<Option<f64>> {
    let (Some(_), Some(cell)) = (timed.own, timed.cells.first()) else { return Ok(None) };
    let jobs = timed.workload(source, cell, spec.queries)?.jobs;
    let reranker: &dyn Reranker = timed.reranker;
    rerank(reranker, &jobs[..1], context)?;
    let probes = &jobs[..PROBES.min(jobs.len())];
    let tokens: f64 = probes.iter().map(|job| of_job(timed, job)).sum();
    let started = Instant::now();
    rerank(reranker, probes, context)?;
    Ok((tokens > 0.0).then(|| started.elapsed().as_secs_f64() / tokens))
}

/// Tokens of a query in a cell, cut as the reranker cuts.
fn tokens(timed: &Timed<'_>, source: Source<'_>, spec: &BenchSpec, cell: &Cell) -> Result<f64> {
    let jobs = timed.workload(source, cell, spec.queries)?.jobs;
    let probes = &jobs[..PROBES.min(jobs.len())];
    Ok(probes.iter().map(|job| of_job(timed, job)).sum::<f64>() / probes.len().max(1) as f64)
}

fn of_job(timed: &Timed<'_>, job: &Job) -> f64 {
    let limit = timed.reranker.identity().max_length.unwrap_or(usize::MAX);
    let query = timed.count(&job.query.text);
    let pair = |text: &str| (query + timed.count(text)).min(limit) as f64;
    job.candidates.iter().map(|candidate| pair(&candidate.document.passage())).sum()
}

/// Seconds of a cell whose queries take so long each, two windows of warming up included.
fn cell_seconds(cell: &Cell, spec: &BenchSpec, each: f64) -> f64 {
    let warm_up = 2.0 * spec.warm_up.window as f64 * each;
    let queries = spec.queries as f64;
    let load = match cell.load {
        // One machine does the work of all clients.
        Load::Closed { .. } => queries * each,
        Load::Open { rate, .. } => (queries / rate).max(queries * each),
    };
    warm_up + spec.seconds.map_or(load, |seconds| load.min(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_lasts_as_long_as_its_queries_or_its_limit() {
        let spec = BenchSpec { queries: 100, seconds: Some(30.0), ..BenchSpec::default() };
        let seconds = |load, each| cell_seconds(&Cell { load, ..Cell::default() }, &spec, each);
        let closed = Load::Closed { clients: 4 };
        assert_eq!(seconds(closed, 0.1), 14.0);
        assert_eq!(seconds(closed, 1.0), 70.0);
        let arrivals = secondpass_evaluation::bench::Arrivals::Constant;
        assert_eq!(seconds(Load::Open { rate: 5.0, arrivals, workers: 1 }, 0.1), 24.0);
    }
}
