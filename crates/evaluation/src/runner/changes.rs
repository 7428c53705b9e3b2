use std::collections::HashMap;

use secondpass_core::{Query, QueryId, Ranking, Run};

use super::plan::Plan;
use crate::agreement::Changes;
use crate::record::{QueryChange, ShownDocument};

/// Queries listed of either kind.
const LISTED: usize = 10;
/// Documents shown of each ranking.
const SHOWN: usize = 3;
/// Characters shown of a document.
const BEGINNING: usize = 280;

/// One query's values on the primary measure.
pub(super) struct Change<'a> {
    pub query: &'a QueryId,
    pub before: f64,
    pub after: f64,
}

/// The queries that lost most (worst first) and those that gained most (best first), by query id
/// where they are equal. Queries without a ranking failed, and are told elsewhere.
pub(super) fn extremes(
    plan: &Plan<'_>,
    candidates: &Run,
    run: &Run,
    changes: &[Change<'_>],
) -> (Vec<QueryChange>, Vec<QueryChange>) {
    let answered = changes.iter().filter(|change| run.rankings.contains_key(change.query));
    let mut answered: Vec<&Change<'_>> = answered.collect();
    answered.sort_by(|a, b| {
        (a.after - a.before).total_cmp(&(b.after - b.before)).then_with(|| a.query.cmp(b.query))
    });
    let is = |change: &Change<'_>| Changes::count(&[change.after - change.before]);
    let hurt = answered.iter().filter(|change| is(change).hurt > 0).take(LISTED);
    let mut gained: Vec<&&Change<'_>> =
        answered.iter().filter(|change| is(change).helped > 0).collect();
    // The sort is stable, so equal gains stay by query id.
    gained.sort_by(|a, b| (b.after - b.before).total_cmp(&(a.after - a.before)));
    let queries: HashMap<&QueryId, &Query> =
        plan.dataset.queries().iter().map(|query| (&query.id, query)).collect();
    let shown = |change: &&Change<'_>| shown(plan, candidates, run, &queries, change);
    (hurt.map(shown).collect(), gained.into_iter().take(LISTED).map(shown).collect())
}

fn shown(
    plan: &Plan<'_>,
    candidates: &Run,
    run: &Run,
    queries: &HashMap<&QueryId, &Query>,
    change: &Change<'_>,
) -> QueryChange {
    let empty = Ranking::default();
    let before = candidates.rankings.get(change.query).unwrap_or(&empty);
    let after = run.rankings.get(change.query).unwrap_or(&empty);
    let top = |ranking: &Ranking| top(plan, change.query, before, ranking);
    QueryChange {
        query: change.query.clone(),
        text: queries.get(change.query).and_then(|query| (plan.texts)(&query.text)),
        before: change.before,
        after: change.after,
        top_before: top(before),
        top_after: top(after),
    }
}

fn top(
    plan: &Plan<'_>,
    query: &QueryId,
    first_stage: &Ranking,
    ranking: &Ranking,
) -> Vec<ShownDocument> {
    let documents = ranking.documents().take(SHOWN).filter_map(|id| {
        let document = plan.dataset.corpus().get(id)?;
        let place = first_stage.documents().position(|candidate| candidate == id)?;
        Some(ShownDocument {
            document: id.clone(),
            // A hash is of the whole text, and short.
            text: (plan.texts)(&document.passage()).map(|text| beginning(&text)),
            grade: plan.dataset.qrels().grade(query, id),
            first_stage_rank: place + 1,
        })
    });
    documents.collect()
}

/// The first characters, with an ellipsis where something follows.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(BEGINNING) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_cut_between_characters() {
        assert_eq!(beginning("short"), "short");
        let long = "é".repeat(BEGINNING + 1);
        assert_eq!(beginning(&long).chars().count(), BEGINNING + 1);
        assert_eq!(beginning(&"é".repeat(BEGINNING)), "é".repeat(BEGINNING));
    }
}
