use secondpass_evaluation::decision::{Decision, Failed, Judged, Outcome, Range};
use secondpass_evaluation::{Record, Role};

use super::super::{Cell, Table, difference, failed, heads, number, or_none, value};
use super::figures::basis;
use crate::charts::{Chart as _, ParetoChart, short};
use crate::content::{Block, Section};
use crate::{format, marks, money};

/// A choice as sentences call it.
pub(super) fn called(name: &str) -> &str {
    if name == "first stage" { "the first stage" } else { name }
}

/// Two amounts: `$1,200 to $1,800`.
pub(super) fn dollars_range(range: Range) -> String {
    format!("{} to {}", money::usd(range.low), money::usd(range.high))
}

/// Gain, verdict and standing of each choice.
pub(super) fn qualities(decision: &Decision, record: &Record) -> Vec<Block> {
    let first = decision.choices.first().map_or(f64::NAN, |choice| choice.quality);
    let rows = decision.choices.iter().enumerate().map(|(index, choice)| {
        let range = choice.quality_range;
        let verdict = match &choice.comparison {
            Some(comparison) => comparison.in_words(&record.statistics),
            None => format::NONE.to_owned(),
        };
        vec![
            name(record, choice),
            standing(decision, index, choice).into(),
            verdict.into(),
            value(format::score(choice.quality), format::interval(range.low, range.high)),
            match index {
                0 => format::NONE.into(),
                _ => format::signed(choice.quality - first).into(),
            },
            percent(choice.good_enough),
            percent(choice.best),
        ]
    });
    let head =
        ["Choice", "Standing", "Against the first stage", "", "Gain", "Good enough in", "Best in"];
    let mut head = heads(head);
    head[3].clone_from(&decision.measure);
    vec![
        Block::Heading("As the decision sees it".into()),
        Block::Table(Table { head, rows: rows.collect(), labels: 3 }),
        Block::List(vec![
            format!(
                "Good enough: it keeps the rules, and its {} is not below the best one's by more \
                 than {}. Shares are of {} resamples.",
                decision.measure,
                decision.margin,
                format::count(decision.resamples as u64)
            ),
            "Verdicts are corrected over all choices here, so that they may differ from those in the \
             records' own reports."
                .into(),
        ]),
    ]
}

fn standing(decision: &Decision, index: usize, choice: &Judged) -> &'static str {
    let chosen = match &decision.outcome {
        Outcome::Undecided(_) => false,
        Outcome::DoNotRerank => index == 0,
        Outcome::Rerank(name) => index > 0 && *name == choice.name,
    };
    let is_next = decision.runner_up.as_ref() == Some(&choice.name);
    let rules = choice.failed.iter().any(Failed::is_of_constraint);
    match (chosen, rules, is_next) {
        (true, ..) => "chosen",
        (_, true, _) => "breaks a rule",
        (.., true) => "runner-up",
        _ => "not chosen",
    }
}

/// The time that the decision counts with, beside its limit.
pub(super) fn times(decision: &Decision, record: &Record) -> Vec<Block> {
    let limit = decision.rules.p95_seconds;
    let rows = decision.choices.iter().skip(1).map(|choice| {
        let kept = choice.p95.as_ref().zip(limit).map(|(p95, limit)| p95.value <= limit);
        vec![
            name(record, choice),
            or_none(choice.p95.as_ref(), |p95| format::time(p95.value)),
            or_none(limit, format::time),
            or_none(kept, |kept| if kept { "kept" } else { "broken" }.to_owned()),
            choice.p95.as_ref().map_or("unknown".into(), |p95| basis(p95).into()),
        ]
    });
    let head = heads(["Choice", "p95 it counts with", "Limit", "The limit is", "Rests on"]);
    vec![
        Block::Heading("As the decision sees it".into()),
        Block::Table(Table { head, rows: rows.collect(), labels: 1 }),
    ]
}

/// Quality against cost, and who is on the front.
pub(super) fn front(decision: &Decision, record: &Record) -> Section {
    let rows = decision.choices.iter().map(|choice| {
        vec![
            name(record, choice),
            if choice.on_pareto_front { "yes" } else { "no" }.into(),
            or_none(choice.bill.as_ref(), |bill| money::usd(bill.month)),
            value(
                format::score(choice.quality),
                format::interval(choice.quality_range.low, choice.quality_range.high),
            ),
        ]
    });
    let mut head = heads(["Choice", "On the front", "A month", ""]);
    head[3].clone_from(&decision.measure);
    let text = format!(
        "On the front is what no other choice that keeps the rules is both better and cheaper than, at \
         {} queries a month. The front is shown, and not weighed: the cheapest choice that is good \
         enough is chosen.",
        short(decision.volume)
    );
    let table = Table { head, rows: rows.collect(), labels: 2 };
    Section {
        id: "front",
        title: "Pareto front: quality against cost",
        blocks: vec![Block::Chart(ParetoChart::NAME), Block::Text(text), Block::Table(table)],
    }
}

/// For how many queries each choice helps and hurts.
pub(super) fn helped(record: &Record) -> Vec<Block> {
    let rows: Vec<Vec<Cell>> = (record.systems.iter())
        .filter(|system| system.role == Role::Reranker && !failed(system))
        .filter_map(|system| Some((system, system.versus_first_stage.as_ref()?)))
        .map(|(system, versus)| {
            vec![
                marks::name(system).into(),
                number(versus.helped),
                number(versus.hurt),
                number(versus.unchanged),
                difference(versus),
            ]
        })
        .collect();
    if rows.is_empty() {
        return vec![Block::Text("No reranker was compared query by query.".into())];
    }
    let mut head = heads(["Choice", "Queries helped", "Queries hurt", "Unchanged", ""]);
    head[4] = format!("Difference in {}", record.primary);
    vec![Block::Table(Table { head, rows, labels: 1 })]
}

/// Its name with the mark of where its answers came from.
pub(super) fn name(record: &Record, choice: &Judged) -> Cell {
    let system = record.systems.iter().find(|system| system.name == choice.name);
    system.map_or_else(|| choice.name.as_str().into(), |system| marks::name(system).into())
}

fn percent(share: f64) -> Cell {
    format!("{:.0}%", 100.0 * share).into()
}
