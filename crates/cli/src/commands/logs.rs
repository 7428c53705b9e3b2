use std::io::Write;

use anyhow::{Result, bail};
use secondpass_core::{DocId, Ranking, Run};
use secondpass_data::production_log::{self, Counted, ProductionLog};
use secondpass_data::trec;
use secondpass_evaluation::measures::logged::{PERSISTENCE, cited_rr, overlap_at, rbo_ext};
use secondpass_evaluation::{Interval, bootstrap_mean};

use crate::args::LogsArgs;
use crate::note::note;
use crate::table::table;

/// What a production log says of the order that was shown and, beside it, of another run.
pub fn run(args: &LogsArgs) -> Result<()> {
    let log = production_log::read(&args.log)?;
    warn(&log);
    let other = match &args.run {
        Some(path) => Some(trec::read_run(path)?),
        None => None,
    };
    let mut figures = vec![figure("cited RR, as shown", cited(&log, &log.shown))];
    if let Some(other) = &other {
        // Both over the same queries, or they would not compare.
        let common = common(&log, other, args)?;
        figures[0] = figure("cited RR, as shown", cited(&common, &common.shown));
        let log = &common;
        figures.push(figure("cited RR, in the run", cited(log, other)));
        figures.push(figure(
            &format!("overlap@{} of the two", args.k),
            alike(&log.shown, other, |a, b| overlap_at(a, b, args.k)),
        ));
        figures.push(figure(
            &format!("rank-biased overlap of the two (p = {PERSISTENCE})"),
            alike(&log.shown, other, |a, b| rbo_ext(a, b, PERSISTENCE)),
        ));
    }
    if figures.iter().all(|figure| figure.queries == 0) {
        bail!("no query of the log cites anything that was shown; there is nothing to measure");
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        let figures: Vec<_> = figures.iter().map(Figure::json).collect();
        let all = serde_json::json!({ "biased": BIAS, "figures": figures });
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(());
    }
    let mut table = table(&["what", "mean", "95% interval", "queries"], |at| at > 0);
    for Figure { what, interval, queries } in &figures {
        table.add_row([
            what.clone(),
            format!("{:.3}", interval.mean),
            format!("[{:.3}, {:.3}]", interval.low, interval.high),
            queries.to_string(),
        ]);
    }
    writeln!(out, "{table}\n{BIAS}")?;
    Ok(())
}

/// The part of the log whose queries the other run ranks.
fn common(log: &ProductionLog, other: &Run, args: &LogsArgs) -> Result<ProductionLog> {
    let mut common = log.clone();
    common.shown.rankings.retain(|query, _| other.rankings.contains_key(query));
    common.cited.retain(|query, _| other.rankings.contains_key(query));
    let (all, kept) = (log.shown.rankings.len(), common.shown.rankings.len());
    let first =
        |run: &Run| run.rankings.keys().next().map_or_else(String::new, |id| id.to_string());
    if kept == 0 {
        bail!(
            "no query of {} is in {}: the log has ids such as '{}', the run such as '{}'; give the \
             log's lines the run's ids as \"id\"",
            args.log.display(),
            args.run.as_deref().unwrap_or(&args.log).display(),
            first(&log.shown),
            first(other)
        );
    }
    if kept < all {
        note(format_args!(
            "warning: the run ranks {kept} of the log's {all} queries; only they count"
        ));
    }
    Ok(common)
}

const BIAS: &str = "Biased towards what was shown: a document that stood high was cited more often, \
    and one that was never shown could not be. These figures compare orders of what was shown; they \
    do not measure relevance.";

/// A mean over the queries for which there is a value.
struct Figure {
    what: String,
    interval: Interval,
    queries: usize,
}

impl Figure {
    fn json(&self) -> serde_json::Value {
        let Interval { mean, low, high } = self.interval;
        serde_json::json!({
            "what": self.what, "mean": mean, "low": low, "high": high, "queries": self.queries,
        })
    }
}

fn figure(what: &str, values: Vec<f64>) -> Figure {
    Figure { what: what.to_owned(), interval: bootstrap_mean(&values), queries: values.len() }
}

fn cited(log: &ProductionLog, run: &Run) -> Vec<f64> {
    let values = log.cited.iter().filter_map(|(query, cited)| {
        let ranked: Vec<&DocId> = run.rankings.get(query)?.documents().collect();
        cited_rr(&ranked, &cited.iter().collect::<Vec<_>>())
    });
    values.collect()
}

fn alike(
    shown: &Run,
    other: &Run,
    alike: impl Fn(&[&DocId], &[&DocId]) -> Option<f64>,
) -> Vec<f64> {
    let documents = |ranking: &Ranking| -> Vec<DocId> { ranking.documents().cloned().collect() };
    let values = shown.rankings.iter().filter_map(|(query, ranking)| {
        let (a, b) = (documents(ranking), documents(other.rankings.get(query)?));
        alike(&a.iter().collect::<Vec<_>>(), &b.iter().collect::<Vec<_>>())
    });
    values.collect()
}

fn warn(log: &ProductionLog) {
    let oddities = &log.oddities;
    for (counted, what) in [
        (oddities.cited_unshown, "citations of documents that were not shown are left out"),
        (oddities.reordered, "lines have scores in another order than shown; the order counts"),
        (oddities.revised, "documents came with another text than before; the last one counts"),
    ] {
        if let Counted { count: 1.., first_line: Some(line) } = counted {
            note(format_args!("warning: {} {what}; the first is at line {line}", counted.count));
        }
    }
}
