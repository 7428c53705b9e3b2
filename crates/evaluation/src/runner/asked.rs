//! One pass's queries: where their answers are found, and how a reranker is asked for the others.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use secondpass_core::{
    Billed, ContentHash, Context, Failed, Hasher, Job, Origin, OverBudget, QueryId, Ranking,
    RerankError, Reranked, Reservation, Usage,
};

use super::collected::{Given, GivenUp, Note, same_order};
use super::error::RunError;
use super::jobs::other_documents;
use super::pass::{Kind, Pass};
use crate::answer::Answer;
use crate::cache::Shelf;
use crate::journal::{Call, Journal, Kept};
use crate::keys;

/// Where a pass's answers come from: the journal, the cache, or the reranker. Many threads may send
/// at a time.
pub(super) struct Asked<'a> {
    pub pass: &'a Pass<'a>,
    pub context: &'a Context,
    pub journal: Option<&'a Journal>,
    pub shelf: Option<Shelf>,
    /// Queries that are timed even where quality is known.
    pub timed: &'a BTreeSet<QueryId>,
    /// Why scores could no longer be put into the cache.
    pub trouble: Mutex<Option<String>>,
}

/// What is known of a query before anyone is asked.
pub(super) enum Found {
    /// All that there is to know.
    Given(Box<Given>),
    /// It has to run; the cache's ranking, where it has one, to compare with.
    Missing(Option<Ranking>),
}

/// A query on its way to the reranker.
pub(super) struct Ticket {
    /// Its place in the pass.
    pub place: usize,
    pub job: Job,
    pub key: ContentHash,
    /// The cache's ranking of it.
    pub known: Option<Ranking>,
    /// The most it may cost in US dollars, set aside; `None` where nobody bills it or no price is
    /// known.
    pub most: Option<(f64, Reservation)>,
    /// Whether its time counts.
    pub timed: bool,
}

/// A query that is back from the reranker.
pub(super) struct Back {
    /// What became of it; `None` where it was stopped.
    pub note: Option<Note>,
    /// What it was billed.
    pub billed: Billed,
    /// Why nothing more should be sent.
    pub end: Option<End>,
}

/// Why a pass sends nothing more.
pub(super) enum End {
    /// The user or the deadline.
    Stopped,
    /// The next call could pass the limit on costs.
    OverBudget(OverBudget),
    /// The reranker will answer no later query either.
    GivenUp(GivenUp),
    /// What is finished can no longer be kept.
    Broken(RunError),
}

