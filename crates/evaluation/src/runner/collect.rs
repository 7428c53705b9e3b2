use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use secondpass_core::{
    Candidate, Context, Dataset, DocId, Failed, Job, Query, QueryId, Ranking, RerankError,
    Reranked, Run, TruncationAudit, Usage,
};

use super::{Contender, Progress, RunError};
use crate::latency::Sample;

/// What one system made of all queries.
pub(super) struct Collected {
    /// Its rankings; failed queries have none.
    pub run: Run,
    /// What each answered query took.
    pub queries: BTreeMap<QueryId, Consumed>,
    /// Why the others failed.
    pub failures: BTreeMap<QueryId, String>,
    /// What was consumed, by failed queries too, the warm-up excepted.
    pub usage: Usage,
    /// What was cut; `None` when any answer did not tell.
    pub truncation: Option<TruncationAudit>,
    /// One a timed query.
    pub samples: Vec<Sample>,
}

/// What one answered query took.
pub(super) struct Consumed {
    /// Wall-clock time; `None` where it was not measured.
    pub seconds: Option<f64>,
    /// Tokens computed.
    pub tokens: u64,
    /// Pairs cut; `None` where unknown.
    pub pairs_cut: Option<u64>,
}

impl Collected {
    /// The candidates as they came.
    pub(super) fn untouched(candidates: &Run) -> Self {
        Self {
            run: candidates.clone(),
            queries: BTreeMap::new(),
            failures: BTreeMap::new(),
            usage: Usage::default(),
            truncation: None,
            samples: Vec::new(),
        }
    }
}

/// Reranks every query's candidates, one query at a time. Queries without candidates are not sent.
pub(super) fn collect(
    dataset: &Dataset,
    candidates: &Run,
    contender: Contender<'_>,
    timed: bool,
    context: &Context,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Collected, RunError> {
    let queries = dataset.queries().len();
    let mut collected = Collected::untouched(&Run::new(contender.name));
    let mut audit = Some(TruncationAudit::default());
    let mut is_warm = !timed;
    progress(step(contender.name, 0, queries));
    for (done, query) in dataset.queries().iter().enumerate() {
        let stopped =
            || RunError::Stopped { system: contender.name.to_owned(), done, queries, kept: false };
        let job = job(dataset, query, candidates);
        if !job.candidates.is_empty() {
            if !is_warm && !context.is_over() {
                let _ = rerank(contender, &job, context);
                is_warm = true;
            }
            if context.is_over() {
                return Err(stopped());
            }
            let (answer, elapsed) = rerank(contender, &job, context);
            if context.is_over() && is_stop(&answer) {
                return Err(stopped());
            }
            collected.note(&job, answer, timed.then_some(elapsed), &mut audit);
        }
        progress(step(contender.name, done + 1, queries));
    }
    collected.truncation = audit.filter(|_| !collected.queries.is_empty());
    Ok(collected)
}

impl Collected {
    fn note(
        &mut self,
        job: &Job,
        answer: Option<Result<Reranked, Failed>>,
        elapsed: Option<Duration>,
        audit: &mut Option<TruncationAudit>,
    ) {
        let id = job.query.id.clone();
        let reranked = match answer {
            None => {
                self.failures.insert(id, "the reranker gave no answer".to_owned());
                return;
            }
            Some(Err(failed)) => {
                self.usage += failed.usage;
                self.failures.insert(id, failed.error.to_string());
                return;
            }
            Some(Ok(reranked)) => reranked,
        };
        self.usage += reranked.usage;
        if let Some(reason) = other_documents(job, &reranked.ranking) {
            self.failures.insert(id, reason);
            return;
        }
        match (audit.as_mut(), &reranked.truncation) {
            (Some(audit), Some(part)) => audit.merge(part),
            _ => *audit = None,
        }
        let Usage { pairs, tokens } = reranked.usage;
        self.samples.extend(elapsed.map(|elapsed| Sample {
            elapsed,
            candidates: job.candidates.len(),
            pairs,
            tokens,
        }));
        let pairs_cut = reranked.truncation.map(|part| part.pairs_cut as u64);
        let seconds = elapsed.map(|elapsed| elapsed.as_secs_f64());
        self.queries.insert(id.clone(), Consumed { seconds, tokens, pairs_cut });
        self.run.rankings.insert(id, reranked.ranking);
    }
}

fn job(dataset: &Dataset, query: &Query, candidates: &Run) -> Job {
    let ranked = candidates.rankings.get(&query.id).map_or(&[][..], Ranking::ranked);
    let candidates = (1..).zip(ranked).filter_map(|(rank, ranked)| {
        let document = dataset.corpus().get(&ranked.document)?.clone();
        // Unscored candidates stand below all scored ones.
        Some(Candidate { document, score: ranked.score.unwrap_or(f64::NEG_INFINITY), rank })
    });
    Job { query: query.clone(), candidates: candidates.collect() }
}

fn rerank(
    contender: Contender<'_>,
    job: &Job,
    context: &Context,
) -> (Option<Result<Reranked, Failed>>, Duration) {
    let mut answer = None;
    let start = Instant::now();
    contender
        .reranker
        .rerank_many(std::slice::from_ref(job), context, &mut |_, result| answer = Some(result));
    (answer, start.elapsed())
}

fn is_stop(answer: &Option<Result<Reranked, Failed>>) -> bool {
    match answer {
        None => true,
        Some(Err(failed)) => matches!(failed.error, RerankError::Stopped(_)),
        Some(Ok(_)) => false,
    }
}

/// What is wrong with a ranking that does not hold exactly the job's candidates.
fn other_documents(job: &Job, ranking: &Ranking) -> Option<String> {
    let given: HashSet<&DocId> =
        job.candidates.iter().map(|candidate| &candidate.document.id).collect();
    if let Some(stranger) = ranking.documents().find(|id| !given.contains(id)) {
        return Some(format!("the reranker gave document '{stranger}', which is no candidate"));
    }
    (ranking.len() != given.len()).then(|| {
        let (returned, all) = (ranking.len(), given.len());
        format!("the reranker gave {returned} of {all} candidates back")
    })
}

fn step(system: &str, done: usize, queries: usize) -> Progress<'_> {
    Progress { system, pass: "", done, reused: 0, queries, number: 1, passes: 1 }
}
