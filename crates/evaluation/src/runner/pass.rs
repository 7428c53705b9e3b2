use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use secondpass_core::{
    ContentHash, Context, Failed, Hasher, Job, Query, QueryId, RerankError, Reranked, Reranker,
    Run, Usage,
};

use super::collected::{Collected, Given, same_order};
use super::error::RunError;
use super::jobs::{evenly_spaced, other_documents};
use super::notice::Notice;
use super::plan::{Plan, Progress};
use crate::answer::Answer;
use crate::cache::Shelf;
use crate::journal::{Call, Journal};
use crate::keys;

/// One system over its queries at one depth, length and repetition.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub system: &'a str,
    /// What is special about it; empty for a system's first pass.
    pub label: &'a str,
    pub reranker: &'a dyn Reranker,
    /// Candidates a query at most.
    pub depth: usize,
    /// Only these; `None` for all.
    pub queries: Option<&'a BTreeSet<QueryId>>,
    pub kind: Kind,
}

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Quality and time: scores that the cache has are taken from there, but for some queries that
    /// are timed.
    Measured,
    /// Time above all: every query runs.
    Timed,
    /// Quality of something that costs nothing and is neither timed nor kept (the oracle).
    Free,
}

/// Takes the passes of one experiment.
pub(super) struct Runner<'a, 'b> {
    plan: &'a Plan<'a>,
    candidates: &'a Run,
    context: &'a Context,
    progress: &'b mut dyn FnMut(Progress<'_>),
    /// Queries that are timed even where quality is known.
    timed: BTreeSet<QueryId>,
    number: usize,
    passes: usize,
    /// What was noticed on the way.
    pub notices: Vec<Notice>,
}

impl<'a, 'b> Runner<'a, 'b> {
    pub(super) fn new(
        plan: &'a Plan<'a>,
        candidates: &'a Run,
        passes: usize,
        context: &'a Context,
        progress: &'b mut dyn FnMut(Progress<'_>),
    ) -> Self {
        let timed = evenly_spaced(plan.dataset, candidates, plan.sweep.timed_queries);
        Self { plan, candidates, context, progress, timed, number: 0, passes, notices: Vec::new() }
    }

    /// The queries that are timed even where quality is known.
    pub(super) fn timed(&self) -> &BTreeSet<QueryId> {
        &self.timed
    }

    /// Reranks the candidates of every query, one query at a time. Queries without candidates are
    /// not sent. The first query that runs does so once more before the clock starts, as a warm-up
    /// that counts for nothing.
    pub(super) fn pass(&mut self, pass: &Pass<'_>) -> Result<Collected, RunError> {
        self.number += 1;
        let is_wanted =
            |query: &&Query| pass.queries.is_none_or(|queries| queries.contains(&query.id));
        let queries: Vec<&Query> = self.plan.dataset.queries().iter().filter(is_wanted).collect();
        let mut asked = Asked {
            pass,
            context: self.context,
            journal: self.plan.journal.filter(|_| pass.kind != Kind::Free),
            shelf: self.shelf(pass),
            timed: &self.timed,
            is_warm: pass.kind == Kind::Free,
            trouble: None,
        };
        let mut collected = Collected::new(pass.system);
        let mut step = Progress {
            system: pass.system,
            pass: pass.label,
            done: 0,
            reused: 0,
            queries: queries.len(),
            number: self.number,
            passes: self.passes,
        };
        (self.progress)(step);
        for query in queries {
            let job = Job::new(self.plan.dataset, query, self.candidates, pass.depth);
            let reused = match job.candidates.is_empty() {
                true => true,
                false => asked.ask(&job, &mut collected)?.ok_or_else(|| RunError::Stopped {
                    system: pass.system.to_owned(),
                    done: step.done,
                    queries: step.queries,
                    kept: self.plan.journal.is_some(),
                })?,
            };
            step.done += 1;
            step.reused += usize::from(reused);
            (self.progress)(step);
        }
        let trouble = asked.trouble.take();
        self.notices.extend(trouble.map(|problem| Notice::Cache { problem }));
        Ok(collected.finish())
    }

    fn shelf(&mut self, pass: &Pass<'_>) -> Option<Shelf> {
        let cache = self.plan.cache.filter(|_| pass.kind == Kind::Measured)?;
        let shelf = cache.shelf(pass.reranker.identity());
        shelf.unwrap_or_else(|error| {
            self.notices.push(Notice::Cache { problem: error.to_string() });
            None
        })
    }
}

/// Where answers come from: the journal, the cache, or the reranker.
struct Asked<'a> {
    pass: &'a Pass<'a>,
    context: &'a Context,
    journal: Option<&'a Journal>,
    shelf: Option<Shelf>,
    timed: &'a BTreeSet<QueryId>,
    is_warm: bool,
    /// Why scores could no longer be put into the cache.
    trouble: Option<String>,
}

