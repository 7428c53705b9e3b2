use std::io::Write;
use std::time::SystemTime;

use anyhow::{Context as _, Result, anyhow, bail};
use secondpass_core::{
    Budget, Candidate, ContentHash, Context, Job, Origin, Query, Quote, Ranking, rfc3339,
};
use secondpass_data::{Access, write_file};
use secondpass_evaluation::compare::{Canary, CanaryQuery, Drift};
use secondpass_evaluation::{Experiment, Forecast};

use super::calibrate::keep_one;
use super::compare::config;
use super::eval::read_experiment;
use crate::args::{CanaryArgs, CanaryCheckArgs, CanaryCommand, CanaryRecordArgs, HostedArgs};
use crate::datasets;
use crate::exit::usage;
use crate::first_stage::Searcher;
use crate::hosted::Shared;
use crate::{money, progress, rerankers};

/// Records a canary, or checks one.
pub fn run(args: &CanaryArgs) -> Result<()> {
    match &args.command {
        CanaryCommand::Record(args) => record(args),
        CanaryCommand::Check(args) => check(args),
    }
}

fn record(args: &CanaryRecordArgs) -> Result<()> {
    let mut experiment = read_experiment(&args.config)?;
    keep_one(&mut experiment, args.reranker.as_deref())?;
    let context = context(&args.hosted);
    let loaded = datasets::load(&experiment)?;
    let found = Searcher::new(&experiment, &loaded, &context).candidates()?.run;
    let mut jobs: Vec<Job> = chosen(loaded.dataset.queries())
        .into_iter()
        .map(|query| Job::new(&loaded.dataset, query, &found, args.depth))
        .filter(|job| !job.candidates.is_empty())
        .collect();
    jobs.truncate(args.queries);
    if jobs.is_empty() {
        return Err(usage(anyhow!("{}: no query has any candidate", experiment.file)));
    }
    let canary = ask(&experiment, &jobs, &args.hosted, &context)?;
    let mut json = serde_json::to_vec_pretty(&canary)?;
    json.push(b'\n');
    write_file(&args.out, Access::Default, |out| Ok(out.write_all(&json)?))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} queries kept in {}", canary.queries.len(), args.out.display())?;
    Ok(())
}

fn check(args: &CanaryCheckArgs) -> Result<()> {
    let tolerance = config(args.gate.as_deref())?.canary.tolerance;
    let file = args.canary.display();
    let told = || format!("{file}: name what `canary record` wrote");
    let text = std::fs::read(&args.canary).with_context(told).map_err(usage)?;
    let canary: Canary = serde_json::from_slice(&text).with_context(told).map_err(usage)?;
    let mut experiment = read_experiment(&args.config)?;
    keep_one(&mut experiment, args.reranker.as_deref())?;
    let context = context(&args.hosted);
    let loaded = datasets::load(&experiment)?;
    let jobs = canary.queries.iter().map(|asked| again(asked, &loaded.dataset));
    let jobs: Vec<Job> = jobs.collect::<Result<_>>()?;
    let now = ask(&experiment, &jobs, &args.hosted, &context)?;
    let drift = canary.check(&now, tolerance).with_context(|| file.to_string()).map_err(usage)?;
    if let Some(path) = &args.out {
        let mut json = serde_json::to_vec_pretty(&drift)?;
        json.push(b'\n');
        write_file(path, Access::Default, |out| Ok(out.write_all(&json)?))?;
    }
    let mut out = std::io::stdout().lock();
    match drift.drifted {
        false => {
            writeln!(out, "{}", unchanged(&drift))?;
            Ok(())
        }
        true => bail!("{}", changed(&drift)),
    }
}

fn unchanged(drift: &Drift) -> String {
    format!(
        "{} answers as it did on {}: {} queries, scores moved by at most {:.2e}",
        drift.identity.model,
        day(&drift.recorded),
        drift.queries,
        drift.moved
    )
}

