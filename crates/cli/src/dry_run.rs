use std::collections::HashMap;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use secondpass_core::{Context, Dataset, Job, RerankError, Reranker, Usage};
use secondpass_evaluation::{
    Contender, Experiment, Forecast, HostedSpec, Plan, RerankerKind, Sweep, forecast,
};

use crate::args::HostedArgs;
use crate::bench::{self, Source, Timed};
use crate::datasets;
use crate::first_stage::{Found, Searcher};
use crate::hosted::{self, Shared};
use crate::jobs::jobs;
use crate::rerankers::{self, Contending};
use crate::table::table;

/// Queries that are reranked to learn a rate, after one that warms up.
const PROBES: usize = 3;

/// Queries whose tokens stand for those of all.
const SAMPLE: usize = 20;

/// Prints what an experiment would do: its candidates are found and a few queries reranked to learn
/// the rate; nothing is written but caches of indexes and vectors.
pub fn print(experiment: &Experiment, args: &HostedArgs, context: &Context) -> Result<()> {
    let shared = Shared::new(experiment, args, context)?;
    let opened = rerankers::open(experiment, &shared, true)?;
    let loaded = datasets::load(experiment)?;
    let dataset = &loaded.dataset;
    let found = Searcher::new(experiment, &loaded, context).candidates()?;
    let jobs: Vec<Job> =
        jobs(dataset, &found.run).into_iter().filter(|job| !job.candidates.is_empty()).collect();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}: {} {}, {} queries ({} with candidates) over {} documents\n{}",
        experiment.name,
        dataset.name(),
        dataset.split(),
        dataset.queries().len(),
        jobs.len(),
        dataset.corpus().len(),
        found.description
    )?;
    for retriever in &experiment.retrievers {
        writeln!(out, "retriever '{}', not run now", retriever.name)?;
    }
    let bills = bills(experiment, &opened, dataset, &found)?;
    let head = ["reranker", "pairs", "tokens", "time", "cost"];
    let mut plan = table(&head, |at| at > 0);
    for (spec, opened) in experiment.rerankers.iter().zip(&opened) {
        let pairs = pairs(experiment, &jobs, opened.lengths.len());
        if opened.reranker.destination().is_some() {
            // Nobody is asked, and nobody billed, to learn a rate.
            let cost = match (opened.replayed, bills.get(&spec.name)) {
                (true, _) => "0 USD (a recording)",
                (false, Some(bill)) => bill,
                (false, None) => "not billed by the call",
            };
            let unknown = || "not tried".to_owned();
            let least = match &spec.kind {
                RerankerKind::Hosted(hosted) if !opened.replayed => {
                    least(hosted, &jobs, asked(experiment, &jobs))?
                }
                _ => None,
            };
            let least =
                least.map(|seconds| format!("{} or more, by its limits", duration(seconds)));
            plan.add_row([
                spec.name.clone(),
                pairs.to_string(),
                unknown(),
                least.unwrap_or_else(unknown),
                cost.to_owned(),
            ]);
            continue;
        }
        let rate = rate(&*opened.reranker, &jobs, context)
            .with_context(|| format!("reranker '{}'", spec.name))?;
        let (tokens, seconds) = match rate {
            Some((usage, elapsed)) if usage.pairs > 0 => {
                let share = pairs as f64 / usage.pairs as f64;
                let seconds = elapsed.as_secs_f64() * share;
                (format!("{:.0}", usage.tokens as f64 * share), duration(seconds))
            }
            _ => ("-".to_owned(), "-".to_owned()),
        };
        let cost = "0 USD (this machine)".to_owned();
        plan.add_row([spec.name.clone(), pairs.to_string(), tokens, seconds, cost]);
    }
    if experiment.rerankers.is_empty() {
        writeln!(out, "no reranker")?;
    } else {
        writeln!(
            out,
            "{plan}\nTokens and time are estimated from {PROBES} queries; scores kept from earlier \
             runs save the most of both."
        )?;
    }
    if let Some(spec) = &experiment.bench {
        drop(out);
        let candidates = &found.run;
        let source = Source { texts: spec.texts, dataset, candidates };
        let timed = Timed::all(experiment, spec, &opened, &|_| Vec::new())?;
        let forecasts = bench::forecasts(&timed, spec, source)?;
        bench::dry_run(&timed, spec, source, &forecasts, context)?;
    }
    Ok(())
}

/// Pairs of all passes: each repetition, the timed queries of each smaller depth, each other length.
fn pairs(experiment: &Experiment, jobs: &[Job], lengths: usize) -> usize {
    let all: usize = jobs.iter().map(|job| job.candidates.len()).sum();
    let timed = experiment.sweep.timed_queries.min(jobs.len());
    let at = |depth: usize| {
        jobs.iter().take(timed).map(|job| job.candidates.len().min(depth)).sum::<usize>()
    };
    let depths = experiment.sweep.depths.iter();
    let smaller = depths.filter(|&&depth| depth < experiment.first_stage.depth);
    all * (experiment.repetitions + lengths) + smaller.map(|&depth| at(depth)).sum::<usize>()
}

