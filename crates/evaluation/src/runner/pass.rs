use std::collections::BTreeSet;
use std::thread;

use secondpass_core::{
    Billed, Context, Job, Origin, Query, QueryId, Reranker, Reservation, Run, Tariff, Usage,
};

use super::asked::{Asked, Back, End, Found, Ticket};
use super::collected::{Collected, Given, GivenUp, Note, note_origin};
use super::error::RunError;
use super::flight::Flight;
use super::jobs::evenly_spaced;
use super::notice::Notice;
use super::plan::{Contender, LengthVariant, Plan, Progress};
use crate::cache::Shelf;
use crate::experiment::ORACLE;

/// One system over its queries at one depth, length and repetition.
#[derive(Clone)]
pub(super) struct Pass<'a> {
    pub system: &'a str,
    /// What is special about it; empty for a system's first pass.
    pub label: String,
    pub reranker: &'a dyn Reranker,
    /// How its calls are billed; `None` where nobody will bill them.
    pub tariff: Option<&'a Tariff>,
    /// Candidates a query at most.
    pub depth: usize,
    /// Only these; `None` for all.
    pub queries: Option<&'a BTreeSet<QueryId>>,
    pub kind: Kind,
    /// Queries in flight at a time, from 1.
    pub concurrency: usize,
    /// Whether a recording answers.
    pub replayed: bool,
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

impl<'a> Pass<'a> {
    /// All queries at the full depth, for quality and time.
    pub(super) fn main(plan: &Plan<'_>, contender: &Contender<'a>) -> Self {
        Self {
            system: contender.name,
            label: String::new(),
            reranker: contender.reranker,
            tariff: contender.tariff(),
            depth: plan.experiment.first_stage.depth,
            queries: None,
            kind: Kind::Measured,
            concurrency: contender.concurrency.max(1),
            replayed: contender.replayed,
        }
    }

    /// These queries once more, for time; the first pass is repetition 1.
    pub(super) fn repetition(
        plan: &Plan<'_>,
        contender: &Contender<'a>,
        number: usize,
        queries: &'a BTreeSet<QueryId>,
    ) -> Self {
        let label = format!("repetition {number}");
        Self { label, queries: Some(queries), kind: Kind::Timed, ..Self::main(plan, contender) }
    }

    /// Fewer candidates of these queries (`None` for all).
    pub(super) fn at_depth(
        plan: &Plan<'_>,
        contender: &Contender<'a>,
        depth: usize,
        queries: Option<&'a BTreeSet<QueryId>>,
    ) -> Self {
        let label = format!("depth {depth}");
        Self { label, depth, queries, kind: Kind::Timed, ..Self::main(plan, contender) }
    }

    /// All queries at another maximum length.
    pub(super) fn at_length(
        plan: &Plan<'_>,
        contender: &Contender<'a>,
        variant: &LengthVariant<'a>,
    ) -> Self {
        let label = format!("length {}", variant.max_length);
        let tariff = variant.reranker.tariff().filter(|_| !contender.replayed);
        Self { label, reranker: variant.reranker, tariff, ..Self::main(plan, contender) }
    }

    /// The best order of the candidates.
    pub(super) fn oracle(plan: &Plan<'_>, oracle: &'a dyn Reranker) -> Self {
        Self { kind: Kind::Free, ..Self::main(plan, &Contender::new(ORACLE, oracle)) }
    }

    /// Whether calls are billed or leave the process: then none is made for nothing.
    pub(super) fn is_remote(&self) -> bool {
        let reranker = self.reranker;
        self.replayed
            || reranker.tariff().is_some()
            || reranker.destination().is_some()
            || reranker.identity().endpoint.is_some()
    }

