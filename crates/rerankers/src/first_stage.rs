use std::time::Instant;

use secondpass_core::{Context, Failed, Identity, Job, Reranked, Reranker};

use crate::sequential::{baseline, each, ordered};

/// The baseline that every reranker has to beat: it leaves the candidates as the first stage gave
/// them. Its scores only number the places.
#[derive(Clone, Debug)]
pub struct FirstStageOrder {
    identity: Identity,
}

impl FirstStageOrder {
    /// The one there is.
    pub fn new() -> Self {
        Self { identity: baseline("first stage") }
    }
}

impl Default for FirstStageOrder {
    fn default() -> Self {
        Self::new()
    }
}

impl Reranker for FirstStageOrder {
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
            ordered(job.candidates.iter().map(|c| c.document.id.clone()).collect(), started)
        });
    }
}

#[cfg(test)]
mod tests {
    use secondpass_core::{RankingError, RerankError};

    use super::*;
    use crate::sequential::tests::{job, order, outcomes};

    #[test]
    fn keeps_the_order_even_of_equal_scores() {
        let jobs = [job("x", &[("b", ""), ("c", ""), ("a", "")]), job("x", &[])];
        let outcomes = outcomes(&FirstStageOrder::new(), &jobs, &Context::default());
        assert_eq!(order(outcomes[0].as_ref().unwrap()), ["b", "c", "a"]);
        assert!(outcomes[1].as_ref().unwrap().ranking.is_empty());
    }

    #[test]
    fn a_candidate_given_twice_is_an_error() {
        let jobs = [job("x", &[("a", ""), ("a", "")])];
        let outcome = outcomes(&FirstStageOrder::new(), &jobs, &Context::default()).remove(0);
        let error = outcome.unwrap_err().error;
        assert!(matches!(error, RerankError::Ranking(RankingError::Duplicate(_))), "{error}");
    }

    #[test]
    fn a_cancelled_job_is_reported_as_stopped() {
        let context = Context::default();
        context.cancel.set();
        let jobs = [job("x", &[]), job("x", &[])];
        for outcome in outcomes(&FirstStageOrder::new(), &jobs, &context) {
            assert!(matches!(outcome.unwrap_err().error, RerankError::Stopped(_)));
        }
    }
}
