use secondpass_evaluation::Record;

use super::{Block, Cell, Section, Table, heads};
use crate::{format, marks};

/// Failures listed for each system; the record holds all.
const SHOWN: usize = 20;

/// Queries that failed, with the reason; `None` without any.
pub(super) fn section(record: &Record) -> Option<Section> {
    let failed: usize = record.systems.iter().map(|system| system.failures.len()).sum();
    if failed == 0 {
        return None;
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for system in &record.systems {
        let name = marks::name(system);
        for (query, reason) in system.failures.iter().take(SHOWN) {
            rows.push(vec![name.as_ref().into(), query.as_str().into(), reason.as_str().into()]);
        }
        if system.failures.len() > SHOWN {
            let more = format::count((system.failures.len() - SHOWN) as u64);
            rows.push(vec![
                name.as_ref().into(),
                format!("{more} more").into(),
                "see record.json".into(),
            ]);
        }
    }
    Some(Section {
        id: "failures",
        title: "Failed queries",
        blocks: vec![
            Block::Text("These queries have no ranking and score 0 on every measure.".into()),
            Block::Table(Table {
                head: heads(["System", "Query", "Reason"]),
                rows,
                labels: usize::MAX,
            }),
        ],
    })
}

#[cfg(test)]
mod tests {
    use secondpass_core::QueryId;

    use super::*;
    use crate::fixture;

    #[test]
    fn many_failures_are_counted_not_listed() {
        let mut record = fixture::record(1);
        record.systems[1].failures =
            (0..25).map(|q| (QueryId::from(format!("q{q}")), "timed out".into())).collect();
        let section = section(&record).unwrap();
        let Block::Table(table) = &section.blocks[1] else { panic!("no table") };
        assert_eq!(table.rows.len(), SHOWN + 1);
        assert_eq!(table.rows[SHOWN][1].text, "5 more");
    }
}
