use std::collections::{BTreeMap, HashMap};

use secondpass_core::{DocId, QueryId, Ranking};
use serde::Serialize;

use crate::record::{KEPT_PLACES, QueryRow};

/// Queries that are named, of those that changed.
const NAMED: usize = 10;

/// Whether a system ranks as it did, told without any test: the same weights on the same candidates
/// leave nothing to chance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankCheck {
    /// What could be compared.
    pub of: RanksOf,
    /// Queries compared.
    pub queries: usize,
    /// Queries whose order changed by more than the tolerance allows.
    pub changed: usize,
    /// The first of them by id, at most ten.
    pub examples: Vec<QueryId>,
    /// How far a document's score moved at most, with its query; `None` where no scores were kept.
    pub moved: Option<Moved>,
    /// In a word.
    pub verdict: RankVerdict,
}

/// The score that moved most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    /// By how much, in the model's own unit.
    pub by: f64,
    /// On which query.
    pub query: QueryId,
}

/// What of two rankings could be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RanksOf {
    /// Their first places ([`KEPT_PLACES`]), with scores.
    Rankings,
    /// The first document and every measure: a record was written before rankings were kept.
    Measures,
}

/// What the check of ranks says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RankVerdict {
    /// Same order, same scores within the tolerance.
    Same,
    /// Same order, but a score moved by more than the tolerance.
    ScoresMoved,
    /// Another order on some query.
    Changed,
}

/// Compares what one system made of the same queries. A swap of two documents counts unless their
/// scores lie within `tolerance` (a share of the larger of 1 and the score) on both sides.
pub(super) fn check(
    baseline: &BTreeMap<&QueryId, &QueryRow>,
    current: &BTreeMap<&QueryId, &QueryRow>,
    tolerance: f64,
) -> RankCheck {
    let kept = |rows: &BTreeMap<&QueryId, &QueryRow>| rows.values().any(|r| r.ranking.is_some());
    let of = match kept(baseline) && kept(current) {
        true => RanksOf::Rankings,
        false => RanksOf::Measures,
    };
    let (mut queries, mut changed, mut moved) = (0, Vec::new(), None::<Moved>);
    let mut far = false;
    for (query, old) in baseline {
        let Some(new) = current.get(query) else { continue };
        queries += 1;
        let differs = match (of, &old.ranking, &new.ranking) {
            (RanksOf::Measures, ..) => old.top != new.top || !same_values(old, new),
            (_, Some(old), Some(new)) => {
                let (by, beyond) = movement(old, new, tolerance);
                far |= beyond;
                if moved.as_ref().is_none_or(|moved| by > moved.by) {
                    moved = Some(Moved { by, query: (*query).clone() });
                }
                !follows(old, new, tolerance) || !follows(new, old, tolerance)
            }
            (_, old, new) => old.is_some() != new.is_some(),
        };
        if differs {
            changed.push((*query).clone());
        }
    }
    RankCheck {
        of,
        queries,
        verdict: match (changed.is_empty(), far) {
            (false, _) => RankVerdict::Changed,
            (true, true) => RankVerdict::ScoresMoved,
            (true, false) => RankVerdict::Same,
        },
        changed: changed.len(),
        examples: changed.into_iter().take(NAMED).collect(),
        moved,
    }
}

/// Equal, and not applicable on both sides where it is on one.
fn same_values(old: &QueryRow, new: &QueryRow) -> bool {
    let same = |(old, new): (&f64, &f64)| old == new || (old.is_nan() && new.is_nan());
    old.values.len() == new.values.len() && old.values.iter().zip(&new.values).all(same)
}

fn slack(score: f64, tolerance: f64) -> f64 {
    tolerance * score.abs().max(1.0)
}

/// How far a score moved at most, and whether any moved further than the tolerance.
pub(super) fn movement(old: &Ranking, new: &Ranking, tolerance: f64) -> (f64, bool) {
    let before = scores(old);
    let moves = new.ranked().iter().filter_map(|place| {
        let (before, after) = (before.get(&place.document).copied().flatten()?, place.score?);
        Some(((after - before).abs(), slack(before, tolerance)))
    });
    moves.fold((0.0, false), |(most, far), (by, slack)| (f64::max(most, by), far || by > slack))
}

fn scores(ranking: &Ranking) -> HashMap<&DocId, Option<f64>> {
    ranking.ranked().iter().map(|place| (&place.document, place.score)).collect()
}