impl Asked<'_> {
    /// Notes what became of one query; whether that took no work now, or `None` when it is time to
    /// stop.
    fn ask(&mut self, job: &Job, collected: &mut Collected) -> Result<Option<bool>, RunError> {
        let call = Call {
            key: key(self.pass, job, self.journal),
            system: self.pass.system,
            pass: self.pass.label,
            query: &job.query.id,
        };
        if let Some(kept) = self.journal.and_then(|journal| journal.take(&call.key)) {
            collected.usage += kept.spent;
            let answer = kept.answer.and_then(|(answer, seconds)| {
                // What does not fit its candidates is asked for again.
                Some((answer.reranked(job)?, seconds))
            });
            if let Some((reranked, seconds)) = answer {
                collected.note(job, Given::Live(reranked, seconds));
                return Ok(Some(true));
            }
        }
        let cached = self.shelf.as_ref().and_then(|shelf| shelf.get(job));
        let cached = match cached {
            Some(cached) if !self.timed.contains(&job.query.id) => {
                collected.note(job, Given::Cached(cached));
                return Ok(Some(true));
            }
            cached => cached,
        };
        let Some(given) = self.run(job, &call)? else { return Ok(None) };
        if let (Some(cached), Given::Live(reranked, _)) = (cached, &given)
            && !same_order(&cached.ranking, &reranked.ranking)
        {
            collected.unstable.insert(job.query.id.clone());
        }
        collected.note(job, given);
        Ok(Some(false))
    }

    /// Reranks one query now; `None` when it is time to stop.
    fn run(&mut self, job: &Job, call: &Call<'_>) -> Result<Option<Given>, RunError> {
        if !self.is_warm && !self.context.is_over() {
            let _ = self.rerank(job);
            self.is_warm = true;
        }
        if self.context.is_over() {
            return Ok(None);
        }
        if let Some(journal) = self.journal {
            journal.begin(call, None)?;
        }
        let (answer, elapsed) = self.rerank(job);
        if self.context.is_over() && is_stop(&answer) {
            return Ok(None);
        }
        let given = match answer {
            None => Given::Failed("the reranker gave no answer".to_owned(), Usage::default()),
            Some(Err(failed)) => Given::Failed(failed.error.to_string(), failed.usage),
            Some(Ok(reranked)) => match other_documents(job, &reranked.ranking) {
                Some(reason) => Given::Failed(reason, reranked.usage),
                None => {
                    let is_timed = self.pass.kind != Kind::Free;
                    Given::Live(reranked, is_timed.then_some(elapsed.as_secs_f64()))
                }
            },
        };
        self.keep(job, call, &given)?;
        Ok(Some(given))
    }

    /// In the journal before the query counts as finished, then in the cache.
    fn keep(&mut self, job: &Job, call: &Call<'_>, given: &Given) -> Result<(), RunError> {
        let (reranked, seconds) = match given {
            Given::Live(reranked, seconds) => (reranked, *seconds),
            Given::Failed(reason, usage) => {
                if let Some(journal) = self.journal {
                    journal.failed(call, reason, *usage)?;
                }
                return Ok(());
            }
            Given::Cached(_) => return Ok(()),
        };
        if self.journal.is_none() && self.shelf.is_none() {
            return Ok(());
        }
        let Some(answer) = Answer::new(job, reranked) else { return Ok(()) };
        // The journal first: a query that is in the cache and not in the journal would count as
        // cached when a killed run goes on.
        if let Some(journal) = self.journal {
            journal.answered(call, &answer, seconds)?;
        }
        if let Some(shelf) = &self.shelf
            && self.trouble.is_none()
        {
            self.trouble = shelf.put(job, &answer).err().map(|error| error.to_string());
        }
        Ok(())
    }

    fn rerank(&self, job: &Job) -> (Option<Result<Reranked, Failed>>, Duration) {
        let mut answer = None;
        let jobs = std::slice::from_ref(job);
        let start = Instant::now();
        self.pass.reranker.rerank_many(jobs, self.context, &mut |_, result| answer = Some(result));
        (answer, start.elapsed())
    }
}

/// What decides an answer: who is asked, in which pass, with what.
fn key(pass: &Pass<'_>, job: &Job, journal: Option<&Journal>) -> ContentHash {
    let mut hasher = Hasher::new();
    // Hashing texts is work; nobody looks without a journal.
    if journal.is_some() {
        hasher.field(pass.system).field(pass.label);
        hasher.field(keys::quality(pass.reranker.identity()).as_str());
        hasher.field(keys::job(job).as_str());
    }
    hasher.finish()
}

fn is_stop(answer: &Option<Result<Reranked, Failed>>) -> bool {
    match answer {
        None => true,
        Some(Err(failed)) => matches!(failed.error, RerankError::Stopped(_)),
        Some(Ok(_)) => false,
    }
}
