use secondpass_evaluation::{Latency, LatencyParts, Record, SystemRecord};

use super::{Block, Cell, Table, heads, rerankers, value};
use crate::{format, marks};

/// Where a query's time goes; nothing where no part was measured.
pub(super) fn blocks(record: &Record) -> Vec<Block> {
    let timed: Vec<(&SystemRecord, &Latency)> = rerankers(record)
        .filter_map(|system| Some((system, system.latency.as_ref()?)))
        .filter(|(_, latency)| latency.parts != LatencyParts::default())
        .collect();
    if timed.is_empty() {
        return Vec::new();
    }
    let mut notes = vec![
        match timed.iter().any(|(system, _)| system.destination.is_some()) {
            true => {
                "Means over the timed queries. Queue is waiting: for a turn, for the limits of a \
                 provider's tier, between attempts. A dash is a part that does not apply."
            }
            false => "Means over the timed queries. A dash is a part that does not apply.",
        }
        .to_owned(),
    ];
    if timed.iter().any(|(_, latency)| told(&latency.parts).is_some()) {
        notes.push(
            "Server is what the provider says it took, and network the rest of the call.".into(),
        );
    }
    if timed.iter().any(|(_, latency)| silent(&latency.parts)) {
        notes.push(
            "Where the provider does not tell its own time, network holds both, and nothing splits \
             them."
                .into(),
        );
    }
    vec![
        Block::Heading("Where the time goes".into()),
        Block::Table(Table {
            head: heads(["System", "Queue", "Tokenize", "Compute", "Network", "Server"]),
            rows: timed.iter().map(|(system, latency)| row(system, &latency.parts)).collect(),
            labels: 1,
        }),
        Block::List(notes),
    ]
}

fn row(system: &SystemRecord, parts: &LatencyParts) -> Vec<Cell> {
    let part = |seconds: f64| match seconds {
        0.0 => Cell::from(format::NONE),
        seconds => format::time(seconds).into(),
    };
    vec![
        marks::name(system).into(),
        part(parts.queue),
        part(parts.tokenize),
        part(parts.compute),
        match silent(parts) {
            true => value(format::time(parts.network), "(with the server's)".into()),
            false => part(parts.network),
        },
        match told(parts) {
            Some(seconds) => format::time(seconds).into(),
            None if silent(parts) => "not told".into(),
            None => format::NONE.into(),
        },
    ]
}

/// What the server says it took.
fn told(parts: &LatencyParts) -> Option<f64> {
    parts.server.filter(|seconds| seconds.is_finite())
}

/// Whether a server was asked that does not say how long it took.
fn silent(parts: &LatencyParts) -> bool {
    parts.network > 0.0 && told(parts).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn rows(record: &Record) -> Vec<Vec<String>> {
        let blocks = blocks(record);
        let Some(Block::Table(table)) = blocks.get(1) else { panic!("no table") };
        let cell = |cell: &Cell| match &cell.detail {
            Some(detail) => format!("{} {detail}", cell.text),
            None => cell.text.clone(),
        };
        table.rows.iter().map(|row| row.iter().map(cell).collect()).collect()
    }

    #[test]
    fn network_and_server_are_split_where_the_provider_tells() {
        let rows = rows(&fixture::hosted());
        let of = |name: &str| rows.iter().find(|row| row[0] == name).unwrap()[1..].to_vec();
        assert_eq!(of("tei"), ["2.10 ms", "–", "–", "3.10 ms", "44.0 ms"]);
        assert_eq!(of("cohere"), ["2.10 ms", "–", "–", "181 ms (with the server's)", "not told"]);
        assert_eq!(of("helpdesk-mini"), ["–", "1.36 ms", "12.3 ms", "–", "–"]);
    }

    #[test]
    fn without_parts_there_is_no_table() {
        let mut record = fixture::record(1);
        record.systems[1].latency.as_mut().unwrap().parts = LatencyParts::default();
        assert!(blocks(&record).is_empty());
    }
}