/// Whether `order` goes down the scores of `truth`, but for steps up within the tolerance.
pub(super) fn follows(truth: &Ranking, order: &Ranking, tolerance: f64) -> bool {
    let known = scores(truth);
    let cut = |ranking: &Ranking| ranking.len() >= KEPT_PLACES;
    let last = truth.ranked().iter().filter_map(|place| place.score).next_back();
    let mut lowest = f64::INFINITY;
    let mut unscored = Vec::new();
    for place in order.ranked() {
        let score = match known.get(&place.document) {
            Some(Some(_)) if place.score.is_none() => return false,
            Some(Some(score)) => *score,
            Some(None) if place.score.is_some() => return false,
            Some(None) => {
                unscored.push(&place.document);
                continue;
            }
            // Beyond the places that are kept its score is at most the last one's.
            None => match last.filter(|_| cut(truth)) {
                Some(score) => score,
                None => return false,
            },
        };
        if score > lowest + slack(score, tolerance) {
            return false;
        }
        lowest = lowest.min(score);
    }
    let there = scores(order);
    let missing = truth.ranked().iter().filter(|place| !there.contains_key(&place.document));
    for place in missing {
        let near = |score: f64| score <= lowest + slack(score, tolerance);
        if !cut(order) || !place.score.is_none_or(near) {
            return false;
        }
    }
    let told = truth.ranked().iter().filter(|place| place.score.is_none());
    let told: Vec<&DocId> =
        told.map(|place| &place.document).filter(|id| there.contains_key(id)).collect();
    told == unscored
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(scores: &[(&str, f64)]) -> Ranking {
        Ranking::from_scores(scores.iter().map(|&(id, score)| (id.into(), score))).unwrap()
    }

    fn same(old: &[(&str, f64)], new: &[(&str, f64)]) -> bool {
        let (old, new) = (ranking(old), ranking(new));
        follows(&old, &new, 1e-4) && follows(&new, &old, 1e-4)
    }

    #[test]
    fn a_swap_counts_unless_both_sides_call_it_a_tie() {
        let old = [("a", 2.0), ("b", 1.0), ("c", 0.5)];
        assert!(same(&old, &old));
        assert!(same(&old, &[("a", 2.00001), ("b", 1.0), ("c", 0.50001)]));
        assert!(!same(&old, &[("a", 1.0), ("b", 2.0), ("c", 0.5)]));
        let tied = [("a", 1.00001), ("b", 1.0)];
        assert!(same(&tied, &[("a", 1.0), ("b", 1.00001)]));
        // Once a tie, now far apart the other way round.
        assert!(!same(&tied, &[("a", 0.2), ("b", 1.0)]));
        // Moved, but in the same order.
        assert!(same(&old, &[("a", 9.0), ("b", 8.0), ("c", 7.0)]));
    }

    #[test]
    fn documents_and_missing_scores_count() {
        let old = ranking(&[("a", 2.0), ("b", 1.0)]);
        assert!(!same(&[("a", 2.0), ("b", 1.0)], &[("a", 2.0), ("c", 1.0)]));
        assert!(!same(&[("a", 2.0)], &[("a", 2.0), ("c", 1.0)]));
        let unscored = |ids: &[&str]| {
            let rest = ids.iter().map(|&id| id.into());
            Ranking::with_unscored([("a".into(), 2.0)], rest).unwrap()
        };
        assert!(!follows(&old, &unscored(&["b"]), 1e-4));
        assert!(follows(&unscored(&["b", "c"]), &unscored(&["b", "c"]), 1e-4));
        assert!(!follows(&unscored(&["b", "c"]), &unscored(&["c", "b"]), 1e-4));
    }

    #[test]
    fn beyond_the_kept_places_only_near_ties_may_come_and_go() {
        let many = |last: &str, score: f64| {
            let first = (0..KEPT_PLACES - 1).map(|n| (format!("d{n:03}"), 200.0 - n as f64));
            let all = first.chain([(last.to_owned(), score)]);
            Ranking::from_scores(all.map(|(id, score)| (id.as_str().into(), score))).unwrap()
        };
        let (old, tie, far) = (many("x", 5.0), many("y", 5.0001), many("y", 150.5));
        assert!(follows(&old, &tie, 1e-4) && follows(&tie, &old, 1e-4));
        assert!(!follows(&old, &far, 1e-4) || !follows(&far, &old, 1e-4));
    }
}
