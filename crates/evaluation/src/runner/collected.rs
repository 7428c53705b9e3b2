use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secondpass_core::{Origin, QueryId, Ranking, Reranked, Run, TruncationAudit, Usage};

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
    /// What is not live among the answers (see [`note_origin`]); `None` where all are.
    pub origin: Option<Origin>,
    /// Why the reranker was asked no more; later passes of it are not worth a try.
    pub given_up: Option<GivenUp>,
}

/// A reranker that said it would answer no later query either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GivenUp {
    /// The place of its query in the pass.
    pub place: usize,
    /// The query that it failed on.
    pub query: QueryId,
    /// What was wrong.
    pub reason: String,
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
    /// Candidates it was given.
    pub candidates: usize,
    /// Units billed for it, or that would be for scores from the cache; `None` where nobody bills.
    pub units: Option<u64>,
}

/// What became of one query.
pub(super) enum Given {
    /// It was reranked now, or by an earlier start of this run; with the wall-clock time in seconds
    /// where that was measured.
    Live(Reranked, Option<f64>),
    /// The cache had it; what it would be billed.
    Cached(Reranked, Option<u64>),
    /// It failed, and consumed this all the same.
    Failed(String, Usage),
    /// It was not asked: the reranker had been given up.
    NotAsked,
}

/// What became of which query.
pub(super) struct Note {
    /// The query's place in its pass.
    pub place: usize,
    pub query: QueryId,
    /// How many it has.
    pub candidates: usize,
    pub given: Given,
    /// Whether the cache has another order.
    pub unstable: bool,
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
            origin: None,
            given_up: None,
        }
    }

    /// Notes what became of the queries, in their order: nothing depends on which was back first.
    pub(super) fn all(&mut self, mut notes: Vec<Note>, given_up: Option<GivenUp>) {
        notes.sort_by_key(|note| note.place);
        self.given_up = given_up;
        notes.into_iter().for_each(|note| self.note(note));
    }

    fn note(&mut self, note: Note) {
        let Note { query, candidates, given, unstable, .. } = note;
        if unstable {
            self.unstable.insert(query.clone());
        }
        let (reranked, seconds, cached, units) = match given {
            Given::Live(reranked, seconds) => {
                let billed = reranked.usage.billed;
                let units = (!billed.is_nothing()).then(|| billed.units());
                (reranked, seconds, false, units)
            }
            Given::Cached(reranked, units) => (reranked, None, true, units),
            Given::Failed(reason, usage) => {
                self.usage += usage;
                self.failures.insert(query, reason);
                return;
            }
            Given::NotAsked => {
                self.failures.insert(query, self.not_asked());
                return;
            }
        };
        note_origin(&mut self.origin, &reranked.origin);
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
            candidates,
            pairs,
            tokens,
            timings: reranked.timings,
        }));
        let pairs_cut = reranked.truncation.map(|part| part.pairs_cut as u64);
        let consumed = Consumed { seconds, tokens, pairs_cut, cached, candidates, units };
        self.queries.insert(query.clone(), consumed);
        self.run.rankings.insert(query, reranked.ranking);
    }

    fn not_asked(&self) -> String {
        match &self.given_up {
            Some(GivenUp { query, reason, .. }) => {
                format!("not asked: {} was given up after query '{query}': {reason}", self.run.name)
            }
            None => format!("not asked: {} was given up", self.run.name),
        }
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
                // Failures of a provider that is gone say nothing about its orders.
                None => again.given_up.is_none() && again.failures.contains_key(query),
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

/// Keeps of several origins the one that says most of what a system's figures are worth: one made-up
/// answer makes all of them made up; otherwise the first that is not live.
pub(super) fn note_origin(known: &mut Option<Origin>, origin: &Origin) {
    match (&known, origin) {
        (_, Origin::Live) | (Some(_), Origin::Replay { .. }) => {}
        (None, _) | (_, Origin::Mock) => *known = Some(origin.clone()),
    }
}

/// Whether both rankings hold the same documents in the same order, whatever their scores.
pub(super) fn same_order(a: &Ranking, b: &Ranking) -> bool {
    a.documents().eq(b.documents())
}
