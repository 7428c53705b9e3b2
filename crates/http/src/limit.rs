use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::sync::lock;

/// What a provider's tier allows. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Requests a minute.
    pub requests: Option<f64>,
    /// Tokens a minute, as the provider counts them.
    pub tokens: Option<f64>,
    /// Calls in flight at once; `None` leaves it to the number of callers.
    pub in_flight: Option<usize>,
}

/// A token bucket that lends: whoever takes from it is told how long to wait, in the order of asking.
/// A large amount goes out as soon as the bucket is not in debt, and those who come later wait until
/// it is paid. What it saves up while nobody asks is a tenth of a second's worth, so that any minute
/// sees at most its limit, a 600th of it, and one amount more.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    per_second: f64,
    level: f64,
    at: Instant,
}

impl TokenBucket {
    /// How much it saves up, in seconds.
    const SAVED: f64 = 0.1;

    /// A full bucket of so many a minute; `None` unless the rate is above zero and finite.
    pub fn per_minute(rate: f64, now: Instant) -> Option<Self> {
        let per_second = rate / 60.0;
        let level = per_second * Self::SAVED;
        (rate > 0.0 && rate.is_finite()).then_some(Self { per_second, level, at: now })
    }

    /// Takes `amount` and says how long to wait before using it.
    pub fn take(&mut self, amount: f64, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.at);
        self.at = self.at.max(now);
        self.raise(passed.as_secs_f64() * self.per_second);
        let wait = (-self.level / self.per_second).max(0.0);
        self.level -= amount;
        Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX)
    }

    /// Gives back what was taken and not used.
    pub fn give_back(&mut self, amount: f64) {
        self.raise(amount);
    }

    fn raise(&mut self, amount: f64) {
        self.level = (self.level + amount).min(self.per_second * Self::SAVED);
    }
}

/// Both buckets of a provider, and a time before which nothing goes out.
#[derive(Debug)]
pub(crate) struct Limiter {
    requests: Option<TokenBucket>,
    tokens: Option<TokenBucket>,
    closed_until: Instant,
}

impl Limiter {
    pub(crate) fn new(rates: &Rates, now: Instant) -> Self {
        let bucket = |rate: Option<f64>| rate.and_then(|rate| TokenBucket::per_minute(rate, now));
        Self { requests: bucket(rates.requests), tokens: bucket(rates.tokens), closed_until: now }
    }

    /// Takes one request of so many tokens; how long to wait before sending it.
    pub(crate) fn take(&mut self, tokens: u64, now: Instant) -> Duration {
        let requests = self.requests.as_mut().map(|bucket| bucket.take(1.0, now));
        let tokens = self.tokens.as_mut().map(|bucket| bucket.take(tokens as f64, now));
        let closed = self.closed_until.saturating_duration_since(now);
        closed.max(requests.unwrap_or_default()).max(tokens.unwrap_or_default())
    }

    /// Gives a request back that was not sent.
    pub(crate) fn give_back(&mut self, tokens: u64) {
        if let Some(bucket) = &mut self.requests {
            bucket.give_back(1.0);
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.give_back(tokens as f64);
        }
    }

    /// Lets nothing out before `until`: what one call was told holds for all.
    pub(crate) fn close(&mut self, until: Instant) {
        self.closed_until = self.closed_until.max(until);
    }
}

/// Counts calls in flight and makes those that are too many wait.
#[derive(Debug, Default)]
pub struct InFlight {
    most: Option<usize>,
    count: Mutex<usize>,
    left: Condvar,
}

/// A place among the calls in flight, free again when dropped.
pub(crate) struct Place<'a>(&'a InFlight);

impl InFlight {
    /// How often someone who waits looks whether to give up.
    const LOOK: Duration = Duration::from_millis(20);

    /// At most so many at once; `None` for any number.
    pub fn new(most: Option<usize>) -> Self {
        Self { most, ..Self::default() }
    }

    /// How many are in flight.
    pub fn count(&self) -> usize {
        *lock(&self.count)
    }

