use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secondpass_core::{Job, QueryId, Ranking, Reranked, Run, TruncationAudit, Usage};

use crate::latency::Sample;

/// What one pass made of its queries.
pub(super) struct Collected {
    /// The rankings; failed queries have none.
    pub run: Run,
    /// What each answered query took.
    pub queries: BTreeMap<QueryId, Consumed>,
    /// Why the others failed.
    pub failures: BTreeMap<QueryId, String>,
    /// What was consumed, by failed queries too, the warm-up excepted.
    pub usage: Usage,
    /// What was cut; `None` when any answer did not tell.
    pub truncation: Option<TruncationAudit>,
    /// One a timed query and repetition.
    pub samples: Vec<Sample>,
    /// Queries whose scores came from the cache.
    pub cached: usize,
    /// Queries whose order differed when they were asked again.
    pub unstable: BTreeSet<QueryId>,
}

/// What one answered query took.
pub(super) struct Consumed {
    /// Wall-clock time; `None` where it was not measured.
    pub seconds: Option<f64>,
    /// Tokens computed.
    pub tokens: u64,
    /// Pairs cut; `None` where unknown.
    pub pairs_cut: Option<u64>,
    /// Whether the scores came from the cache.
    pub cached: bool,
}

/// What became of one query.
pub(super) enum Given {
    /// It was reranked now, or by an earlier start of this run; with the wall-clock time in seconds
    /// where that was measured.
    Live(Reranked, Option<f64>),
    /// The cache had it.
    Cached(Reranked),
    /// It failed, and consumed this all the same.
    Failed(String, Usage),
}

impl Collected {
    /// Nothing yet, of this system.
    pub(super) fn new(system: &str) -> Self {
        Self {
            run: Run::new(system),
            queries: BTreeMap::new(),
            failures: BTreeMap::new(),
            usage: Usage::default(),
            truncation: Some(TruncationAudit::default()),
            samples: Vec::new(),
            cached: 0,
            unstable: BTreeSet::new(),
        }
    }

    /// Notes what became of one query.
    pub(super) fn note(&mut self, job: &Job, given: Given) {
        let query = job.query.id.clone();
        let (reranked, seconds, cached) = match given {
            Given::Live(reranked, seconds) => (reranked, seconds, false),
            Given::Cached(reranked) => (reranked, None, true),
            Given::Failed(reason, usage) => {
                self.usage += usage;
                self.failures.insert(query, reason);
                return;
            }
        };
        let Usage { pairs, tokens, .. } = reranked.usage;
        self.usage += reranked.usage;
        self.cached += usize::from(cached);
        match (&mut self.truncation, &reranked.truncation) {
            (Some(audit), Some(part)) => audit.merge(part),
            (audit, _) => *audit = None,
        }
        // A time that no clock can show was not measured.
        let elapsed = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        self.samples.extend(elapsed.map(|elapsed| Sample {
            elapsed,
            candidates: job.candidates.len(),
            pairs,
            tokens,
        }));
        let pairs_cut = reranked.truncation.map(|part| part.pairs_cut as u64);
        self.queries.insert(query.clone(), Consumed { seconds, tokens, pairs_cut, cached });
        self.run.rankings.insert(query, reranked.ranking);
    }

    /// Where no query was answered there is no audit.
    pub(super) fn finish(mut self) -> Self {
        self.truncation = self.truncation.filter(|_| !self.queries.is_empty());
        self
    }

    /// Adds the times of a repetition. Quality and usage stay those of the first pass; a query whose
    /// order differs is noted.
    pub(super) fn repeat(&mut self, again: Self) {
        self.samples.extend(again.samples);
        for (query, ranking) in &self.run.rankings {
            let differs = match again.run.rankings.get(query) {
                Some(other) => !same_order(ranking, other),
                None => again.failures.contains_key(query),
            };
            if differs {
                self.unstable.insert(query.clone());
            }
        }
    }

    /// Queries that were reranked, and not found in the cache.
    pub(super) fn live(&self) -> BTreeSet<QueryId> {
        let live = self.queries.iter().filter(|(_, consumed)| !consumed.cached);
        live.map(|(query, _)| query.clone()).collect()
    }
}

/// Whether both rankings hold the same documents in the same order, whatever their scores.
pub(super) fn same_order(a: &Ranking, b: &Ranking) -> bool {
    a.documents().eq(b.documents())
}
