use std::sync::{Mutex, PoisonError};

use secondpass_core::{
    Billed, Context, Destination, Failed, Identity, Job, Quote, RerankError, Reranked, Reranker,
    Tariff, Usage,
};

use super::record::BenchSpent;

/// A reranker whose calls keep to the context's budget: the most that a query can cost is set aside
/// before it goes out, and what it did cost counts when it is back. Where the budget does not hold
/// the next one, it and all later ones are [`RerankError::Unavailable`], which ends a load.
pub struct Budgeted<'a> {
    inner: &'a dyn Reranker,
    billed: Mutex<Billed>,
}

impl<'a> Budgeted<'a> {
    /// Watches over this one.
    pub fn new(inner: &'a dyn Reranker) -> Self {
        Self { inner, billed: Mutex::default() }
    }

    /// What was asked for so far; `None` where nobody bills.
    pub fn spent(&self) -> Option<BenchSpent> {
        let tariff = self.inner.tariff()?;
        let billed = *self.billed.lock().unwrap_or_else(PoisonError::into_inner);
        let units = billed.units();
        Some(BenchSpent { calls: billed.calls, units, unit: tariff.unit, usd: tariff.cost(units) })
    }

    /// The most that a query can cost; 0 where that is unknown, which is to be agreed to before.
    fn most(&self, job: &Job) -> f64 {
        let quote = self.inner.quote(job).unwrap_or_default();
        self.inner.tariff().and_then(|tariff| tariff.cost(quote.most)).unwrap_or(0.0)
    }

    fn count(&self, usage: Usage) -> f64 {
        *self.billed.lock().unwrap_or_else(PoisonError::into_inner) += usage.billed;
        // An answer that was lost may be on the bill.
        let units = usage.billed.with_doubtful();
        self.inner.tariff().and_then(|tariff| tariff.cost(units)).unwrap_or(0.0)
    }
}

impl Reranker for Budgeted<'_> {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    fn destination(&self) -> Option<&Destination> {
        self.inner.destination()
    }

    fn tariff(&self) -> Option<&Tariff> {
        self.inner.tariff()
    }

    fn quote(&self, job: &Job) -> Option<Quote> {
        self.inner.quote(job)
    }

    fn rerank_many(
        &self,
        jobs: &[Job],
        context: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        if self.inner.tariff().is_none() {
            return self.inner.rerank_many(jobs, context, done);
        }
        for (place, job) in jobs.iter().enumerate() {
            let reservation = match context.budget.reserve(self.most(job)) {
                Ok(reservation) => reservation,
                Err(over) => {
                    let query = job.query.id.clone();
                    let error = RerankError::Unavailable { query, source: over.into() };
                    done(place, Err(Failed { error, usage: Usage::default() }));
                    continue;
                }
            };
            let mut usage = None;
            self.inner.rerank_many(std::slice::from_ref(job), context, &mut |_, answer| {
                usage = Some(match &answer {
                    Ok(reranked) => reranked.usage,
                    Err(failed) => failed.usage,
                });
                done(place, answer);
            });
            // Without any answer the reservation drops, and all of it counts as spent.
            if let Some(usage) = usage {
                reservation.settle(self.count(usage));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use secondpass_core::{BillingUnit, Budget, Origin, Price, Ranking, Timings};

    use super::*;
    use crate::bench::testing::jobs;
    use crate::testing::identity;

    /// Bills a unit a query, of which two may be billed.
    struct Shop(Identity, Tariff);

    fn shop() -> Shop {
        let price = Price { usd: 0.25, read: "2026-11-20".to_owned(), source: "here".to_owned() };
        let tariff = Tariff { unit: BillingUnit::SearchUnit, price: Some(price) };
        Shop(identity("shop"), tariff)
    }

    impl Reranker for Shop {
        fn identity(&self) -> &Identity {
            &self.0
        }

        fn tariff(&self) -> Option<&Tariff> {
            Some(&self.1)
        }

        fn quote(&self, _: &Job) -> Option<Quote> {
            Some(Quote { units: 1, most: 2 })
        }

        fn rerank_many(
            &self,
            jobs: &[Job],
            _: &Context,
            done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
        ) {
            for (place, job) in jobs.iter().enumerate() {
                let documents = job.candidates.iter().map(|c| c.document.id.clone());
                let billed = Billed { calls: 1, estimated: 1, reported: 1, ..Billed::default() };
                done(
                    place,
                    Ok(Reranked {
                        ranking: Ranking::with_unscored([], documents).unwrap(),
                        usage: Usage { billed, ..Usage::free(1, 1) },
                        timings: Timings::default(),
                        truncation: None,
                        origin: Origin::Live,
                    }),
                );
            }
        }
    }

    #[test]
    fn no_query_goes_out_that_could_pass_the_limit() {
        let shop = shop();
        let budgeted = Budgeted::new(&shop);
        let context = Context { budget: Budget::new(Some(1.0)), ..Context::default() };
        let mut told = Vec::new();
        budgeted.rerank_many(&jobs(5, 2), &context, &mut |_, answer| told.push(answer));
        // A quarter is left, and half of a dollar might be needed.
        let answered = told.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!((told.len(), answered, context.budget.spent()), (5, 3, 0.75));
        let refused = told.pop().unwrap().unwrap_err().error;
        assert!(matches!(refused, RerankError::Unavailable { .. }), "{refused}");
        assert!(refused.to_string().contains("0.7500 are spent"), "{refused}");
        let spent = budgeted.spent().unwrap();
        assert_eq!((spent.calls, spent.units, spent.usd), (3, 3, Some(0.75)));
    }
}
