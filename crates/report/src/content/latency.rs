use secondpass_evaluation::{Record, SystemRecord};

use super::{Block, Cell, Section, Table, heads, latency_parts, or_none, rerankers};
use crate::charts::{Chart as _, LatencyChart, TradeoffChart};
use crate::{format, marks};

/// Times and throughput of the rerankers, and the first stage's time.
pub(super) fn section(record: &Record) -> Section {
    let mut blocks = vec![Block::Chart(LatencyChart::NAME)];
    let cached = rerankers(record).any(|system| system.cached > 0);
    let in_flight =
        || rerankers(record).filter_map(|system| Some(system.latency.as_ref()?.concurrency));
    let crowded = in_flight().any(|queries| queries > 1);
    if rerankers(record).next().is_some() {
        let mut head = heads([
            "System",
            "p50 per query",
            "p95 per query",
            "Mean per query",
            "Candidates per query",
            "Pairs per second",
            "Tokens per second",
            "Queries timed",
        ]);
        if cached {
            head.push("From the cache".into());
        }
        if crowded {
            head.push("Queries in flight".into());
        }
        let rows = rerankers(record).map(|system| row(record, system, cached, crowded)).collect();
        blocks.push(Block::Table(Table { head, rows, labels: 1 }));
        let mut order = format::in_flight(in_flight());
        order.replace_range(..1, &order[..1].to_uppercase());
        let whole = if crowded { "each with all its candidates" } else { "all its candidates" };
        let mut text = format!(
            "{order}, {whole}; half of the queries took no longer than p50, 95 \
             in 100 no longer than p95. The figures hold for the machine and the candidates named \
             below. The oracle does no work and is not timed."
        );
        if rerankers(record).any(|system| system.destination.is_some()) {
            text += " What a server answered is timed as this machine saw it, network included.";
        }
        blocks.push(Block::Text(text));
        blocks.extend(latency_parts::blocks(record));
    }
    let mut notes = vec![first_stage(record)];
    if cached {
        notes.push(
            "Queries whose scores came from the cache count for quality, never for latency. To time \
             a reranker on all queries, run it again without the cache."
                .into(),
        );
    }
    blocks.push(Block::List(notes));
    blocks.push(Block::Chart(TradeoffChart::NAME));
    Section { id: "latency", title: "Latency", blocks }
}

fn row(record: &Record, system: &SystemRecord, cached: bool, crowded: bool) -> Vec<Cell> {
    let mut row = vec![Cell::from(marks::name(system))];
    match &system.latency {
        Some(latency) => row.extend([
            format::time(latency.p50).into(),
            format::time(latency.p95).into(),
            format::time(latency.mean).into(),
            format::mean(latency.candidates).into(),
            format::rate(latency.pairs_per_second).into(),
            format::rate(latency.tokens_per_second).into(),
            format::count(latency.samples as u64).into(),
        ]),
        None => {
            row.push("not measured".into());
            row.extend((0..6).map(|_| Cell::from(format::NONE)));
        }
    }
    if cached {
        row.push(format::part(system.cached, record.dataset.queries).into());
    }
    if crowded {
        row.push(or_none(system.latency.as_ref(), |l| format::count(l.concurrency as u64)));
    }
    row
}

fn first_stage(record: &Record) -> String {
    let queries = record.dataset.queries;
    match record.candidates.seconds {
        Some(seconds) if queries > 0 => format!(
            "The first stage took {} for {}; this comes on top of reranking.",
            format::time(seconds),
            match queries {
                1 => "the one query".to_owned(),
                several => format!("all {} queries together", format::count(several as u64)),
            }
        ),
        _ => "The first stage was not timed: its candidates came from elsewhere or from a cache."
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn texts(record: &Record) -> Vec<String> {
        let mut texts = Vec::new();
        for block in section(record).blocks {
            match block {
                Block::Table(table) => {
                    texts.extend(table.rows.into_iter().flatten().map(|cell| cell.text));
                }
                Block::List(items) => texts.extend(items),
                _ => {}
            }
        }
        texts
    }

    #[test]
    fn cached_scores_are_counted_and_never_timed() {
        let mut record = fixture::record(1);
        assert!(!texts(&record).iter().any(|text| text.contains("cache")));
        record.systems[1].cached = 150;
        record.systems[1].latency = None;
        let told = texts(&record);
        assert!(told.contains(&"not measured".to_owned()), "{told:?}");
        assert!(told.contains(&"150 of 150 (100.0%)".to_owned()), "{told:?}");
    }

    #[test]
    fn the_first_stages_time_is_told_or_its_absence() {
        let mut record = fixture::record(0);
        assert!(texts(&record)[0].contains("took 480 ms for all 150 queries together;"));
        record.candidates.seconds = None;
        assert!(texts(&record)[0].contains("not timed"));
    }
}
