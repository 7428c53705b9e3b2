use secondpass_evaluation::{Record, Role};

use super::{Block, Cell, Section, Table, heads, or_none, primary};
use crate::{format, marks};

/// How much the documents that nobody judged could change.
pub(super) fn section(record: &Record) -> Section {
    let mut head = heads(["System", "Judged@10", "", "If all were relevant", "Condensed list"]);
    head[2] = format!("{} (none relevant)", record.primary);
    let shown = record.systems.iter().filter(|system| system.role != Role::Oracle);
    let rows = shown.map(|system| {
        let unjudged = &system.unjudged;
        let applies = primary(record, system).is_some();
        let bound = |value| match applies {
            true => or_none(Some(value), format::score),
            false => format::NOT_APPLICABLE.into(),
        };
        vec![
            Cell::from(marks::name(system)),
            format::percent(unjudged.judged_at_10).into(),
            bound(unjudged.low),
            bound(unjudged.high),
            bound(unjudged.condensed),
        ]
    });
    Section {
        id: "unjudged",
        title: "Unjudged documents",
        blocks: vec![
            Block::Table(Table { head, rows: rows.collect(), labels: 1 }),
            Block::List(vec![
                "Judged@10 is the share of the top 10 that was judged, mean over queries. Elsewhere \
                 in this report an unjudged document counts as not relevant, which understates \
                 systems that bring up what the judges never saw."
                    .into(),
                format!(
                    "{} lies between the two bounds: none of the retrieved unjudged documents \
                     relevant, or all of them at grade 1. Where the bounds of two systems overlap, \
                     judging could turn their order: judge their top 10 first.",
                    record.primary
                ),
                "Condensed list: the measure over judged documents only. Do not rank systems by it: \
                 it favours systems that rank unjudged documents high."
                    .into(),
            ]),
        ],
    }
}