    /// The queries it is over, in the dataset's order.
    pub(super) fn of(&self, plan: &Plan<'a>) -> Vec<&'a Query> {
        let is_wanted =
            |query: &&Query| self.queries.is_none_or(|queries| queries.contains(&query.id));
        plan.dataset.queries().iter().filter(is_wanted).collect()
    }

    /// Where scores of its reranker are kept, where they may be: what a recording plays back is no
    /// answer that was asked for, and takes none from there either. A mock's address is not the
    /// provider's, so that its identity, and with it the file that it looks into, is another.
    pub(super) fn shelf(&self, plan: &Plan<'_>) -> Result<Option<Shelf>, String> {
        let cache = plan.cache.filter(|_| self.kind == Kind::Measured && !self.replayed);
        let shelf = cache.map(|cache| cache.shelf(self.reranker.identity())).transpose();
        shelf.map(Option::flatten).map_err(|error| error.to_string())
    }
}

/// What all passes of one system together cost and where its answers came from.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// What was billed in this start.
    pub billed: Billed,
    /// What is not live among the answers of all passes; `None` where all are.
    pub origin: Option<Origin>,
    /// Whether it was given up.
    pub given_up: bool,
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
    /// Of the system whose passes are being taken.
    ledger: Ledger,
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
        Self {
            plan,
            candidates,
            context,
            progress,
            timed: evenly_spaced(plan.dataset, candidates, plan.sweep.timed_queries),
            number: 0,
            passes,
            ledger: Ledger::default(),
            notices: Vec::new(),
        }
    }

    /// The queries that are timed even where quality is known.
    pub(super) fn timed(&self) -> &BTreeSet<QueryId> {
        &self.timed
    }

    /// Whether the system whose passes are being taken was given up.
    pub(super) fn has_given_up(&self) -> bool {
        self.ledger.given_up
    }

    /// Ends the passes of a system, of which there were to be so many: those that were not taken
    /// count as taken.
    pub(super) fn finish(&mut self, passes_before: usize, passes: usize) -> Ledger {
        self.number = passes_before + passes;
        std::mem::take(&mut self.ledger)
    }

    /// Passes taken so far.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Reranks the candidates of every query. Queries without candidates are not sent. The first
    /// query that runs pays for whatever happens once: in this process it runs once more before the
    /// clock starts; where calls are billed or leave the process it runs alone and is not timed.
    pub(super) fn pass(&mut self, pass: &Pass<'_>) -> Result<Collected, RunError> {
        self.number += 1;
        let shelf = pass.shelf(self.plan).unwrap_or_else(|problem| {
            self.notices.push(Notice::Cache { problem });
            None
        });
        let asked = Asked::new(pass, self.context, self.plan.journal, shelf, &self.timed);
        let queries = pass.of(self.plan);
        let step = Progress {
            system: pass.system,
            pass: &pass.label,
            done: 0,
            reused: 0,
            queries: queries.len(),
            number: self.number,
            passes: self.passes,
        };
        let mut course = Course::new(&asked, step, self.progress);
        course.run(self.plan, self.candidates, &queries);
        let Course { notes, billed, usage, end, given_up, step, .. } = course;
        self.ledger.billed += billed;
        let (system, done, queries) = (pass.system.to_owned(), step.done, step.queries);
        let kept = self.plan.journal.is_some();
        match end {
            Some(End::Broken(error)) => return Err(error),
            Some(End::Stopped) => return Err(RunError::Stopped { system, done, queries, kept }),
            Some(End::OverBudget(over)) => {
                let (limit, spent, next) = (over.limit, over.spent, over.wanted);
                let over = RunError::OverBudget { system, done, queries, limit, spent, next, kept };
                return Err(over);
            }
            Some(End::GivenUp(_)) | None => {}
        }
        let trouble = asked.trouble.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.notices.extend(trouble.map(|problem| Notice::Cache { problem }));
        let mut collected = Collected::new(pass.system);
        collected.usage = usage;
        self.note_end(pass, given_up.as_ref());
        collected.all(notes, given_up);
        if let Some(origin) = &collected.origin {
            note_origin(&mut self.ledger.origin, origin);
        }
        self.note_failures(pass, &collected);
        Ok(collected.finish())
    }

    /// A first pass lists its failures; of later ones only the times stay.
    fn note_end(&mut self, pass: &Pass<'_>, given_up: Option<&GivenUp>) {
        let Some(GivenUp { query, reason, .. }) = given_up else { return };
        self.ledger.given_up = true;
        if !pass.label.is_empty() {
            self.notices.push(Notice::GivenUp {
                system: pass.system.to_owned(),
                pass: pass.label.clone(),
                query: query.clone(),
                reason: reason.clone(),
            });
        }
    }

    /// Failures of a first pass stand in the record; those of a later one make its figures worse all
    /// the same.
    fn note_failures(&mut self, pass: &Pass<'_>, collected: &Collected) {
        let Some((query, reason)) = collected.failures.first_key_value() else { return };
        if !pass.label.is_empty() && collected.given_up.is_none() {
            self.notices.push(Notice::Failed {
                system: pass.system.to_owned(),
                pass: pass.label.clone(),
                failed: collected.failures.len(),
                queries: collected.failures.len() + collected.queries.len(),
                query: query.clone(),
                reason: reason.clone(),
            });
        }
    }
}

/// One pass on its way.
struct Course<'c> {
    asked: &'c Asked<'c>,
    step: Progress<'c>,
    progress: &'c mut dyn FnMut(Progress<'_>),
    notes: Vec<Note>,
    /// What was billed now.
    billed: Billed,
    /// What failed attempts of earlier starts consumed.
    usage: Usage,
    end: Option<End>,
    given_up: Option<GivenUp>,
}

