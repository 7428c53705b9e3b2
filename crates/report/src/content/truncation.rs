use secondpass_core::TruncationAudit;
use secondpass_evaluation::{LengthPoint, Record, SystemRecord};

use super::{Block, Cell, Section, Table, estimate, heads, rerankers, value};
use crate::charts::{Chart as _, LengthChart};
use crate::{format, marks};

/// What the rerankers did not read, and what that costs where it was measured.
pub(super) fn section(record: &Record) -> Section {
    let mut blocks = if rerankers(record).next().is_none() {
        vec![Block::Text("No reranker read any pair.".into())]
    } else {
        vec![
            Block::Text(
                "A pair longer than a reranker's limit loses its end: what stood there had no \
                 part in its score."
                    .into(),
            ),
            Block::Table(Table {
                head: heads(["System", "Pairs cut", "Tokens cut", "Longest pair", "Limit"]),
                rows: rerankers(record).map(row).collect(),
                labels: 1,
            }),
        ]
    };
    blocks.extend(lengths(record));
    let audits = rerankers(record).flat_map(|system| {
        let lengths = system.lengths.iter().map(|point| &point.truncation);
        lengths.chain([&system.truncation]).flatten()
    });
    if audits.into_iter().any(|audit| audit.estimated) {
        blocks.push(Block::Text(
            "Figures marked as estimates count tokens by another rule than the provider's own: what \
             it cut may be more or less."
                .into(),
        ));
    }
    Section { id: "truncation", title: "Truncation", blocks }
}

/// The measured effect of the maximum length; nothing where no lengths were compared.
fn lengths(record: &Record) -> Vec<Block> {
    let swept: Vec<&SystemRecord> =
        rerankers(record).filter(|system| !system.lengths.is_empty()).collect();
    if swept.is_empty() {
        return Vec::new();
    }
    let mut head =
        heads(["System", "Maximum length", "", "Pairs cut", "Tokens cut", "p50 per query"]);
    head[2].clone_from(&record.primary);
    let rows = swept.iter().flat_map(|system| {
        system.lengths.iter().map(|point| length(&marks::name(system), point)).collect::<Vec<_>>()
    });
    let mut blocks = vec![
        Block::Heading("The measured effect of the maximum length".into()),
        Block::Chart(LengthChart::NAME),
        Block::Table(Table { head, rows: rows.collect(), labels: 1 }),
    ];
    let effects: Vec<String> = swept.iter().filter_map(|system| effect(record, system)).collect();
    if !effects.is_empty() {
        blocks.push(Block::List(effects));
    }
    blocks
}

fn length(name: &str, point: &LengthPoint) -> Vec<Cell> {
    let cut = |part: fn(&TruncationAudit) -> (usize, usize)| match &point.truncation {
        Some(audit) => {
            let (cut, all) = part(audit);
            figure(audit, format::part(cut, all))
        }
        None => "unknown".into(),
    };
    vec![
        name.into(),
        format!("{} tokens", format::count(point.max_length as u64)).into(),
        estimate(&point.estimate),
        cut(|audit| (audit.pairs_cut, audit.pairs)),
        cut(|audit| (audit.tokens_cut, audit.tokens)),
        match &point.latency {
            Some(latency) => format::time(latency.p50).into(),
            None => "not measured".into(),
        },
    ]
}

/// From the shortest to the longest in a sentence.
fn effect(record: &Record, system: &SystemRecord) -> Option<String> {
    let shortest = system.lengths.iter().min_by_key(|point| point.max_length)?;
    let longest = system.lengths.iter().max_by_key(|point| point.max_length)?;
    let applies = shortest.estimate.queries > 0 && longest.estimate.queries > 0;
    (applies && shortest.max_length < longest.max_length).then(|| {
        format!(
            "{}: {} instead of {} tokens change {} by {}. Exploratory: no test was made.",
            marks::name(system),
            format::count(longest.max_length as u64),
            format::count(shortest.max_length as u64),
            record.primary,
            format::signed(longest.estimate.mean - shortest.estimate.mean)
        )
    })
}

/// A figure of an audit, marked where it is an estimate.
fn figure(audit: &TruncationAudit, text: String) -> Cell {
    match audit.estimated {
        true => value(text, "(estimate)".into()),
        false => text.into(),
    }
}

fn row(system: &SystemRecord) -> Vec<Cell> {
    let tokens = |count: usize| format!("{} tokens", format::count(count as u64));
    let limit = system.identity.max_length.map_or("unknown".into(), tokens);
    let name = Cell::from(marks::name(system));
    match &system.truncation {
        Some(audit) => vec![
            name,
            figure(audit, format::part(audit.pairs_cut, audit.pairs)),
            figure(audit, format::part(audit.tokens_cut, audit.tokens)),
            figure(audit, tokens(audit.longest)),
            limit.into(),
        ],
        None => vec![name, "unknown".into(), "unknown".into(), "unknown".into(), limit.into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn estimates_say_so() {
        let mut record = fixture::record(1);
        let details = |record: &Record| -> Vec<Option<String>> {
            row(&record.systems[1]).into_iter().map(|cell| cell.detail).collect()
        };
        let explained = |record: &Record| {
            section(record).blocks.iter().any(
                |block| matches!(block, Block::Text(text) if text.contains("marked as estimates")),
            )
        };
        assert_eq!(details(&record), vec![None; 5]);
        assert!(!explained(&record));
        record.systems[1].truncation.as_mut().unwrap().estimated = true;
        let estimate = Some("(estimate)".to_owned());
        assert_eq!(details(&record), [None, estimate.clone(), estimate.clone(), estimate, None]);
        assert!(explained(&record));
    }
}
