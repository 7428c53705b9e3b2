use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use secondpass_core::{Budget, Context, Reranker, TextKey, TextPolicy, Texts};
use secondpass_evaluation::{
    Contender, Experiment, FirstStageKind, Journal, LengthVariant, Plan, Record, Retriever,
    ScoreCache, Sweep, check, finding, forecast, store,
};
use secondpass_rerankers::Oracle;

use crate::args::{EvalArgs, HostedArgs, OutputArgs, QuickstartArgs};
use crate::bench::{self, Bench, Source, Timed};
use crate::commands::bench::{child, measured, whole};
use crate::exit::usage;
use crate::first_stage::{CACHE_REMEDY, Searcher};
use crate::hosted::Shared;
use crate::note::note;
use crate::publish::publish;
use crate::{datasets, dry_run, folders, money, progress, rerankers, summary};

/// Runs the experiment of a config file.
pub fn run(args: &EvalArgs) -> Result<()> {
    let mut experiment = read_experiment(&args.config)?;
    if let Some(path) = &args.candidates {
        experiment.first_stage.kind = FirstStageKind::Candidates(path.clone());
    }
    one_reader(&experiment)?;
    match args.dry_run {
        true => dry_run::print(&experiment, &args.hosted, &progress::cancellable()),
        false => experiment_command(&experiment, &args.output, &args.hosted),
    }
}

/// Refuses a config in which two tables read standard input: the second would find nothing.
fn one_reader(experiment: &Experiment) -> Result<()> {
    fn readers(kind: &FirstStageKind) -> usize {
        match kind {
            FirstStageKind::Candidates(path) => usize::from(path.as_os_str() == "-"),
            FirstStageKind::Hybrid { parts, .. } => {
                parts.iter().map(|part| readers(&part.kind)).sum()
            }
            _ => 0,
        }
    }
    let others = experiment.retrievers.iter().map(|retriever| readers(&retriever.kind));
    match readers(&experiment.first_stage.kind) + others.sum::<usize>() {
        0 | 1 => Ok(()),
        many => Err(usage(anyhow::anyhow!(
            "{}: {many} tables read standard input; only one can, give the others files",
            experiment.file
        ))),
    }
}

/// Runs the demonstration that the program carries inside itself.
pub fn quickstart(args: &QuickstartArgs) -> Result<()> {
    let experiment = Experiment::parse(QUICKSTART, "configs/quickstart.toml")?;
    experiment_command(&experiment, &args.output, &HostedArgs::default())
}

