use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much money a piece of work may cost, shared by all who spend it. An amount is reserved before
/// a call goes out and settled when its bill is known, so that calls in flight together never pass
/// the limit.
#[derive(Clone, Debug, Default)]
pub struct Budget(Arc<Mutex<Sums>>);

#[derive(Debug, Default)]
struct Sums {
    limit: Option<f64>,
    spent: f64,
    reserved: f64,
}

/// An amount set aside. Dropped without [`Reservation::settle`], all of it counts as spent: nobody
/// knows what became of the call.
#[derive(Debug)]
#[must_use]
pub struct Reservation {
    budget: Budget,
    most: f64,
    settled: bool,
}

/// A call that could pass the limit, and was not sent. Amounts are in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "the next call may cost {wanted:.4} USD, and of {limit:.4} USD {spent:.4} are spent and \
     {reserved:.4} reserved for calls in flight"
)]
pub struct OverBudget {
    /// The limit.
    pub limit: f64,
    /// What is spent.
    pub spent: f64,
    /// What is reserved for calls in flight.
    pub reserved: f64,
    /// The most the call may have cost.
    pub wanted: f64,
}

impl Budget {
    /// At most so many US dollars; `None` for any amount.
    pub fn new(limit: Option<f64>) -> Self {
        Self(Arc::new(Mutex::new(Sums { limit, ..Sums::default() })))
    }

    /// What is spent, in US dollars.
    pub fn spent(&self) -> f64 {
        self.sums().spent
    }

    /// The limit, in US dollars.
    pub fn limit(&self) -> Option<f64> {
        self.sums().limit
    }

    /// Notes what was spent before, as by an earlier start of the same run.
    pub fn spend(&self, usd: f64) {
        self.sums().spent += usd;
    }

    /// Sets aside the most that a call may cost.
    ///
    /// # Errors
    /// The limit could be passed.
    pub fn reserve(&self, most: f64) -> Result<Reservation, OverBudget> {
        let mut sums = self.sums();
        // Written so that whatever is no number is not within the limit.
        let is_within = |limit: f64| sums.spent + sums.reserved + most <= limit;
        if let Some(limit) = sums.limit
            && !is_within(limit)
        {
            let Sums { spent, reserved, .. } = *sums;
            return Err(OverBudget { limit, spent, reserved, wanted: most });
        }
        sums.reserved += most;
        Ok(Reservation { budget: self.clone(), most, settled: false })
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        // A panic elsewhere leaves nothing half changed here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Counts what the call did cost as spent, and frees the rest.
    pub fn settle(mut self, usd: f64) {
        self.close(usd);
    }

    fn close(&mut self, usd: f64) {
        if !std::mem::replace(&mut self.settled, true) {
            let mut sums = self.budget.sums();
            sums.reserved -= self.most;
            sums.spent += usd;
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.close(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_in_flight_never_pass_the_limit_together() {
        let budget = Budget::new(Some(1.0));
        let first = budget.reserve(0.75).unwrap();
        let refused = budget.reserve(0.5).unwrap_err();
        assert_eq!((refused.spent, refused.reserved, refused.wanted), (0.0, 0.75, 0.5));
        first.settle(0.25);
        assert_eq!(budget.spent(), 0.25);
        budget.reserve(0.75).unwrap().settle(0.75);
        assert!(budget.reserve(0.01).is_err());
        assert!(budget.reserve(0.0).is_ok());
    }

    #[test]
    fn a_call_nobody_knows_about_counts_in_full() {
        let budget = Budget::new(Some(1.0));
        drop(budget.reserve(0.5).unwrap());
        assert_eq!(budget.spent(), 0.5);
        budget.spend(0.5);
        assert!(budget.reserve(f64::NAN).is_err());
        assert!(budget.reserve(0.25).is_err());
    }

    #[test]
    fn what_is_no_number_lets_nothing_through() {
        assert!(Budget::new(Some(f64::NAN)).reserve(0.5).is_err());
        let budget = Budget::new(Some(1.0));
        budget.reserve(0.25).unwrap().settle(f64::NAN);
        assert!(budget.reserve(0.25).is_err());
    }

    #[test]
    fn without_a_limit_everything_is_counted() {
        let budget = Budget::default();
        budget.clone().reserve(1e9).unwrap().settle(3.0);
        assert_eq!((budget.spent(), budget.limit()), (3.0, None));
    }
}
