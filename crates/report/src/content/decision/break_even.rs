use secondpass_evaluation::Record;
use secondpass_evaluation::cost::BreakEven;
use secondpass_evaluation::decision::Decision;

use super::super::{Cell, Table, heads, or_none};
use super::choices::name;
use crate::charts::{BreakEvenChart, Chart as _, short};
use crate::content::{Block, Section};
use crate::{format, marks, money};

/// Points of the curves that the table shows: one in so many.
const EVERY: usize = 10;

/// From which volume each choice on machines of one's own is cheaper than each that is billed.
pub(super) fn section(decision: &Decision, record: &Record) -> Section {
    let mut blocks = vec![Block::Chart(BreakEvenChart::NAME)];
    if decision.break_evens.is_empty() {
        blocks.push(Block::Text(
            "No choice on machines of one's own stands beside one that is billed by the call, each with \
             a known cost: there is nothing to break even with."
                .into(),
        ));
    } else {
        let rows = decision.break_evens.iter().map(|told| row(record, told)).collect();
        let head = heads([
            "On own machines",
            "Billed by the call",
            "Cheaper from, queries a month",
            "Reached in",
        ]);
        blocks.push(Block::Table(Table { head, rows, labels: 2 }));
        blocks.push(Block::Text(
            "From that volume on, machines are cheaper for good: no machine more makes them dearer \
             again. Below it stands where it lies in 90 of 100 draws of prices, rates, utilisation and \
             working time; the last column has the draws in which it exists at all."
                .into(),
        ));
    }
    if let Some(table) = curves(decision, record) {
        blocks.push(Block::Folded("What a month costs by volume".into(), table));
    }
    Section { id: "break-even", title: "Break-even", blocks }
}

fn row(record: &Record, told: &BreakEven) -> Vec<Cell> {
    let range = match (told.low, told.high) {
        (Some(low), Some(high)) => Some(format!("{} to {}", short(low), short(high))),
        (Some(low), None) => Some(format!("{} or more", short(low))),
        _ => None,
    };
    vec![
        marks::label_of(record, &told.self_hosted).into(),
        marks::label_of(record, &told.hosted).into(),
        Cell { detail: range, ..told.volume.map_or("never".into(), |v| Cell::from(short(v))) },
        format!("{:.0}% of the draws", 100.0 * told.ever).into(),
    ]
}

/// The chart's curves as figures.
fn curves(decision: &Decision, record: &Record) -> Option<Table> {
    let drawn: Vec<_> = decision.choices.iter().filter(|c| c.over_volume.len() > 1).collect();
    let longest = drawn.iter().map(|choice| choice.over_volume.len()).max()?;
    let mut head = vec!["Queries a month".to_owned()];
    head.extend(drawn.iter().map(|choice| name(record, choice).text));
    let rows =
        (0..longest).step_by(EVERY).map(|at| {
            let volume = drawn.iter().find_map(|choice| choice.over_volume.get(at));
            let mut row = vec![or_none(volume, |point| short(point.volume))];
            row.extend(drawn.iter().map(|choice| match choice.over_volume.get(at) {
                None => format::NONE.into(),
                Some(point) => Cell {
                    detail: (point.low < point.high).then(|| {
                        format!("{} to {}", money::usd(point.low), money::usd(point.high))
                    }),
                    ..money::usd(point.usd).into()
                },
            }));
            row
        });
    Some(Table { head, rows: rows.collect(), labels: 1 })
}
