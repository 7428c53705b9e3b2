use secondpass_evaluation::{Record, SystemRecord, Verdict};

use super::{failed, first_stage, oracle, primary, rerankers};
use crate::{format, marks, money};

/// Rerankers that are told of before anything else; the sections have all.
const SHOWN: usize = 5;

/// What a page says in its first screen, beside its title and its finding.
#[derive(Default)]
pub(crate) struct Opening {
    /// The figures that the answer rests on.
    pub(crate) facts: Vec<Fact>,
    /// What else belongs to the answer, under a heading each.
    pub(crate) lists: Vec<Listed>,
    /// Where the parts of the page begin: the id of a part's first section, and the part's name.
    pub(crate) parts: &'static [(&'static str, &'static str)],
}

/// A figure with its name.
pub(crate) struct Fact {
    /// What it is.
    pub(crate) label: String,
    /// The figure, or a word or two.
    pub(crate) value: String,
    /// What qualifies it, a line each.
    pub(crate) details: Vec<String>,
    /// Whether it is good news; the value says so too.
    pub(crate) tone: Tone,
}

/// Whether a fact is good news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Neither.
    #[default]
    Plain,
    /// Good.
    Good,
    /// Bad.
    Bad,
    /// Not known.
    Unsure,
}

/// A few sentences under a heading.
pub(crate) struct Listed {
    /// The heading.
    pub(crate) title: &'static str,
    /// Each with what it is about, which may be empty.
    pub(crate) items: Vec<(String, String)>,
}

impl Fact {
    /// One without a tone.
    pub(crate) fn new(label: &str, value: String, details: Vec<String>) -> Self {
        Self { label: label.to_owned(), value, details, tone: Tone::Plain }
    }
}

/// What an experiment's report opens with: each reranker's verdict, then where all start from and how
/// far any could come.
pub(crate) fn of(record: &Record) -> Opening {
    let mut facts: Vec<Fact> =
        rerankers(record).take(SHOWN).map(|system| reranker(record, system)).collect();
    let more = rerankers(record).count().saturating_sub(SHOWN);
    if more > 0 {
        let told = vec!["With and without reranking has all.".to_owned()];
        facts.push(Fact::new("Others", format!("{more} more rerankers"), told));
    }
    if let Some(estimate) = first_stage(record).and_then(|system| primary(record, system)) {
        facts.push(Fact::new(
            "First stage",
            format::score(estimate.mean),
            vec![record.primary.clone(), record.candidates.first_stage.clone()],
        ));
    }
    if let Some(estimate) = oracle(record).and_then(|system| primary(record, system)) {
        facts.push(Fact::new(
            "Ceiling",
            format::score(estimate.mean),
            vec![
                format!("{} of the best order of the same candidates", record.primary),
                format!(
                    "{} of the queries have a relevant one",
                    format::percent(record.candidates.with_relevant)
                ),
            ],
        ));
    }
    Opening { facts, lists: Vec::new(), parts: PARTS }
}

/// Where the parts of a report begin.
const PARTS: &[(&str, &str)] = &[
    ("quality", "What is gained"),
    ("latency", "Latency, cost, data"),
    ("changes", "Where it helps and hurts"),
    ("method", "How it was made"),
];

fn reranker(record: &Record, system: &SystemRecord) -> Fact {
    let verdict = system.comparison.as_ref().filter(|_| !failed(system));
    let verdict = verdict.filter(|_| marks::no_verdict(system).is_none());
    let (value, tone) = match verdict.map(|comparison| comparison.verdict) {
        None => ("no verdict".to_owned(), Tone::Unsure),
        Some(verdict) => (verdict.to_string(), tone_of(verdict)),
    };
    let mut details = Vec::new();
    let estimate = primary(record, system);
    let versus = system.versus_first_stage.as_ref();
    if let (Some(estimate), Some(versus)) = (estimate, versus) {
        details.push(format!(
            "{} {}, {} {}",
            record.primary,
            format::score(estimate.mean),
            format::signed(versus.mean),
            format::signed_interval(versus.low, versus.high)
        ));
    }
    details.push(match &system.latency {
        Some(l) => format!("p50 {}, p95 {}", format::time(l.p50), format::time(l.p95)),
        None => "not timed".to_owned(),
    });
    if let Some(cost) = &system.cost {
        let usd = cost.query.as_ref().and_then(|query| query.usd).map(|usd| usd * 1e3);
        details.push(match usd {
            Some(usd) => format!("{} per 1,000 queries", money::usd(usd)),
            None => money::UNKNOWN.to_owned(),
        });
    }
    Fact { label: marks::name(system).into_owned(), value, details, tone }
}

fn tone_of(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Better => Tone::Good,
        Verdict::Worse => Tone::Bad,
        Verdict::CannotTell => Tone::Unsure,
        Verdict::Equivalent | Verdict::NonInferior => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn each_reranker_has_its_verdict() {
        let opening = of(&fixture::record(1));
        let labels: Vec<&str> = opening.facts.iter().map(|fact| fact.label.as_str()).collect();
        assert_eq!(labels, ["helpdesk-mini", "First stage", "Ceiling"]);
        let fact = &opening.facts[0];
        assert_eq!((fact.value.as_str(), fact.tone), ("better", Tone::Good));
        assert!(fact.details[0].starts_with("nDCG@10 0.702, +0.061 ["), "{:?}", fact.details);
        assert!(fact.details[1].contains("p95 "), "{:?}", fact.details);
    }

    #[test]
    fn what_is_not_live_has_no_verdict_here_either() {
        let record = fixture::hosted();
        for fact in of(&record).facts {
            if fact.label.contains("(mock)") || fact.label.contains("(replay") {
                assert_eq!((fact.value.as_str(), fact.tone), ("no verdict", Tone::Unsure));
            }
        }
    }

    #[test]
    fn many_rerankers_leave_room_for_the_rest() {
        let facts = of(&fixture::record(8)).facts;
        assert_eq!(facts.len(), SHOWN + 3);
        assert_eq!(facts[SHOWN].value, "3 more rerankers");
    }
}
