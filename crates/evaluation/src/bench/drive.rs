//! Puts a load on a reranker and notes what became of every query.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secondpass_core::{Context, Job, RerankError, Reranker};

use super::clock::Clock;
use super::error::BenchError;
use super::load::{Extent, Load};
use super::sample::Sample;

/// How long a worker sleeps before it looks whether it should stop.
const LOOK: Duration = Duration::from_millis(200);

/// What is measured, and with which clock.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// What is asked.
    pub reranker: &'a dyn Reranker,
    /// What it is asked: one after another, and from the beginning again.
    pub jobs: &'a [Job],
    /// The time.
    pub clock: &'a dyn Clock,
    /// Stops the measurement from outside.
    pub context: &'a Context,
}

/// What a load showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Driven {
    /// One a query, in the order in which they were to be asked.
    pub samples: Vec<Sample>,
    /// Why the load ended before its extent was through.
    pub cut_short: Option<CutShort>,
}

/// Why a load ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutShort {
    /// By the user or by the deadline.
    Stopped,
    /// A query had waited for longer than [`Extent::patience`].
    Overloaded,
    /// The reranker will answer no later query either; why.
    Unavailable(String),
}

impl fmt::Display for CutShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "stopped",
            Self::Overloaded => "more queries arrive than are answered",
            Self::Unavailable(why) => why,
        })
    }
}

/// Asks the jobs from place `first` on under a load. Every worker takes the next query, waits until
/// it is to be asked and asks it: queries are asked in order, each as soon as a worker is free.
///
/// # Errors
/// No jobs; a load that cannot be put on.
pub fn drive(
    subject: Subject<'_>,
    load: &Load,
    extent: &Extent,
    first: usize,
) -> Result<Driven, BenchError> {
    load.check()?;
    if subject.jobs.is_empty() {
        return Err(BenchError::NoJobs);
    }
    let run = Run {
        subject,
        extent,
        first,
        begin: subject.clock.now(),
        schedule: load.schedule(extent),
        next: AtomicUsize::new(0),
        over: AtomicBool::new(false),
        cut_short: Mutex::new(None),
    };
    let samples = Mutex::new(Vec::new());
    subject.clock.run(load.workers(), &|_| {
        let mut own = run.work();
        samples.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
    });
    let mut samples = samples.into_inner().unwrap_or_else(PoisonError::into_inner);
    samples.sort_unstable_by_key(|(place, _)| *place);
    Ok(Driven {
        samples: samples.into_iter().map(|(_, sample)| sample).collect(),
        cut_short: run.cut_short.into_inner().unwrap_or_else(PoisonError::into_inner),
    })
}

struct Run<'a> {
    subject: Subject<'a>,
    extent: &'a Extent,
    first: usize,
    begin: Duration,
    schedule: Option<Vec<Duration>>,
    next: AtomicUsize,
    over: AtomicBool,
    cut_short: Mutex<Option<CutShort>>,
}

impl Run<'_> {
    /// One worker's queries, each with its place.
    fn work(&self) -> Vec<(usize, Sample)> {
        let mut samples = Vec::new();
        while let Some((place, intended, late)) = self.next() {
            let job = (self.first + place) % self.subject.jobs.len();
            let sample = Sample { job, late, ..self.ask(&self.subject.jobs[job], intended) };
            samples.push((place, sample));
        }
        samples
    }

    /// Takes the next query and waits for its moment: its place, that moment, and by how much a
    /// worker that had waited missed it. `None` when the load is over.
    fn next(&self) -> Option<(usize, Option<Duration>, Duration)> {
        if self.is_over() {
            return None;
        }
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(schedule) = &self.schedule else {
            let in_time = self.extent.at_most.is_none_or(|at_most| self.now() < at_most);
            return (place < self.extent.queries && in_time).then_some((
                place,
                None,
                Duration::ZERO,
            ));
        };
        let intended = *schedule.get(place)?;
        let free = self.now();
        if free < intended {
            while self.now() < intended {
                let look = self.now().saturating_add(LOOK).min(intended);
                self.subject.clock.sleep_until(self.begin.saturating_add(look));
                if self.is_over() {
                    return None;
                }
            }
            return Some((place, Some(intended), self.now() - intended));
        }
        if self.extent.patience.is_some_and(|patience| free - intended > patience) {
            self.end(CutShort::Overloaded);
            return None;
        }
        Some((place, Some(intended), Duration::ZERO))
    }

    fn ask(&self, job: &Job, intended: Option<Duration>) -> Sample {
        let mut answer = None;
        let start = self.now();
        self.subject.reranker.rerank_many(
            std::slice::from_ref(job),
            self.subject.context,
            &mut |_, result| answer = Some((self.now(), result)),
        );
        let mut sample = Sample {
            candidates: job.candidates.len(),
            intended: intended.unwrap_or(start),
            start,
            end: self.now(),
            ..Sample::default()
        };
        match answer {
            Some((end, Ok(reranked))) => {
                sample.end = end;
                sample.pairs = reranked.usage.pairs;
                sample.tokens = reranked.usage.tokens;
                sample.timings = reranked.timings;
                sample.live = reranked.origin.is_live();
                let (given, all) = (reranked.ranking.len(), job.candidates.len());
                sample.failure = (given != all)
                    .then(|| format!("the reranker gave {given} of {all} candidates back"));
            }
            Some((end, Err(failed))) => {
                sample.end = end;
                sample.failure = Some(failed.error.to_string());
                match failed.error {
                    RerankError::Unavailable { .. } => {
                        self.end(CutShort::Unavailable(failed.error.to_string()));
                    }
                    RerankError::Stopped(_) => self.end(CutShort::Stopped),
                    _ => {}
                }
            }
            None => sample.failure = Some("the reranker ended without an answer".to_owned()),
        }
        sample
    }

    fn now(&self) -> Duration {
        self.subject.clock.now().saturating_sub(self.begin)
    }

    fn is_over(&self) -> bool {
        if self.subject.context.is_over() {
            self.end(CutShort::Stopped);
        }
        self.over.load(Ordering::Relaxed)
    }

    /// The first reason counts.
    fn end(&self, why: CutShort) {
        self.over.store(true, Ordering::Relaxed);
        self.cut_short.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }
}
