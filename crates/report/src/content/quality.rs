use secondpass_evaluation::{Record, SystemRecord};

use super::{Block, Cell, Section, Table, oracle, value};
use crate::charts::{Chart as _, QualityChart};
use crate::format;

/// Every measure of every system.
pub(super) fn section(record: &Record) -> Section {
    let mut blocks = vec![Block::Chart(QualityChart::NAME), Block::Table(table(record))];
    let mut notes = Vec::new();
    if oracle(record).is_some() {
        notes.push(format!(
            "The oracle orders the same candidates by their judgements: no reranker can exceed it \
             at depth {}.",
            record.candidates.depth
        ));
    }
    if let Some(cutoff) = record.measures.iter().find(|measure| reaches_depth(record, measure)) {
        notes.push(format!(
            "{cutoff} is candidate recall: no reranker changes it, it is the first stage's to raise."
        ));
    }
    notes.extend(record.systems.iter().filter_map(missing));
    if !notes.is_empty() {
        blocks.push(Block::List(notes));
    }
    Section { id: "quality", title: "Quality", blocks }
}

fn table(record: &Record) -> Table {
    let mut head = vec!["System".to_owned()];
    head.extend(record.measures.iter().cloned());
    let rows = record.systems.iter().map(|system| {
        let mut row = vec![Cell::from(system.name.as_str())];
        row.extend(record.measures.iter().map(|measure| cell(system, measure)));
        row
    });
    Table { head, rows: rows.collect(), labels: 1 }
}

fn cell(system: &SystemRecord, measure: &str) -> Cell {
    match system.quality.iter().find(|estimate| estimate.measure == measure) {
        Some(e) => value(format::score(e.mean), format::interval(e.low, e.high)),
        None => format::NONE.into(),
    }
}

fn reaches_depth(record: &Record, measure: &str) -> bool {
    measure
        .strip_prefix("R@")
        .and_then(|cutoff| cutoff.parse::<usize>().ok())
        .is_some_and(|cutoff| cutoff >= record.candidates.depth)
}

fn missing(system: &SystemRecord) -> Option<String> {
    let estimate = system.quality.iter().max_by_key(|estimate| estimate.missing)?;
    (estimate.missing > 0).then(|| {
        format!(
            "{}: {} queries came back without any result and score 0.",
            system.name,
            format::part(estimate.missing, estimate.queries)
        )
    })
}
