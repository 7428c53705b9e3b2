use secondpass_evaluation::{Record, SystemRecord};

use super::{Block, Cell, Section, Table, heads, rerankers};
use crate::format;

/// What the rerankers did not read.
pub(super) fn section(record: &Record) -> Section {
    let blocks = if rerankers(record).next().is_none() {
        vec![Block::Text("No reranker read any pair.".into())]
    } else {
        vec![
            Block::Text(
                "A pair longer than a reranker's limit loses its end: what stood there had no \
                 part in its score."
                    .into(),
            ),
            Block::Table(Table {
                head: heads(["System", "Pairs cut", "Tokens cut", "Longest pair", "Limit"]),
                rows: rerankers(record).map(row).collect(),
                labels: 1,
            }),
        ]
    };
    Section { id: "truncation", title: "Truncation", blocks }
}

fn row(system: &SystemRecord) -> Vec<Cell> {
    let tokens = |count: usize| format!("{} tokens", format::count(count as u64));
    let limit = system.identity.max_length.map_or("unknown".into(), tokens);
    let name = Cell::from(system.name.as_str());
    match &system.truncation {
        Some(audit) => vec![
            name,
            format::part(audit.pairs_cut, audit.pairs).into(),
            format::part(audit.tokens_cut, audit.tokens).into(),
            tokens(audit.longest).into(),
            limit.into(),
        ],
        None => vec![name, "unknown".into(), "unknown".into(), "unknown".into(), limit.into()],
    }
}
