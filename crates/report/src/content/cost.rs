use secondpass_core::BillingUnit;
use secondpass_evaluation::{Cost, Record, SystemRecord, UnitCost};

use super::{Block, Cell, Section, Table, heads, rerankers, spending, value};
use crate::charts::{Chart as _, CostChart};
use crate::{format, marks, money};

/// What is billed and at which price, what queries cost at it, and what this run spent; `None`
/// without any reranker.
pub(super) fn section(record: &Record) -> Option<Section> {
    rerankers(record).next()?;
    let mut blocks = Vec::new();
    if rerankers(record).all(|system| system.cost.is_none()) {
        blocks.push(Block::Text(format!(
            "No reranker here is billed by the call: {}.",
            unbilled_together(record)
        )));
    } else {
        blocks.extend(prices(record));
        blocks.push(Block::Chart(CostChart::NAME));
        blocks.extend(spending::blocks(record));
    }
    blocks.extend(spending::billed_twice(record));
    Some(Section { id: "cost", title: "Cost", blocks })
}

/// Why a reranker has no price: the user pays for the machine, not for the call.
fn unbilled(system: &SystemRecord) -> &'static str {
    match &system.destination {
        None => "this machine, not priced per call",
        Some(destination) if destination.self_hosted => "own server, not priced per call",
        Some(_) => "not priced per call",
    }
}

/// The same for all rerankers in a sentence, each reason once.
fn unbilled_together(record: &Record) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for reason in rerankers(record).map(unbilled) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.join("; ")
}

/// The prices, what follows from them for queries, and how to read it.
fn prices(record: &Record) -> Vec<Block> {
    let tariffs = rerankers(record).map(|system| {
        let mut row = vec![Cell::from(marks::name(system))];
        match &system.cost {
            Some(cost) => {
                let price = cost.tariff.price.as_ref();
                row.extend([
                    Cell::from(cost.tariff.unit.to_string()),
                    money::price(&cost.tariff).into(),
                    price.map_or(format::NONE, |price| &price.read).into(),
                    price.map_or(format::NONE, |price| &price.source).into(),
                ]);
            }
            None => row.extend(
                [format::NONE, unbilled(system), format::NONE, format::NONE].map(Cell::from),
            ),
        }
        row
    });
    let tariffs = Table {
        head: heads(["System", "Billed by", "Price", "Read on", "Source"]),
        rows: tariffs.collect(),
        labels: usize::MAX,
    };
    let mut head = heads(["System", "Per query", "Per 50 candidates", "Per 1,000 queries"]);
    head.extend(record.volumes.iter().map(|&volume| {
        let queries = if volume == 1 { "query" } else { "queries" };
        format!("{} {queries} a month", format::count(volume))
    }));
    let costs = rerankers(record).map(|system| of_queries(record, system));
    let costs = Table { head, rows: costs.collect(), labels: 1 };
    let mut notes = vec![
        "Prices are in US dollars, as their source told on the day they were read: taxes, free quotas \
         and your own agreement may change them."
            .to_owned(),
        format!(
            "A query has its candidates at depth {} ({} on average), and costs what its answers \
             reported, or our estimate where they did not. The cost of 50 candidates is estimated; \
             1,000 queries and the months are multiples of a query.",
            record.candidates.depth,
            format::mean(record.candidates.mean),
        ),
    ];
    if rerankers(record).any(|system| system.cost.is_none()) {
        notes.push(
            "What runs on your own machines costs what they cost, whatever they do. To compare, divide \
             a machine's price per second by the pairs per second under Latency: that is its price of \
             a pair while it is busy."
                .into(),
        );
    }
    if rerankers(record).filter_map(|s| s.cost.as_ref()).any(|cost| cost.tariff.price.is_none()) {
        notes.push(
            "An unknown price is not nothing: set it in a price file before the next run.".into(),
        );
    }
    vec![Block::Table(tariffs), Block::Table(costs), Block::List(notes)]
}

