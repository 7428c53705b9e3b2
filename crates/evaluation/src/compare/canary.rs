use secondpass_core::{ContentHash, DocId, Identity, Job, Origin, QueryId, Ranking};
use serde::{Deserialize, Serialize};

use super::ranks::{follows, movement};
use crate::keys;

/// The scores of a few fixed queries by a hosted model, to know it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    /// The version of this layout: [`Canary::SCHEMA`].
    pub schema: u32,
    /// When it was asked, RFC 3339 in UTC.
    pub recorded: String,
    /// Who was asked.
    pub identity: Identity,
    /// Where the answers came from.
    pub origin: Origin,
    /// What it answered, in the order in which it was asked.
    pub queries: Vec<CanaryQuery>,
}

/// One query of a canary. No texts are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CanaryQuery {
    /// Which.
    pub query: QueryId,
    /// The documents that were sent with it, in their order.
    pub candidates: Vec<DocId>,
    /// The hash of all texts that were sent, in their order.
    pub texts: ContentHash,
    /// The answer.
    pub ranking: Ranking,
}

/// What a later check of a canary found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Who was asked.
    pub identity: Identity,
    /// When the canary was recorded.
    pub recorded: String,
    /// When it was checked.
    pub checked: String,
    /// How far a score might move, as a share of the larger of 1 and the score.
    pub tolerance: f64,
    /// Queries asked again.
    pub queries: usize,
    /// Those whose scores or order changed beyond the tolerance.
    pub changed: Vec<QueryDrift>,
    /// How far a score moved at most.
    pub moved: f64,
    /// Whether the model is another one.
    pub drifted: bool,
}

/// One query that a model answers otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryDrift {
    /// Which.
    pub query: QueryId,
    /// Whether the order changed.
    pub reordered: bool,
    /// How far a score moved at most.
    pub moved: f64,
}

/// Why a check says nothing about the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanaryError {
    /// Written by another version.
    #[error("the canary has schema {found}, this program reads {}; record it anew", Canary::SCHEMA)]
    Schema {
        /// The schema it has.
        found: u32,
    },
    /// Somebody else was asked.
    #[error(
        "the canary is of {recorded}, and the config asks {asked}; record another canary for it"
    )]
    OtherModel {
        /// Who is in the canary.
        recorded: String,
        /// Who was asked.
        asked: String,
    },
    /// Other texts were sent.
    #[error(
        "query '{query}' or its candidates have other texts than when the canary was recorded; check \
         it with the set of that time, or record it anew"
    )]
    OtherTexts {
        /// The first such query.
        query: QueryId,
    },
    /// One is made up and the other is not.
    #[error("the canary's answers are {recorded:?} and these are {asked:?}; ask the same server")]
    OtherOrigin {
        /// The canary's.
        recorded: Origin,
        /// These answers'.
        asked: Origin,
    },
}

impl CanaryQuery {
    /// What was asked, with its answer.
    pub fn new(job: &Job, ranking: Ranking) -> Self {
        Self {
            query: job.query.id.clone(),
            candidates: job.candidates.iter().map(|c| c.document.id.clone()).collect(),
            texts: keys::texts(job),
            ranking,
        }
    }
}

impl Canary {
    /// The version of the layout that is written and read.
    pub const SCHEMA: u32 = 1;
    /// Queries that a canary has, unless something else is asked for.
    pub const QUERIES: usize = 20;

