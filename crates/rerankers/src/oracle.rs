use std::cmp::Reverse;
use std::time::Instant;

use secondpass_core::{Context, Failed, Identity, Job, Qrels, Reranked, Reranker};

use crate::sequential::{baseline, each, ordered};

/// The ceiling: sorts candidates by their judged grade, so that no reranker of the same candidates
/// can have a higher nDCG. It reads the answers and is never a result by itself.
///
/// Equal grades keep their incoming order; unjudged candidates and negative grades stand with the
/// not relevant ones. Scores only number the places.
#[derive(Clone, Debug)]
pub struct Oracle {
    identity: Identity,
    qrels: Qrels,
}

impl Oracle {
    /// An oracle that knows these judgements.
    pub fn new(qrels: Qrels) -> Self {
        Self { identity: baseline("oracle"), qrels }
    }
}

impl Reranker for Oracle {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn rerank_many(
        &self,
        jobs: &[Job],
        context: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        each(jobs, context, done, |job| {
            let started = Instant::now();
            let mut documents: Vec<_> =
                job.candidates.iter().map(|candidate| candidate.document.id.clone()).collect();
            // Stable: equal grades stay in their order.
            documents.sort_by_cached_key(|document| {
                Reverse(self.qrels.grade(&job.query.id, document).unwrap_or(0).max(0))
            });
            ordered(documents, started)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::tests::{job, order, outcomes};

    #[test]
    fn sorts_by_grade_then_incoming_order() {
        let mut qrels = Qrels::new();
        for (document, grade) in [("a", 1), ("b", -2), ("c", 3), ("e", 1), ("elsewhere", 3)] {
            qrels.insert("q".into(), document.into(), grade);
        }
        let jobs = [job("x", &[("b", ""), ("d", ""), ("e", ""), ("c", ""), ("a", "")])];
        let outcomes = outcomes(&Oracle::new(qrels), &jobs, &Context::default());
        assert_eq!(order(outcomes[0].as_ref().unwrap()), ["c", "e", "a", "b", "d"]);
    }

    #[test]
    fn a_query_without_judgements_keeps_its_order() {
        let jobs = [job("x", &[("b", ""), ("c", ""), ("a", "")])];
        let outcomes = outcomes(&Oracle::new(Qrels::new()), &jobs, &Context::default());
        assert_eq!(order(outcomes[0].as_ref().unwrap()), ["b", "c", "a"]);
    }
}
