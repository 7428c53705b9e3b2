//! What the page says, before it is Markdown or HTML.

use secondpass_evaluation::bench::{
    BenchRecord, BenchSystem, CellRecord, Percentile, SHARES, SampleRow, SearchEnd, WarmUp,
};

use super::charts::{NAMES, named, spread};
use crate::content::{Banner, Block, Cell, Content, Section, Table};
use crate::format;

/// Composes the page of a bench: what was found, the figures of each cell, the highest rates, how
/// times spread, starts and memory, and how all this came about.
pub(super) fn of(record: &BenchRecord, rows: &[SampleRow]) -> Content {
    let several = record.systems.len() > 1;
    let warnings = record.systems.iter().flat_map(|system| {
        system.warnings.iter().map(move |warning| match several {
            true => format!("{}: {warning}", system.name),
            false => warning.clone(),
        })
    });
    let sections = [
        Some(latency(record)),
        highest(record),
        distribution(record, rows),
        starts(record),
        Some(machine(record)),
        Some(method(record)),
    ];
    Content {
        title: format!("{}: latency", record.name),
        subtitle: format!(
            "{} · finished {} · secondpass {}",
            record.source, record.finished, record.version
        ),
        banners: banners(record),
        finding: finding(record),
        warnings: warnings.collect(),
        sections: sections.into_iter().flatten().collect(),
    }
}

fn banners(record: &BenchRecord) -> Vec<Banner> {
    let odd: Vec<&str> = record
        .systems
        .iter()
        .filter(|system| !system.is_live())
        .map(|system| system.name.as_str())
        .collect();
    match odd.is_empty() {
        true => Vec::new(),
        false => vec![Banner {
            title: "Not live.",
            text: format!(
                "A mock or a recording answered in place of {}; its times are nobody's, and decide \
                 nothing.",
                format::listed(&odd)
            ),
        }],
    }
}

/// The first cell of each reranker in a sentence.
fn finding(record: &BenchRecord) -> String {
    let one = |system: &BenchSystem| {
        let cell = system.cells.first()?;
        let p95 = cell.measured.percentile(0.95)?;
        let rate = system.capacities.first().map(|found| {
            let limit = format::time(found.capacity.search.limit);
            match found.capacity.kept {
                Some(kept) => {
                    format!(
                        "; up to {} queries a second keep p95 within {limit}",
                        format::rate(kept)
                    )
                }
                None => format!("; no rate kept p95 within {limit}"),
            }
        });
        let bounds = match (p95.low, p95.high) {
            (Some(low), Some(high)) => {
                format!(" ({} to {})", format::time(low), format::time(high))
            }
            _ => String::new(),
        };
        Some(format!(
            "{}: 95 of 100 queries took no longer than {}{bounds} with {}{}.",
            named(system),
            format::time(p95.value),
            cell.cell,
            rate.unwrap_or_default()
        ))
    };
    record.systems.iter().filter_map(one).collect::<Vec<_>>().join(" ")
}

fn latency(record: &BenchRecord) -> Section {
    let mut head = heads(["Cell"]);
    head.extend(SHARES.map(|share| format!("p{}", share * 100.0)));
    head.extend(heads(["Max", "Mean", "Waiting", "Queries/s", "Pairs/s", "Tokens/s", "Answered"]));
    let mut blocks = vec![Block::Chart(NAMES[0])];
    for system in &record.systems {
        blocks.push(Block::Heading(named(system)));
        let rows = system.cells.iter().map(row).collect();
        blocks.push(Block::Table(Table { head: head.clone(), rows, labels: 1 }));
    }
    blocks.push(Block::Text(
        "Latency counts from the moment a query was to be asked to its answer, waiting included. In \
         brackets stand the bounds of a percentile: it lies above the first and below the second, each \
         with 95%; a dash where there are too few answers to say so (p99 needs 299 for its upper one). \
         Waiting is the mean time in the queue; a closed loop has none."
            .into(),
    ));
    blocks.extend(NAMES[1..4].iter().map(|name| Block::Chart(name)));
    Section { id: "latency", title: "Latency", blocks }
}

