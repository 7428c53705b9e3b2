use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use secondpass_core::{
    Context, DocId, Job, Origin, Ranking, RankingError, Reranked, Timings, Usage,
};
use secondpass_http::{Client, ErrorKind, GaveUp, HttpError};

use super::billing::Billing;
use super::call::{self, Answered};
use super::split::{Part, Split};

/// Calls of one job at the same time at most: more save no time with any provider's limits, and a
/// job of thousands of candidates must not make thousands of threads.
const AT_ONCE: usize = 32;

/// A job that was not reranked, and what it had consumed.
pub(super) struct Lost {
    pub error: LostBy,
    pub usage: Usage,
}

/// Why a job was not reranked.
pub(super) enum LostBy {
    /// The user or the deadline stopped it.
    Stop,
    /// A call failed.
    Http(HttpError),
    /// The scores make no ranking.
    Ranking(RankingError),
}

type Outcome = Result<Answered, call::Lost>;

/// Whether the candidates can make a ranking at all.
pub(super) fn checked(job: &Job) -> Result<(), RankingError> {
    Ranking::with_unscored([], documents(job)).map(drop)
}

/// Sends all calls of a job and makes one result of their answers. Once a call has failed, those
/// that have not begun are not sent; those under way are awaited, and everything is counted.
pub(super) fn rerank(
    job: &Job,
    split: &Split<'_>,
    billing: Billing<'_>,
    client: &Client,
    context: &Context,
) -> Result<Reranked, Lost> {
    let parts: Vec<Part<'_>> = split.parts().collect();
    let outcomes = send(&parts, billing, client, context);
    let mut usage = Usage::default();
    let mut scores = Vec::with_capacity(job.candidates.len());
    let mut timings = Timings::default();
    let mut origin = Origin::Live;
    let mut lost: Option<LostBy> = None;
    for outcome in outcomes {
        match outcome {
            Ok(answered) => {
                usage += answered.usage;
                scores.extend(answered.scores);
                // They ran side by side: the longest is what the job waited for.
                if answered.timings.total() > timings.total() {
                    timings = answered.timings;
                }
                origin = merged(origin, answered.origin);
            }
            Err(call::Lost { error, usage: consumed }) => {
                usage += consumed;
                let error = lost_by(error, context);
                if lost.as_ref().is_none_or(|known| error.gravity() > known.gravity()) {
                    lost = Some(error);
                }
            }
        }
    }
    if let Some(error) = lost {
        return Err(Lost { error, usage });
    }
    let ranking = Ranking::from_scores(documents(job).zip(scores))
        .map_err(|error| Lost { error: LostBy::Ranking(error), usage })?;
    Ok(Reranked { ranking, usage, timings, truncation: split.truncation(), origin })
}

impl LostBy {
    /// Of several failures the gravest is told: one that is final for the provider, then any of the
    /// provider's own, then that we stopped.
    fn gravity(&self) -> u8 {
        match self {
            Self::Http(error) if error.is_final() => 2,
            Self::Http(_) | Self::Ranking(_) => 1,
            Self::Stop => 0,
        }
    }
}

/// The outcomes of all calls that went out, in the order of the parts.
fn send(
    parts: &[Part<'_>],
    billing: Billing<'_>,
    client: &Client,
    context: &Context,
) -> Vec<Outcome> {
    let started = Instant::now();
    let outcomes: Mutex<Vec<(usize, Outcome)>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(index) else { return };
            let outcome = call::send(part, started, billing, client, context);
            failed.fetch_or(outcome.is_err(), Ordering::Relaxed);
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((index, outcome));
        }
    };
    thread::scope(|scope| {
        for _ in 1..parts.len().min(AT_ONCE) {
            // Where the system has no more threads, those that there are do the work.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn documents(job: &Job) -> impl Iterator<Item = DocId> {
    job.candidates.iter().map(|candidate| candidate.document.id.clone())
}

fn lost_by(error: HttpError, context: &Context) -> LostBy {
    let no_time = matches!(error.kind(), ErrorKind::Timeout | ErrorKind::NoTime)
        || error.gave_up() == GaveUp::NoTime;
    let stopped = *error.kind() == ErrorKind::Stopped || error.gave_up() == GaveUp::Stopped;
    match stopped || (no_time && context.is_over()) {
        true => LostBy::Stop,
        false => LostBy::Http(error),
    }
}

/// One made-up answer makes the whole made up, and one recorded answer a replay, as old as its
/// oldest.
fn merged(one: Origin, other: Origin) -> Origin {
    match (one, other) {
        (Origin::Mock, _) | (_, Origin::Mock) => Origin::Mock,
        (Origin::Replay { recorded: a }, Origin::Replay { recorded: b }) => {
            Origin::Replay { recorded: a.min(b) }
        }
        (replay @ Origin::Replay { .. }, Origin::Live) => replay,
        (Origin::Live, other) => other,
    }
}
