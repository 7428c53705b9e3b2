use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use secondpass_core::Origin;
use secondpass_evaluation::{Cost, Record, Role, SystemRecord, UnitCost};

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
    let is_billed = record.systems.iter().any(|system| system.cost.is_some());
    if is_billed {
        header.push("USD/1000 queries");
    }
    let mut table = table(&header, |column| column > 0);
    for system in &record.systems {
        let ms = |seconds: f64| format!("{:.1}", seconds * 1e3);
        let mut row = vec![marked(system)];
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
        if is_billed {
            row.push(system.cost.as_ref().map_or("-".to_owned(), per_thousand));
        }
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
    for (system, cost) in record.systems.iter().filter_map(|s| Some((s, s.cost.as_ref()?))) {
        let bill = if system.origin.is_live() { "" } else { "nobody is billed now; " };
        writeln!(out, "{}: {bill}{}", system.name, spent(cost))?;
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

/// A name that says where its answers came from, where that was not the reranker itself.
fn marked(system: &SystemRecord) -> String {
    match &system.origin {
        Origin::Live => system.name.clone(),
        Origin::Mock => format!("{} (mock)", system.name),
        Origin::Replay { recorded } => {
            format!("{} (replay of {})", system.name, recorded.get(..10).unwrap_or(recorded))
        }
    }
}

fn per_thousand(cost: &Cost) -> String {
    match cost.query {
        Some(UnitCost { usd: Some(usd), .. }) => format!("{:.2}", usd * 1e3),
        Some(_) => "price unknown".to_owned(),
        None => "-".to_owned(),
    }
}

fn spent(cost: &Cost) -> String {
    let spent = &cost.spent;
    let unit = cost.tariff.unit;
    let units = spent.reported + spent.untold;
    let dollars = spent.usd.map_or("price unknown".to_owned(), |usd| format!("{usd:.4} USD"));
    let mut told = format!(
        "{} calls, {units} {unit} billed ({} estimated): {dollars}",
        spent.calls, spent.estimated
    );
    if spent.doubtful > 0 {
        let most = spent.doubtful_usd.map_or(String::new(), |usd| format!(" ({usd:.4} USD)"));
        told.push_str(&format!(
            "; {} {unit}{most} of lost answers may come on top",
            spent.doubtful
        ));
    }
    told
}