fn row(cell: &CellRecord) -> Vec<Cell> {
    let measured = &cell.measured;
    let mut row = vec![Cell {
        detail: cell.cut_short.as_ref().map(|why| format!("ended early: {why}")),
        ..Cell::from(cell.cell.to_string())
    }];
    row.extend(SHARES.map(|share| measured.percentile(share).map_or(format::NONE.into(), bounded)));
    let throughput = &measured.throughput;
    row.extend([
        format::time(measured.max).into(),
        format::time(measured.mean).into(),
        format::time(measured.waiting).into(),
        format::rate(throughput.queries).into(),
        format::rate(throughput.pairs).into(),
        format::rate(throughput.tokens).into(),
        format!("{} of {}", measured.asked - measured.failed, measured.asked).into(),
    ]);
    row
}

/// A percentile with its bounds.
fn bounded(found: &Percentile) -> Cell {
    let bound = |bound: Option<f64>| bound.map_or(format::NONE.to_owned(), format::time);
    Cell {
        detail: Some(format!("[{}, {}]", bound(found.low), bound(found.high))),
        ..Cell::from(format::time(found.value))
    }
}

fn highest(record: &BenchRecord) -> Option<Section> {
    let all = || record.systems.iter().flat_map(|s| s.capacities.iter().map(move |c| (s, c)));
    all().next()?;
    let rate = |rate: Option<f64>| rate.map_or("none".to_owned(), format::rate);
    let rows = all().map(|(system, found)| {
        let capacity = &found.capacity;
        vec![
            named(system).into(),
            system.cells.get(found.cell).map_or(String::new(), |c| c.cell.to_string()).into(),
            format::time(capacity.search.limit).into(),
            rate(capacity.kept).into(),
            rate(capacity.broken).into(),
            match capacity.end {
                SearchEnd::Found => "found",
                SearchEnd::OutOfProbes => "out of probes",
                SearchEnd::Stopped => "stopped",
                SearchEnd::Unavailable => "reranker lost",
            }
            .into(),
        ]
    });
    let head = heads(["Reranker", "Cell", "Limit of p95", "Kept at", "Broken at", "Search"]);
    let rates = Table { head, rows: rows.collect(), labels: 2 };
    let probes = all().flat_map(|(system, found)| {
        found.capacity.probes.iter().map(move |probe| {
            let why = match (probe.overloaded, probe.kept) {
                (true, _) => "broken: the queue grew",
                (_, true) => "kept",
                (_, false) => "broken",
            };
            vec![
                named(system).into(),
                format::rate(probe.rate).into(),
                probe.found.as_ref().map_or(format::NONE.into(), bounded),
                format::count(probe.asked as u64).into(),
                format::count(probe.failed as u64).into(),
                why.into(),
                if probe.sure { "beyond chance" } else { "could be chance" }.into(),
            ]
        })
    });
    let head =
        heads(["Reranker", "Queries/s", "p95", "Asked", "Failed", "The limit was", "Which is"]);
    let probes = Table { head, rows: probes.collect(), labels: 1 };
    Some(Section {
        id: "rates",
        title: "The highest rate that keeps the limit",
        blocks: vec![
            Block::Chart(NAMES[4]),
            Block::Table(rates),
            Block::Text(
                "Queries arrive at random at a stated rate, whether or not earlier ones are \
                 answered. The rate is doubled and halved until one keeps the limit and one breaks \
                 it, then bisected. Plan for a part of it: at the rate itself the next burst breaks \
                 the limit."
                    .into(),
            ),
            Block::Folded("Every probe".into(), probes),
        ],
    })
}

fn distribution(record: &BenchRecord, rows: &[SampleRow]) -> Option<Section> {
    let spreads: Vec<(String, Vec<(f64, f64)>)> = record
        .systems
        .iter()
        .enumerate()
        .map(|(index, system)| (named(system), spread(index, rows)))
        .filter(|(_, spread)| !spread.is_empty())
        .collect();
    let (_, first) = spreads.first()?;
    let mut head = heads(["Share of the queries that took longer"]);
    head.extend(spreads.iter().map(|(name, _)| format!("{name}: than")));
    let table = first.iter().enumerate().map(|(place, (share, _))| {
        let mut row = vec![Cell::from(format::percent(1.0 - share))];
        row.extend(spreads.iter().map(|(_, spread)| Cell::from(format::time(spread[place].1))));
        row
    });
    let table = Table { head, rows: table.collect(), labels: 1 };
    Some(Section {
        id: "spread",
        title: "How times spread",
        blocks: vec![
            Block::Chart(NAMES[5]),
            Block::Folded("The same in figures".into(), table),
            Block::Text(
                "samples.parquet holds every query of every cell and probe: when it was to be asked, \
                 when it was, when its answer was there, and where the time went."
                    .into(),
            ),
        ],
    })
}

