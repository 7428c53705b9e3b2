use secondpass_evaluation::Record;
use secondpass_evaluation::cost::{Basis, Figure};
use secondpass_evaluation::decision::Decision;

use super::super::{Cell, Table, heads};
use super::choices::name;
use crate::charts::short;
use crate::content::{Block, Section};
use crate::format;

/// Every number that the decision rests on beside quality: what was assumed and what a vendor told
/// first, then what was measured.
pub(super) fn section(decision: &Decision, record: &Record) -> Section {
    let mut rows: Vec<(u8, Vec<Cell>)> = Vec::new();
    for choice in &decision.choices {
        for named in &choice.figures {
            let figure = &named.figure;
            let order = match figure.basis {
                Basis::Assumed => 0,
                Basis::Vendor => 1,
                Basis::Measured => 2,
            };
            let row = vec![
                name(record, choice),
                named.name.as_str().into(),
                word(figure.basis).into(),
                figure.date.as_deref().unwrap_or(format::NONE).into(),
                figure.source.as_str().into(),
                Cell {
                    detail: (!figure.is_exact())
                        .then(|| format!("{} to {}", short(figure.low), short(figure.high))),
                    ..short(figure.value).into()
                },
            ];
            rows.push((order, row));
        }
    }
    // Stable: within a basis the choices keep their order.
    rows.sort_by_key(|(order, _)| *order);
    let blocks = match rows.is_empty() {
        true => vec![Block::Text("No figure of any choice's time or cost is known.".into())],
        false => vec![
            Block::Text(
                "Measured figures come from records and benches, vendors' from their price lists, \
                 assumed ones from the config. A figure without a range is taken as exact."
                    .into(),
            ),
            Block::Table(Table {
                head: heads(["Choice", "Figure", "Basis", "Date", "Source", "Value"]),
                rows: rows.into_iter().map(|(_, row)| row).collect(),
                labels: 5,
            }),
        ],
    };
    Section { id: "figures", title: "What was assumed, told and measured", blocks }
}

/// What a figure rests on: `measured, 2026-02-03, the record 'x'`.
pub(super) fn basis(figure: &Figure) -> String {
    let date = figure.date.as_ref().map(|date| format!(", {date}")).unwrap_or_default();
    format!("{}{date}, {}", word(figure.basis), figure.source)
}

fn word(basis: Basis) -> &'static str {
    match basis {
        Basis::Assumed => "assumed",
        Basis::Vendor => "vendor",
        Basis::Measured => "measured",
    }
}
