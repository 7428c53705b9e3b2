use secondpass_evaluation::Record;

use super::{Block, Cell, Section, Table, first_stage, heads, oracle, primary, rerankers};
use crate::format;

/// Share of the queries with a relevant candidate below which retrieval is what to work on.
const LOW_CEILING: f64 = 0.8;

/// What every system was given to order, and what that makes possible.
pub(super) fn section(record: &Record) -> Section {
    let candidates = &record.candidates;
    let ceiling = oracle(record).and_then(|oracle| primary(record, oracle)).map(|e| e.mean);
    let mut rows: Vec<Vec<Cell>> = vec![
        vec!["First stage".into(), candidates.first_stage.as_str().into()],
        vec!["Depth".into(), format!("{} candidates per query at most", candidates.depth).into()],
        vec![
            "Mean".into(),
            format!("{} candidates per query", format::mean(candidates.mean)).into(),
        ],
        vec![
            "Queries with a relevant candidate".into(),
            format::percent(candidates.with_relevant).into(),
        ],
    ];
    if let Some(ceiling) = ceiling {
        rows.push(vec![
            "Ceiling".into(),
            format!("{} {} (oracle)", record.primary, format::score(ceiling)).into(),
        ]);
    }
    let mut notes = Vec::new();
    notes.extend(without_relevant(record));
    notes.extend(ceiling.and_then(|ceiling| headroom(record, ceiling)));
    let mut blocks = Vec::new();
    if !notes.is_empty() {
        blocks.push(Block::List(notes));
    }
    blocks.push(Block::Table(Table { head: heads(["What", "Value"]), rows, labels: usize::MAX }));
    Section { id: "candidates", title: "Candidates and ceiling", blocks }
}

/// For how many queries no reranker can do anything.
fn without_relevant(record: &Record) -> Option<String> {
    let candidates = &record.candidates;
    let without = 1.0 - candidates.with_relevant;
    if without.is_nan() || without <= 0.0 {
        return None;
    }
    // The record holds the share; the number of queries follows from it exactly.
    let queries = (without * record.dataset.queries as f64).round() as usize;
    let so = format!(
        "{} no relevant document came into the candidates, and no reranker can help them.",
        format_args!(
            "For {} of {} ({})",
            format::count(queries as u64),
            format::counted(record.dataset.queries, "query", "queries"),
            format::percent(without)
        )
    );
    Some(if candidates.with_relevant < LOW_CEILING {
        format!("Fix retrieval first. {so} Retrieve deeper, or improve the first stage.")
    } else {
        format!("{so} Only a better or deeper first stage can.")
    })
}

/// How much of what the candidates allow is used.
fn headroom(record: &Record, ceiling: f64) -> Option<String> {
    let before = primary(record, first_stage(record)?)?.mean;
    let room = ceiling - before;
    if room.is_nan() || room <= 0.0 {
        return Some(format!(
            "The first stage reaches the ceiling ({}): no order of these candidates is better.",
            format::score(ceiling)
        ));
    }
    let used: Vec<String> = rerankers(record)
        .filter_map(|system| {
            let share = (primary(record, system)?.mean - before) / room;
            let percent = format::percent(share.abs());
            Some(match share < 0.0 {
                true => format!("{} loses {percent} of as much", system.name),
                false => format!("{} gains {percent} of it", system.name),
            })
        })
        .collect();
    let used = if used.is_empty() { String::new() } else { format!(" {}.", used.join("; ")) };
    Some(format!(
        "Between the first stage ({}) and the best order of its candidates ({}) there is room for {} \
         in {}.{used}",
        format::score(before),
        format::score(ceiling),
        format::score(room),
        record.primary
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn notes(record: &Record) -> Vec<String> {
        match section(record).blocks.into_iter().next() {
            Some(Block::List(notes)) => notes,
            _ => Vec::new(),
        }
    }

    #[test]
    fn many_queries_without_a_relevant_candidate_are_a_matter_for_retrieval() {
        let mut record = fixture::record(1);
        assert_eq!(
            notes(&record)[0],
            "For 6 of 150 queries (4.0%) no relevant document came into the candidates, and no \
             reranker can help them. Only a better or deeper first stage can."
        );
        record.candidates.with_relevant = 0.5;
        assert!(
            notes(&record)[0].starts_with("Fix retrieval first. For 75 of 150 queries (50.0%)")
        );
        record.candidates.with_relevant = 1.0;
        assert!(notes(&record)[0].starts_with("Between the first stage (0.641)"));
    }

    #[test]
    fn rerankers_are_measured_against_what_the_candidates_allow() {
        let mut record = fixture::record(8);
        // 0.061 of 0.317, and a reranker that is worse than the first stage.
        let told = notes(&record).pop().unwrap();
        assert!(told.contains("helpdesk-mini gains 19.2% of it"), "{told}");
        assert!(told.contains("random loses 134.7% of as much"), "{told}");
        let same = record.systems[0].quality.clone();
        record.systems.last_mut().unwrap().quality = same;
        assert!(notes(&record).pop().unwrap().contains("reaches the ceiling (0.641)"));
    }
}
