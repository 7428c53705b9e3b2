use secondpass_core::{Destination, Origin};
use secondpass_evaluation::{Record, Role};

use super::{Block, Cell, Section, Table, heads};
use crate::{format, marks};

const ID: &str = "destinations";
const TITLE: &str = "Where texts go";

/// What stands for a place or a time that neither provider nor config names.
const UNKNOWN: &str = "unknown";

/// Which hosts were given the users' texts, and on what terms. The oracle reads no texts.
pub(super) fn section(record: &Record) -> Section {
    let shown = || record.systems.iter().filter(|system| system.role != Role::Oracle);
    if shown().all(|system| system.destination.is_none()) {
        let text = "No text of a query or document left the process.".to_owned();
        return Section { id: ID, title: TITLE, blocks: vec![Block::Text(text)] };
    }
    let rows = shown().map(|system| {
        let mut row = vec![Cell::from(marks::name(system))];
        row.extend(match &system.destination {
            Some(destination) => sent(destination),
            None => [
                Cell::from("did not leave the process"),
                format::NONE.into(),
                format::NONE.into(),
                format::NONE.into(),
                format::NONE.into(),
            ],
        });
        row
    });
    let mut blocks = vec![Block::Table(Table {
        head: heads(["System", "Texts went to", "Host", "Region", "Fields", "Retention"]),
        rows: rows.collect(),
        labels: usize::MAX,
    })];
    let mut notes = Vec::new();
    if shown().any(|system| system.destination.as_ref().is_some_and(|d| !d.self_hosted)) {
        notes.push(
            "Retention is how long the provider's terms let it keep the texts; unknown means that \
             nothing we read says so, not that nothing is kept."
                .to_owned(),
        );
    }
    let recorded = |origin: &Origin| matches!(origin, Origin::Replay { .. });
    if shown().any(|system| recorded(&system.origin) && system.destination.is_some()) {
        notes.push(
            "What a replay answered was not sent again: its row says where the texts go when it is \
             live."
                .into(),
        );
    }
    if !notes.is_empty() {
        blocks.push(Block::List(notes));
    }
    Section { id: ID, title: TITLE, blocks }
}

fn sent(destination: &Destination) -> [Cell; 5] {
    let or_unknown = |text: Option<&str>| Cell::from(text.unwrap_or(UNKNOWN));
    [
        match destination.self_hosted {
            true => "own server (self-hosted)".into(),
            false => "a provider (hosted)".into(),
        },
        destination.host.as_str().into(),
        or_unknown(destination.region.as_deref()),
        match destination.fields.as_slice() {
            [] => UNKNOWN.into(),
            fields => fields.join(", ").into(),
        },
        or_unknown(destination.retention.as_deref()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn row(record: &Record, name: &str) -> Vec<String> {
        let Block::Table(table) = &section(record).blocks[0] else { panic!("no table") };
        let row = table.rows.iter().find(|row| row[0].text == name);
        row.unwrap()[1..].iter().map(|cell| cell.text.clone()).collect()
    }

    #[test]
    fn every_system_says_where_it_sent_what() {
        let record = fixture::hosted();
        assert_eq!(
            row(&record, "cohere"),
            [
                "a provider (hosted)",
                "api.cohere.com",
                "unknown",
                "query text, document text",
                "30 days, unless agreed otherwise"
            ]
        );
        let tei = row(&record, "tei");
        assert_eq!(tei[..3], ["own server (self-hosted)", "rerank.internal:8080", "eu-central-1"]);
        assert_eq!(tei[4], "unknown");
        for local in ["first stage", "helpdesk-mini"] {
            assert_eq!(row(&record, local)[0], "did not leave the process");
        }
        let blocks = section(&fixture::with_retriever(2)).blocks;
        let [Block::Text(text)] = &blocks[..] else { panic!("more than a sentence") };
        assert!(text.contains("No text"), "{text}");
    }
}
