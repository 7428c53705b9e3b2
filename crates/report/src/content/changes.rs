use secondpass_evaluation::{QueryChange, Record, ShownDocument, SystemRecord};

use super::{Block, Cell, Item, Section, Table, heads, rerankers};
use crate::{format, marks};

/// Queries shown for each reranker and direction.
const SHOWN: usize = 10;
/// Documents shown for each query and order.
const TOP: usize = 3;
/// Characters of a query or document that are shown.
const EXCERPT: usize = 200;

/// The queries that changed most, before and after side by side; `None` where none is recorded.
pub(super) fn section(record: &Record) -> Option<Section> {
    let changed: Vec<&SystemRecord> = rerankers(record)
        .filter(|system| !system.most_hurt.is_empty() || !system.most_helped.is_empty())
        .collect();
    if changed.is_empty() {
        return None;
    }
    let changes =
        || changed.iter().flat_map(|system| system.most_hurt.iter().chain(&system.most_helped));
    let mut note = format!(
        "The top {TOP} in first-stage order and after reranking, each document with its grade and its \
         rank in the first stage. Read them before trusting a mean: a judgement may be missing or \
         wrong."
    );
    if changes().all(|change| change.text.is_none()) {
        note += " This record holds no texts.";
    }
    let mut blocks = vec![Block::Text(note)];
    for system in changed {
        blocks.push(Block::Heading(marks::name(system).into_owned()));
        if system.most_hurt.is_empty() {
            blocks.push(Block::Text("No query lost.".into()));
        } else {
            blocks.push(Block::Table(table(record, &system.most_hurt)));
        }
        if !system.most_helped.is_empty() {
            let name = match system.most_helped.len().min(SHOWN) {
                1 => "The query that gained most".to_owned(),
                shown => format!("The {shown} queries that gained most"),
            };
            blocks.push(Block::Folded(name, table(record, &system.most_helped)));
        }
    }
    Some(Section { id: "changes", title: "Queries that lost most", blocks })
}

fn table(record: &Record, changes: &[QueryChange]) -> Table {
    let mut head = heads(["Query", "", "Before", "After"]);
    head[1].clone_from(&record.primary);
    let rows = changes.iter().take(SHOWN).map(|change| {
        vec![
            Cell {
                detail: change.text.as_deref().map(|text| format::excerpt(text, EXCERPT)),
                ..change.query.as_str().into()
            },
            Cell {
                detail: Some(format!(
                    "{}\u{a0}→\u{a0}{}",
                    format::score(change.before),
                    format::score(change.after)
                )),
                ..format::signed(change.after - change.before).into()
            },
            top(&change.top_before),
            top(&change.top_after),
        ]
    });
    Table { head, rows: rows.collect(), labels: usize::MAX }
}

fn top(documents: &[ShownDocument]) -> Cell {
    if documents.is_empty() {
        return "nothing".into();
    }
    Cell { items: documents.iter().take(TOP).map(item).collect(), ..String::new().into() }
}

fn item(document: &ShownDocument) -> Item {
    let grade = document.grade.map_or("unjudged".into(), |grade| format!("grade {grade}"));
    Item {
        text: format!("{} ({grade}, rank {})", document.document, document.first_stage_rank),
        detail: document.text.as_deref().map(|text| format::excerpt(text, EXCERPT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn at_most_ten_queries_and_three_documents_are_shown() {
        let mut record = fixture::record(1);
        let system = &mut record.systems[1];
        let mut change = system.most_hurt[0].clone();
        let document = change.top_after[0].clone();
        change.top_after = vec![document; 5];
        system.most_hurt = vec![change; 25];
        let section = section(&record).unwrap();
        let Block::Table(table) = &section.blocks[2] else { panic!("no table") };
        assert_eq!(table.rows.len(), 10);
        assert_eq!(table.rows[0][3].items.len(), 3);
    }

    #[test]
    fn only_recorded_texts_are_shown() {
        let mut record = fixture::record(1);
        let told = |record: &Record| match &section(record).unwrap().blocks[0] {
            Block::Text(text) => text.contains("holds no texts"),
            _ => panic!("no note"),
        };
        assert!(!told(&record));
        for system in &mut record.systems {
            for change in system.most_hurt.iter_mut().chain(&mut system.most_helped) {
                change.text = None;
            }
        }
        assert!(told(&record));
    }
}
