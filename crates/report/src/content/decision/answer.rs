use secondpass_evaluation::Record;
use secondpass_evaluation::decision::{
    Change, Decision, Judged, Outcome, Told, told, volumes_in_words,
};

use super::choices::{called, dollars_range};
use crate::charts::short;
use crate::content::{Fact, Listed, Opening, Tone};
use crate::{format, marks, money};

/// What to do, in a few words.
pub(super) fn title(decision: &Decision) -> String {
    match &decision.outcome {
        Outcome::Rerank(name) => format!("Rerank with {name}"),
        Outcome::DoNotRerank => "Do not rerank".to_owned(),
        Outcome::Undecided(_) => "Nothing is decided".to_owned(),
    }
}

/// On what, in a line.
pub(super) fn subtitle(decision: &Decision, record: &Record) -> String {
    format!(
        "{}, {} split, {} · {} queries a month · secondpass {}",
        record.dataset.name,
        record.dataset.split,
        format::counted(decision.queries, "query", "queries"),
        short(decision.volume),
        record.version,
    )
}

/// What to do and how sure that is, in sentences.
pub(super) fn finding(decision: &Decision) -> String {
    let Told { headline, confidence, .. } = told(decision);
    match confidence {
        Some(confidence) => format!("{headline} {confidence}"),
        None => headline,
    }
}

/// The first screen: the answer's figures, what the others failed on, what would change it.
pub(super) fn opening(
    decision: &Decision,
    record: &Record,
    parts: &'static [(&'static str, &'static str)],
) -> Opening {
    let words = told(decision);
    let about = |choice: String| marks::label_of(record, &choice);
    let failed = words.failed.into_iter().map(|reasons| (about(reasons.choice), reasons.why));
    let plain = |sentences: Vec<String>| {
        sentences.into_iter().map(|sentence| (String::new(), sentence)).collect()
    };
    let against: Vec<String> = words.against.into_iter().chain(words.priors).collect();
    let lists = [
        Listed { title: "What each other choice failed on", items: failed.collect() },
        Listed { title: "What would change the answer", items: plain(words.changes) },
        Listed { title: "What speaks against reranking", items: plain(against) },
    ];
    Opening {
        facts: facts(decision),
        lists: lists.into_iter().filter(|listed| !listed.items.is_empty()).collect(),
        parts,
    }
}

fn facts(decision: &Decision) -> Vec<Fact> {
    let chosen = match &decision.outcome {
        Outcome::Undecided(_) => return Vec::new(),
        Outcome::DoNotRerank => decision.choices.first(),
        Outcome::Rerank(name) => decision.choices.iter().skip(1).find(|c| c.name == *name),
    };
    let mut facts = vec![confidence(decision)];
    facts.extend(runner_up(decision));
    facts.push(turning(decision));
    if let Some(chosen) = chosen {
        facts.extend(month(decision, chosen));
        facts.push(quality(decision, chosen));
        facts.extend(time(decision, chosen));
    }
    facts
}

fn confidence(decision: &Decision) -> Fact {
    let sure = if decision.sure { "sure" } else { "not sure" };
    Fact {
        label: "Confidence".to_owned(),
        value: format!("{:.0}%", 100.0 * decision.confidence),
        details: vec![format!(
            "of {} resamples: {sure}, which begins at {:.0}%",
            format::count(decision.resamples as u64),
            100.0 * decision.sure_from
        )],
        tone: if decision.sure { Tone::Good } else { Tone::Unsure },
    }
}

fn runner_up(decision: &Decision) -> Option<Fact> {
    let name = decision.runner_up.as_ref()?;
    let judged = decision.choices.iter().find(|choice| choice.name == *name)?;
    let best = match judged.best {
        0.0 => "never best in the resamples".to_owned(),
        share => format!("best in {:.0}% of them", 100.0 * share),
    };
    Some(Fact::new("Runner-up", called(name).to_owned(), vec![best]))
}

/// The volume at which the answer changes.
fn turning(decision: &Decision) -> Fact {
    let volumes: Vec<(String, &str)> = decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Volume { choice, .. } => Some((volumes_in_words(change)?, choice.as_str())),
            _ => None,
        })
        .collect();
    let label = "The answer changes";
    match volumes.split_first() {
        None => Fact::new(
            label,
            "at no volume".to_owned(),
            vec!["no other choice that is good enough becomes cheaper".to_owned()],
        ),
        Some(((first, choice), others)) => {
            let mut details = vec![format!("then {}", called(choice))];
            let then = |(at, choice): &(String, &str)| format!("{at}: {}", called(choice));
            details.extend(others.iter().map(then));
            Fact::new(label, first.clone(), details)
        }
    }
}

fn month(decision: &Decision, chosen: &Judged) -> Option<Fact> {
    let bill = chosen.bill.as_ref()?;
    let mut details: Vec<String> = chosen
        .month_range
        .filter(|range| range.low < range.high)
        .map(|range| format!("from {} in 95 of 100 resamples", dollars_range(range)))
        .into_iter()
        .collect();
    details.push(format!("at {} queries", short(decision.volume)));
    if let Some(share) = bill.of_llm {
        details.push(format!("{} of the language model's", format::percent(share)));
    }
    Some(Fact::new("A month", money::usd(bill.month), details))
}

fn quality(decision: &Decision, chosen: &Judged) -> Fact {
    let first = decision.choices.first().map_or(f64::NAN, |choice| choice.quality);
    let mut details = vec![decision.measure.clone()];
    if decision.outcome != Outcome::DoNotRerank {
        details.push(format!("{} against the first stage", format::signed(chosen.quality - first)));
    }
    Fact::new("Quality", format::score(chosen.quality), details)
}

fn time(decision: &Decision, chosen: &Judged) -> Option<Fact> {
    let p95 = chosen.p95.as_ref()?;
    let details = decision.rules.p95_seconds.map(|limit| format!("limit {}", format::time(limit)));
    Some(Fact::new("p95", format::time(p95.value), details.into_iter().collect()))
}
