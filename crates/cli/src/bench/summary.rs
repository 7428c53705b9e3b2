use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use secondpass_evaluation::bench::{BenchRecord, BenchSystem, Percentile, SHARES};

use crate::gibibytes::gibibytes;
use crate::table::table;

/// Prints a bench for people.
pub fn print(
    out: &mut impl Write,
    record: &BenchRecord,
    folder: &Path,
    files: &[PathBuf],
) -> Result<()> {
    for system in &record.systems {
        one(out, system)?;
    }
    let share = 100.0 * secondpass_evaluation::bench::CONFIDENCE;
    writeln!(
        out,
        "{}; in brackets: what the percentile lies above and below, each with {share:.0}%",
        record.source
    )?;
    writeln!(out, "Record: {}", folder.join(secondpass_evaluation::bench::BENCH_FILE).display())?;
    if let Some(page) = files.iter().find(|file| file.extension().is_some_and(|e| e == "html")) {
        writeln!(out, "Report: {}", page.display())?;
    }
    Ok(())
}

fn one(out: &mut impl Write, system: &BenchSystem) -> Result<()> {
    let mark = if system.is_live() { "" } else { " (not live: these times are nobody's)" };
    writeln!(out, "{}{mark}", system.name)?;
    let head = [
        "cell",
        "p50 ms",
        "p90 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "queries/s",
        "pairs/s",
        "failed",
    ];
    let mut cells = table(&head, |at| at > 0);
    for cell in &system.cells {
        let measured = &cell.measured;
        let mut row = vec![cell.cell.to_string()];
        row.extend(SHARES.map(|share| measured.percentile(share).map_or("-".to_owned(), shown)));
        row.push(ms(measured.max));
        row.push(format!("{:.2}", measured.throughput.queries));
        row.push(format!("{:.0}", measured.throughput.pairs));
        row.push(format!("{}/{}", measured.failed, measured.asked));
        cells.add_row(row);
    }
    writeln!(out, "{cells}")?;
    for found in &system.capacities {
        let (capacity, limit) = (&found.capacity, found.capacity.search.limit);
        let rate = |rate: Option<f64>| rate.map_or("none".to_owned(), |rate| format!("{rate:.2}"));
        writeln!(
            out,
            "highest rate whose p95 keeps {limit} s: {} queries a second (broken at {})",
            rate(capacity.kept),
            rate(capacity.broken)
        )?;
    }
    if let Some(cold) = &system.cold_start {
        let seconds = |s: Option<f64>| s.map_or("unknown".to_owned(), |s| format!("{s:.2} s"));
        writeln!(
            out,
            "cold start: {} to the first scores, of which {} to load (medians of {})",
            seconds(cold.first_score),
            seconds(cold.load),
            cold.starts.len()
        )?;
    }
    if let Some(bytes) = system.peak_memory {
        writeln!(out, "peak memory: {}", gibibytes(bytes))?;
    }
    for warning in &system.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(writeln!(out)?)
}

/// `12.3 [11.9, 13.0]`; a bound that too few samples give is a question mark.
fn shown(percentile: &Percentile) -> String {
    let bound = |bound: Option<f64>| bound.map_or("?".to_owned(), ms);
    format!("{} [{}, {}]", ms(percentile.value), bound(percentile.low), bound(percentile.high))
}

fn ms(seconds: f64) -> String {
    let ms = seconds * 1e3;
    match ms {
        small if small < 10.0 => format!("{small:.2}"),
        middling if middling < 1000.0 => format!("{middling:.1}"),
        large => format!("{large:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_is_not_there_is_a_question() {
        let known = Percentile {
            share: 0.99,
            value: 0.0123,
            low: Some(0.0119),
            high: None,
            design_effect: 1.0,
        };
        assert_eq!(shown(&known), "12.3 [11.9, ?]");
        assert_eq!([0.00123, 0.999, 1.234].map(ms), ["1.23", "999.0", "1234"]);
    }
}
