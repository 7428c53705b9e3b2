use std::collections::BTreeSet;

use secondpass_evaluation::{Difference, Record, SystemRecord};

use super::{Block, Cell, Section, Table, heads, value};
use crate::format;

/// Each system against the first stage, and how alike their tops are; `None` without any.
pub(super) fn section(record: &Record) -> Option<Section> {
    let compared: Vec<(&SystemRecord, &Difference)> = record
        .systems
        .iter()
        .filter_map(|system| Some((system, system.versus_first_stage.as_ref()?)))
        .collect();
    let mut blocks = Vec::new();
    if !compared.is_empty() {
        blocks.push(Block::Text(format!(
            "Paired difference in {} over the same queries. Where the interval contains 0, this \
             set does not tell the two apart.",
            record.primary
        )));
        blocks.push(Block::Table(differences(record, &compared)));
    }
    let agreeing: Vec<&SystemRecord> =
        record.systems.iter().filter(|system| !system.agreement.is_empty()).collect();
    if !agreeing.is_empty() {
        blocks.push(Block::Text(
            "Agreement: the share of the top documents that a system and the first stage have in \
             common, mean over queries. At 100% a reranker changed nothing that a user sees first."
                .into(),
        ));
        blocks.push(Block::Table(agreement(&agreeing)));
    }
    (!blocks.is_empty()).then_some(Section {
        id: "difference",
        title: "Against the first stage",
        blocks,
    })
}

fn differences(record: &Record, compared: &[(&SystemRecord, &Difference)]) -> Table {
    let mut head =
        heads(["System", "", "Verdict", "Queries helped", "Queries hurt", "Queries unchanged"]);
    head[1] = format!("Difference in {}", record.primary);
    let rows = compared.iter().map(|(system, difference)| {
        vec![
            system.name.as_str().into(),
            cell(difference),
            verdict(difference).into(),
            format::count(difference.helped as u64).into(),
            format::count(difference.hurt as u64).into(),
            format::count(difference.unchanged as u64).into(),
        ]
    });
    Table { head, rows: rows.collect(), labels: 1 }
}

/// A difference with its interval.
pub(super) fn cell(difference: &Difference) -> Cell {
    value(format::signed(difference.mean), format::signed_interval(difference.low, difference.high))
}

fn verdict(difference: &Difference) -> &'static str {
    if difference.low > 0.0 {
        "better"
    } else if difference.high < 0.0 {
        "worse"
    } else {
        "not told apart"
    }
}

fn agreement(systems: &[&SystemRecord]) -> Table {
    let cutoffs: BTreeSet<usize> =
        systems.iter().flat_map(|system| &system.agreement).map(|a| a.k).collect();
    let mut head = vec!["System".to_owned()];
    head.extend(cutoffs.iter().map(|k| format!("Top {k}")));
    let rows = systems.iter().map(|system| {
        let share = |k: &usize| {
            let found = system.agreement.iter().find(|agreement| agreement.k == *k);
            Cell::from(found.map_or(format::NONE.into(), |a| format::percent(a.overlap)))
        };
        std::iter::once(system.name.as_str().into()).chain(cutoffs.iter().map(share)).collect()
    });
    Table { head, rows: rows.collect(), labels: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn verdicts_rest_on_the_interval() {
        let record = fixture::record(1);
        let difference = |low: f64, high: f64| Difference {
            low,
            high,
            ..record.systems[1].versus_first_stage.clone().unwrap()
        };
        assert_eq!(verdict(&difference(0.01, 0.05)), "better");
        assert_eq!(verdict(&difference(-0.05, -0.01)), "worse");
        assert_eq!(verdict(&difference(-0.01, 0.05)), "not told apart");
        assert_eq!(verdict(&difference(0.0, 0.05)), "not told apart");
    }
}
