use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result};
use secondpass_evaluation::bench::{BenchRecord, bench_owner, read_bench};
use secondpass_evaluation::decision::{
    BenchEvidence, Case, DecideConfig, Evidence, decide, sentences,
};
use secondpass_evaluation::{QueryRow, Record, store};
use serde_json::json;

use crate::args::DecideArgs;
use crate::commands::eval::read_config;
use crate::exit::usage;
use crate::prices;

/// Says which reranker to run, from the records of experiments.
pub fn run(args: &DecideArgs) -> Result<()> {
    let file = args.config.display().to_string();
    let config = DecideConfig::parse(&read_config(&args.config)?, &file).map_err(usage)?;
    let prices = prices::table(None, args.prices.as_deref())?;
    let read = args.records.iter().map(|folder| {
        store::read(folder).with_context(|| {
            format!("{}: name the folders that eval wrote its records into", folder.display())
        })
    });
    let records: Vec<(Record, Vec<QueryRow>)> = read.collect::<Result<_>>()?;
    let evidence: Vec<Evidence<'_>> =
        records.iter().map(|(record, rows)| Evidence { record, rows }).collect();
    let benches = benches(args, &config)?;
    let benches: Vec<BenchEvidence<'_>> = benches
        .iter()
        .map(|(choice, record)| BenchEvidence { choice: choice.as_deref(), record })
        .collect();
    let case = Case::from_records_and_benches(&evidence, &benches, &config, &prices);
    let case = case.map_err(usage)?;
    let decision = decide(&case, &config);
    let sentences = sentences(&decision);
    let mut out = std::io::stdout().lock();
    if args.json {
        let told = json!({ "decision": decision, "sentences": sentences });
        writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?;
        return Ok(());
    }
    for sentence in sentences {
        writeln!(out, "{sentence}")?;
    }
    Ok(())
}

/// The benches that choices name, and those beside the records, with whose choice names it.
fn benches(args: &DecideArgs, config: &DecideConfig) -> Result<Vec<(Option<String>, BenchRecord)>> {
    let own = args.config.parent().unwrap_or(Path::new(""));
    let named = config.choices.iter().filter_map(|choice| {
        let folder = own.join(choice.bench.as_ref()?);
        let read = read_bench(&folder).map_err(usage).with_context(|| {
            format!("{}: choice '{}', key 'bench'", args.config.display(), choice.name)
        });
        Some(read.map(|(record, _)| (Some(choice.name.clone()), record)))
    });
    let beside = args.records.iter().filter(|folder| bench_owner(folder).is_some()).map(|folder| {
        let (record, _) = read_bench(folder)?;
        Ok((None, record))
    });
    named.chain(beside).collect()
}
