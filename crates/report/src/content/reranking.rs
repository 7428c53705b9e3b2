use secondpass_evaluation::{Comparison, Difference, Record, Role, SystemRecord, Verdict};

use super::{
    Block, Cell, Section, Table, difference, estimate_or_none, failed, first_stage, heads,
};
use super::{number, or_none, primary, value};
use crate::charts::{ChangesChart, Chart as _};
use crate::{format, marks};

/// With and without reranking: the verdicts, what they rest on, and for how many queries; other
/// first stages by themselves. `None` where nothing was compared.
pub(super) fn section(record: &Record) -> Option<Section> {
    let compared = |role| -> Vec<(&SystemRecord, &Difference)> {
        let systems = record.systems.iter().filter(|system| system.role == role);
        systems.filter_map(|system| Some((system, system.versus_first_stage.as_ref()?))).collect()
    };
    let (rerankers, retrievers) = (compared(Role::Reranker), compared(Role::Retriever));
    let mut blocks = Vec::new();
    if !rerankers.is_empty() {
        blocks.extend(comparisons(record, &rerankers, true));
    }
    if !retrievers.is_empty() {
        blocks.push(Block::Heading("Other first stages".into()));
        blocks.push(Block::Text(
            "They rank documents of their own, so that no oracle bounds them. Exploratory: their \
             p-values are corrected among themselves, apart from the rerankers'."
                .into(),
        ));
        blocks.extend(comparisons(record, &retrievers, false));
    }
    let title = match rerankers.is_empty() {
        false => "With and without reranking",
        true => "Against the first stage",
    };
    (!blocks.is_empty()).then_some(Section { id: "reranking", title, blocks })
}

/// The sentences and tables of systems of one kind, with the rerankers' chart.
fn comparisons(
    record: &Record,
    compared: &[(&SystemRecord, &Difference)],
    rerankers: bool,
) -> Vec<Block> {
    let sentences = compared.iter().map(|(system, versus)| sentence(record, system, versus));
    let mut blocks =
        vec![Block::List(sentences.collect()), Block::Table(differences(record, compared))];
    if rerankers {
        blocks.push(Block::Chart(ChangesChart::NAME));
    }
    let tested: Vec<(&SystemRecord, &Comparison)> = compared
        .iter()
        .filter(|(system, _)| !failed(system))
        .filter_map(|(system, _)| Some((*system, system.comparison.as_ref()?)))
        .filter(|(_, comparison)| comparison.queries > 0)
        .collect();
    if !tested.is_empty() {
        blocks.push(Block::Table(tests(record, &tested)));
        // What the figures mean is told once, where the first of them stand.
        let told = |system: &SystemRecord| {
            system.role == Role::Reranker && system.comparison.is_some() && !failed(system)
        };
        if rerankers || !record.systems.iter().any(told) {
            blocks.push(Block::List(notes(record, &tested)));
        }
    }
    blocks
}

/// The verdict in words, with what a reader needs to weigh it.
fn sentence(record: &Record, system: &SystemRecord, versus: &Difference) -> String {
    let name = marks::name(system);
    if failed(system) {
        return format!(
            "{name}: no verdict; {} failed, so the two were not measured on the same queries; run it \
             again before comparing.",
            format::counted(system.failures.len(), "query", "queries")
        );
    }
    let primary = &record.primary;
    if versus.helped + versus.hurt + versus.unchanged == 0 {
        return format!("{name}: no verdict; {primary} applies to none of the queries.");
    }
    let difference = format!(
        "{primary} {} {}",
        format::signed(versus.mean),
        format::signed_interval(versus.low, versus.high)
    );
    if let Some(reason) = marks::no_verdict(system) {
        return format!("{name}: no verdict, for {reason}; {difference}.");
    }
    let Some(comparison) = &system.comparison else {
        return format!("{name}: no verdict; the record holds no test of {difference}.");
    };
    let corrected = match format::p(comparison.corrected) {
        p if p.starts_with('<') => format!("corrected p {p}"),
        p => format!("corrected p = {p}"),
    };
    let than = match comparison.verdict {
        Verdict::Better | Verdict::Worse => " than the first stage",
        Verdict::Equivalent | Verdict::NonInferior | Verdict::CannotTell => "",
    };
    let verdict = comparison.in_words(&record.statistics);
    format!("{name}: {verdict}{than}; {difference}, {corrected}.")
}

fn differences(record: &Record, compared: &[(&SystemRecord, &Difference)]) -> Table {
    let mut head = heads([
        "System",
        "Verdict",
        "First stage",
        "With it",
        "",
        "Queries helped",
        "Queries hurt",
        "Unchanged",
    ]);
    head[4] = format!("Difference in {}", record.primary);
    let before = first_stage(record).and_then(|system| primary(record, system));
    let rows = compared.iter().map(|(system, versus)| {
        let verdict = match &system.comparison {
            _ if failed(system) => "failed".to_owned(),
            Some(comparison) if comparison.queries > 0 && system.origin.is_live() => {
                comparison.verdict.to_string()
            }
            _ => "no verdict".to_owned(),
        };
        let mut row = vec![
            marks::name(system).into(),
            verdict.into(),
            estimate_or_none(before),
            estimate_or_none(primary(record, system)),
        ];
        match failed(system) {
            true => row.extend((0..4).map(|_| Cell::from("failed"))),
            false => row.extend([
                difference(versus),
                number(versus.helped),
                number(versus.hurt),
                number(versus.unchanged),
            ]),
        }
        row
    });
    Table { head, rows: rows.collect(), labels: 2 }
}

