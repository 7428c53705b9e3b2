use secondpass_evaluation::{Record, SystemRecord};

use super::{Block, Cell, Section, Table, heads, rerankers};
use crate::charts::{Chart as _, LatencyChart, TradeoffChart};
use crate::format;

/// Times and throughput of the rerankers.
pub(super) fn section(record: &Record) -> Section {
    let mut blocks = vec![Block::Chart(LatencyChart::NAME)];
    if rerankers(record).next().is_some() {
        blocks.push(Block::Table(Table {
            head: heads([
                "System",
                "p50 per query",
                "p95 per query",
                "Mean per query",
                "Candidates per query",
                "Pairs per second",
                "Tokens per second",
                "Queries timed",
            ]),
            rows: rerankers(record).map(row).collect(),
            labels: 1,
        }));
        blocks.push(Block::Text(
            "One query at a time, all its candidates; half of the queries took no longer than p50, \
             95 in 100 no longer than p95. The figures hold for the machine and the candidates \
             named below. First stage and oracle do no reranking and are not timed."
                .into(),
        ));
        blocks.push(Block::Chart(TradeoffChart::NAME));
    }
    Section { id: "latency", title: "Latency", blocks }
}

fn row(system: &SystemRecord) -> Vec<Cell> {
    let name = Cell::from(system.name.as_str());
    let Some(latency) = &system.latency else {
        let mut row = vec![name, "not measured".into()];
        row.extend((0..6).map(|_| Cell::from(format::NONE)));
        return row;
    };
    vec![
        name,
        format::time(latency.p50).into(),
        format::time(latency.p95).into(),
        format::time(latency.mean).into(),
        format::mean(latency.candidates).into(),
        format::rate(latency.pairs_per_second).into(),
        format::rate(latency.tokens_per_second).into(),
        format::count(latency.samples as u64).into(),
    ]
}