    /// Whether `now`, the answers to the same questions, come from the same model: scores and order
    /// within `tolerance`.
    ///
    /// # Errors
    /// It is another layout, another model by name, other texts, or one of both is an imitation.
    pub fn check(&self, now: &Self, tolerance: f64) -> Result<Drift, CanaryError> {
        if self.schema != Self::SCHEMA {
            return Err(CanaryError::Schema { found: self.schema });
        }
        if !same_name(&self.identity, &now.identity) {
            let told = |identity: &Identity| format!("{} of {}", identity.model, identity.provider);
            let (recorded, asked) = (told(&self.identity), told(&now.identity));
            return Err(CanaryError::OtherModel { recorded, asked });
        }
        if self.origin != now.origin {
            let (recorded, asked) = (self.origin.clone(), now.origin.clone());
            return Err(CanaryError::OtherOrigin { recorded, asked });
        }
        let (mut changed, mut most) = (Vec::new(), 0.0_f64);
        for old in &self.queries {
            let same = |new: &&CanaryQuery| new.query == old.query && new.texts == old.texts;
            let Some(new) = now.queries.iter().find(same) else {
                return Err(CanaryError::OtherTexts { query: old.query.clone() });
            };
            let (moved, far) = movement(&old.ranking, &new.ranking, tolerance);
            let reordered = !follows(&old.ranking, &new.ranking, tolerance)
                || !follows(&new.ranking, &old.ranking, tolerance);
            most = most.max(moved);
            if far || reordered {
                changed.push(QueryDrift { query: old.query.clone(), reordered, moved });
            }
        }
        Ok(Drift {
            identity: now.identity.clone(),
            recorded: self.recorded.clone(),
            checked: now.recorded.clone(),
            tolerance,
            queries: self.queries.len(),
            drifted: !changed.is_empty(),
            changed,
            moved: most,
        })
    }
}

impl Drift {
    /// Whether it is about this reranker.
    pub(super) fn is_of(&self, identity: &Identity) -> bool {
        same_name(&self.identity, identity)
    }
}

/// All that is known of a hosted model from outside. The address counts not: a server that moved is
/// the same until its scores say otherwise.
fn same_name(a: &Identity, b: &Identity) -> bool {
    (&a.provider, &a.model, &a.revision) == (&b.provider, &b.model, &b.revision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::identity;

    fn canary(scores: [f64; 2]) -> Canary {
        let of = |number: u32| CanaryQuery {
            query: format!("q{number}").as_str().into(),
            candidates: vec!["a".into(), "b".into()],
            texts: ContentHash::of(&[number as u8]),
            ranking: Ranking::from_scores([("a".into(), scores[0]), ("b".into(), scores[1])])
                .unwrap(),
        };
        Canary {
            schema: Canary::SCHEMA,
            recorded: "2026-02-03T04:05:06Z".to_owned(),
            identity: identity("cohere"),
            origin: Origin::Live,
            queries: (0..20).map(of).collect(),
        }
    }

    #[test]
    fn the_same_model_is_known_again_and_another_is_not() {
        let old = canary([0.9, 0.5]);
        assert!(!old.check(&canary([0.90001, 0.5]), 1e-3).unwrap().drifted);
        let moved = old.check(&canary([0.95, 0.5]), 1e-3).unwrap();
        assert!(moved.drifted && !moved.changed[0].reordered && moved.changed.len() == 20);
        assert!((moved.moved - 0.05).abs() < 1e-12);
        assert!(old.check(&canary([0.5, 0.9]), 1e-3).unwrap().changed[0].reordered);
    }

    #[test]
    fn other_questions_are_no_drift() {
        let old = canary([0.9, 0.5]);
        let mut other = old.clone();
        other.queries[3].texts = ContentHash::of(b"edited");
        let error = old.check(&other, 1e-3).unwrap_err().to_string();
        assert!(error.contains("'q3'") && error.contains("record it anew"), "{error}");
        let other = Canary { identity: identity("voyage"), ..old.clone() };
        assert!(matches!(old.check(&other, 1e-3), Err(CanaryError::OtherModel { .. })));
        let other = Canary { origin: Origin::Mock, ..old.clone() };
        assert!(matches!(old.check(&other, 1e-3), Err(CanaryError::OtherOrigin { .. })));
        let other = Canary { schema: 9, ..old.clone() };
        assert_eq!(other.check(&old, 1e-3), Err(CanaryError::Schema { found: 9 }));
    }
}
