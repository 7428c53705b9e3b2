use std::collections::BTreeSet;

use secondpass_core::{Context, Job, QueryId, Quote, Run, Tariff};

use super::asked::{Asked, Found};
use super::collected::Given;
use super::error::RunError;
use super::jobs::evenly_spaced;
use super::pass::Pass;
use super::plan::{Contender, Plan};
use super::sweep::Depths;
use super::{cost, of_dataset};
use crate::experiment::FIRST_STAGE;

/// What a run will be billed for one system, over all its passes, before anything is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The system's name in the config.
    pub system: String,
    /// What is counted, and its price.
    pub tariff: Tariff,
    /// Queries that will be asked, once a pass: what the journal or the score cache has is not among
    /// them. A provider that takes few documents a call gets more calls than that.
    pub queries: usize,
    /// Units by estimate, if every call succeeds at once.
    pub units: u64,
    /// The most units it can be: every attempt billed, and every text as long in tokens as its bytes
    /// allow.
    pub most_units: u64,
    /// What the units cost, in US dollars; `None` where no price is known.
    pub usd: Option<f64>,
    /// What the most units cost, in US dollars.
    pub most_usd: Option<f64>,
    /// What earlier starts of this run spent on it, in US dollars, calls whose answers were lost at
    /// the most they can have cost. It counts against the limit of this start too.
    pub spent_usd: f64,
}

/// What [`super::run`] would be billed for this plan: one entry a reranker that somebody bills, in
/// the plan's order. Failures are not foreseen: a query is taken to be answered when it is asked.
/// The journal is left as it is.
///
/// # Errors
/// Candidates outside the corpus.
pub fn forecast(plan: &Plan<'_>) -> Result<Vec<Forecast>, RunError> {
    let candidates = of_dataset(plan, plan.candidates, FIRST_STAGE)?;
    let timed = evenly_spaced(plan.dataset, &candidates, plan.sweep.timed_queries);
    let depths = Depths::asked_for(plan, &candidates);
    let of_contender = |contender: &Contender<'_>| {
        let tariff = contender.tariff()?;
        let mut look = Look { plan, candidates: &candidates, timed: &timed, sum: Sum::default() };
        let live = look.pass(&Pass::main(plan, contender));
        for number in 2..=plan.repetitions {
            look.pass(&Pass::repetition(plan, contender, number, &live));
        }
        for pass in depths.each(plan, contender, &timed) {
            look.pass(&pass);
        }
        for variant in contender.lengths {
            look.pass(&Pass::at_length(plan, contender, variant));
        }
        let Sum { queries, quote: Quote { units, most } } = look.sum;
        Some(Forecast {
            system: contender.name.to_owned(),
            tariff: tariff.clone(),
            queries,
            units,
            most_units: most,
            usd: tariff.cost(units),
            most_usd: tariff.cost(most),
            spent_usd: cost::earlier_usd(plan.journal, contender.name, Some(tariff)),
        })
    };
    Ok(plan.rerankers.iter().filter_map(of_contender).collect())
}

#[derive(Default)]
struct Sum {
    queries: usize,
    quote: Quote,
}

struct Look<'a> {
    plan: &'a Plan<'a>,
    candidates: &'a Run,
    timed: &'a BTreeSet<QueryId>,
    sum: Sum,
}

impl Look<'_> {
    /// Counts what a pass would ask; gives the queries whose answers will not be the cache's.
    fn pass(&mut self, pass: &Pass<'_>) -> BTreeSet<QueryId> {
        let context = Context::default();
        // What cannot be read is asked for, as in the run.
        let shelf = pass.shelf(self.plan).unwrap_or_default();
        let asked = Asked::new(pass, &context, self.plan.journal, shelf, self.timed);
        let mut live = BTreeSet::new();
        for query in pass.of(self.plan) {
            let job = Job::new(self.plan.dataset, query, self.candidates, pass.depth);
            if job.candidates.is_empty() {
                continue;
            }
            let kept = asked.journal.and_then(|journal| journal.peek(&asked.key(&job)));
            match asked.find(&job, kept) {
                Found::Given(given) if matches!(*given, Given::Cached(..)) => continue,
                Found::Given(_) => {}
                Found::Missing(_) => {
                    let quote = pass.reranker.quote(&job).unwrap_or_default();
                    self.sum.queries += 1;
                    self.sum.quote.units = self.sum.quote.units.saturating_add(quote.units);
                    self.sum.quote.most = self.sum.quote.most.saturating_add(quote.most);
                }
            }
            live.insert(query.id.clone());
        }
        live
    }
}