/// One row: what queries of one reranker cost.
fn of_queries(record: &Record, system: &SystemRecord) -> Vec<Cell> {
    let mut row = vec![Cell::from(marks::name(system))];
    let multiples = record.volumes.len() + 1;
    let Some(cost) = &system.cost else {
        row.push("not priced per call".into());
        row.extend((0..=multiples).map(|_| Cell::from(format::NONE)));
        return row;
    };
    row.push(match &cost.query {
        None if cost.tariff.unit == BillingUnit::Hour => "by the hour".into(),
        None => "no query answered".into(),
        Some(query) => with_units(record, cost, query),
    });
    row.push(
        cost.per_50.as_ref().map_or(format::NONE.into(), |query| with_units(record, cost, query)),
    );
    let volumes = std::iter::once(1_000).chain(record.volumes.iter().copied());
    row.extend(volumes.map(|queries| {
        let of_query = |query: &UnitCost| query.usd.map(|usd| usd * queries as f64);
        Cell::from(
            cost.query.as_ref().map_or(format::NONE.into(), |query| money::known(of_query(query))),
        )
    }));
    row
}

/// An amount with the units it pays for, and over how many queries it is where that is not all.
fn with_units(record: &Record, cost: &Cost, query: &UnitCost) -> Cell {
    let units = money::units(query.units, cost.tariff.unit);
    let detail = match query.queries == record.dataset.queries {
        true => format!("({units})"),
        false => format!("({units}, over {})", format::counted(query.queries, "query", "queries")),
    };
    value(money::known(query.usd), detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn tables(record: &Record) -> Vec<Table> {
        let blocks = section(record).unwrap().blocks.into_iter();
        blocks
            .filter_map(|block| match block {
                Block::Table(table) => Some(table),
                _ => None,
            })
            .collect()
    }

    fn row(table: &Table, name: &str) -> Vec<String> {
        let row = table.rows.iter().find(|row| row[0].text == name);
        let cell = |cell: &Cell| match &cell.detail {
            Some(detail) => format!("{} {detail}", cell.text),
            None => cell.text.clone(),
        };
        row.unwrap()[1..].iter().map(cell).collect()
    }

    #[test]
    fn hosted_and_self_hosted_stand_side_by_side() {
        let tables = tables(&fixture::hosted());
        let [prices, costs] = &tables[..2] else { panic!("too few tables") };
        assert_eq!(
            row(prices, "cohere"),
            [
                "search units",
                "$2.00 per 1,000 search units",
                "2026-01-05",
                "https://cohere.com/pricing"
            ]
        );
        assert_eq!(row(prices, "jina"), ["tokens", "price unknown", "–", "–"]);
        assert_eq!(row(prices, "tei")[1], "own server, not priced per call");
        assert_eq!(row(prices, "helpdesk-mini")[1], "this machine, not priced per call");
        assert_eq!(
            row(costs, "cohere"),
            ["$0.002 (1 search unit)", "$0.002 (1 search unit)", "$2.00", "$20.00", "$2,000"]
        );
        assert_eq!(row(costs, "helpdesk-mini"), ["not priced per call", "–", "–", "–", "–"]);
    }

    #[test]
    fn an_unknown_price_is_never_a_figure() {
        let tables = tables(&fixture::hosted());
        let told = row(&tables[1], "jina");
        assert_eq!(told[0], "price unknown (9,874 tokens)");
        assert!(told.iter().all(|cell| cell.starts_with("price unknown")), "{told:?}");
        assert!(!told.iter().any(|cell| cell.contains('$')), "{told:?}");
    }

    #[test]
    fn what_was_not_answered_costs_no_figure() {
        let mut record = fixture::hosted();
        record.systems[3].cost.as_mut().unwrap().per_50.as_mut().unwrap().queries = 31;
        let told = row(&tables(&record)[1], "jina");
        assert_eq!(told[1], "price unknown (9,874 tokens, over 31 queries)");
        let cost = record.systems[2].cost.as_mut().unwrap();
        (cost.query, cost.per_50) = (None, None);
        assert_eq!(row(&tables(&record)[1], "cohere"), ["no query answered", "–", "–", "–", "–"]);
        record.systems[2].cost.as_mut().unwrap().tariff.unit = BillingUnit::Hour;
        assert_eq!(row(&tables(&record)[1], "cohere")[0], "by the hour");
    }

    #[test]
    fn without_any_bill_one_sentence_is_enough() {
        let section = section(&fixture::record(2)).unwrap();
        let [Block::Text(text)] = &section.blocks[..] else { panic!("more than a sentence") };
        assert_eq!(
            text,
            "No reranker here is billed by the call: this machine, not priced per call."
        );
        assert!(super::section(&fixture::record(0)).is_none());
    }
}
