use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use secondpass_evaluation::{Record, Role};

use crate::table::table;

/// Prints a record for people.
pub fn print(
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