    /// Waits for a place; `None` when `give_up` said so first.
    pub(crate) fn enter(&self, give_up: impl Fn() -> bool) -> Option<Place<'_>> {
        let mut count = lock(&self.count);
        while self.most.is_some_and(|most| *count >= most) {
            if give_up() {
                return None;
            }
            let waited = self.left.wait_timeout(count, Self::LOOK);
            count = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *count += 1;
        Some(Place(self))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *lock(&self.0.count) -= 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn bucket(rate: f64, now: Instant) -> TokenBucket {
        TokenBucket::per_minute(rate, now).unwrap()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_bucket_lends_in_order() {
        let now = Instant::now();
        let mut bucket = bucket(60.0, now);
        let waits = [(); 4].map(|()| bucket.take(1.0, now));
        assert_eq!(waits, [0, 900, 1900, 2900].map(ms));
        assert_eq!(bucket.take(1.0, now + 4 * SECOND), Duration::ZERO);
    }

    #[test]
    fn a_large_amount_goes_at_once_and_is_paid_for_by_those_who_follow() {
        let now = Instant::now();
        let mut bucket = bucket(600.0, now);
        assert_eq!(bucket.take(101.0, now), Duration::ZERO);
        assert_eq!(bucket.take(10.0, now), ms(10_000));
        assert_eq!(bucket.take(1.0, now), ms(11_000));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let now = Instant::now();
        let mut bucket = bucket(60.0, now);
        assert_eq!(bucket.take(1.0, now), Duration::ZERO);
        bucket.give_back(1.0);
        bucket.give_back(50.0);
        assert_eq!(bucket.take(1.0, now), Duration::ZERO);
        assert_eq!(bucket.take(1.0, now), ms(900));
    }

    #[test]
    fn a_rate_of_nothing_is_no_rate() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(TokenBucket::per_minute(rate, Instant::now()).is_none(), "{rate}");
        }
    }

    proptest! {
        /// A caller that always sends as soon as it may.
        #[test]
        fn every_minute_keeps_to_the_limit(
            rate in 60.0..20_000.0f64,
            amounts in prop::collection::vec(0.0..3.0f64, 1..20),
        ) {
            let start = Instant::now();
            let mut bucket = bucket(rate, start);
            let mut now = start;
            let mut sent: Vec<(f64, f64)> = Vec::new();
            for amount in amounts.iter().cycle() {
                now += bucket.take(*amount, now);
                let at = (now - start).as_secs_f64();
                if at > 180.0 || sent.len() > 200_000 { break }
                sent.push((at, *amount));
                if sent.len() > 50 && at == 0.0 { break }
            }
            let largest = amounts.iter().copied().fold(0.0, f64::max);
            let all: f64 = sent.iter().map(|(_, amount)| amount).sum();
            let minute = |from: f64| -> f64 {
                let within = sent.iter().filter(|(at, _)| (from..from + 60.0).contains(at));
                within.map(|(_, amount)| amount).sum()
            };
            for from in [0.0, 17.0, 60.0, 113.5] {
                let bound = rate * 601.0 / 600.0 + largest + 1e-3;
                prop_assert!(minute(from) <= bound, "{} of {rate} from {from}", minute(from));
            }
            if sent.last().is_some_and(|(at, _)| *at > 170.0) {
                let expected = rate / 60.0 * sent.last().unwrap().0;
                prop_assert!((all / expected - 1.0).abs() < 0.002 + largest / expected);
            }
        }
    }

    #[test]
    fn the_stricter_limit_decides() {
        let now = Instant::now();
        let rates = Rates { requests: Some(60.0), tokens: Some(600.0), in_flight: None };
        let mut limiter = Limiter::new(&rates, now);
        assert_eq!(limiter.take(51, now), Duration::ZERO);
        assert_eq!(limiter.take(100, now), 5 * SECOND, "tokens");
        limiter.give_back(100);
        limiter.give_back(51);
        assert_eq!(limiter.take(1, now), Duration::ZERO);
        assert_eq!(limiter.take(1, now), ms(900), "requests");
    }

    #[test]
    fn a_closed_limiter_lets_nothing_out() {
        let now = Instant::now();
        let mut limiter = Limiter::new(&Rates::default(), now);
        limiter.close(now + 3 * SECOND);
        limiter.close(now + SECOND);
        assert_eq!(limiter.take(1, now + SECOND), 2 * SECOND);
        assert_eq!(limiter.take(1, now + 3 * SECOND), Duration::ZERO);
    }

    #[test]
    fn never_more_in_flight_than_allowed() {
        let gate = InFlight::new(Some(3));
        let most = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _place = gate.enter(|| false).unwrap();
                        most.fetch_max(gate.count(), Ordering::Relaxed);
                        std::thread::yield_now();
                    }
                });
            }
        });
        assert_eq!(gate.count(), 0);
        assert!((1..=3).contains(&most.into_inner()));
    }

    #[test]
    fn waiting_for_a_place_can_be_given_up() {
        let gate = InFlight::new(Some(1));
        let _place = gate.enter(|| true).unwrap();
        assert!(gate.enter(|| true).is_none());
        assert_eq!(gate.count(), 1);
    }
}
