use secondpass_evaluation::{Record, Role, SystemRecord};

use super::{Block, Cell, Section, Table, estimate, or_none, oracle};
use crate::charts::{Chart as _, QualityChart};
use crate::format;

/// Every measure of every system.
pub(super) fn section(record: &Record) -> Section {
    let measures = measures(record);
    let mut blocks =
        vec![Block::Chart(QualityChart::NAME), Block::Table(table(record, &measures, false))];
    let mut notes = Vec::new();
    if measures.len() > 1 {
        notes.push(format!(
            "{} is the primary measure: the config declares it, and verdicts rest on it alone. The others are exploratory.",
            record.primary
        ));
    }
    if oracle(record).is_some() {
        notes.push(format!(
            "The oracle orders the same candidates by their judgements: no reranker can exceed it \
             at depth {}.",
            record.candidates.depth
        ));
    }
    if record.systems.iter().any(|system| system.role == Role::Retriever) {
        notes.push(
            "Systems marked as retrievers bring their own documents and are not bound by the \
             oracle."
                .into(),
        );
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
    if measures.len() > 1 {
        let name =
            format!("Every measure with its {} interval", format::level(record.statistics.alpha));
        blocks.push(Block::Folded(name, table(record, &measures, true)));
    }
    Section { id: "quality", title: "Quality", blocks }
}

/// The primary measure first, then the others in the order of the config.
fn measures(record: &Record) -> Vec<&str> {
    let others = record.measures.iter().filter(|measure| **measure != record.primary);
    let known = record.measures.contains(&record.primary).then_some(record.primary.as_str());
    known.into_iter().chain(others.map(String::as_str)).collect()
}

/// First stage, other retrievers, rerankers, oracle; the intervals of all measures, or the primary's.
fn table(record: &Record, measures: &[&str], intervals: bool) -> Table {
    let mut head = vec!["System".to_owned()];
    head.extend(measures.iter().map(|measure| (*measure).to_owned()));
    let mut systems: Vec<&SystemRecord> = record.systems.iter().collect();
    // Stable: within a role the record's order stays.
    systems.sort_by_key(|system| match system.role {
        Role::FirstStage => 0,
        Role::Retriever => 1,
        Role::Reranker => 2,
        Role::Oracle => 3,
    });
    let rows = systems.into_iter().map(|system| {
        let name = match system.role {
            Role::Retriever => format!("{} (retriever)", system.name),
            _ => system.name.clone(),
        };
        let mut row = vec![Cell::from(name)];
        row.extend(measures.iter().map(|measure| {
            let found = system.quality.iter().find(|estimate| estimate.measure == *measure);
            match found {
                Some(found) if intervals || *measure == record.primary => estimate(found),
                found => or_none(found, |found| format::score(found.mean)),
            }
        }));
        row
    });
    Table { head, rows: rows.collect(), labels: 1 }
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