impl Asked<'_> {
    /// Looks a query up, given what the journal kept of it.
    pub(super) fn find(&self, job: &Job, kept: Option<Kept>) -> Found {
        if let Some((answer, seconds)) = kept.and_then(|kept| kept.answer)
            // What does not fit its candidates is asked for again.
            && let Some(reranked) = answer.reranked(job)
        {
            return Found::Given(Box::new(Given::Live(reranked, seconds)));
        }
        match self.shelf.as_ref().and_then(|shelf| shelf.get(job)) {
            Some(cached) if !self.timed.contains(&job.query.id) => {
                let quote = self.pass.reranker.quote(job);
                let units = quote.map(|quote| quote.units);
                Found::Given(Box::new(Given::Cached(cached, units)))
            }
            cached => Found::Missing(cached.map(|cached| cached.ranking)),
        }
    }

    /// What decides an answer: who is asked, in which pass, with what.
    pub(super) fn key(&self, job: &Job) -> ContentHash {
        let mut hasher = Hasher::new();
        // Hashing texts is work; nobody looks without a journal.
        if self.journal.is_some() {
            hasher.field(self.pass.system).field(&self.pass.label);
            hasher.field(keys::quality(self.pass.reranker.identity()).as_str());
            hasher.field(keys::job(job).as_str());
            if self.pass.replayed {
                // The live provider is asked again where a recording was played before.
                hasher.field("replayed");
            }
        }
        hasher.finish()
    }

    /// The most that a query may cost, in US dollars; `None` where nobody bills it or no price is
    /// known.
    pub(super) fn most(&self, job: &Job) -> Option<f64> {
        let tariff = self.pass.tariff.filter(|tariff| tariff.price.is_some())?;
        tariff.cost(self.pass.reranker.quote(job)?.most)
    }

    /// The most units that a query may be billed, to be kept with the call; `None` where nobody bills
    /// it, or nothing is kept.
    fn most_units(&self, job: &Job) -> Option<u64> {
        self.journal.and(self.pass.tariff)?;
        Some(self.pass.reranker.quote(job)?.most)
    }

    /// Runs a query that counts for nothing.
    pub(super) fn warm_up(&self, job: &Job) {
        let _ = self.rerank(job);
    }

    /// Asks the reranker now, and keeps what it says.
    pub(super) fn send(&self, ticket: Ticket) -> Back {
        let mut billed = Billed::default();
        match self.serve(ticket, &mut billed) {
            Ok((note, end)) => Back { note, billed, end },
            Err(error) => Back { note: None, billed, end: Some(End::Broken(error)) },
        }
    }

    fn serve(
        &self,
        ticket: Ticket,
        billed: &mut Billed,
    ) -> Result<(Option<Note>, Option<End>), RunError> {
        let Ticket { place, job, key, known, most, timed } = ticket;
        let (most, reservation) = most.unzip();
        let call = Call {
            key,
            system: self.pass.system,
            pass: &self.pass.label,
            query: &job.query.id,
            billed: self.pass.tariff.is_some(),
            most_units: self.most_units(&job),
        };
        if let Some(journal) = self.journal {
            journal.begin(&call, most)?;
        }
        let (answer, elapsed) = self.rerank(&job);
        let usage = match &answer {
            Some(Ok(reranked)) => Some(self.spent(reranked)),
            Some(Err(failed)) => Some(failed.usage),
            // Whoever gave no answer told no costs either: all that was set aside counts.
            None => None,
        };
        *billed = usage.unwrap_or_default().billed;
        let usd = usage.map_or(most, |usage| self.usd(&usage.billed));
        let stopped = self.context.is_over() && is_stop(&answer);
        let end = match &answer {
            _ if stopped => Some(End::Stopped),
            Some(Err(Failed { error: RerankError::Unavailable { source, .. }, .. })) => {
                let (query, reason) = (job.query.id.clone(), source.to_string());
                Some(End::GivenUp(GivenUp { place, query, reason }))
            }
            _ => None,
        };
        let given = match answer {
            // It stays in flight: nobody knows what became of it.
            None if stopped => return Ok((None, end)),
            None => Given::Failed("the reranker gave no answer".to_owned(), Usage::default()),
            Some(Err(failed)) => Given::Failed(failed.error.to_string(), failed.usage),
            Some(Ok(reranked)) => match other_documents(&job, &reranked.ranking) {
                Some(reason) => Given::Failed(reason, reranked.usage),
                None => {
                    let seconds = timed.then(|| self.seconds(&reranked, elapsed));
                    Given::Live(reranked, seconds)
                }
            },
        };
        self.keep(&job, &call, &given, usd)?;
        if let (Some(reservation), true) = (reservation, usage.is_some()) {
            reservation.settle(usd.unwrap_or_default());
        }
        if stopped {
            return Ok((None, end));
        }
        let unstable = match (&known, &given) {
            (Some(known), Given::Live(reranked, _)) => !same_order(known, &reranked.ranking),
            _ => false,
        };
        let candidates = job.candidates.len();
        let note = Note { place, query: job.query.id, candidates, given, unstable };
        Ok((Some(note), end))
    }

    /// In the journal before the query counts as finished, then in the cache.
    fn keep(
        &self,
        job: &Job,
        call: &Call<'_>,
        given: &Given,
        usd: Option<f64>,
    ) -> Result<(), RunError> {
        let (reranked, seconds) = match given {
            Given::Live(reranked, seconds) => (reranked, *seconds),
            Given::Failed(reason, usage) => {
                if let Some(journal) = self.journal {
                    journal.failed(call, reason, *usage, usd)?;
                }
                return Ok(());
            }
            Given::Cached(..) | Given::NotAsked => return Ok(()),
        };
        if self.journal.is_none() && self.shelf.is_none() {
            return Ok(());
        }
        let Some(answer) = Answer::new(job, reranked) else { return Ok(()) };
        // The journal first: a query that is in the cache and not in the journal would count as
        // cached when a killed run goes on.
        if let Some(journal) = self.journal {
            journal.answered(call, &answer, seconds, usd)?;
        }
        if let Some(shelf) = &self.shelf
            // What a mock or a recording says is no score of that model.
            && reranked.origin.is_live()
        {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            if trouble.is_none() {
                *trouble = shelf.put(job, &answer).err().map(|error| error.to_string());
            }
        }
        Ok(())
    }

    /// What was billed, in US dollars: doubtful units too, which may be on the bill.
    fn usd(&self, billed: &Billed) -> Option<f64> {
        self.pass.tariff?.cost(billed.with_doubtful())
    }

    /// What an answer cost now: playing a recording back costs nothing, whatever it cost when it was
    /// made.
    fn spent(&self, reranked: &Reranked) -> Usage {
        match self.is_recorded(reranked) {
            true => Usage::default(),
            false => reranked.usage,
        }
    }

    /// A live answer's time is the clock's, a recorded one's was measured when it was made.
    fn seconds(&self, reranked: &Reranked, elapsed: Duration) -> f64 {
        match self.is_recorded(reranked) {
            true => reranked.timings.total().as_secs_f64(),
            false => elapsed.as_secs_f64(),
        }
    }

    /// Recorded answers of a mock say that they are a mock's.
    fn is_recorded(&self, reranked: &Reranked) -> bool {
        self.pass.replayed || matches!(reranked.origin, Origin::Replay { .. })
    }

    fn rerank(&self, job: &Job) -> (Option<Result<Reranked, Failed>>, Duration) {
        let mut answer = None;
        let jobs = std::slice::from_ref(job);
        let start = Instant::now();
        self.pass.reranker.rerank_many(jobs, self.context, &mut |_, result| answer = Some(result));
        (answer, start.elapsed())
    }
}

impl<'a> Asked<'a> {
    /// What a pass asks, of the queries in the plan's journal and in this shelf.
    pub(super) fn new(
        pass: &'a Pass<'a>,
        context: &'a Context,
        journal: Option<&'a Journal>,
        shelf: Option<Shelf>,
        timed: &'a BTreeSet<QueryId>,
    ) -> Self {
        let journal = journal.filter(|_| pass.kind != Kind::Free);
        Self { pass, context, journal, shelf, timed, trouble: Mutex::default() }
    }
}

fn is_stop(answer: &Option<Result<Reranked, Failed>>) -> bool {
    match answer {
        None => true,
        Some(Err(failed)) => matches!(failed.error, RerankError::Stopped(_)),
        Some(Ok(_)) => false,
    }
}