fn tests(record: &Record, tested: &[(&SystemRecord, &Comparison)]) -> Table {
    let margin = format::number(record.statistics.margin);
    let mut head = heads([
        "System",
        "Queries",
        "p, randomization",
        "p, corrected",
        "p, t test",
        "",
        "",
        "Minimal detectable difference",
    ]);
    head[5] = format!("p, equivalent within ±{margin}");
    head[6] = format!("p, not worse by {margin}");
    let rows = tested.iter().map(|(system, comparison)| {
        let randomization = format::p(comparison.randomization);
        vec![
            marks::name(system).into(),
            number(comparison.queries),
            match comparison.exact {
                true => value(randomization, "exact".into()),
                false => Cell::from(randomization),
            },
            format::p(comparison.corrected).into(),
            or_none(comparison.t_test, format::p),
            or_none(comparison.equivalence, format::p),
            or_none(comparison.non_inferiority, format::p),
            or_none(comparison.detectable, format::score),
        ]
    });
    Table { head, rows: rows.collect(), labels: 1 }
}

fn notes(record: &Record, tested: &[(&SystemRecord, &Comparison)]) -> Vec<String> {
    let statistics = &record.statistics;
    let mut notes = vec![format!(
        "A p-value is the probability of a result at least as far from what its test supposes. Better \
         and worse rest on the corrected one, below {}; equivalent and not inferior on their own \
         tests, below it too, at the margin of {}.",
        format::number(statistics.alpha),
        format::number(statistics.margin)
    )];
    if tested.iter().any(|(_, comparison)| comparison.detectable.is_some()) {
        notes.push(
            "The minimal detectable difference is what these queries, with the spread of their \
             differences, show four times in five. To show less, judge more queries: half the \
             difference takes about four times as many."
                .into(),
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn told(change: impl FnOnce(&mut SystemRecord)) -> String {
        let mut record = fixture::record(1);
        change(&mut record.systems[1]);
        let section = section(&record).unwrap();
        let Block::List(sentences) = &section.blocks[0] else { panic!("no sentences") };
        sentences[0].clone()
    }

    fn verdict(verdict: Verdict) -> String {
        told(|system| system.comparison.as_mut().unwrap().verdict = verdict)
    }

    #[test]
    fn verdicts_are_the_records_in_words() {
        assert_eq!(
            verdict(Verdict::Better),
            "helpdesk-mini: better than the first stage; nDCG@10 +0.061 [+0.031, +0.091], corrected \
             p = 0.0004."
        );
        assert!(verdict(Verdict::Worse).contains(": worse than the first stage;"));
        assert_eq!(
            verdict(Verdict::Equivalent),
            "helpdesk-mini: equivalent (within 0.02, though a difference is shown); nDCG@10 +0.061 \
             [+0.031, +0.091], corrected p = 0.0004."
        );
        assert!(verdict(Verdict::NonInferior).contains(": not inferior (margin 0.02); nDCG@10"));
        assert_eq!(
            verdict(Verdict::CannotTell),
            "helpdesk-mini: cannot tell (these 150 queries could show 0.043); nDCG@10 +0.061 \
             [+0.031, +0.091], corrected p = 0.0004."
        );
    }

    #[test]
    fn other_first_stages_have_a_table_of_their_own() {
        let blocks = |record: &Record| {
            let tables =
                section(record).unwrap().blocks.into_iter().filter_map(|block| match block {
                    Block::Table(table) if table.head[1] == "Verdict" => Some(table),
                    _ => None,
                });
            tables.map(|table| table.rows[0][0].text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(blocks(&fixture::with_retriever(1)), ["helpdesk-mini", "dense"]);
        assert_eq!(blocks(&fixture::record(1)), ["helpdesk-mini"]);
        let alone = fixture::with_retriever(0);
        assert_eq!(blocks(&alone), ["dense"]);
        assert_eq!(section(&alone).unwrap().title, "Against the first stage");
    }

    #[test]
    fn of_a_failed_system_nothing_is_counted() {
        let record = fixture::record(2);
        let section = section(&record).unwrap();
        let Block::Table(table) = &section.blocks[1] else { panic!("no table") };
        assert_eq!(table.rows[0][5].text, "61");
        let told: Vec<&str> = table.rows[1][4..].iter().map(|cell| cell.text.as_str()).collect();
        assert_eq!(told, ["failed"; 4]);
        assert_eq!(table.rows[1][1].text, "failed");
    }

    #[test]
    fn without_a_comparison_there_is_no_verdict_but_a_reason() {
        assert!(
            told(|system| system.comparison = None).contains("no verdict; the record holds no")
        );
        let failed = told(|system| {
            system.comparison = None;
            system.failures.insert("q1".to_owned().into(), "timed out".into());
        });
        assert!(failed.contains("no verdict; 1 query failed"), "{failed}");
    }
}