/// Queries of all passes of one that is asked over HTTP: each repetition, and the timed ones of each
/// smaller depth.
fn asked(experiment: &Experiment, jobs: &[Job]) -> usize {
    let timed = experiment.sweep.timed_queries.min(jobs.len());
    let depths = experiment.sweep.depths.iter();
    let smaller = depths.filter(|&&depth| depth < experiment.first_stage.depth).count();
    jobs.len() * experiment.repetitions + timed * smaller
}

/// The seconds that so many queries take at the least under the limits a minute that the config
/// states; `None` where it states none. A query is a call or more.
fn least(spec: &HostedSpec, jobs: &[Job], queries: usize) -> Result<Option<f64>> {
    let by_requests = spec.requests_per_minute.map(|limit| 60.0 * queries as f64 / limit);
    let by_tokens = match spec.tokens_per_minute {
        None => None,
        Some(limit) => {
            let count = hosted::tokens(spec.tokenizer.as_deref())?;
            let sample = &jobs[..jobs.len().min(SAMPLE)];
            let of = |job: &Job| -> u64 {
                let query = count.count(&job.query.text);
                let candidates = job.candidates.iter();
                query + candidates.map(|c| count.count(&c.document.passage())).sum::<u64>()
            };
            let tokens = sample.iter().map(of).sum::<u64>() as f64 / sample.len().max(1) as f64;
            Some(60.0 * tokens * queries as f64 / limit)
        }
    };
    Ok(by_requests.into_iter().chain(by_tokens).reduce(f64::max))
}

/// What hosted rerankers will be billed over all passes, by name.
fn bills(
    experiment: &Experiment,
    opened: &[Contending],
    dataset: &Dataset,
    found: &Found,
) -> Result<HashMap<String, String>> {
    let contenders: Vec<Contender<'_>> = (experiment.rerankers.iter().zip(opened))
        .map(|(spec, contending)| contending.contender(&spec.name, &[]))
        .collect();
    let plan = Plan {
        rerankers: &contenders,
        sweep: Sweep::from(&experiment.sweep),
        repetitions: experiment.repetitions,
        ..Plan::new(experiment, dataset, &found.run, &found.description)
    };
    let shown = |forecast: Forecast| {
        let Forecast { system, tariff, units, usd, .. } = forecast;
        let bill = match usd {
            Some(usd) => format!("{usd:.4} USD ({units} {})", tariff.unit),
            None => format!("price unknown ({units} {})", tariff.unit),
        };
        (system, bill)
    };
    Ok(forecast(&plan)?.into_iter().map(shown).collect())
}

/// What a few queries consume, and how long they take.
fn rate(
    reranker: &dyn Reranker,
    jobs: &[Job],
    context: &Context,
) -> Result<Option<(Usage, Duration)>, RerankError> {
    let Some(first) = jobs.first() else { return Ok(None) };
    rerank(reranker, std::slice::from_ref(first), context)?;
    let step = (jobs.len() / PROBES).max(1);
    let probes: Vec<Job> = jobs.iter().step_by(step).take(PROBES).cloned().collect();
    let started = Instant::now();
    let usage = rerank(reranker, &probes, context)?;
    Ok(Some((usage, started.elapsed())))
}

/// Reranks all of these; what they consume, or the first error.
pub fn rerank(
    reranker: &dyn Reranker,
    jobs: &[Job],
    context: &Context,
) -> Result<Usage, RerankError> {
    let (mut usage, mut failed) = (Usage::default(), None);
    reranker.rerank_many(jobs, context, &mut |_, answer| match answer {
        Ok(answer) => usage += answer.usage,
        Err(error) => failed = failed.take().or(Some(error.error)),
    });
    failed.map_or(Ok(usage), Err)
}

/// A time for people: `12 s`, `10 min`, `2.5 h`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        long if long >= 5400.0 => format!("{:.1} h", long / 3600.0),
        middling if middling >= 90.0 => format!("{:.0} min", middling / 60.0),
        short => format!("{short:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_a_minute_bound_the_time() {
        let spec = |requests, tokens| HostedSpec {
            requests_per_minute: requests,
            tokens_per_minute: tokens,
            ..HostedSpec::default()
        };
        let job = bench::job("what", &["one two three four"]);
        let seconds = |spec| least(&spec, std::slice::from_ref(&job), 120).unwrap();
        assert_eq!(seconds(spec(None, None)), None);
        assert_eq!(seconds(spec(Some(10.0), None)), Some(720.0));
        // Five tokens a query: 600 at 60 a minute.
        assert_eq!(seconds(spec(Some(1000.0), Some(60.0))), Some(600.0));
    }

    #[test]
    fn durations_read_well() {
        let shown = [0.4, 89.0, 600.0, 9000.0].map(duration);
        assert_eq!(shown, ["0 s", "89 s", "10 min", "2.5 h"]);
    }
}
