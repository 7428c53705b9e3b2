use std::cmp::Ordering;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::DocId;

/// One place in a ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// Which document.
    pub document: DocId,
    /// Its score; `None` for a candidate that came back unscored and keeps its incoming order below
    /// the scored ones. Comparable only within this ranking.
    pub score: Option<f64>,
}

/// Documents of one query, best first. The one place where ties and NaN are decided: scores compare
/// as 32-bit floats, as trec_eval 9.0.8 stores them; equal scores are ordered by document id,
/// descending; NaN is an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ranking {
    ranked: Vec<Ranked>,
}

/// Why scores make no ranking.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RankingError {
    /// A score is not a number.
    #[error("document '{0}' was scored NaN; the model's weights or its number format are at fault")]
    NaN(DocId),
    /// A document was scored twice.
    #[error("document '{0}' occurs twice in one ranking")]
    Duplicate(DocId),
}

/// Which of two scored documents comes first: the rule of [`Ranking`], for those who sort without
/// making one. NaN is not looked for.
pub fn by_score_then_id(a: (&str, f64), b: (&str, f64)) -> Ordering {
    by_score(a.1, b.1).then_with(|| b.0.cmp(a.0))
}

/// Which of two scores comes first, as 32-bit floats: [`Ordering::Equal`] is what a tie means
/// everywhere. NaN is not looked for.
pub fn by_score(a: f64, b: f64) -> Ordering {
    (b as f32).partial_cmp(&(a as f32)).unwrap_or(Ordering::Equal)
}

impl Ranking {
    /// Sorts scored documents.
    ///
    /// # Errors
    /// A NaN score, or a document that occurs twice.
    pub fn from_scores(
        scores: impl IntoIterator<Item = (DocId, f64)>,
    ) -> Result<Self, RankingError> {
        Self::with_unscored(scores, [])
    }

    /// Sorts scored documents and puts the unscored ones below them, in the order they come.
    ///
    /// # Errors
    /// A NaN score, or a document that occurs twice.
    pub fn with_unscored(
        scores: impl IntoIterator<Item = (DocId, f64)>,
        unscored: impl IntoIterator<Item = DocId>,
    ) -> Result<Self, RankingError> {
        let mut scored: Vec<(DocId, f64)> = scores.into_iter().collect();
        if let Some((document, _)) = scored.iter().find(|(_, score)| score.is_nan()) {
            return Err(RankingError::NaN(document.clone()));
        }
        scored.sort_by(|(a, a_score), (b, b_score)| {
            by_score_then_id((a.as_str(), *a_score), (b.as_str(), *b_score))
        });
        let ranked: Vec<Ranked> = scored
            .into_iter()
            .map(|(document, score)| Ranked { document, score: Some(score) })
            .chain(unscored.into_iter().map(|document| Ranked { document, score: None }))
            .collect();
        let mut seen = HashSet::with_capacity(ranked.len());
        if let Some(twice) = ranked.iter().find(|ranked| !seen.insert(&ranked.document)) {
            return Err(RankingError::Duplicate(twice.document.clone()));
        }
        Ok(Self { ranked })
    }

    /// All places, best first.
    pub fn ranked(&self) -> &[Ranked] {
        &self.ranked
    }

    /// The document ids, best first.
    pub fn documents(&self) -> impl ExactSizeIterator<Item = &DocId> {
        self.ranked.iter().map(|ranked| &ranked.document)
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.ranked.len()
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.ranked.is_empty()
    }

    /// The first `depth` places.
    pub fn cut(&self, depth: usize) -> Self {
        Self { ranked: self.ranked.iter().take(depth).cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(ranking: &Ranking) -> Vec<&str> {
        ranking.documents().map(DocId::as_str).collect()
    }

    #[test]
    fn sorts_by_score_then_id_descending() {
        let ranking =
            Ranking::from_scores([("a".into(), 1.0), ("b".into(), 2.0), ("c".into(), 1.0)]);
        assert_eq!(order(&ranking.unwrap()), ["b", "c", "a"]);
    }

    #[test]
    fn scores_closer_than_f32_can_tell_are_ties() {
        let ranking = Ranking::from_scores([("a".into(), 1.000_000_000_1), ("b".into(), 1.0)]);
        assert_eq!(order(&ranking.unwrap()), ["b", "a"]);
    }

    #[test]
    fn nan_and_duplicates_are_errors() {
        let nan = Ranking::from_scores([("a".into(), f64::NAN)]);
        assert_eq!(nan, Err(RankingError::NaN("a".into())));
        let twice = Ranking::with_unscored([("a".into(), 1.0)], ["a".into()]);
        assert_eq!(twice, Err(RankingError::Duplicate("a".into())));
    }

    #[test]
    fn unscored_keep_their_order_below() {
        let ranking =
            Ranking::with_unscored([("a".into(), -9.0)], ["b".into(), "c".into()]).unwrap();
        assert_eq!(order(&ranking), ["a", "b", "c"]);
        assert_eq!(ranking.ranked()[2].score, None);
    }
}