/// The experiment of a config file that a flag names.
pub fn read_experiment(path: &Path) -> Result<Experiment> {
    Experiment::parse(&read_config(path)?, &path.display().to_string()).map_err(usage)
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

fn experiment_command(
    experiment: &Experiment,
    output: &OutputArgs,
    hosted: &HostedArgs,
) -> Result<()> {
    let folder = match &output.out {
        Some(folder) => folder.clone(),
        None => Path::new("reports").join(&experiment.name),
    };
    // Before the work: an output folder that may not be written is known at once.
    store::claim(&folder, &experiment.name)?;
    let done = measure(experiment, output, hosted, &folder);
    if done.is_err() {
        // Takes away only what is still empty, as `claim` may have made it.
        let _ = std::fs::remove_dir(&folder);
    }
    done
}

fn measure(
    experiment: &Experiment,
    output: &OutputArgs,
    hosted: &HostedArgs,
    folder: &Path,
) -> Result<()> {
    let budget = Budget::new(hosted.max_cost);
    let context = Context { budget, ..progress::cancellable() };
    let shared = Shared::new(experiment, hosted, &context)?;
    // Before anything is loaded: a reranker that cannot be had is known at once.
    let opened = rerankers::open(experiment, &shared, !output.no_cache)?;
    let loaded = datasets::load(experiment)?;
    let dataset = &loaded.dataset;
    let searcher = Searcher::new(experiment, &loaded, &context);
    let candidates = searcher.candidates()?;
    let others = (1..).zip(&experiment.retrievers).map(|(number, retriever)| {
        let found = searcher.find(&format!("retriever {number}"), &retriever.kind)?;
        Ok((&*retriever.name, found))
    });
    let others = others.collect::<Result<Vec<_>>>()?;
    let retrievers: Vec<Retriever<'_>> = others
        .iter()
        .map(|(name, found)| Retriever { name, description: &found.description, run: &found.run })
        .collect();

    let variants: Vec<Vec<LengthVariant<'_>>> = opened
        .iter()
        .map(|contending| {
            let lengths = contending.lengths.iter();
            lengths
                .map(|(max_length, reranker)| LengthVariant {
                    max_length: *max_length,
                    reranker: &**reranker,
                })
                .collect()
        })
        .collect();
    let contenders: Vec<Contender<'_>> = experiment
        .rerankers
        .iter()
        .zip(opened.iter().zip(&variants))
        .map(|(spec, (contending, lengths))| contending.contender(&spec.name, lengths))
        .collect();
    let oracle = Oracle::new(dataset.qrels().clone());
    let journal = Journal::open(folder, &experiment.name, output.fresh)?;
    if hosted.record.is_some() && journal.finished() > 0 {
        note(format_args!(
            "warning: {} finished queries of an interrupted run are not asked again, so the \
             recording holds their answers only where that run recorded them; --fresh asks for all",
            journal.finished()
        ));
    }
    // A recording is to hold every answer of the run.
    let cache = match output.no_cache || hosted.record.is_some() {
        true => None,
        false => Some(ScoreCache::open(&folders::part("scores")?).context(CACHE_REMEDY)?),
    };
    let texts = texts(output)?;
    let shown = |text: &str| texts.apply(text);
    let plan = Plan {
        first_stage_seconds: candidates.seconds,
        retrievers: &retrievers,
        rerankers: &contenders,
        oracle: experiment.oracle.then_some(&oracle as &dyn Reranker),
        demonstration: experiment.demonstration.then_some(DEMONSTRATION),
        sweep: Sweep::from(&experiment.sweep),
        statistics: experiment.statistics,
        repetitions: experiment.repetitions,
        texts: &shown,
        journal: Some(&journal),
        cache: cache.as_ref(),
        ..Plan::new(experiment, dataset, &candidates.run, &candidates.description)
    };
    let timed = match &experiment.bench {
        Some(spec) => {
            let config = Path::new(&experiment.file);
            Timed::all(experiment, spec, &opened, &|place| child(config, place))?
        }
        None => Vec::new(),
    };
    let spec = experiment.bench.clone().unwrap_or_default();
    let source = Source { texts: spec.texts, dataset, candidates: &candidates.run };
    timed.iter().try_for_each(|timed| timed.check(source))?;
    let bills = [forecast(&plan)?, bench::forecasts(&timed, &spec, source)?].concat();
    money::agree(&bills, hosted, &context)?;
    let mut bar = progress::Passes::new();
    let ran = secondpass_evaluation::run(&plan, &context, &mut |progress| bar.show(progress));
    bar.clear();
    // What was recorded before a run failed is told too.
    shared.recorded()?;
    let (record, rows) = ran?;

    let finding = finding(&record);
    let files = publish(folder, |staging| {
        store::write(staging, &record, &rows)?;
        Ok(secondpass_report::render(&record, &rows, &finding, staging)?)
    })?;
    forget(folder, &files)?;
    // What failed can be asked again without what did not, which may have been paid for.
    if record.systems.iter().all(|system| system.failures.is_empty()) {
        journal.remove()?;
    }
    let name = &*experiment.name;
    let bench = Bench { name, spec: &spec, timed: &timed, source, context: &context, folder };
    let benched = (!timed.is_empty()).then(|| measured(&bench));
    let mut out = std::io::stdout().lock();
    let printed = match output.json {
        true => serde_json::to_string_pretty(&record)
            .map_err(Into::into)
            .and_then(|json| Ok(writeln!(out, "{json}")?)),
        false => summary::print(&mut out, &record, &finding, &files),
    };
    let benched = benched.transpose().and_then(|benched| {
        let Some((record, files)) = benched else { return Ok(()) };
        if !output.json {
            writeln!(out, "\nLatency")?;
            bench::print(&mut out, &record, folder, &files)?;
        }
        whole(&record, timed.len(), folder)
    });
    // A reader that has gone does not make a missed figure good.
    failures(&record)?;
    expectations(experiment, &record)?;
    printed.and(benched)
}

/// Takes charts away that an earlier run had data for and this one has not.
fn forget(folder: &Path, written: &[PathBuf]) -> Result<()> {
    for file in secondpass_report::files().iter().map(|file| folder.join(file)) {
        if !written.contains(&file) && file.exists() {
            std::fs::remove_file(&file)
                .with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    Ok(())
}

/// What may stand in the record of users' texts.
fn texts(output: &OutputArgs) -> Result<TextPolicy> {
    Ok(match output.texts {
        Texts::None => TextPolicy::None,
        Texts::Full => TextPolicy::Full,
        Texts::Hash => TextPolicy::Hash(text_key()?),
    })
}

/// The key of hashed texts, made at its first use.
fn text_key() -> Result<TextKey> {
    let folder = folders::cache()?;
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(TextKey::open_or_create(&folder.join("texts.key"), rand::random)?)
}

/// Failed queries score 0 and are in the report; whoever only looks at the exit code learns of them
/// too.
fn failures(record: &Record) -> Result<()> {
    for system in &record.systems {
        if let Some((query, reason)) = system.failures.first_key_value() {
            bail!(
                "{} of {} queries of '{}' failed and score 0; the first is '{query}': {reason}; the \
                 same command asks only those that failed again",
                system.failures.len(),
                record.dataset.queries,
                system.name
            );
        }
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
