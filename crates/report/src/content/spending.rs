use secondpass_evaluation::{Cost, Record, Spent, SystemRecord, UnknownCall};

use super::{Block, Cell, Table, heads, rerankers, value};
use crate::{format, marks, money};

/// Calls possibly billed twice that are listed for each system; the record holds all.
const SHOWN: usize = 10;

/// What this run spent: the bill as it was reported beside our estimate of it.
pub(super) fn blocks(record: &Record) -> Vec<Block> {
    let billed: Vec<(&SystemRecord, &Cost)> =
        rerankers(record).filter_map(|system| Some((system, system.cost.as_ref()?))).collect();
    let rows = billed.iter().map(|(system, cost)| row(system, cost)).collect();
    let head = heads([
        "System",
        "Calls",
        "Units, estimated",
        "Units, reported",
        "Difference",
        "Units not told",
        "Units in doubt",
        "Spent",
        "In doubt",
    ]);
    let mut notes = vec![total(&billed)];
    notes.push(
        "Every attempt counts as a call; units are what the provider bills. The difference is between what answers reported and our \
         estimate of the same answers; where it is large, the provider counts otherwise than we read \
         its rules, and estimates before a run are off by as much. Units not told are an estimate of \
         answers that reported none, and are counted as spent; units in doubt belong to attempts \
         whose answers were lost, and come on top if they are billed."
            .into(),
    );
    if billed.iter().any(|(system, cost)| !system.origin.is_live() && cost.spent.calls > 0) {
        notes.push(
            "Nobody is billed for a mock's or a recording's answers: what stands beside them is what \
             the same calls to the provider would cost."
                .into(),
        );
    }
    vec![
        Block::Heading("What this run spent".into()),
        Block::Table(Table { head, rows, labels: 1 }),
        Block::List(notes),
    ]
}

fn row(system: &SystemRecord, cost: &Cost) -> Vec<Cell> {
    let spent = &cost.spent;
    let unit = |units: u64| Cell::from(format::count(units));
    vec![
        marks::name(system).into(),
        format::count(spent.calls).into(),
        unit(spent.estimated),
        unit(spent.reported),
        difference(spent),
        unit(spent.untold),
        unit(spent.doubtful),
        money::known(spent.usd).into(),
        money::known(spent.doubtful_usd).into(),
    ]
}

/// Reported units less the estimate of the same answers, and in percent of it.
fn difference(spent: &Spent) -> Cell {
    let estimate = spent.estimated.saturating_sub(spent.untold);
    if spent.reported == 0 && estimate == 0 {
        return format::NONE.into();
    }
    let sign = match spent.reported.cmp(&estimate) {
        std::cmp::Ordering::Less => "−",
        std::cmp::Ordering::Equal => "",
        std::cmp::Ordering::Greater => "+",
    };
    let units = format!("{sign}{}", format::count(spent.reported.abs_diff(estimate)));
    if estimate == 0 {
        return units.into();
    }
    let share = spent.reported.abs_diff(estimate) as f64 / estimate as f64;
    value(units, format!("({sign}{})", format::percent(share)))
}

/// What all live cells together spent, as far as prices are known.
fn total(billed: &[(&SystemRecord, &Cost)]) -> String {
    let live: Vec<_> = billed.iter().filter(|(system, _)| system.origin.is_live()).collect();
    let sum = |part: fn(&Spent) -> Option<f64>| -> f64 {
        live.iter().filter_map(|(_, cost)| part(&cost.spent)).sum()
    };
    let (known, unknown): (Vec<_>, Vec<_>) =
        live.iter().copied().partition(|(_, cost)| cost.spent.usd.is_some());
    let mut told = match (live.is_empty(), known.is_empty()) {
        (true, _) => "No live call was billed.".to_owned(),
        (false, true) => "What this run spent is unknown.".to_owned(),
        (false, false) => {
            let doubt = match sum(|spent| spent.doubtful_usd) {
                0.0 => String::new(),
                doubt => format!(", and up to {} for answers that were lost", money::usd(doubt)),
            };
            format!("This run spent {}{doubt}.", money::usd(sum(|spent| spent.usd)))
        }
    };
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.iter().map(|(system, _)| marks::name(system)).collect();
        told += &format!(" Without a known price, and not in it: {}.", format::listed(&names));
    }
    told
}

