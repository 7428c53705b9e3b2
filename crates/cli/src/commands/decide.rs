use std::io::Write;

use anyhow::{Context as _, Result};
use secondpass_evaluation::decision::{Case, DecideConfig, Evidence, decide, sentences};
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
    let case = Case::from_records(&evidence, &config, &prices).map_err(usage)?;
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
