use secondpass_core::{ContentHash, Origin};
use serde::Serialize;

use super::cost::CostComparison;
use super::latency::LatencyComparison;
use super::quality::QualityComparison;
use super::ranks::RankCheck;
use super::same::Difference;
use crate::record::Role;

/// Two records held against each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The older one.
    pub baseline: Side,
    /// The one that is judged.
    pub current: Side,
    /// What is to be done.
    pub outcome: Outcome,
    /// Why, the gravest first, one sentence each.
    pub findings: Vec<Finding>,
    /// Why figures do not answer the same question; where there are any, nothing else is compared,
    /// but for a hosted model that changed by itself: then the others are.
    pub differences: Vec<Difference>,
    /// The systems that both have, in the order of the current record.
    pub systems: Vec<SystemComparison>,
}

/// One of two records.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// The experiment's name, or the bench's.
    pub name: String,
    /// When it ended, RFC 3339 in UTC.
    pub finished: String,
    /// The version of the program that wrote it.
    pub version: String,
    /// The hash of the record itself.
    pub hash: ContentHash,
    /// Why its figures predict nothing, where the set is a demonstration.
    pub demonstration: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing.
    Fine,
    /// It got worse, or may have where that was said to count.
    Regression,
    /// The figures do not answer the same question.
    NotComparable,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave it is.
    pub weight: Weight,
    /// A sentence, with what to do next where something is to be done.
    pub text: String,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It shuts the gate.
    Fail,
    /// Somebody should look.
    Warn,
    /// Good to know.
    Note,
}

/// One system, before and now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SystemComparison {
    /// Its name in both records.
    pub name: String,
    /// What it is in the experiment.
    pub role: Role,
    /// Where its answers came from now.
    pub origin: Origin,
    /// What of it changed, one phrase each: weights, revision, maximum length.
    pub changed: Vec<String>,
    /// Whether a canary says that the hosted model changed by itself.
    pub drifted: bool,
    /// Whether it ranks as before; `None` where its weights changed or nobody knows them.
    pub ranks: Option<RankCheck>,
    /// Its quality, one entry a measure.
    pub quality: Vec<QualityComparison>,
    /// What a query costs; `None` where nobody bills it.
    pub cost: Option<CostComparison>,
    /// How long a query takes; empty where that was not measured on both sides.
    pub latency: Vec<LatencyComparison>,
}

impl Comparison {
    /// Of findings in any order.
    pub(super) fn new(
        baseline: Side,
        current: Side,
        mut findings: Vec<Finding>,
        differences: Vec<Difference>,
        systems: Vec<SystemComparison>,
    ) -> Self {
        findings.sort_by_key(|finding| finding.weight);
        let fails = findings.iter().any(|finding| finding.weight == Weight::Fail);
        let outcome = match (fails, differences.is_empty()) {
            (true, _) => Outcome::Regression,
            (false, false) => Outcome::NotComparable,
            (false, true) => Outcome::Fine,
        };
        Self { baseline, current, outcome, findings, differences, systems }
    }

    /// What is to be done, in a sentence.
    pub fn headline(&self) -> &'static str {
        let warned = self.findings.iter().any(|finding| finding.weight == Weight::Warn);
        match (self.outcome, warned) {
            (Outcome::Regression, _) => "It got worse.",
            (Outcome::NotComparable, _) => "The records cannot be compared.",
            (Outcome::Fine, true) => "Nothing shows that it got worse; somebody should look.",
            (Outcome::Fine, false) => "It did not get worse.",
        }
    }
}

impl SystemComparison {
    /// Its name with a mark where its figures are made up or were recorded.
    pub fn label(&self) -> String {
        label(&self.name, &self.origin)
    }
}

/// A system's name with the mark of its origin.
pub(super) fn label(name: &str, origin: &Origin) -> String {
    match origin {
        Origin::Live => name.to_owned(),
        Origin::Mock => format!("{name} (mock)"),
        Origin::Replay { .. } => format!("{name} (replay)"),
    }
}
