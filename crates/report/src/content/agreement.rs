use std::collections::BTreeSet;

use secondpass_evaluation::{HIGH_AGREEMENT, Record, SystemRecord};

use super::{Block, Section, Table, failed, or_none, rerankers};
use crate::{format, marks};

/// How alike the tops are that a language model is given; `None` where nothing was compared.
pub(super) fn section(record: &Record) -> Option<Section> {
    let agreeing: Vec<&SystemRecord> =
        rerankers(record).filter(|system| !system.agreement.is_empty()).collect();
    if agreeing.is_empty() {
        return None;
    }
    let mut blocks = vec![
        Block::Text(
            "The share of the top documents that a reranker and the first stage have in common, \
             mean over queries, whatever their order. It is what matters where the top documents \
             are handed to a language model together."
                .into(),
        ),
        Block::Table(table(&agreeing)),
    ];
    let advice: Vec<String> = agreeing.iter().filter_map(|system| advice(record, system)).collect();
    if !advice.is_empty() {
        blocks.push(Block::List(advice));
    }
    Some(Section { id: "agreement", title: "Agreement with the first stage", blocks })
}

fn table(systems: &[&SystemRecord]) -> Table {
    let cutoffs: BTreeSet<usize> =
        systems.iter().flat_map(|system| &system.agreement).map(|a| a.k).collect();
    let mut head = vec!["System".to_owned()];
    head.extend(cutoffs.iter().map(|k| format!("Top {k}")));
    let rows = systems.iter().map(|system| {
        let share = |k: &usize| {
            if failed(system) {
                return "failed".into();
            }
            let found = system.agreement.iter().find(|agreement| agreement.k == *k);
            or_none(found, |agreement| format::percent(agreement.overlap))
        };
        std::iter::once(marks::name(system).into()).chain(cutoffs.iter().map(share)).collect()
    });
    Table { head, rows: rows.collect(), labels: 1 }
}

/// What follows where a reranker brings up what was up already. Where the top is more than half of
/// the candidates, any order of them keeps much of it, and nothing follows.
fn advice(record: &Record, system: &SystemRecord) -> Option<String> {
    if failed(system) || !system.origin.is_live() {
        return None;
    }
    let high: Vec<String> = system
        .agreement
        .iter()
        .filter(|agreement| {
            agreement.overlap > HIGH_AGREEMENT && record.candidates.is_selective(agreement.k)
        })
        .map(|agreement| {
            format!("{} of the top {}", format::percent(agreement.overlap), agreement.k)
        })
        .collect();
    (!high.is_empty()).then(|| {
        format!(
            "{} keeps {}: a language model that is given these documents reads nearly the same with \
             and without reranking. Rerank deeper candidates, hand over fewer documents, or save the \
             step; and check that these queries are as hard as your users'.",
            marks::name(system),
            high.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn told(record: &Record) -> Option<String> {
        advice(record, &record.systems[1])
    }

    #[test]
    fn advice_follows_above_80_percent() {
        let mut record = fixture::record(1);
        let system = &mut record.systems[1];
        for agreement in &mut system.agreement {
            agreement.overlap = 0.8;
        }
        assert_eq!(told(&record), None);
        record.systems[1].agreement[1].overlap = 0.801;
        let advice = told(&record).unwrap();
        assert!(advice.starts_with("helpdesk-mini keeps 80.1% of the top 5:"), "{advice}");
        // Half of nine candidates are fewer than five.
        record.candidates.mean = 9.0;
        assert_eq!(told(&record), None);
    }

    #[test]
    fn systems_whose_queries_failed_show_no_agreement() {
        let record = fixture::record(2);
        let section = section(&record).unwrap();
        let Block::Table(table) = &section.blocks[1] else { panic!("no table") };
        assert_eq!(table.rows[0][1].text, "72.0%");
        assert_eq!(table.rows[1][1].text, "failed");
        // Its agreement of 91.0% is no ground for advice.
        assert_eq!(section.blocks.len(), 2);
    }
}