/// The calls that a killed start had sent and that were made again; nothing without any.
pub(super) fn billed_twice(record: &Record) -> Vec<Block> {
    let found: Vec<&SystemRecord> =
        record.systems.iter().filter(|s| !s.possibly_billed_twice.is_empty()).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for system in &found {
        let name = marks::name(system);
        let calls = &system.possibly_billed_twice;
        rows.extend(calls.iter().take(SHOWN).map(|call| {
            vec![
                name.as_ref().into(),
                call.query.as_str().into(),
                if call.pass.is_empty() { "first" } else { call.pass.as_str() }.into(),
                money::known(call.most).into(),
            ]
        }));
        if calls.len() > SHOWN {
            let more = format::count((calls.len() - SHOWN) as u64);
            rows.push(vec![
                name.as_ref().into(),
                format!("{more} more").into(),
                "see record.json".into(),
                most(&calls[SHOWN..]).into(),
            ]);
        }
    }
    let counts: Vec<String> = found
        .iter()
        .map(|system| {
            let calls = &system.possibly_billed_twice;
            format!(
                "{}: {}, {} at most",
                marks::name(system),
                format::counted(calls.len(), "call", "calls"),
                most(calls)
            )
        })
        .collect();
    vec![
        Block::Heading("Calls possibly billed twice".into()),
        Block::Text(
            "This run was killed and started again. These calls had been sent before, and their \
             answers were not kept: they were made again, and may be on the bill twice."
                .into(),
        ),
        Block::List(counts),
        Block::Table(Table {
            head: heads(["System", "Query", "Pass", "At most"]),
            rows,
            labels: 3,
        }),
    ]
}

/// The most that calls can have cost together.
fn most(calls: &[UnknownCall]) -> String {
    money::known(calls.iter().map(|call| call.most).sum())
}

#[cfg(test)]
mod tests {
    use secondpass_core::QueryId;

    use super::*;
    use crate::fixture;

    fn told(spent: Spent) -> String {
        let cell = difference(&spent);
        format!("{} {}", cell.text, cell.detail.unwrap_or_default())
    }

    #[test]
    fn the_difference_is_over_the_answers_that_reported() {
        let spent =
            |estimated, reported, untold| Spent { estimated, reported, untold, ..Spent::default() };
        assert_eq!(told(spent(300, 303, 0)), "+3 (+1.0%)");
        assert_eq!(told(spent(300, 150, 100)), "−50 (−25.0%)");
        assert_eq!(told(spent(300, 300, 0)), "0 (0.0%)");
        assert_eq!(told(spent(0, 7, 0)), "+7 ");
        assert_eq!(told(spent(40, 0, 40)), "– ");
    }

    #[test]
    fn the_total_holds_live_cells_of_known_price_only() {
        let record = fixture::hosted();
        let Block::List(notes) = &blocks(&record)[2] else { panic!("no notes") };
        assert_eq!(
            notes[0],
            "This run spent $0.306, and up to $0.004 for answers that were lost. Without a known \
             price, and not in it: jina."
        );
        assert!(notes[2].starts_with("Nobody is billed for a mock's"), "{notes:?}");
    }

    #[test]
    fn calls_possibly_billed_twice_are_listed_and_counted() {
        let mut record = fixture::hosted();
        record.systems[2].possibly_billed_twice = (0..12)
            .map(|query| UnknownCall {
                query: QueryId::from(format!("q{query}")),
                pass: if query == 0 { String::new() } else { "depth 20".into() },
                most: Some(0.002),
            })
            .collect();
        let blocks = billed_twice(&record);
        let Block::List(counts) = &blocks[2] else { panic!("no counts") };
        assert_eq!(counts[..], ["cohere: 12 calls, $0.024 at most"]);
        let Block::Table(table) = &blocks[3] else { panic!("no table") };
        assert_eq!(table.rows.len(), SHOWN + 1);
        let texts =
            |row: usize| table.rows[row].iter().map(|c| c.text.as_str()).collect::<Vec<_>>();
        assert_eq!(texts(0), ["cohere", "q0", "first", "$0.002"]);
        assert_eq!(texts(SHOWN), ["cohere", "2 more", "see record.json", "$0.004"]);

        record.systems[2].possibly_billed_twice[11].most = None;
        let Block::List(counts) = &billed_twice(&record)[2] else { panic!("no counts") };
        assert_eq!(counts[..], ["cohere: 12 calls, price unknown at most"]);
    }
}
