use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use secondpass_core::{
    Context, Destination, Failed, Identity, Job, Quote, RerankError, Reranked, Reranker, Tariff,
    Usage,
};
use secondpass_http::{Client, HttpError};

use super::billing::Billing;
use super::split::{Count, Split};
use super::{Api, CountTokens, work};
use crate::sequential::{each, stopped};

/// A reranker that is asked over HTTP. It splits each job into calls that the provider takes, sends
/// them at the same time, checks every answer, and counts what they cost.
///
/// A text that is empty goes out as it is: whether a provider takes it is for the provider to say,
/// and what it refuses fails that job with its words. A job without candidates calls nobody.
pub struct Hosted {
    parts: HostedParts,
}

/// What a [`Hosted`] is made of.
pub struct HostedParts {
    /// Which reranker this is.
    pub identity: Identity,
    /// What is peculiar to the provider.
    pub api: Box<dyn Api>,
    /// Speaks to the provider. Its limits hold for all jobs and all of their calls together.
    pub client: Client,
    /// Where the texts go.
    pub destination: Destination,
    /// How calls are billed; `None` where nobody bills a call. Search units and tokens are counted by
    /// the [`Api`], which must be billed in that unit; calls are counted here, and hours are not.
    pub tariff: Option<Tariff>,
    /// Counts tokens for estimates and for the limit of tokens a minute.
    pub tokens: Box<dyn CountTokens>,
    /// Jobs in flight at once in [`Reranker::rerank_many`]; 0 counts as 1.
    pub concurrency: usize,
}

impl Hosted {
    /// A reranker of these parts.
    pub fn new(parts: HostedParts) -> Self {
        Self { parts }
    }

    /// What speaks to the provider.
    pub fn client(&self) -> &Client {
        &self.parts.client
    }

    /// Documents a call holds at most.
    pub fn documents_a_call(&self) -> usize {
        self.parts.api.documents_a_call().max(1)
    }

    fn billing(&self) -> Billing<'_> {
        let unit = self.parts.tariff.as_ref().map(|tariff| tariff.unit);
        Billing { api: self.parts.api.as_ref(), unit }
    }

    fn split<'a>(&'a self, job: &'a Job, count: Count) -> Split<'a> {
        Split::new(job, self.billing(), self.parts.tokens.as_ref(), count)
    }

    fn rerank(&self, job: &Job, context: &Context, refused: &Refused) -> Result<Reranked, Failed> {
        if context.is_over() {
            return Err(stopped(job, Usage::default()));
        }
        if let Some(error) = refused.get() {
            return Err(unavailable(job, error, Usage::default()));
        }
        let parts = &self.parts;
        let unasked = |error: secondpass_core::RankingError| Failed {
            error: error.into(),
            usage: Usage::default(),
        };
        // A job that makes no ranking is refused before it costs anything.
        work::checked(job).map_err(unasked)?;
        let split = self.split(job, Count::Likely);
        work::rerank(job, &split, self.billing(), &parts.client, context).map_err(|lost| {
            let work::Lost { error, usage } = lost;
            match error {
                work::LostBy::Stop => stopped(job, usage),
                work::LostBy::Ranking(error) => Failed { error: error.into(), usage },
                work::LostBy::Http(error) if error.is_final() => {
                    refused.set(&error);
                    unavailable(job, error, usage)
                }
                work::LostBy::Http(error) => {
                    let query = job.query.id.clone();
                    Failed { error: RerankError::Scoring { query, source: error.into() }, usage }
                }
            }
        })
    }
}

impl Reranker for Hosted {
    fn identity(&self) -> &Identity {
        &self.parts.identity
    }

    fn destination(&self) -> Option<&Destination> {
        Some(&self.parts.destination)
    }

    fn tariff(&self) -> Option<&Tariff> {
        self.parts.tariff.as_ref()
    }

    fn quote(&self, job: &Job) -> Option<Quote> {
        self.parts.tariff.as_ref()?;
        let likely = self.split(job, Count::Likely).units();
        let most = self.split(job, Count::Most).units().max(likely);
        let attempts = u64::from(self.parts.client.settings().retry.attempts());
        Some(Quote { units: likely, most: most.saturating_mul(attempts) })
    }

    /// After an error that is final for the provider, jobs that have not begun are not sent either:
    /// they fail with the same error.
    fn rerank_many(
        &self,
        jobs: &[Job],
        context: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        let refused = Refused::default();
        let workers = self.parts.concurrency.min(jobs.len());
        if workers < 2 {
            return each(jobs, context, done, |job| self.rerank(job, context, &refused));
        }
        let next = AtomicUsize::new(0);
        let take = || {
            let index = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(index).map(|job| (index, self.rerank(job, context, &refused)))
        };
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..workers {
                let (sender, take) = (sender.clone(), &take);
                let worker = move || {
                    while let Some(outcome) = take() {
                        // The receiver waits for every sender.
                        let _ = sender.send(outcome);
                    }
                };
                // Where the system has no more threads, those that there are do the work.
                let _ = thread::Builder::new().spawn_scoped(scope, worker);
            }
            drop(sender);
            for (index, outcome) in receiver {
                done(index, outcome);
            }
        });
        // Without any thread, this one does it all; otherwise nothing is left.
        while let Some((index, outcome)) = take() {
            done(index, outcome);
        }
    }
}

/// The error with which a provider refused everything that is still to come.
#[derive(Default)]
struct Refused(Mutex<Option<HttpError>>);

impl Refused {
    fn get(&self) -> Option<HttpError> {
        self.lock().clone()
    }

    fn set(&self, error: &HttpError) {
        self.lock().get_or_insert_with(|| error.clone());
    }

    fn lock(&self) -> MutexGuard<'_, Option<HttpError>> {
        // What it holds is whole at all times.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(job: &Job, error: HttpError, usage: Usage) -> Failed {
    let query = job.query.id.clone();
    Failed { error: RerankError::Unavailable { query, source: error.into() }, usage }
}
