use serde::Serialize;

use crate::plural;
use crate::record::Record;

/// Something in which two records differ, so that their figures do not answer the same question.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What it is: `queries, documents or judgements`.
    pub what: String,
    /// What the baseline has.
    pub baseline: String,
    /// What the current record has.
    pub current: String,
}

impl Difference {
    pub(super) fn new(
        what: impl Into<String>,
        baseline: impl Into<String>,
        current: impl Into<String>,
    ) -> Self {
        Self { what: what.into(), baseline: baseline.into(), current: current.into() }
    }
}

/// Everything that forbids comparing two records; empty where they may be.
pub fn differences(baseline: &Record, current: &Record) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut say = |what: &str, old: String, new: String| {
        if old != new {
            found.push(Difference::new(what, old, new));
        }
    };
    let [old, new] = [&baseline.dataset, &current.dataset];
    say("dataset", old.name.clone(), new.name.clone());
    say("split", old.split.clone(), new.split.clone());
    say("documents, queries or judgements", old.hash.to_string(), new.hash.to_string());
    say("number of queries", plural::queries(old.queries), plural::queries(new.queries));
    say("sample of the queries", format!("{:?}", old.sample), format!("{:?}", new.sample));
    let [old, new] = [&baseline.candidates, &current.candidates];
    say("first stage", old.first_stage.clone(), new.first_stage.clone());
    say("candidates", old.hash.to_string(), new.hash.to_string());
    say("candidates a query", old.depth.to_string(), new.depth.to_string());
    say("primary measure", baseline.primary.clone(), current.primary.clone());
    for system in &baseline.systems {
        if !current.systems.iter().any(|other| other.name == system.name) {
            say(&format!("system '{}'", system.name), "there".to_owned(), "gone".to_owned());
        }
    }
    found
}
