use std::collections::HashMap;
use std::fmt;

use secondpass_core::{DocId, Job, Origin, Ranking, Reranked, Timings, TruncationAudit, Usage};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A reranked query as it is kept on disk: documents by their places among the job's candidates, so
/// that it holds neither ids nor texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Places of the candidates (from 0), best first.
    order: Vec<u32>,
    /// The score of each, in the same order.
    scores: Vec<Option<Score>>,
    /// What it consumed.
    pub usage: Usage,
    /// Where the time went.
    pub timings: Timings,
    /// What was cut; `None` where the reranker did not tell.
    pub truncation: Option<TruncationAudit>,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Origin::is_live")]
    pub origin: Origin,
}

impl Answer {
    /// `None` where the ranking does not hold exactly the job's candidates.
    pub(crate) fn new(job: &Job, reranked: &Reranked) -> Option<Self> {
        let places: HashMap<&DocId, u32> =
            job.candidates.iter().map(|candidate| &candidate.document.id).zip(0..).collect();
        let ranked = reranked.ranking.ranked();
        let order: Option<Vec<u32>> =
            ranked.iter().map(|ranked| places.get(&ranked.document).copied()).collect();
        let order = order.filter(|order| order.len() == places.len())?;
        Some(Self {
            order,
            scores: ranked.iter().map(|ranked| ranked.score.map(Score)).collect(),
            usage: reranked.usage,
            timings: reranked.timings,
            truncation: reranked.truncation,
            origin: reranked.origin.clone(),
        })
    }

    /// The same answer for a job of the same candidates; `None` where it does not fit them.
    pub(crate) fn reranked(&self, job: &Job) -> Option<Reranked> {
        let all = job.candidates.len();
        if self.order.len() != all || self.scores.len() != all {
            return None;
        }
        let (mut scored, mut unscored) = (Vec::with_capacity(all), Vec::new());
        for (&place, score) in self.order.iter().zip(&self.scores) {
            let document = job.candidates.get(place as usize)?.document.id.clone();
            match score {
                Some(Score(score)) => scored.push((document, *score)),
                None => unscored.push(document),
            }
        }
        let ranking = Ranking::with_unscored(scored, unscored).ok()?;
        let Self { usage, timings, truncation, .. } = *self;
        Some(Reranked { ranking, usage, timings, truncation, origin: self.origin.clone() })
    }

    /// Whether it was played back from a recording.
    pub(crate) fn is_replayed(&self) -> bool {
        matches!(self.origin, Origin::Replay { .. })
    }

    /// The same, but for the time it took.
    pub(crate) fn without_times(&self) -> Self {
        Self { timings: Timings::default(), ..self.clone() }
    }

    /// The score of each candidate, in the job's order; `None` where any went unscored.
    pub(crate) fn scores(&self) -> Option<Vec<f64>> {
        let mut scores = vec![None; self.order.len()];
        for (&place, score) in self.order.iter().zip(&self.scores) {
            *scores.get_mut(place as usize)? = score.as_ref().map(|score| score.0);
        }
        scores.into_iter().collect()
    }
}

/// A score that comes back bit by bit: JSON has no infinities, so these are written as text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Score(pub f64);

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.is_finite() {
            true => serializer.serialize_f64(self.0),
            false => serializer.serialize_str(&self.0.to_string()),
        }
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScoreVisitor)
    }
}

struct ScoreVisitor;

impl de::Visitor<'_> for ScoreVisitor {
    type Value = Score;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, 'inf' or '-inf'")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Score, E> {
        Ok(Score(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Score, E> {
        Ok(Score(value as f64))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Score, E> {
        Ok(Score(value as f64))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Score, E> {
        match value {
            "inf" => Ok(Score(f64::INFINITY)),
            "-inf" => Ok(Score(f64::NEG_INFINITY)),
            _ => Err(E::invalid_value(de::Unexpected::Str(value), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secondpass_core::{Candidate, Document, Query};

    use super::*;

    pub(crate) fn job(documents: usize) -> Job {
        let candidate = |place: usize| Candidate {
            document: Document {
                id: format!("d{place}").as_str().into(),
                title: String::new(),
                text: format!("text {place}"),
            },
            score: -(place as f64),
            rank: place + 1,
        };
        Job {
            query: Query { id: "q".into(), text: "why".to_owned(), attributes: Default::default() },
            candidates: (0..documents).map(candidate).collect(),
        }
    }

    proptest! {
        #[test]
        fn comes_back_bit_by_bit(
            scores in prop::collection::vec(
                prop::option::weighted(0.8, any::<f64>().prop_filter("NaN", |s| !s.is_nan())), 1..8),
        ) {
            let job = job(scores.len());
            let id = |place: usize| job.candidates[place].document.id.clone();
            let scored = scores.iter().enumerate().filter_map(|(i, s)| s.map(|s| (id(i), s)));
            let unscored = scores.iter().enumerate().filter(|(_, s)| s.is_none()).map(|(i, _)| id(i));
            let reranked = Reranked {
                ranking: Ranking::with_unscored(scored, unscored).unwrap(),
                usage: Usage::free(3, 4),
                timings: Timings::default(),
                truncation: None,
            origin: Origin::Live,
            };
            let answer = Answer::new(&job, &reranked).unwrap();
            let text = serde_json::to_string(&answer).unwrap();
            let read: Answer = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.reranked(&job).unwrap(), reranked);
            let expected: Option<Vec<f64>> = scores.iter().copied().collect();
            prop_assert_eq!(read.scores(), expected);
        }
    }

    #[test]
    fn other_candidates_do_not_fit() {
        let reranked = Reranked {
            ranking: Ranking::from_scores([("d0".into(), 1.0), ("d1".into(), 2.0)]).unwrap(),
            usage: Usage::default(),
            timings: Timings::default(),
            truncation: None,
            origin: Origin::Live,
        };
        assert_eq!(Answer::new(&job(1), &reranked), None);
        assert_eq!(Answer::new(&job(3), &reranked), None);
        let answer = Answer::new(&job(2), &reranked).unwrap();
        assert_eq!((answer.reranked(&job(1)), answer.reranked(&job(3))), (None, None));
        let twice = Answer { order: vec![0, 0], ..answer };
        assert_eq!(twice.reranked(&job(2)), None);
    }
}
