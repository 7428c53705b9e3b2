//! What is wrong with a set, all of it at once, and what is in it. The readers stop at the first
//! defect; this goes on and says of each what to do.

mod finding;
mod parts;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use secondpass_core::{DocId, Grade, QueryId};

pub use finding::{Finding, Place, Problem, Severity};
pub use parts::Parts;
pub use stats::{SplitStats, Spread, Stats, stats};

use parts::{Judged, Known, Listed};

/// All defects of a set, the worst first. None means that the readers take it and nothing about it
/// looks wrong.
pub fn check(parts: &Parts) -> Vec<Finding> {
    let mut findings = parts.unreadable().to_vec();
    let mut find = |problem, places: Vec<Place>| {
        if !places.is_empty() {
            findings.push(Finding { problem, places });
        }
    };
    find(Problem::DuplicateDocuments, duplicate_ids(&parts.documents));
    find(Problem::DuplicateQueries, duplicate_ids(&parts.queries));
    find(Problem::EmptyDocuments, places(&parts.documents, |document| document.words == 0));
    find(Problem::RepeatedTexts, repeated_texts(&parts.documents));
    find(Problem::OneWordDocuments, one_word(&parts.documents));

    let documents: HashSet<&str> = parts.documents.items.iter().map(|d| d.id.as_str()).collect();
    let queries: HashMap<&str, &Known> =
        parts.queries.items.iter().map(|query| (query.id.as_str(), query)).collect();
    let judged: HashSet<&QueryId> =
        parts.splits.values().flat_map(|split| &split.items).map(|judged| &judged.query).collect();
    find(
        Problem::EmptyJudgedQueries,
        places(&parts.queries, |query| query.words == 0 && judged.contains(&id(query))),
    );
    find(
        Problem::EmptyQueries,
        places(&parts.queries, |query| query.words == 0 && !judged.contains(&id(query))),
    );
    if !parts.splits.is_empty() {
        let unjudged = |query: &Known| query.words > 0 && !judged.contains(&id(query));
        find(Problem::UnjudgedQueries, places(&parts.queries, unjudged));
    }

    for (split, judgements) in &parts.splits {
        let place = |judged: &Judged, what: String| judgements.place(judged.line, what);
        let unknown = |what: &dyn Fn(&Judged) -> Option<String>| {
            judgements.items.iter().filter_map(|j| Some(place(j, what(j)?))).collect::<Vec<_>>()
        };
        find(
            Problem::UnknownDocuments,
            unknown(&|judged| {
                let id = judged.document.as_str();
                (!documents.contains(id)).then(|| format!("document '{id}'"))
            }),
        );
        find(
            Problem::UnknownQueries,
            unknown(&|judged| {
                let id = judged.query.as_str();
                (!queries.contains_key(id)).then(|| format!("query '{id}'"))
            }),
        );
        let (conflicting, repeated) = judged_twice(judgements);
        find(Problem::ConflictingGrades, conflicting);
        find(Problem::RepeatedJudgements, repeated);

        let mut relevant: BTreeMap<&QueryId, usize> = BTreeMap::new();
        for judged in &judgements.items {
            *relevant.entry(&judged.query).or_default() += usize::from(judged.grade > 0);
        }
        let of = |test: &dyn Fn(usize) -> bool, say: &dyn Fn(usize) -> String| {
            let found = relevant.iter().filter(|(_, count)| test(**count));
            let place = |(query, count): (&&QueryId, &usize)| {
                judgements.file_place(format!("query '{query}'{}", say(*count)))
            };
            found.map(place).collect::<Vec<_>>()
        };
        let split = split.clone();
        find(
            Problem::NothingRelevant { split: split.clone() },
            of(&|count| count == 0, &|_| String::new()),
        );
        find(
            Problem::ManyRelevant { split },
            of(&|count| count > MANY_RELEVANT, &|count| format!(": {count} relevant documents")),
        );
    }

    let splits: Vec<_> = parts.splits.iter().collect();
    for (place, (first, one)) in splits.iter().enumerate() {
        for (second, other) in splits.iter().skip(place + 1) {
            let names = || ((*first).clone(), (*second).clone());
            let (a, b) = names();
            let (first, second) = (a, b);
            find(Problem::SharedQueries { first, second }, shared_queries(&queries, one, other));
            let (first, second) = names();
            find(Problem::SharedDocuments { first, second }, shared_documents(one, other));
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
    findings
}

/// More relevant documents than this for one query is a sign of judgements made by machine, or of
/// grades turned round.
const MANY_RELEVANT: usize = 1000;

fn id(query: &Known) -> QueryId {
    query.id.as_str().into()
}

fn quoted(known: &Known) -> String {
    format!("'{}'", known.id)
}

fn places(listed: &Listed<Known>, test: impl Fn(&Known) -> bool) -> Vec<Place> {
    let found = listed.items.iter().filter(|known| test(known));
    found.map(|known| listed.place(known.line, quoted(known))).collect()
}

fn duplicate_ids(listed: &Listed<Known>) -> Vec<Place> {
    let mut first: HashMap<&str, u64> = HashMap::new();
    let mut places = Vec::new();
    for known in &listed.items {
        match first.get(known.id.as_str()) {
            None => {
                first.insert(&known.id, known.line);
            }
            Some(line) => {
                let what = format!("'{}', first at line {line}", known.id);
                places.push(listed.place(known.line, what));
            }
        }
    }
    places
}

fn repeated_texts(listed: &Listed<Known>) -> Vec<Place> {
    let mut first: HashMap<u128, &Known> = HashMap::new();
    let mut places = Vec::new();
    for known in listed.items.iter().filter(|known| known.words > 0) {
        match first.get(&known.fingerprint) {
            // The same id again is told of as such.
            Some(twin) if twin.id == known.id => {}
            Some(twin) => {
                let what = format!("'{}', the same text as '{}'", known.id, twin.id);
                places.push(listed.place(known.line, what));
            }
            None => {
                first.insert(known.fingerprint, known);
            }
        }
    }
    places
}

/// Names the first of several documents when every one of them is a single word.
fn one_word(documents: &Listed<Known>) -> Vec<Place> {
    match documents.items.as_slice() {
        [first, _, ..] if documents.items.iter().all(|document| document.words == 1) => {
            vec![documents.place(first.line, quoted(first))]
        }
        _ => Vec::new(),
    }
}

/// Judgements of one pair with other grades, and with the same.
fn judged_twice(judgements: &Listed<Judged>) -> (Vec<Place>, Vec<Place>) {
    let mut first: HashMap<(&QueryId, &DocId), (Grade, u64)> = HashMap::new();
    let (mut conflicting, mut repeated) = (Vec::new(), Vec::new());
    for Judged { line, query, document, grade } in &judgements.items {
        match first.get(&(query, document)) {
            None => {
                first.insert((query, document), (*grade, *line));
            }
            Some((earlier, at)) => {
                let what = format!("query '{query}', document '{document}', first at line {at}");
                match earlier == grade {
                    true => repeated.push(judgements.place(*line, what)),
                    false => conflicting.push(judgements.place(*line, what)),
                }
            }
        }
    }
    (conflicting, repeated)
}

/// Queries of the second split that are, by id or by words, those of the first.
fn shared_queries(
    queries: &HashMap<&str, &Known>,
    first: &Listed<Judged>,
    second: &Listed<Judged>,
) -> Vec<Place> {
    // A query without a text, or that is not there, has only its id.
    let words = |id: &QueryId| {
        let known = queries.get(id.as_str()).filter(|known| known.words > 0);
        known.map(|known| known.fingerprint)
    };
    let ids: HashSet<&QueryId> = first.items.iter().map(|judged| &judged.query).collect();
    let texts: HashMap<u128, &QueryId> =
        ids.iter().filter_map(|id| Some((words(id)?, *id))).collect();
    let mut told = HashSet::new();
    let shared = second.items.iter().filter(|judged| told.insert(&judged.query));
    let place = |judged: &Judged| {
        let query = &judged.query;
        let what = match words(query).and_then(|words| texts.get(&words)) {
            _ if ids.contains(query) => format!("query '{query}'"),
            Some(twin) => format!("query '{query}', the same words as '{twin}'"),
            None => return None,
        };
        Some(second.place(judged.line, what))
    };
    shared.filter_map(place).collect()
}

/// Documents that are relevant in both splits.
fn shared_documents(first: &Listed<Judged>, second: &Listed<Judged>) -> Vec<Place> {
    fn relevant(split: &Listed<Judged>) -> impl Iterator<Item = &Judged> {
        split.items.iter().filter(|judged| judged.grade > 0)
    }
    let known: HashSet<&DocId> = relevant(first).map(|judged| &judged.document).collect();
    let mut told = HashSet::new();
    relevant(second)
        .filter(|judged| known.contains(&judged.document) && told.insert(&judged.document))
        .map(|judged| second.place(judged.line, format!("document '{}'", judged.document)))
        .collect()
}
