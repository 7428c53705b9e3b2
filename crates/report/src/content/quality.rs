use secondpass_evaluation::{Estimate, Record, Role, SystemRecord};

use super::{Block, Cell, Section, Table, estimate, or_none, oracle};
use crate::charts::{Chart as _, QualityChart};
use crate::{format, marks};

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
    notes.extend(measures.iter().filter_map(|measure| applies(record, measure)));
    notes.extend(record.systems.iter().filter_map(|system| missing(record, system)));
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
            Role::Retriever => format!("{} (retriever)", marks::name(system)),
            _ => marks::name(system).into_owned(),
        };
        let mut row = vec![Cell::from(name)];
        row.extend(measures.iter().map(|measure| {
            let found = system.quality.iter().find(|estimate| estimate.measure == *measure);
            match found {
                Some(found) if intervals || found.queries == 0 || *measure == record.primary => {
                    estimate(found)
                }
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

/// To how many queries a measure applies, where it does not apply to all.
fn applies(record: &Record, measure: &str) -> Option<String> {
    let all = record.dataset.queries;
    let of_measure = |estimate: &&Estimate| estimate.measure == measure;
    let estimates = record.systems.iter().filter_map(|s| s.quality.iter().find(of_measure));
    let counts: Vec<usize> = estimates.map(|estimate| estimate.queries).collect();
    let (least, most) = (*counts.iter().min()?, *counts.iter().max()?);
    let queries = format::counted(all, "query", "queries");
    if most == 0 {
        return Some(format!("{measure} applies to none of the {queries} (n/a)."));
    }
    let number = |count: usize| format::count(count as u64);
    (least < all).then(|| match least == most {
        true => format!(
            "{measure} applies to {} of {queries}: its means are over those alone.",
            number(most)
        ),
        false => format!(
            "{measure} applies to {} to {} of {queries}, by system: each mean is over those alone, \
             and the means of two systems do not compare.",
            number(least),
            number(most)
        ),
    })
}

/// How many queries a system found nothing for: the most over its measures, since a measure counts
/// only those it applies to.
fn missing(record: &Record, system: &SystemRecord) -> Option<String> {
    let missing = system.quality.iter().map(|estimate| estimate.missing).max()?;
    (missing > 0).then(|| {
        format!(
            "{}: {} came back without any result and {} 0.",
            marks::name(system),
            format::of_queries(missing, record.dataset.queries),
            if missing == 1 { "scores" } else { "score" }
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn measures_that_apply_to_fewer_queries_say_to_how_many() {
        let mut record = fixture::record(1);
        assert_eq!(applies(&record, "AP"), None);
        for system in &mut record.systems {
            system.quality[6].queries = 40;
        }
        let told = applies(&record, "AP").unwrap();
        assert_eq!(told, "AP applies to 40 of 150 queries: its means are over those alone.");
        record.systems[0].quality[6].queries = 39;
        assert!(applies(&record, "AP").unwrap().contains("to 39 to 40 of 150 queries"));
    }

    #[test]
    fn queries_without_results_are_counted_among_all() {
        let mut record = fixture::record(1);
        let estimates = &mut record.systems[1].quality;
        (estimates[2].queries, estimates[2].missing) = (7, 12);
        let told = missing(&record, &record.systems[1]).unwrap();
        assert_eq!(
            told,
            "helpdesk-mini: 12 of 150 queries (8.0%) came back without any result and score 0."
        );
    }
}
