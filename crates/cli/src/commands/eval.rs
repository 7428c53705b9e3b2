use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use secondpass_core::{Dataset, FirstStage, Reranker};
use secondpass_data::trec;
use secondpass_evaluation::{
    ConfigError, Contender, Experiment, FirstStageKind, ModelSpec, Plan, Record, RerankerKind,
    RerankerSpec, Role, check, finding, store,
};
use secondpass_rerankers::{CrossEncoder, Oracle};
use secondpass_retrieval::{Bm25, Bm25Parameters, RunCandidates};

use crate::args::{EvalArgs, OutputArgs, QuickstartArgs};
use crate::exit::usage;
use crate::load::{self, Opened, Settings};
use crate::note::note;
use crate::publish::publish;
use crate::table::table;
use crate::{datasets, progress};

/// Runs the experiment of a config file.
pub fn run(args: &EvalArgs) -> Result<()> {
    let shown = args.config.display().to_string();
    let text = read_config(&args.config)?;
    let experiment = Experiment::parse(&text, &shown).map_err(usage)?;
    experiment_command(&experiment, &args.output)
}

/// Runs the demonstration that the program carries inside itself.
pub fn quickstart(args: &QuickstartArgs) -> Result<()> {
    let experiment = Experiment::parse(QUICKSTART, "configs/quickstart.toml")?;
    experiment_command(&experiment, &args.output)
}

/// The text of a TOML file that a flag names.
pub fn read_config(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {}; --config names a TOML file", path.display()))
        .map_err(usage)
}

const QUICKSTART: &str = include_str!("../../../../configs/quickstart.toml");

/// Why a demonstration's figures decide nothing.
const DEMONSTRATION: &str = "Texts written for this program, and a model trained on \
    these same articles. The figures show that the program works and predict nothing about any \
    reranker on your data. Next step: your own queries.";

/// Tokens scored at a time, padding included.
const BATCH_TOKENS: usize = 4096;

fn experiment_command(experiment: &Experiment, output: &OutputArgs) -> Result<()> {
    let folder = match &output.out {
        Some(folder) => folder.clone(),
        None => Path::new("reports").join(&experiment.name),
    };
    // Before the work: an output folder that may not be written is known at once.
    store::claim(&folder, &experiment.name)?;
    let done = measure(experiment, output, &folder);
    if done.is_err() {
        // Takes away only what is still empty, as `claim` may have made it.
        let _ = std::fs::remove_dir(&folder);
    }
    done
}

fn measure(experiment: &Experiment, output: &OutputArgs, folder: &Path) -> Result<()> {
    let dataset = datasets::load(&experiment.dataset)?;
    let first_stage = first_stage(experiment, &dataset)?;
    let candidates = first_stage.retrieve(dataset.queries(), experiment.first_stage.depth)?;
    let rerankers = experiment
        .rerankers
        .iter()
        .enumerate()
        .map(|(index, spec)| reranker(experiment, index, spec))
        .collect::<Result<Vec<_>>>()?;
    let contenders: Vec<Contender<'_>> = experiment
        .rerankers
        .iter()
        .zip(&rerankers)
        .map(|(spec, reranker)| Contender { name: &spec.name, reranker })
        .collect();
    let oracle = Oracle::new(dataset.qrels().clone());
    let plan = Plan {
        experiment,
        dataset: &dataset,
        candidates: &candidates,
        first_stage: &first_stage.describe(),
        rerankers: &contenders,
        oracle: experiment.oracle.then_some(&oracle as &dyn Reranker),
        demonstration: experiment.demonstration.then_some(DEMONSTRATION),
    };
    let bar = progress::bar(0, "{msg:20} [{bar:30}] {pos}/{len} queries, {eta} left");
    let context = progress::cancellable();
    let (record, rows) = secondpass_evaluation::run(&plan, &context, &mut |progress| {
        bar.set_message(progress.system.to_owned());
        bar.set_length(progress.queries as u64);
        bar.set_position(progress.done as u64);
    })?;
    bar.finish_and_clear();

    let finding = finding(&record);
    let files = publish(folder, |staging| {
        store::write(staging, &record, &rows)?;
        Ok(secondpass_report::render(&record, &rows, &finding, staging)?)
    })?;
    let mut out = std::io::stdout().lock();
    let printed = match output.json {
        true => serde_json::to_string_pretty(&record)
            .map_err(Into::into)
            .and_then(|json| Ok(writeln!(out, "{json}")?)),
        false => summarise(&mut out, &record, &finding, &files),
    };
    // A reader that has gone does not make a missed figure good.
    failures(&record)?;
    expectations(experiment, &record)?;
    printed
}

/// Failed queries score 0 and are in the report; whoever only looks at the exit code learns of them
/// too.
fn failures(record: &Record) -> Result<()> {
    for system in &record.systems {
        if let Some((query, reason)) = system.failures.first_key_value() {
            bail!(
                "{} of {} queries of '{}' failed and score 0; the first is '{query}': {reason}",
                system.failures.len(),
                record.dataset.queries,
                system.name
            );
        }
    }
    Ok(())
}