impl<'c> Course<'c> {
    fn new(
        asked: &'c Asked<'c>,
        step: Progress<'c>,
        progress: &'c mut dyn FnMut(Progress<'_>),
    ) -> Self {
        Self {
            asked,
            step,
            progress,
            notes: Vec::new(),
            billed: Billed::default(),
            usage: Usage::default(),
            end: None,
            given_up: None,
        }
    }

    fn run(&mut self, plan: &Plan<'_>, candidates: &Run, queries: &[&Query]) {
        (self.progress)(self.step);
        let asked = self.asked;
        thread::scope(|scope| {
            let mut flight = Flight::new(scope, asked, asked.pass.concurrency);
            for (place, query) in queries.iter().enumerate() {
                while let Some(back) = flight.poll() {
                    self.land(back);
                }
                if self.end.is_some() || flight.has_panicked() {
                    break;
                }
                let job = Job::new(plan.dataset, query, candidates, asked.pass.depth);
                if job.candidates.is_empty() {
                    self.advance(true);
                } else if !self.query(place, job, &mut flight) {
                    break;
                }
            }
            while let Some(back) = flight.wait() {
                self.land(back);
            }
        });
    }

    /// Finds or sends one query; whether the pass goes on.
    fn query(&mut self, place: usize, job: Job, flight: &mut Flight<'_, '_>) -> bool {
        let key = self.asked.key(&job);
        let kept = self.asked.journal.and_then(|journal| journal.take(&key));
        self.usage += kept.as_ref().map(|kept| kept.spent).unwrap_or_default();
        let known = match self.asked.find(&job, kept) {
            Found::Given(given) => {
                self.note(place, &job, *given);
                return true;
            }
            Found::Missing(known) => known,
        };
        let most = self.asked.most(&job);
        let Some(reservation) = self.clearance(most, flight) else {
            if self.given_up.is_some() && self.end.is_none() {
                self.note(place, &job, Given::NotAsked);
                return true;
            }
            return false;
        };
        let is_first = flight.is_first();
        if is_first && !self.asked.pass.is_remote() && self.asked.pass.kind != Kind::Free {
            self.asked.warm_up(&job);
            if self.is_over() {
                return false;
            }
        }
        let timed =
            self.asked.pass.kind != Kind::Free && !(is_first && self.asked.pass.is_remote());
        let most = most.zip(reservation);
        flight.send(Ticket { place, job, key, known, most, timed });
        true
    }

    /// Waits until a query may be sent, and sets aside what it may cost; `None` where nothing more
    /// is sent. What is out is awaited before the limit on costs counts as reached: it may leave
    /// more than was set aside for it.
    fn clearance(
        &mut self,
        most: Option<f64>,
        flight: &mut Flight<'_, '_>,
    ) -> Option<Option<Reservation>> {
        loop {
            if self.end.is_some() || self.given_up.is_some() || self.is_over() {
                return None;
            }
            if flight.has_panicked() {
                return None;
            }
            if flight.has_room() {
                let Some(most) = most else { return Some(None) };
                match self.asked.context.budget.reserve(most) {
                    Ok(reservation) => return Some(Some(reservation)),
                    Err(over) if flight.is_empty() => {
                        self.end = Some(End::OverBudget(over));
                        return None;
                    }
                    Err(_) => {}
                }
            }
            if let Some(back) = flight.wait() {
                self.land(back);
            }
        }
    }

    /// Whether it is time to stop, which is noted.
    fn is_over(&mut self) -> bool {
        let is_over = self.asked.context.is_over();
        if is_over && self.end.is_none() {
            self.end = Some(End::Stopped);
        }
        is_over
    }

    /// Notes what is back.
    fn land(&mut self, back: Back) {
        self.billed += back.billed;
        match back.end {
            Some(End::GivenUp(given_up)) => {
                // Of several that are back at once the first query speaks, whichever came first.
                if self.given_up.as_ref().is_none_or(|first| given_up.place < first.place) {
                    self.given_up = Some(given_up);
                }
            }
            Some(End::Broken(error)) => self.end = Some(End::Broken(error)),
            Some(end) if self.end.is_none() => self.end = Some(end),
            Some(_) | None => {}
        }
        if let Some(note) = back.note {
            self.notes.push(note);
            self.advance(false);
        }
    }

    /// Notes what took no work now.
    fn note(&mut self, place: usize, job: &Job, given: Given) {
        let (query, candidates) = (job.query.id.clone(), job.candidates.len());
        self.notes.push(Note { place, query, candidates, given, unstable: false });
        self.advance(true);
    }

    fn advance(&mut self, reused: bool) {
        self.step.done += 1;
        self.step.reused += usize::from(reused);
        (self.progress)(self.step);
    }
}
