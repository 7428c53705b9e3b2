use std::io::Write;

use anyhow::{Result, bail};
use secondpass_core::Ranking;
use secondpass_data::{Access, trec, write_file};
use secondpass_evaluation::evaluate;

use super::eval::read_experiment;
use crate::args::RetrieveArgs;
use crate::datasets;
use crate::exit::usage;
use crate::first_stage::Searcher;
use crate::progress;

/// Writes what a config's first stage, or one of its retrievers, finds.
pub fn run(args: &RetrieveArgs) -> Result<()> {
    let mut experiment = read_experiment(&args.config)?;
    if let Some(depth) = args.depth {
        experiment.first_stage.depth = depth;
    }
    let context = progress::cancellable();
    let loaded = datasets::load(&experiment)?;
    let searcher = Searcher::new(&experiment, &loaded, &context);
    let found = match &args.retriever {
        None => searcher.candidates()?,
        Some(name) => {
            let named = experiment.retrievers.iter().position(|retriever| retriever.name == *name);
            let Some(index) = named else {
                let names: Vec<&str> =
                    experiment.retrievers.iter().map(|retriever| &*retriever.name).collect();
                return Err(usage(anyhow::anyhow!(
                    "{} has no retriever '{name}'; it has: {}",
                    experiment.file,
                    names.join(", ")
                )));
            };
            searcher
                .find(&format!("retriever {}", index + 1), &experiment.retrievers[index].kind)?
        }
    };
    if found.run.rankings.values().all(Ranking::is_empty) {
        bail!("{}: no query has candidates; nothing was written", found.description);
    }
    match args.out.as_os_str() == "-" {
        true => trec::write_run(&found.run, &mut std::io::stdout().lock())?,
        false => {
            write_file(&args.out, Access::Default, |mut out| trec::write_run(&found.run, &mut out))?
        }
    }
    let evaluation = evaluate(&found.run, loaded.dataset.qrels(), &experiment.measures);
    let mut shown = std::io::stderr().lock();
    writeln!(shown, "{}: {} queries", found.description, found.run.rankings.len())?;
    for (column, measure) in experiment.measures.iter().enumerate() {
        match evaluation.summary(column) {
            value if value.is_nan() => writeln!(shown, "{measure} n/a")?,
            value => writeln!(shown, "{measure} {value:.4}")?,
        }
    }
    Ok(())
}
