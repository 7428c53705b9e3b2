use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use secondpass_evaluation::bench::{BenchRecord, bench_owner, read_bench};
use secondpass_evaluation::decision::{
    BenchEvidence, Case, DecideConfig, Decision, Evidence, decide, sentences,
};
use secondpass_evaluation::{QueryRow, RECORD_FILE, Record, store};
use serde_json::json;

use crate::args::DecideArgs;
use crate::commands::eval::read_config;
use crate::exit::usage;
use crate::prices;
use crate::publish::publish;

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
    let page = args.out.as_deref().map(|folder| write(folder, &decision, &evidence)).transpose()?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let told = json!({ "decision": decision, "sentences": sentences });
        writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?;
        return Ok(());
    }
    for sentence in sentences {
        writeln!(out, "{sentence}")?;
    }
    if let Some(page) = page {
        writeln!(out, "Report: {}", page.display())?;
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

/// Writes the decision's page, all of it or nothing, and gives its path. Charts that an earlier
/// decision had data for and this one has not are taken away.
fn write(folder: &Path, decision: &Decision, evidence: &[Evidence<'_>]) -> Result<PathBuf> {
    if folder.join(RECORD_FILE).exists() {
        let advice =
            "holds an experiment's record, whose charts it would replace; choose another folder";
        return Err(usage(anyhow!("{} {advice}, as {0}/decision", folder.display())));
    }
    let written = publish(folder, |staging| {
        Ok(secondpass_report::render_decision(decision, evidence, staging)?)
    })?;
    for file in secondpass_report::decision_files().iter().map(|file| folder.join(file)) {
        if !written.contains(&file) && file.exists() {
            std::fs::remove_file(&file)
                .with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    Ok(folder.join("decision.html"))
}