fn first_stage(experiment: &Experiment, dataset: &Dataset) -> Result<Box<dyn FirstStage>> {
    Ok(match &experiment.first_stage.kind {
        FirstStageKind::Bm25 { k1, b, .. } => {
            let parameters = Bm25Parameters::new(*k1, *b).map_err(usage)?;
            Box::new(Bm25::new(dataset.corpus(), parameters)?)
        }
        FirstStageKind::Run(path) => {
            Box::new(RunCandidates::new(trec::read_run(path)?, dataset.corpus())?)
        }
        _ => bail!("this kind of first stage is not there yet"),
    })
}

fn reranker(experiment: &Experiment, index: usize, spec: &RerankerSpec) -> Result<CrossEncoder> {
    let RerankerKind::CrossEncoder = spec.kind;
    let settings = Settings {
        device: parse(experiment, index, "device", &spec.device)?,
        dtype: parse(experiment, index, "dtype", &spec.dtype)?,
        max_length: spec.max_length,
        truncation: parse(experiment, index, "truncation", &spec.truncation)?,
    };
    let name = match &spec.model {
        ModelSpec::Embedded => load::EMBEDDED,
        ModelSpec::Named(name) => name,
    };
    let opened = load::open(name, spec.revision.as_deref(), settings)
        .with_context(|| format!("reranker '{}'", spec.name))?;
    let weights = opened.weights()?;
    let Opened { loaded, model, revision, .. } = opened;
    let identity = loaded.identity(&spec.name, &model, revision, Some(weights));
    Ok(CrossEncoder::new(identity, loaded.tokenizer, Box::new(loaded.model), BATCH_TOKENS))
}

fn parse<T>(experiment: &Experiment, index: usize, key: &str, value: &str) -> Result<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    value.parse().map_err(|error: T::Err| {
        usage(ConfigError::Value {
            file: experiment.file.clone(),
            key: format!("reranker {}.{key}", index + 1),
            found: value.to_owned(),
            allowed: error.to_string(),
        })
    })
}

fn summarise(
    out: &mut impl Write,
    record: &Record,
    finding: &str,
    files: &[PathBuf],
) -> Result<()> {
    if let Some(banner) = &record.experiment.demonstration {
        writeln!(out, "Demonstration: {banner}\n")?;
    }
    let mut header = vec!["system"];
    header.extend(record.measures.iter().map(String::as_str));
    header.extend(["p50 ms", "p95 ms", "pairs/s"]);
    let mut table = table(&header, |column| column > 0);
    for system in &record.systems {
        let ms = |seconds: f64| format!("{:.1}", seconds * 1e3);
        let mut row = vec![system.name.clone()];
        row.extend(system.quality.iter().map(|estimate| {
            match estimate.measure == record.primary {
                true => format!("{:.3} [{:.3}, {:.3}]", estimate.mean, estimate.low, estimate.high),
                false => format!("{:.3}", estimate.mean),
            }
        }));
        row.extend(match &system.latency {
            Some(latency) => {
                [ms(latency.p50), ms(latency.p95), format!("{:.0}", latency.pairs_per_second)]
            }
            None => ["-".to_owned(), "-".to_owned(), "-".to_owned()],
        });
        table.add_row(row);
    }
    writeln!(out, "{table}")?;
    let candidates = &record.candidates;
    writeln!(
        out,
        "{} queries, {:.1} candidates each ({}); {} in brackets: 95% bootstrap interval",
        record.dataset.queries, candidates.mean, candidates.first_stage, record.primary
    )?;
    for system in record.systems.iter().filter(|system| system.role == Role::Reranker) {
        if let Some(versus) = &system.versus_first_stage {
            let agreement: Vec<String> = system
                .agreement
                .iter()
                .map(|at| format!("top {} {:.0}%", at.k, at.overlap * 100.0))
                .collect();
            writeln!(
                out,
                "{}: helped {} queries, hurt {}, left {} unchanged; agreement with the first stage: {}",
                system.name,
                versus.helped,
                versus.hurt,
                versus.unchanged,
                agreement.join(", ")
            )?;
        }
    }
    for warning in &record.experiment.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "\n{finding}")?;
    if let Some(report) = files.iter().find(|file| file.extension().is_some_and(|e| e == "html")) {
        writeln!(out, "Report: {}", report.display())?;
    }
    Ok(())
}

fn expectations(experiment: &Experiment, record: &Record) -> Result<()> {
    let results = check(&experiment.expect, record);
    let mut missed = 0;
    for result in &results {
        note(result);
        missed += usize::from(!result.is_met());
    }
    match missed {
        0 => Ok(()),
        _ => bail!("{missed} of {} expected figures were not met", results.len()),
    }
}
