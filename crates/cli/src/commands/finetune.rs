mod card;
pub(super) mod data;
mod follow;
mod plan;
mod start;
mod tested;
mod tokenizer_files;

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use secondpass_core::{Dataset, FirstStage, Run};
use secondpass_evaluation::Pool;
use secondpass_evaluation::training::TrainingRecord;
use secondpass_finetune::{Checkpoint, Dev, Recipe, Task, TrainingData, finish, with_seed};
use secondpass_report::render_training;
use secondpass_retrieval::{Bm25, Bm25Parameters, judged_pool};

use self::data::Data;
use super::eval::read_config;
use crate::args::FinetuneArgs;
use crate::exit::usage;
use crate::note::note;
use crate::progress;

/// Trains the model of a recipe.
pub fn run(args: &FinetuneArgs) -> Result<()> {
    let shown = args.config.display().to_string();
    let text = text(args, &shown)?;
    let recipe = Recipe::parse(&text, &shown).map_err(usage)?;
    if args.check {
        return super::triples::check_recipe(&recipe, args.json);
    }
    let folder = match (&args.out, args.seed) {
        (Some(folder), _) => folder.clone(),
        (None, None) => Path::new("models").join(&recipe.name),
        (None, Some(seed)) => Path::new("models").join(format!("{}-{seed}", recipe.name)),
    };

    let Data { training, groups, dev, origins } = data::data(&recipe)?;
    let dev_candidates = candidates(&dev, recipe.dev.depth, recipe.dev.pool)?;
    let candidates = match recipe.sampling.first_stage {
        0 => None,
        _ => Some(candidates(&training, recipe.dev.depth, Pool::Corpus)?),
    };

    let texts = || {
        let documents = training.corpus().documents().iter().map(|d| d.passage());
        documents.chain(training.queries().iter().map(|query| query.text.clone()))
    };
    let start::Begun { model, tokenizer, files, start } =
        start::begin(&recipe, texts(), args.device)?;
    note(format_args!(
        "{}: {:.2} M parameters on {}, {} groups, {} dev queries",
        recipe.name,
        model.parameters() as f64 / 1e6,
        model.device(),
        groups.len(),
        dev.queries().len()
    ));

    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let checkpoint = Checkpoint { folder: &folder, files: &files, half: recipe.keep.half };
    let task = Task {
        recipe: &recipe,
        data: TrainingData {
            queries: training.queries(),
            corpus: training.corpus(),
            qrels: training.qrels(),
            groups: &groups,
            candidates: candidates.as_ref(),
        },
        dev: Dev { dataset: &dev, candidates: &dev_candidates },
        tokenizer: &tokenizer,
        start: &start,
        checkpoint,
        fresh: args.fresh,
    };
    let located = |error| data::located(error, &training, &origins);
    tested::check(&recipe, task.data, &dev).map_err(located)?;
    let mut learner = start::learner(model, &recipe)?;
    if args.dry_run {
        return plan::print(args, &task, &mut learner).map_err(located);
    }
    let _lock = checkpoint.lock()?;
    let context = progress::cancellable();
    let mut record = follow::follow(&task, &mut learner, &context).map_err(located)?;
    // Its memory is not needed for the tests.
    drop(learner);
    if record.best.is_some() && !record.stopped {
        match tested::tested(&recipe, &folder, args.device, &tokenizer, &context)? {
            Some(tested) => record.tested = tested,
            None => record.stopped = true,
        }
    }
    write(&record, &recipe, &text, &folder)?;
    if !record.stopped {
        finish(&checkpoint)?;
    }
    tell(&record, &folder, args.json)
}

/// The recipe, with the seed that was asked for.
fn text(args: &FinetuneArgs, shown: &str) -> Result<String> {
    let text = read_config(&args.config)?;
    let Some(seed) = args.seed else { return Ok(text) };
    // A recipe that cannot be read says so, whatever becomes of its seed.
    Recipe::parse(&text, shown).map_err(usage)?;
    with_seed(&text, seed).ok_or_else(|| {
        usage(anyhow!(
            "{shown}: --seed takes the place of a line 'seed = 7' before the first table"
        ))
    })
}

/// BM25's candidates of a set's queries.
fn candidates(dataset: &Dataset, depth: usize, pool: Pool) -> Result<Run> {
    let bm25 = Bm25::new(dataset.corpus(), Bm25Parameters::default())?;
    let queries = dataset.queries();
    Ok(match pool {
        Pool::Corpus => bm25.retrieve(queries, depth)?,
        Pool::Judged => {
            let whole = bm25.retrieve(queries, dataset.corpus().len())?;
            judged_pool(&whole, queries, dataset.qrels(), depth)
        }
    })
}

/// Writes what belongs to the trained model beside its weights.
fn write(record: &TrainingRecord, recipe: &Recipe, text: &str, folder: &Path) -> Result<()> {
    if record.best.is_none() {
        return Ok(());
    }
    let json = serde_json::to_vec_pretty(record)?;
    for (name, bytes) in [
        ("training.json", json),
        ("recipe.toml", text.as_bytes().to_vec()),
        ("README.md", card::card(record, recipe).into_bytes()),
    ] {
        let (path, partial) = (folder.join(name), folder.join(format!(".{name}.partial")));
        std::fs::write(&partial, bytes)
            .and_then(|()| std::fs::rename(&partial, &path))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    render_training(record, &folder.join("report"))?;
    Ok(())
}

fn tell(record: &TrainingRecord, folder: &Path, as_json: bool) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if as_json {
        writeln!(out, "{}", serde_json::to_string_pretty(record)?)?;
        return ended(record);
    }
    let Some(best) = &record.best else { return ended(record) };
    writeln!(
        out,
        "{}: best dev {} {:.4} at step {} of {}; {} groups, {} tokens, {:.0} s",
        record.name,
        record.measure,
        best.value,
        best.step,
        record.of,
        record.groups,
        record.tokens,
        record.seconds,
    )?;
    for line in card::sentences(&record.tested) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "Model: {}", folder.display())?;
    if record.ended_early {
        let steps = record.steps.len();
        writeln!(out, "It ended after {steps} steps, because dev got no better.")?;
    }
    ended(record)
}

/// A script must not take a model that is trained in part for one that is finished.
fn ended(record: &TrainingRecord) -> Result<()> {
    match record.stopped {
        true => bail!("stopped after {} steps; the same command goes on", record.steps.len()),
        false => Ok(()),
    }
}