fn starts(record: &BenchRecord) -> Option<Section> {
    let known = |system: &&BenchSystem| system.cold_start.is_some() || system.peak_memory.is_some();
    let rows: Vec<Vec<Cell>> = record
        .systems
        .iter()
        .filter(known)
        .map(|system| {
            let cold = system.cold_start.clone().unwrap_or_default();
            let time = |seconds: Option<f64>| seconds.map_or(format::NONE.to_owned(), format::time);
            let memory = |bytes: Option<u64>| bytes.map_or(format::NONE.to_owned(), format::memory);
            let each: Vec<String> = cold.starts.iter().map(|s| format::time(*s)).collect();
            vec![
                named(system).into(),
                Cell { detail: Some(each.join(", ")), ..Cell::from(time(cold.first_score)) },
                time(cold.load).into(),
                memory(cold.peak_memory).into(),
                memory(system.peak_memory).into(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let head = heads([
        "Reranker",
        "Start to first scores",
        "Of that, loading",
        "Memory until then, most",
        "Memory of the bench, most",
    ]);
    Some(Section {
        id: "starts",
        title: "Cold start and memory",
        blocks: vec![
            Block::Table(Table { head, rows, labels: 1 }),
            Block::Text(
                "Each start is a fresh process of this program that loads the model and answers one \
                 query of the first cell; the median is shown, the single starts below it. The \
                 model's files were in the system's memory already: from a disk it takes longer. No \
                 start is part of any latency."
                    .into(),
            ),
        ],
    })
}

fn machine(record: &BenchRecord) -> Section {
    let here = &record.machine;
    let mut rows: Vec<Vec<Cell>> = vec![vec![
        "Machine".into(),
        format!(
            "{}, {}, {} memory, {}",
            here.cpu,
            format::counted(here.cores, "core", "cores"),
            format::memory(here.memory),
            here.os
        )
        .into(),
    ]];
    for system in &record.systems {
        rows.push(vec![system.name.clone().into(), identity(system).into()]);
        rows.push(vec![format!("Meanwhile, {}", system.name).into(), noted(system).into()]);
    }
    let table = Table { head: heads(["What", "Value"]), rows, labels: usize::MAX };
    Section { id: "machine", title: "Machine and rerankers", blocks: vec![Block::Table(table)] }
}

fn identity(system: &BenchSystem) -> String {
    let identity = &system.identity;
    let mut parts = vec![format!("{}, {}", identity.provider, identity.model)];
    let weights = identity.weights.as_ref().map(|weights| format!("weights {}", weights.short()));
    let length = identity.max_length.map(|length| format!("pairs of {length} tokens at most"));
    let to = system.destination.as_ref().map(|to| format!("texts go to {}", to.host));
    parts.extend(
        [identity.device.clone(), identity.dtype.clone(), weights, length, to]
            .into_iter()
            .flatten(),
    );
    if let Some(spent) = &system.spent {
        let usd = spent.usd.map_or("price unknown".to_owned(), |usd| format!("{usd:.4} USD"));
        parts.push(format!("{} calls, {} {}: {usd}", spent.calls, spent.units, spent.unit));
    }
    parts.join(", ")
}

/// What the system told while it was measured.
fn noted(system: &BenchSystem) -> String {
    let noted = &system.environment;
    let share = |share: Option<f64>, what: &str| {
        share.map(|share| format!("{} {what}", format::percent(share)))
    };
    let parts = [
        share(noted.others, "of the processors used by others"),
        share(noted.stolen, "withheld by the host"),
        (!noted.governors.is_empty()).then(|| format!("governor {}", noted.governors.join(", "))),
        noted.cpu_quota.map(|quota| format!("quota of {} processors", format::mean(quota))),
        noted.throttled.map(|times| format!("stopped {times} times by its quota")),
        noted.swapped.map(|pages| format!("{pages} pages from swap")),
        (!noted.gpus.is_empty()).then(|| noted.gpus.join(", ")),
        noted.gpu_driver.clone(),
        noted.kernel.as_ref().map(|kernel| format!("kernel {kernel}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "the system tells nothing".to_owned() } else { parts.join(", ") }
}

fn method(record: &BenchRecord) -> Section {
    let WarmUp { window, tolerance, at_most, seconds } = record.warm_up;
    let warmed = record.systems.iter().flat_map(|system| {
        system.cells.iter().map(move |cell| {
            let warmed = &cell.warmed;
            let medians: Vec<String> = warmed.medians.iter().map(|s| format::time(*s)).collect();
            vec![
                named(system).into(),
                cell.cell.to_string().into(),
                format::count(warmed.queries as u64).into(),
                format::time(warmed.first).into(),
                medians.join(", ").into(),
                if warmed.steady { "steady" } else { "not steady" }.into(),
            ]
        })
    });
    let head =
        heads(["Reranker", "Cell", "Warm-up queries", "First answer", "Window medians", "Then"]);
    Section {
        id: "method",
        title: "Method",
        blocks: vec![
            Block::List(vec![
                format!(
                    "Warm-up: windows of the same {} until two medians in a row differ by at most {}; \
                     given up after {} or {}. Not part of any figure.",
                    format::counted(window, "query", "queries"),
                    format::percent(tolerance),
                    format::counted(at_most, "query", "queries"),
                    format::time(seconds)
                ),
                "Closed loop: each client asks again as soon as it is answered. It tells what the \
                 reranker can do, and hides a stall, as nobody asks meanwhile."
                    .into(),
                "Open loop: queries arrive on a schedule, whether or not earlier ones are answered. \
                 Latency counts from the scheduled moment, so that all who wait through a stall \
                 count."
                    .into(),
                "Bounds: order statistics, which assume no distribution; the number of answers is \
                 divided by the design effect that 20 time blocks show."
                    .into(),
            ]),
            Block::Folded(
                "Warming up".into(),
                Table { head, rows: warmed.collect(), labels: 2 },
            ),
        ],
    }
}

fn heads<const N: usize>(heads: [&str; N]) -> Vec<String> {
    heads.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn rows_have_as_many_cells_as_headings() {
        let content = of(&fixture::record(2), &fixture::rows(2));
        for block in content.sections.iter().flat_map(|section| &section.blocks) {
            if let Block::Table(table) | Block::Folded(_, table) = block {
                assert!(!table.rows.is_empty());
                assert!(
                    table.rows.iter().all(|row| row.len() == table.head.len()),
                    "{:?}",
                    table.head
                );
            }
        }
    }

    #[test]
    fn it_opens_with_the_figure_and_what_to_watch() {
        let content = of(&fixture::record(1), &fixture::rows(1));
        let begin = "reranker 1: 95 of 100 queries took no longer than ";
        assert!(content.finding.starts_with(begin), "{}", content.finding);
        assert!(content.finding.contains("up to 8.00 queries a second keep p95 within 500 ms"));
        assert_eq!(content.warnings, ["cell 3: measure for longer"]);
        assert!(content.banners.is_empty());
        let two = of(&fixture::record(2), &fixture::rows(2));
        assert_eq!(two.warnings[1], "reranker 2: cell 3: measure for longer");
    }

    #[test]
    fn a_mock_is_told_before_anything_else() {
        let mut record = fixture::record(2);
        record.systems[1].cells[0].live = false;
        let content = of(&record, &fixture::rows(2));
        assert_eq!(content.banners.len(), 1);
        assert!(content.banners[0].text.contains("in place of reranker 2"));
        assert!(content.finding.contains("reranker 2 (not live)"), "{}", content.finding);
    }

    #[test]
    fn a_bound_that_is_not_there_is_a_dash() {
        let none =
            Percentile { share: 0.99, value: 0.5, low: Some(0.4), high: None, design_effect: 1.0 };
        assert_eq!(bounded(&none).detail.as_deref(), Some("[400 ms, –]"));
    }
}
