use secondpass_evaluation::training::{ChangedQuery, Tested, TrainingRecord};

use super::training_verdict;
use crate::charts::{Chart as _, DevChart, LossChart, RateChart};
use crate::content::{Block, Cell, Content, Section, Table};
use crate::format;

/// Composes the report: what training changed first, then how it went, then what it rested on.
pub(super) fn of(record: &TrainingRecord) -> Content {
    let sections = [tested(record), Some(course(record)), Some(basis(record))];
    Content {
        title: record.name.clone(),
        subtitle: format!(
            "fine-tuning, {} of {} steps, {} on {}, seed {}",
            record.steps.len(),
            record.of,
            format::time(record.seconds),
            record.identity.device,
            record.seed
        ),
        banners: Vec::new(),
        finding: finding(record),
        warnings: record.warnings.iter().map(ToString::to_string).collect(),
        sections: sections.into_iter().flatten().collect(),
    }
}

fn finding(record: &TrainingRecord) -> String {
    if record.tested.is_empty() {
        return "The recipe names no test set: whether training helped is not known.".to_owned();
    }
    let told: Vec<String> = record.tested.iter().map(sentence).collect();
    told.join(" ")
}

/// Against the model before, where it had a head, which tells whether training helped; and against the
/// first stage, which tells whether the model is worth its time.
fn sentence(tested: &Tested) -> String {
    let before = tested.against_before.as_ref().map(|change| (change, "the model before"));
    let told: Vec<String> = before
        .into_iter()
        .chain([(&tested.against_first_stage, "the first stage")])
        .map(|(change, than)| training_verdict(change, than))
        .collect();
    let domain = if tested.other_domain { ", another domain" } else { "" };
    format!("On {}{domain}, the trained model is {}.", tested.name, told.join(", and "))
}

fn tested(record: &TrainingRecord) -> Option<Section> {
    if record.tested.is_empty() {
        return None;
    }
    let head = ["Set", "Measure", "Queries", "First stage", "Before", "After"];
    let rows = record.tested.iter().map(|tested| {
        let domain = if tested.other_domain { " (another domain)" } else { "" };
        let before = match &tested.before {
            Some(before) => estimate(before),
            None => "random head".into(),
        };
        vec![
            format!("{}{domain}", tested.name).into(),
            tested.after.measure.clone().into(),
            tested.after.queries.to_string().into(),
            estimate(&tested.first_stage),
            before,
            estimate(&tested.after),
        ]
    });
    let mut blocks = vec![Block::Table(table(&head, rows.collect(), 2))];
    let head = ["Set", "Against", "Difference", "Won", "Lost", "Unchanged", "Shows"];
    let rows = record.tested.iter().flat_map(|tested| {
        let against = [
            Some((&tested.against_first_stage, "first stage")),
            tested.against_before.as_ref().map(|change| (change, "before")),
        ];
        against.into_iter().flatten().map(|(change, name)| {
            let difference = &change.difference;
            vec![
                tested.name.clone().into(),
                name.into(),
                Cell {
                    detail: Some(format::signed_interval(difference.low, difference.high)),
                    ..format::signed(difference.mean).into()
                },
                difference.helped.to_string().into(),
                difference.hurt.to_string().into(),
                difference.unchanged.to_string().into(),
                training_verdict(change, "it").into(),
            ]
        })
    });
    blocks.push(Block::Table(table(&head, rows.collect(), 2)));
    blocks.push(Block::Text(
        "Every set was scored once, with the checkpoint that dev chose. Intervals are 95% bootstrap \
         intervals over queries."
            .to_owned(),
    ));
    for tested in &record.tested {
        let change = tested.against_before.as_ref().unwrap_or(&tested.against_first_stage);
        for (what, queries) in [("gained", &change.won), ("lost", &change.lost)] {
            if !queries.is_empty() {
                let name = format!("{}: the queries that {what} most", tested.name);
                blocks.push(Block::Folded(name, changed(queries)));
            }
        }
    }
    Some(Section { id: "tested", title: "Before and after", blocks })
}

fn changed(queries: &[ChangedQuery]) -> Table {
    let row = |query: &ChangedQuery| {
        vec![
            query.query.to_string().into(),
            format::score(query.before).into(),
            format::score(query.after).into(),
        ]
    };
    table(&["Query", "Before", "After"], queries.iter().map(row).collect(), 1)
}

fn course(record: &TrainingRecord) -> Section {
    let mut blocks = vec![Block::Chart(LossChart::NAME), Block::Chart(DevChart::NAME)];
    let rows = record.evaluations.iter().map(|evaluated| {
        let best = record.best.is_some_and(|best| best.step == evaluated.step);
        vec![
            evaluated.step.to_string().into(),
            format::score(evaluated.value).into(),
            if best { "kept" } else { "" }.into(),
        ]
    });
    let head = ["Step", record.measure.as_str(), "Checkpoint"];
    blocks.push(Block::Table(table(&head, rows.collect(), 1)));
    if record.ended_early {
        blocks.push(Block::Text("It ended early, because dev got no better.".to_owned()));
    }
    if record.stopped {
        blocks.push(Block::Text("It was stopped before its end.".to_owned()));
    }
    blocks.push(Block::Chart(RateChart::NAME));
    Section { id: "course", title: "How it went", blocks }
}

fn basis(record: &TrainingRecord) -> Section {
    let identity = &record.identity;
    let pace = record.tokens as f64 / record.seconds.max(1e-9);
    let cut = |audit: &secondpass_core::TruncationAudit| {
        format::percent(audit.pairs_cut as f64 / audit.pairs.max(1) as f64)
    };
    let rows = [
        ("Loss", record.loss.clone()),
        ("Groups learnt from, repeated ones counted again", record.groups.to_string()),
        ("Tokens, padding excluded", format::count(record.tokens)),
        ("Tokens a second, evaluations included", format::number(pace)),
        ("Training pairs cut", cut(&record.truncation)),
        ("Dev pairs cut", cut(&record.dev_truncation)),
        ("Recipe", identity.recipe.short().to_owned()),
        ("Training data", identity.data.short().to_owned()),
        ("Dev split", identity.dev.short().to_owned()),
        ("Dev candidates", identity.dev_candidates.short().to_owned()),
        ("Weights it started from", identity.weights.short().to_owned()),
        ("Tokenizer", identity.tokenizer.short().to_owned()),
        ("Device", identity.device.clone()),
    ];
    let rows = rows.into_iter().map(|(what, value)| vec![what.into(), value.into()]).collect();
    let blocks = vec![Block::Table(table(&["What", "Value"], rows, 2))];
    Section { id: "basis", title: "What it rests on", blocks }
}

fn estimate(estimate: &secondpass_evaluation::Estimate) -> Cell {
    Cell {
        detail: Some(format::interval(estimate.low, estimate.high)),
        ..format::score(estimate.mean).into()
    }
}

fn table(head: &[&str], rows: Vec<Vec<Cell>>, labels: usize) -> Table {
    Table { head: head.iter().map(|&head| head.to_owned()).collect(), rows, labels }
}
