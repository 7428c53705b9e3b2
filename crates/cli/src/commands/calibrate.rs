use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context as _, Result};
use secondpass_core::{Context, Identity, Reranker, Run};
use secondpass_data::{Access, write_file};
use secondpass_evaluation::calibration::{
    Abstention, Calibration, CalibrationReport, Options, ScoredQuery, calibrate,
};
use secondpass_evaluation::{DatasetSource, Experiment};
use serde::Serialize;

use super::eval::read_experiment;
use crate::args::{CalibrateArgs, HostedArgs};
use crate::datasets;
use crate::exit::usage;
use crate::first_stage::Searcher;
use crate::hosted::Shared;
use crate::jobs::jobs;
use crate::progress;
use crate::rerankers::{self, Contending};
use crate::table::table;

/// Learns on one split what a reranker's scores are worth, and reports on another.
pub fn run(args: &CalibrateArgs) -> Result<()> {
    if args.dev == args.test {
        return Err(usage(anyhow::anyhow!(
            "--dev and --test are both '{}'; a calibration is told by queries it was not fitted on",
            args.dev
        )));
    }
    if !(args.precision > 0.0 && args.precision <= 1.0) {
        let found = args.precision;
        return Err(usage(anyhow::anyhow!("--precision is {found}; allowed: above 0, at most 1")));
    }
    let mut experiment = read_experiment(&args.config)?;
    if !has_splits(&experiment.dataset.source) {
        return Err(usage(anyhow::anyhow!(
            "{}: this kind of dataset has no splits; calibrate on a BEIR folder with dev and test",
            experiment.file
        )));
    }
    keep_one(&mut experiment, args.reranker.as_deref())?;
    let context = progress::cancellable();
    let hosted = HostedArgs::default();
    let shared = Shared::new(&experiment, &hosted, &context)?;
    let opened = rerankers::open(&experiment, &shared, true)?;
    let Some(Contending { reranker, replayed, .. }) = opened.first() else {
        return Err(usage(anyhow::anyhow!("{} has no reranker to calibrate", experiment.file)));
    };
    if reranker.tariff().is_some() && !replayed {
        return Err(usage(anyhow::anyhow!(
            "{}: calibrating would be billed; run eval --record FILE on both splits and calibrate \
             with kind = \"replay\"",
            experiment.file
        )));
    }
    let reranker = &**reranker;
    let dev = scored(&experiment, &args.dev, reranker, &context)?;
    let test = scored(&experiment, &args.test, reranker, &context)?;
    let options = Options { precision: args.precision, ..Options::default() };
    let (calibration, report) = calibrate(&dev, &test, &options)?;
    let told = Told {
        model: reranker.identity(),
        dev: &args.dev,
        test: &args.test,
        calibration: &calibration,
        report: &report,
    };
    let mut json = serde_json::to_vec_pretty(&told)?;
    json.push(b'\n');
    if let Some(path) = &args.out {
        write_file(path, Access::Default, |out| Ok(out.write_all(&json)?))?;
    }
    let mut out = std::io::stdout().lock();
    match args.json {
        true => out.write_all(&json)?,
        false => print(&mut out, &told)?,
    }
    Ok(())
}

fn has_splits(source: &DatasetSource) -> bool {
    matches!(source, DatasetSource::Embedded(_) | DatasetSource::Beir(_) | DatasetSource::Public(_))
}

/// A calibration with what it belongs to.
#[derive(Serialize)]
struct Told<'a> {
    /// The one model whose scores it is about.
    model: &'a Identity,
    dev: &'a str,
    test: &'a str,
    calibration: &'a Calibration,
    report: &'a CalibrationReport,
}

