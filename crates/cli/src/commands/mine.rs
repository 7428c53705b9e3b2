use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use secondpass_core::{Context, Identity, Reranker};
use secondpass_data::{Access, write_file};
use secondpass_evaluation::{Experiment, FirstStageKind, Pool, RerankerKind, ScoreDistribution};
use secondpass_finetune::mine::{
    Distribution, MineError, MiningStats, Sampling, Selection, Teacher, TeacherJournal, mine, write,
};
use secondpass_report::mined_scores;
use serde::Serialize;

use super::eval::read_experiment;
use crate::args::{HostedArgs, MineArgs, PresetFlag, SamplingFlag};
use crate::batching::Batching;
use crate::exit::usage;
use crate::first_stage::Searcher;
use crate::hosted::Shared;
use crate::load;
use crate::note::note;
use crate::table::table;
use crate::{datasets, progress, rerankers};

/// Mines hard negatives for the judged pairs of a set.
pub fn run(args: &MineArgs) -> Result<()> {
    let selection = selection(args);
    selection.check().map_err(usage)?;
    let mut experiment = read_experiment(&args.config)?;
    if let Some(path) = &args.run {
        experiment.first_stage.kind = FirstStageKind::Run(path.clone());
    }
    // Negatives are what nobody judged, and a positive's score is to be found below them too.
    experiment.first_stage.pool = Pool::Corpus;
    experiment.first_stage.depth = experiment.first_stage.depth.max(args.ranks.1);
    let context = progress::cancellable_saying(
        "stopping after the current queries; the same command goes on; press Ctrl-C again to end at once",
    );
    if args.out.exists() {
        note(format_args!("{} is there and will be replaced", args.out.display()));
    }
    let teacher =
        args.teacher.as_ref().map(|name| teacher(&experiment, name, args, &context)).transpose()?;
    let loaded = datasets::load_split(&experiment, &args.split)?;
    let searcher = Searcher::new(&experiment, &loaded, &context);
    let found = match &args.retriever {
        None => searcher.candidates()?,
        Some(name) => {
            let named = experiment.retrievers.iter().position(|retriever| retriever.name == *name);
            let index = named.ok_or_else(|| {
                usage(anyhow::anyhow!("{} has no retriever '{name}'", experiment.file))
            })?;
            searcher
                .find(&format!("retriever {}", index + 1), &experiment.retrievers[index].kind)?
        }
    };

    let path = beside(&args.out, ".", ".journal");
    let mut journal = match &teacher {
        None => TeacherJournal::none(),
        Some(_) => {
            if args.fresh && path.exists() {
                std::fs::remove_file(&path)
                    .with_context(|| format!("cannot remove {}", path.display()))?;
            }
            TeacherJournal::open(&path)?
        }
    };
    if journal.reused() > 0 {
        note(format_args!("{} queries were scored by an earlier start", journal.reused()));
    }
    let bar = progress::bar(0, "scoring [{bar:30}] {pos}/{len} queries, {eta} left");
    let told = teacher.as_ref().map(|(reranker, logits)| {
        (Teacher { reranker: &**reranker, logits: *logits }, &mut journal)
    });
    let mining = mine(&loaded.dataset, &found.run, &selection, told, &context, &mut |done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let mining = mining.map_err(graded)?;

    let identity = teacher.as_ref().map(|(reranker, _)| reranker.identity());
    let told = Told {
        dataset: loaded.dataset.name(),
        split: loaded.dataset.split(),
        candidates: &found.description,
        ranks: selection.ranks,
        num_negatives: selection.num_negatives,
        sampling: match selection.sampling {
            Sampling::Top => "top",
            Sampling::Random => "random",
        },
        absolute_margin: selection.absolute_margin,
        relative_margin: selection.relative_margin,
        max_score: selection.max_score,
        min_score: selection.min_score,
        seed: selection.seed,
        teacher: identity,
        stats: &mining.stats,
    };
    write(&args.out, &loaded.dataset, &mining)?;
    let mut json = serde_json::to_vec_pretty(&told)?;
    json.push(b'\n');
    write_file(&beside(&args.out, "", ".stats.json"), Access::Default, |out| {
        Ok(out.write_all(&json)?)
    })?;
    let label = match identity {
        Some(identity) => format!("{} (teacher)", identity.model),
        None => found.description.clone(),
    };
    let pictures = match &mining.stats.histogram {
        None => Vec::new(),
        Some(histogram) => {
            let scores = ScoreDistribution {
                edges: histogram.edges.clone(),
                relevant: histogram.positives.clone(),
                not_relevant: histogram.negatives.clone(),
                unjudged: histogram.left_out.clone(),
            };
            mined_scores(&scores, &label, &beside(&args.out, "", ".scores"))?
        }
    };
    journal.remove()?;
    let mut out = std::io::stdout().lock();
    match args.json {
        true => out.write_all(&json)?,
        false => show(&mut out, &told, args, &pictures)?,
    }
    Ok(())
}

fn selection(args: &MineArgs) -> Selection {
    Selection {
        ranks: args.ranks,
        num_negatives: args.num_negatives,
        sampling: match args.sampling {
            SamplingFlag::Top => Sampling::Top,
            SamplingFlag::Random => Sampling::Random,
        },
        absolute_margin: args.absolute_margin,
        relative_margin: match args.preset {
            Some(PresetFlag::PercPos95) => Some(0.05),
            None => args.relative_margin,
        },
        max_score: args.max_score,
        min_score: args.min_score,
        seed: args.seed,
    }
}

/// What cannot be asked for, and what failed.
fn graded(error: MineError) -> anyhow::Error {
    match error {
        MineError::Option { .. }
        | MineError::RelativeMargin { .. }
        | MineError::OtherRun { .. }
        | MineError::NoPositives => usage(error),
        other => other.into(),
    }
}

/// A reranker that scores again, and whether it gives logits.
fn teacher(
    experiment: &Experiment,
    name: &str,
    args: &MineArgs,
    context: &Context,
) -> Result<(Box<dyn Reranker>, bool)> {
    if let Some(spec) = experiment.rerankers.iter().find(|reranker| reranker.name == name) {
        let logits = matches!(spec.kind, RerankerKind::CrossEncoder(_) | RerankerKind::Onnx(_));
        let mut alone = experiment.clone();
        alone.rerankers.retain(|reranker| reranker.name == name);
        alone.sweep.max_lengths.clear();
        let hosted = HostedArgs::default();
        let opened = rerankers::open(&alone, &Shared::new(&alone, &hosted, context)?, true)?;
        let contending = opened.into_iter().next().context("the reranker could not be opened")?;
        if contending.reranker.tariff().is_some() && !contending.replayed {
            return Err(usage(anyhow::anyhow!(
                "{}: mining with '{name}' would be billed; take a self-hosted reranker as teacher",
                experiment.file
            )));
        }
        return Ok((contending.reranker, logits));
    }
    let engine = &args.engine;
    let opened =
        load::open(name, None, engine.settings()).with_context(|| format!("--teacher {name}"))?;
    let weights = opened.weights()?;
    let identity =
        opened.loaded.identity(name, &opened.model, opened.revision.clone(), Some(weights));
    let loaded = opened.loaded;
    let batching = Batching::of(engine.batch_tokens, true);
    let batched = batching.cross_encoder(identity, loaded.tokenizer, Box::new(loaded.model))?;
    Ok((Box::new(batched), true))
}

/// A file's name with something before and in place of its ending.
fn beside(path: &Path, before: &str, ending: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.trim_end_matches(".gz").trim_end_matches(".zst").trim_end_matches(".jsonl");
    path.with_file_name(format!("{before}{stem}{ending}"))
}

/// What is written of a mining.
#[derive(Serialize)]
struct Told<'a> {
    dataset: &'a str,
    split: &'a str,
    candidates: &'a str,
    ranks: (usize, usize),
    num_negatives: usize,
    sampling: &'static str,
    absolute_margin: Option<f64>,
    relative_margin: Option<f64>,
    max_score: Option<f64>,
    min_score: Option<f64>,
    seed: u64,
    teacher: Option<&'a Identity>,
    stats: &'a MiningStats,
}

