use secondpass_evaluation::{Comparison, Difference, Record, Role, SystemRecord, Verdict};

use super::{Block, Cell, Section, Table, difference, estimate, number, or_none, primary, value};
use super::{first_stage, heads, rerankers};
use crate::charts::{ChangesChart, Chart as _};
use crate::format;

/// With and without reranking: the verdicts, what they rest on, and for how many queries; `None`
/// where nothing was compared.
pub(super) fn section(record: &Record) -> Option<Section> {
    let retrievers = record.systems.iter().filter(|system| system.role == Role::Retriever);
    let compared: Vec<(&SystemRecord, &Difference)> = rerankers(record)
        .chain(retrievers)
        .filter_map(|system| Some((system, system.versus_first_stage.as_ref()?)))
        .collect();
    if compared.is_empty() {
        return None;
    }
    let sentences = compared.iter().map(|(system, versus)| sentence(record, system, versus));
    let mut blocks = vec![
        Block::List(sentences.collect()),
        Block::Table(differences(record, &compared)),
        Block::Chart(ChangesChart::NAME),
    ];
    let tested: Vec<(&SystemRecord, &Comparison)> = compared
        .iter()
        .filter_map(|(system, _)| Some((*system, system.comparison.as_ref()?)))
        .collect();
    if !tested.is_empty() {
        blocks.push(Block::Table(tests(record, &tested)));
        blocks.push(Block::List(notes(record, &tested)));
    }
    let title = match rerankers(record).next() {
        Some(_) => "With and without reranking",
        None => "Against the first stage",
    };
    Some(Section { id: "reranking", title, blocks })
}

/// The verdict in words, with what a reader needs to weigh it.
fn sentence(record: &Record, system: &SystemRecord, versus: &Difference) -> String {
    let name = &system.name;
    let difference = format!(
        "{} {}",
        format::signed(versus.mean),
        format::signed_interval(versus.low, versus.high)
    );
    let primary = &record.primary;
    let margin = format::number(record.statistics.margin);
    let Some(comparison) = &system.comparison else {
        let reason = match system.failures.len() {
            0 => "the record holds no test of this difference".to_owned(),
            failed => format!(
                "{} failed, so the two were not measured on the same queries; run it again before \
                 comparing",
                format::counted(failed, "query", "queries")
            ),
        };
        return format!("{name}: no verdict; {reason}. {primary} {difference}.");
    };
    let corrected = match format::p(comparison.corrected) {
        p if p.starts_with('<') => format!("corrected p {p}"),
        p => format!("corrected p = {p}"),
    };
    let verdict = match comparison.verdict {
        Verdict::Better => "better than the first stage",
        Verdict::Worse => "worse than the first stage",
        Verdict::Equivalent => {
            return format!(
                "{name}: equivalent to the first stage; {primary} differs by less than the margin \
                 of {margin} either way ({difference})."
            );
        }
        Verdict::NonInferior => {
            return format!(
                "{name}: non-inferior to the first stage; it is not worse by the margin of {margin} \
                 in {primary}, and that it is better is not shown ({difference}, {corrected})."
            );
        }
        Verdict::CannotTell => {
            let queries = format::counted(comparison.queries, "query", "queries");
            let these = if comparison.queries == 1 { "this" } else { "these" };
            let could = match comparison.detectable {
                Some(least) => format!("{these} {queries} could show {}", format::score(least)),
                None => format!("{these} {queries} could show no difference"),
            };
            return format!(
                "{name}: cannot tell ({could}); the difference in {primary} is {difference}, \
                 {corrected}."
            );
        }
    };
    format!("{name}: {verdict}; {primary} {difference}, {corrected}.")
}

/// The verdict in a word or two, for a table.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Equivalent => "equivalent",
        Verdict::NonInferior => "non-inferior",
        Verdict::CannotTell => "cannot tell",
    }
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
        vec![
            system.name.as_str().into(),
            system.comparison.as_ref().map_or("no verdict", |c| word(c.verdict)).into(),
            before.map_or(format::NONE.into(), estimate),
            primary(record, system).map_or(format::NONE.into(), estimate),
            difference(versus),
            number(versus.helped),
            number(versus.hurt),
            number(versus.unchanged),
        ]
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
            system.name.as_str().into(),
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
         and worse rest on the corrected one, at most {}; equivalent and non-inferior on their own \
         tests, at the margin of {}.",
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
            "helpdesk-mini: equivalent to the first stage; nDCG@10 differs by less than the margin \
             of 0.02 either way (+0.061 [+0.031, +0.091])."
        );
        assert!(verdict(Verdict::NonInferior).contains(": non-inferior to the first stage;"));
        assert_eq!(
            verdict(Verdict::CannotTell),
            "helpdesk-mini: cannot tell (these 150 queries could show 0.043); the difference in \
             nDCG@10 is +0.061 [+0.031, +0.091], corrected p = 0.0004."
        );
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
