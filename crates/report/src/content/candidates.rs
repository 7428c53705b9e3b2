use secondpass_evaluation::{LOW_CEILING, Record};

use super::rerankers;
use super::{Block, Cell, Section, Table, failed, first_stage, heads, oracle, primary};
use crate::{format, marks};

/// What every system was given to order, and what that makes possible.
pub(super) fn section(record: &Record) -> Section {
    let candidates = &record.candidates;
    let ceiling = oracle(record).and_then(|oracle| primary(record, oracle)).map(|e| e.mean);
    let mut rows: Vec<Vec<Cell>> = vec![
        vec!["First stage".into(), candidates.first_stage.as_str().into()],
        vec![
            "Depth".into(),
            format!("{} per query at most", format::candidates(candidates.depth as f64)).into(),
        ],
        vec!["Mean".into(), format!("{} per query", format::candidates(candidates.mean)).into()],
    ];
    let found = Found::of(record);
    if record.dataset.unanswerable > 0 {
        rows.push(vec![
            "Queries without any relevant judgement".into(),
            format::part(record.dataset.unanswerable, record.dataset.queries).into(),
        ]);
    }
    let share = found.filter(|found| found.answerable > 0);
    rows.push(vec![
        "Queries with a relevant candidate".into(),
        share.map_or(format::NOT_APPLICABLE.into(), |found| {
            format::part(found.with_relevant, found.answerable).into()
        }),
    ]);
    if let Some(ceiling) = ceiling {
        rows.push(vec![
            "Ceiling".into(),
            format!("{} {} (oracle)", record.primary, format::score(ceiling)).into(),
        ]);
    }
    let mut notes = Vec::new();
    notes.extend(unanswerable(record));
    notes.extend(found.and_then(without_relevant));
    notes.extend(ceiling.and_then(|ceiling| headroom(record, ceiling)));
    let mut blocks = Vec::new();
    if !notes.is_empty() {
        blocks.push(Block::List(notes));
    }
    blocks.push(Block::Table(Table { head: heads(["What", "Value"]), rows, labels: usize::MAX }));
    Section { id: "candidates", title: "Candidates and ceiling", blocks }
}

/// Queries by what is known of their relevant documents.
#[derive(Clone, Copy)]
struct Found {
    /// Queries with a relevant judgement.
    answerable: usize,
    /// Of these, queries with a relevant document among the candidates.
    with_relevant: usize,
}

impl Found {
    /// `None` where the record holds no share.
    fn of(record: &Record) -> Option<Self> {
        let (dataset, share) = (&record.dataset, record.candidates.with_relevant);
        let answerable = dataset.queries.saturating_sub(dataset.unanswerable);
        // The record holds the share of all queries; the number follows from it exactly.
        let with_relevant = (share * dataset.queries as f64).round() as usize;
        share.is_finite().then(|| Self { answerable, with_relevant: with_relevant.min(answerable) })
    }
}

/// For how many queries no retrieval and no reranker can do anything.
fn unanswerable(record: &Record) -> Option<String> {
    let (count, queries) = (record.dataset.unanswerable, record.dataset.queries);
    match count {
        0 => None,
        count if count >= queries => Some(
            "No query has a relevant judgement: nothing can be measured on this data set.".into(),
        ),
        count => Some(format!(
            "{} {} no relevant judgement at all: no system can score on {}.",
            format::of_queries(count, queries),
            if count == 1 { "has" } else { "have" },
            if count == 1 { "it" } else { "them" },
        )),
    }
}

/// For how many queries retrieval could do something, and no reranker can.
fn without_relevant(found: Found) -> Option<String> {
    let without = found.answerable - found.with_relevant;
    if without == 0 {
        return None;
    }
    let so = format!(
        "For {} with a relevant judgement no relevant document came into the candidates, and no \
         reranker can help {}.",
        format::of_queries(without, found.answerable),
        if without == 1 { "it" } else { "them" }
    );
    Some(if (found.with_relevant as f64) < LOW_CEILING * found.answerable as f64 {
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
            if failed(system) {
                return None;
            }
            let gain = primary(record, system)?.mean - before;
            Some(match gain {
                lost if lost < 0.0 => {
                    format!(
                        "{} uses none of it: it loses {}",
                        marks::name(system),
                        format::score(-lost)
                    )
                }
                gain => {
                    format!("{} gains {} of it", marks::name(system), format::percent(gain / room))
                }
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
            "For 6 of 150 queries (4.0%) with a relevant judgement no relevant document came into \
             the candidates, and no reranker can help them. Only a better or deeper first stage can."
        );
        record.candidates.with_relevant = 0.5;
        assert!(
            notes(&record)[0].starts_with("Fix retrieval first. For 75 of 150 queries (50.0%)")
        );
        record.candidates.with_relevant = 1.0;
        assert!(notes(&record)[0].starts_with("Between the first stage (0.641)"));
    }

    #[test]
    fn queries_that_nothing_answers_are_no_matter_for_retrieval() {
        let mut record = fixture::record(1);
        record.dataset.unanswerable = 6;
        let told = notes(&record);
        assert_eq!(
            told[0],
            "6 of 150 queries (4.0%) have no relevant judgement at all: no system can score on them."
        );
        assert!(told[1].starts_with("Between the first stage"), "{told:?}");
        // 119 of 144 are more than four in five, 119 of 150 are fewer.
        record.candidates.with_relevant = 119.0 / 150.0;
        let told = notes(&record);
        assert!(told[1].starts_with("For 25 of 144 queries (17.4%) with a relevant"), "{told:?}");
        let Block::Table(table) = section(&record).blocks.remove(1) else { panic!("no table") };
        assert_eq!(table.rows[4][1].text, "119 of 144 (82.6%)");

        record.dataset.unanswerable = 150;
        record.candidates.with_relevant = 0.0;
        assert!(notes(&record)[0].contains("nothing can be measured"));
        let Block::Table(table) = section(&record).blocks.remove(1) else { panic!("no table") };
        assert_eq!(table.rows[4][1].text, "n/a");
    }

    #[test]
    fn rerankers_are_measured_against_what_the_candidates_allow() {
        let mut record = fixture::record(8);
        // 0.061 of 0.317, and a reranker that is worse than the first stage.
        let told = notes(&record).pop().unwrap();
        assert!(told.contains("helpdesk-mini gains 19.2% of it"), "{told}");
        assert!(told.contains("random uses none of it: it loses 0.427"), "{told}");
        // Its failed query scores 0, which says nothing of its order.
        assert!(!told.contains("ms-marco-MiniLM-L-6-v2"), "{told}");
        let same = record.systems[0].quality.clone();
        record.systems.last_mut().unwrap().quality = same;
        assert!(notes(&record).pop().unwrap().contains("reaches the ceiling (0.641)"));
    }
}