/// Leaves the experiment one reranker, without any sweep.
pub fn keep_one(experiment: &mut Experiment, name: Option<&str>) -> Result<()> {
    experiment.sweep.max_lengths.clear();
    match name {
        None => experiment.rerankers.truncate(1),
        Some(name) => {
            let names: Vec<String> =
                experiment.rerankers.iter().map(|reranker| reranker.name.clone()).collect();
            experiment.rerankers.retain(|reranker| reranker.name == name);
            if experiment.rerankers.is_empty() {
                let (file, names) = (&experiment.file, names.join(", "));
                return Err(usage(anyhow::anyhow!(
                    "{file} has no reranker '{name}'; it has: {names}"
                )));
            }
        }
    }
    Ok(())
}

/// The candidates of a split's queries as the reranker scores them.
fn scored(
    experiment: &Experiment,
    split: &str,
    reranker: &dyn Reranker,
    context: &Context,
) -> Result<Vec<ScoredQuery>> {
    let loaded = datasets::load_split(experiment, split)?;
    let dataset = &loaded.dataset;
    let candidates = Searcher::new(experiment, &loaded, context).candidates()?.run;
    let jobs = jobs(dataset, &candidates);
    let bar = progress::bar(jobs.len() as u64, "{msg} [{bar:30}] {pos}/{len} queries, {eta} left");
    bar.set_message(split.to_owned());
    let mut run = Run { name: split.to_owned(), rankings: BTreeMap::new() };
    let mut failed = None;
    reranker.rerank_many(&jobs, context, &mut |index, answer| {
        bar.inc(1);
        match answer {
            Ok(answer) => {
                run.rankings.insert(jobs[index].query.id.clone(), answer.ranking);
            }
            Err(error) => failed = failed.take().or(Some(error.error)),
        }
    });
    bar.finish_and_clear();
    if let Some(error) = failed {
        return Err(error).context("a calibration needs every score");
    }
    let queries = dataset.queries().iter().map(|query| &query.id);
    Ok(ScoredQuery::join(queries, &run, dataset.qrels()))
}

fn print(out: &mut impl Write, told: &Told<'_>) -> Result<()> {
    let Told { calibration, report, .. } = told;
    writeln!(
        out,
        "{}: {} map, fitted on {} pairs of {} ({} relevant), reported on {}",
        told.model.name,
        calibration.map.kind(),
        calibration.pairs,
        told.dev,
        calibration.relevant,
        told.test
    )?;
    let mut errors = table(&["on test", "predictions", "came true", "Brier", "ECE"], |at| at > 0);
    for (name, all) in [("all pairs", &report.pairs), ("each query's best", &report.top)] {
        errors.add_row([
            name.to_owned(),
            all.predictions.to_string(),
            format!("{:.3}", all.base_rate),
            format!("{:.4}", all.brier),
            format!("{:.4}", all.ece),
        ]);
    }
    writeln!(out, "{errors}")?;
    let Some(threshold) = calibration.threshold else {
        writeln!(
            out,
            "No threshold reaches a precision of {} on {}: this reranker cannot tell by its score \
             when to answer. Lower --precision, or train it on your data.",
            calibration.precision, told.dev
        )?;
        return Ok(());
    };
    let head = ["", "answered", "right", "answerable found", "no answer: kept silent"];
    let mut answers = table(&head, |at| at > 0);
    for (name, abstention) in [(told.dev, &calibration.dev), (told.test, &report.abstention)] {
        answers.add_row(answer_row(name, abstention));
    }
    writeln!(out, "{answers}")?;
    writeln!(
        out,
        "Answer where the best candidate's probability is at least {threshold:.3}, chosen on {} for \
         a precision of {}.",
        told.dev, calibration.precision
    )?;
    writeln!(out, "It belongs to this model, length limit and number format alone.")?;
    Ok(())
}

fn answer_row(name: &str, abstention: &Abstention) -> [String; 5] {
    let share = |share: Option<f64>| match share {
        Some(share) => format!("{:.1}%", 100.0 * share),
        None => "-".to_owned(),
    };
    [
        name.to_owned(),
        format!("{} of {}", abstention.answered, abstention.queries),
        share(abstention.precision),
        share(abstention.recall),
        share(abstention.abstention_recall),
    ]
}