fn show(
    out: &mut impl Write,
    told: &Told<'_>,
    args: &MineArgs,
    pictures: &[PathBuf],
) -> Result<()> {
    let stats = told.stats;
    writeln!(
        out,
        "{} ({}): {} queries with {} positives; {} negatives mined, {} more that are judged not relevant",
        told.dataset, told.split, stats.queries, stats.positives, stats.mined, stats.judged
    )?;
    writeln!(
        out,
        "{} candidates of ranks {} to {} ({}): left out {} too near a positive, {} beyond the bounds, \
         {} that say the same as a positive",
        stats.candidates,
        told.ranks.0,
        told.ranks.1,
        told.candidates,
        stats.above_margin,
        stats.out_of_bounds,
        stats.same_text
    )?;
    if stats.unranked > 0 {
        writeln!(out, "{} queries are not among the candidates at all", stats.unranked)?;
    }
    if stats.short > 0 {
        writeln!(
            out,
            "{} queries have fewer than {} negatives, {} have none",
            stats.short, told.num_negatives, stats.without_negatives
        )?;
    }
    if stats.without_positive_score > 0 {
        writeln!(
            out,
            "{} queries have no positive among their candidates, so no margin could hold and nothing \
             was mined for them; search deeper (first_stage.depth) or take a teacher",
            stats.without_positive_score
        )?;
    }
    let mut scores = table(&["scores of", "lowest", "5%", "median", "95%", "highest"], |at| at > 0);
    for (name, found) in [
        ("positives", stats.positive_scores),
        ("negatives mined", stats.negative_scores),
        ("judged not relevant", stats.judged_scores),
    ] {
        if let Some(Distribution { min, p05, median, p95, max, .. }) = found {
            let shown = [min, p05, median, p95, max].map(|score| format!("{score:.4}"));
            scores.add_row(std::iter::once(name.to_owned()).chain(shown));
        }
    }
    writeln!(out, "{scores}")?;
    let pictures = pictures.iter().map(|path| format!(", {}", path.display()));
    writeln!(out, "Groups: {}{}", args.out.display(), pictures.collect::<String>())?;
    Ok(())
}
