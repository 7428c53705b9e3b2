use secondpass_evaluation::Record;
use secondpass_evaluation::cost::Bill;
use secondpass_evaluation::decision::Decision;

use super::super::{Cell, Table, heads, or_none};
use super::choices::{dollars_range, name};
use crate::charts::short;
use crate::content::{Block, Section};
use crate::{format, money};

/// What each choice costs: 50 candidates, 1,000 queries, a month, twelve months, and beside the
/// language model.
pub(super) fn section(decision: &Decision, record: &Record) -> Section {
    let own = decision.choices.iter().filter_map(|choice| choice.bill.as_ref());
    let machines = own.clone().any(|bill| bill.replicas.is_some());
    let mut head =
        heads(["Choice", "Per 50 candidates", "Per 1,000 queries", "A month", "Twelve months"]);
    if decision.llm.is_some() {
        head.push("Of the language model's".into());
    }
    if machines {
        head.extend(heads(["Machines", "Idle hours a month"]));
    }
    let rows = decision.choices.iter().map(|choice| {
        let Some(bill) = &choice.bill else {
            let mut row = vec![name(record, choice), money::UNKNOWN.into()];
            row.resize_with(head.len(), || format::NONE.into());
            return row;
        };
        let mut month = Cell::from(money::usd(bill.month));
        month.detail = choice.month_range.filter(|range| range.low < range.high).map(dollars_range);
        let mut row = vec![
            name(record, choice),
            or_none(bill.per_50_candidates, money::usd),
            money::usd(bill.per_1000_queries).into(),
            month,
            money::usd(bill.twelve_months).into(),
        ];
        if decision.llm.is_some() {
            row.push(or_none(bill.of_llm, format::percent));
        }
        if machines {
            row.extend(of_machines(bill));
        }
        row
    });
    let rows = rows.collect();
    let mut notes = vec![format!(
        "At {} queries a month{}, with up to {} queries a second at the peak. Amounts are in US dollars, \
         at the figures' own values; below them, where 95 of 100 resamples lie.",
        short(decision.volume),
        match decision.growth_per_month {
            0.0 => String::new(),
            growth => format!(", growing by {} every month", format::percent(growth)),
        },
        format::number(decision.peak),
    )];
    notes.push(
        "A provider's 50 candidates are by its rules; machines' are in proportion to the candidates \
         that were measured."
            .into(),
    );
    if let Some(llm) = decision.llm {
        let spend = money::usd(llm.usd_per_month);
        notes.push(format!("The language model that reads the results costs {spend} a month."));
    }
    if machines {
        notes.push(
            "Machines are those that the peak needs, spare ones included; idle hours are paid and \
             not used."
                .into(),
        );
    }
    let table = Table { head, rows, labels: 1 };
    Section { id: "cost", title: "Cost", blocks: vec![Block::Table(table), Block::List(notes)] }
}

fn of_machines(bill: &Bill) -> [Cell; 2] {
    [or_none(bill.replicas, format::mean), or_none(bill.idle_hours, format::rate)]
}