fn changed(drift: &Drift) -> String {
    let reordered = drift.changed.iter().filter(|query| query.reordered).count();
    format!(
        "{} of {} changed by itself since {}: {} of {} queries are scored otherwise ({reordered} in \
         another order), by up to {:.3}; record new baselines and a new canary before judging changes \
         of your own",
        drift.identity.model,
        drift.identity.provider,
        day(&drift.recorded),
        drift.changed.len(),
        drift.queries,
        drift.moved
    )
}

fn day(moment: &str) -> &str {
    moment.get(..10).unwrap_or(moment)
}

fn context(hosted: &HostedArgs) -> Context {
    Context { budget: Budget::new(hosted.max_cost), ..progress::cancellable() }
}

/// All queries in an order that depends on their ids alone, so that the same ones are chosen again
/// whatever else joins the set.
fn chosen(queries: &[Query]) -> Vec<&Query> {
    let mut all: Vec<&Query> = queries.iter().collect();
    all.sort_by_cached_key(|query| ContentHash::of(query.id.as_str().as_bytes()));
    all
}

/// The same question as when the canary was recorded.
fn again(asked: &CanaryQuery, dataset: &secondpass_core::Dataset) -> Result<Job> {
    let gone = |what: &str| {
        usage(anyhow!(
            "{what} of the canary is not in the set any more; check it with the set of that time, or \
             record it anew"
        ))
    };
    let query = dataset.queries().iter().find(|query| query.id == asked.query);
    let query = query.ok_or_else(|| gone(&format!("query '{}'", asked.query)))?;
    let candidates = (1..).zip(&asked.candidates).map(|(rank, id)| {
        let document = dataset.corpus().get(id).cloned();
        let document = document.ok_or_else(|| gone(&format!("document '{id}'")))?;
        // What the first stage thought of it is no part of the question.
        Ok(Candidate { document, score: -(rank as f64), rank })
    });
    Ok(Job { query: query.clone(), candidates: candidates.collect::<Result<_>>()? })
}

/// Asks the experiment's one reranker.
fn ask(
    experiment: &Experiment,
    jobs: &[Job],
    hosted: &HostedArgs,
    context: &Context,
) -> Result<Canary> {
    let shared = Shared::new(experiment, hosted, context)?;
    let opened = rerankers::open(experiment, &shared, true)?;
    let Some(contending) = opened.first() else {
        return Err(usage(anyhow!("{} has no reranker to ask", experiment.file)));
    };
    let reranker = &*contending.reranker;
    if let Some(tariff) = reranker.tariff().filter(|_| !contending.replayed) {
        let quotes = jobs.iter().filter_map(|job| reranker.quote(job));
        let Quote { units, most } = quotes.fold(Quote::default(), |sum, quote| Quote {
            units: sum.units.saturating_add(quote.units),
            most: sum.most.saturating_add(quote.most),
        });
        let forecast = Forecast {
            system: reranker.identity().name.clone(),
            tariff: tariff.clone(),
            queries: jobs.len(),
            units,
            most_units: most,
            usd: tariff.cost(units),
            most_usd: tariff.cost(most),
            spent_usd: 0.0,
        };
        money::agree(&[forecast], hosted, context)?;
    }
    let mut answers: Vec<Option<Ranking>> = vec![None; jobs.len()];
    let (mut failed, mut origin) = (None, Origin::Live);
    reranker.rerank_many(jobs, context, &mut |index, answer| match answer {
        Ok(answer) => {
            if answer.origin != Origin::Live {
                origin = answer.origin;
            }
            answers[index] = Some(answer.ranking);
        }
        Err(error) => failed = failed.take().or(Some(error.error)),
    });
    shared.recorded()?;
    if let Some(error) = failed {
        return Err(error).context("a canary needs every answer");
    }
    let kept = jobs.iter().zip(answers);
    let queries = kept.filter_map(|(job, answer)| Some(CanaryQuery::new(job, answer?)));
    Ok(Canary {
        schema: Canary::SCHEMA,
        recorded: rfc3339(SystemTime::now()),
        identity: reranker.identity().clone(),
        origin,
        queries: queries.collect(),
    })
}
