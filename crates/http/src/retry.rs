use std::time::{Duration, SystemTime};

use rand::{Rng, RngExt};

use crate::Outcome;
use crate::exchange::{NoAnswer, find};

/// Answers that another attempt would only repeat, or that cost money or an account.
const NEVER: [u16; 5] = [400, 401, 402, 403, 422];

/// Which failures are worth another attempt, and how long to wait before it: exponential back-off
/// with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    base: Duration,
    cap: Duration,
    patience: Duration,
    statuses: Vec<u16>,
}

/// A policy that would do harm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No attempt at all.
    #[error("0 attempts send nothing; allow at least 1")]
    NoAttempts,
    /// A status that must not be tried again.
    #[error(
        "status {0} must not be retried: a retry fails again, and may cost money; take it off the list"
    )]
    NeverRetried(u16),
    /// A number that is no error status.
    #[error("{0} is no error status; list statuses from 400 to 599")]
    NoError(u16),
}

/// What to do after an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Try again after this long.
    Retry(Duration),
    /// The same would happen again.
    NotRetryable,
    /// All attempts are used.
    NoAttemptsLeft,
    /// The provider asks for a longer pause than the policy has patience for.
    AskedTooLong(Duration),
}

/// How long a provider asks its callers to stay away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// `Retry-After`: coming back sooner is pointless.
    RetryAfter(Duration),
    /// When a window of its rate limit starts anew; there may be room before.
    Reset(Duration),
}

impl Default for RetryPolicy {
    /// Three attempts, back-off from 1 s to 30 s, patience of 60 s, and 500, 502, 503 and 504.
    fn default() -> Self {
        Self {
            attempts: 3,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(30),
            patience: Duration::from_secs(60),
            statuses: vec![500, 502, 503, 504],
        }
    }
}

impl RetryPolicy {
    /// At most `attempts` in all. Before the n-th retry (from 0) the pause is drawn evenly from 0 to
    /// `base * 2^n`, at most `cap`.
    ///
    /// # Errors
    /// Zero attempts.
    pub fn new(attempts: u32, base: Duration, cap: Duration) -> Result<Self, PolicyError> {
        Self { base, cap, ..Self::default() }.with_attempts(attempts)
    }

    /// The same with another number of attempts.
    ///
    /// # Errors
    /// Zero attempts.
    pub fn with_attempts(self, attempts: u32) -> Result<Self, PolicyError> {
        match attempts {
            0 => Err(PolicyError::NoAttempts),
            _ => Ok(Self { attempts, ..self }),
        }
    }

    /// The longest pause that a provider may ask for (60 s unless set). A longer `Retry-After` ends
    /// the call, and a longer reset of a rate limit counts as this.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The statuses worth another attempt beside 408 and 429, from the provider's own table.
    ///
    /// # Errors
    /// 400, 401, 402, 403, 422, and numbers that are no error.
    pub fn with_statuses(self, statuses: &[u16]) -> Result<Self, PolicyError> {
        for &status in statuses {
            if NEVER.contains(&status) {
                return Err(PolicyError::NeverRetried(status));
            }
            if !(400..600).contains(&status) {
                return Err(PolicyError::NoError(status));
            }
        }
        Ok(Self { statuses: statuses.to_vec(), ..self })
    }

    /// The most attempts that one call makes: what a budget must reserve for.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The longest pause that a provider may ask for.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether an attempt that ended so is worth another: connections refused or broken, timeouts,
    /// 408, 429 and the policy's own statuses.
    pub fn is_retryable(&self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Status(408 | 429) => true,
            Outcome::Status(status) => self.statuses.contains(&status),
            Outcome::NoAnswer(kind) => {
                matches!(kind, NoAnswer::Connect | NoAnswer::Timeout | NoAnswer::Broken)
            }
        }
    }

    /// What to do after attempt number `made` (from 1) ended with `outcome`, when the provider told
    /// what is in `told`. A pause is never shorter than what `Retry-After` says, and back-off is
    /// added to it, so that many callers do not come back at once.
    pub fn decide(
        &self,
        made: u32,
        outcome: Outcome,
        told: Option<Told>,
        rng: &mut impl Rng,
    ) -> Decision {
        if !self.is_retryable(outcome) {
            return Decision::NotRetryable;
        }
        if made >= self.attempts {
            return Decision::NoAttemptsLeft;
        }
        let told = match told {
            Some(Told::RetryAfter(pause)) if pause > self.patience => {
                return Decision::AskedTooLong(pause);
            }
            Some(Told::RetryAfter(pause)) => pause,
            Some(Told::Reset(pause)) => pause.min(self.patience),
            None => Duration::ZERO,
        };
        Decision::Retry(told + self.back_off(made.saturating_sub(1), rng))
    }

    /// Full jitter: evenly from nothing to the ceiling of the n-th retry, from 0.
    fn back_off(&self, retry: u32, rng: &mut impl Rng) -> Duration {
        let factor = 1_u32.checked_shl(retry).unwrap_or(u32::MAX);
        let ceiling = self.base.saturating_mul(factor).min(self.cap);
        let nanoseconds = u64::try_from(ceiling.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(rng.random_range(0..=nanoseconds))
    }
}

/// What an answer's headers ask for: `retry-after-ms`; `Retry-After` in seconds or as an HTTP date
/// (RFC 9110, section 10.2.3); else the latest of `x-ratelimit-reset`, `-reset-requests` and
/// `-reset-tokens`, in seconds, as Unix time, or as a duration (`6m0s`, `120ms`), of which those
/// with something remaining do not count. Dates that have passed ask for no pause; what cannot be
/// read asks for nothing.
pub fn told(headers: &[(String, String)], date: SystemTime) -> Option<Told> {
    let milliseconds = find(headers, "retry-after-ms").and_then(|text| text.trim().parse().ok());
    if let Some(pause) = milliseconds.and_then(|ms: f64| seconds(ms / 1000.0)) {
        return Some(Told::RetryAfter(pause));
    }
    if let Some(pause) = find(headers, "retry-after").and_then(|text| retry_after(text, date)) {
        return Some(Told::RetryAfter(pause));
    }
    let resets = ["", "-requests", "-tokens"].into_iter().filter_map(|limit| {
        let left = find(headers, &format!("x-ratelimit-remaining{limit}"));
        let left = left.and_then(|text| text.trim().parse::<f64>().ok());
        match left.is_some_and(|left| left > 0.0) {
            true => None,
            false => reset(find(headers, &format!("x-ratelimit-reset{limit}"))?, date),
        }
    });
    resets.max().map(Told::Reset)
}

fn retry_after(text: &str, date: SystemTime) -> Option<Duration> {
    let text = text.trim();
    text.parse().ok().and_then(seconds).or_else(|| {
        let until = httpdate::parse_http_date(text).ok()?;
        Some(until.duration_since(date).unwrap_or_default())
    })
}

fn reset(text: &str, date: SystemTime) -> Option<Duration> {
    /// Numbers from here on are Unix times (the year 2001), not seconds to wait (31 years).
    const UNIX: f64 = 1e9;
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(number) if number >= UNIX => {
            let until = SystemTime::UNIX_EPOCH.checked_add(seconds(number)?)?;
            Some(until.duration_since(date).unwrap_or_default())
        }
        Ok(number) => seconds(number),
        Err(_) => duration(text),
    }
}

/// A duration as Go prints it, from hours to milliseconds: `1h2m3.5s`, `120ms`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        total = total.checked_add(seconds(number.parse::<f64>().ok()? * unit)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// A finite number of seconds from 0 to ten years, so that adding a few to a date cannot overflow.
fn seconds(number: f64) -> Option<Duration> {
    const TEN_YEARS: f64 = 10.0 * 365.25 * 86_400.0;
    const UNIX_END: f64 = 1e11;
    let end = if number >= 1e9 { UNIX_END } else { TEN_YEARS };
    (0.0..=end).contains(&number).then(|| Duration::from_secs_f64(number))
}

/// Bounds how many retries a provider's trouble can cause over all calls: each takes one from the
/// budget, and each success puts a part of one back, so that a dead provider sees few more requests
/// than there are calls.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryBudget {
    left: f64,
    most: f64,
    per_success: f64,
}

impl Default for RetryBudget {
    /// Twenty retries at once, and one more for every five successes.
    fn default() -> Self {
        Self::new(20, 0.2)
    }
}

impl RetryBudget {
    /// A full budget of `most` retries, to which each success gives back `per_success` of one.
    pub fn new(most: u32, per_success: f64) -> Self {
        let per_success = if per_success.is_finite() { per_success.max(0.0) } else { 0.0 };
        Self { left: f64::from(most), most: f64::from(most), per_success }
    }

    /// Takes one retry; `false` when none is left.
    #[must_use]
    pub fn take(&mut self) -> bool {
        let enough = self.left >= 1.0;
        self.left -= f64::from(u8::from(enough));
        enough
    }

    /// Notes a call that succeeded.
    pub fn succeeded(&mut self) {
        self.left = (self.left + self.per_success).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rng(seed: u64) -> StdRng {
        StdRng::seed_from_u64(seed)
    }

    fn headers(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// Noon on 6 November 1994, the date of RFC 9110's examples.
    fn noon() -> SystemTime {
        httpdate::parse_http_date("Sun, 06 Nov 1994 12:00:00 GMT").unwrap()
    }

    fn after(seconds: f64) -> Option<Told> {
        Some(Told::RetryAfter(Duration::from_secs_f64(seconds)))
    }

    fn resets(seconds: f64) -> Option<Told> {
        Some(Told::Reset(Duration::from_secs_f64(seconds)))
    }

    #[test]
    fn what_is_worth_another_attempt() {
        let policy = RetryPolicy::default().with_statuses(&[503, 498]).unwrap();
        for status in [408, 429, 498, 503] {
            assert!(policy.is_retryable(Outcome::Status(status)), "{status}");
        }
        for status in NEVER.into_iter().chain([200, 302, 404, 413, 500, 501]) {
            assert!(!policy.is_retryable(Outcome::Status(status)), "{status}");
        }
        use NoAnswer::{Broken, Connect, Request, Timeout, TooLarge};
        for (kind, worth) in
            [(Connect, true), (Timeout, true), (Broken, true), (TooLarge, false), (Request, false)]
        {
            assert_eq!(policy.is_retryable(Outcome::NoAnswer(kind)), worth, "{kind:?}");
        }
    }

    #[test]
    fn statuses_that_cost_cannot_be_listed() {
        for status in NEVER {
            let error = RetryPolicy::default().with_statuses(&[503, status]).unwrap_err();
            assert_eq!(error, PolicyError::NeverRetried(status));
        }
        let policy = RetryPolicy::default();
        assert_eq!(policy.with_statuses(&[200]), Err(PolicyError::NoError(200)));
        assert_eq!(RetryPolicy::new(0, SECOND, SECOND), Err(PolicyError::NoAttempts));
    }

    #[test]
    fn retry_after_in_all_its_forms() {
        let told = |value| told(&headers(&[("Retry-After", value)]), noon());
        assert_eq!(told("7"), after(7.0));
        assert_eq!(told(" 0.5 "), after(0.5));
        assert_eq!(told("Sun, 06 Nov 1994 12:01:30 GMT"), after(90.0));
        assert_eq!(told("Sunday, 06-Nov-94 12:01:30 GMT"), after(90.0));
        assert_eq!(told("Sun Nov  6 12:01:30 1994"), after(90.0));
        assert_eq!(told("Sun, 06 Nov 1994 08:49:37 GMT"), after(0.0));
        for nonsense in ["", "soon", "-1", "NaN", "inf", "1e300"] {
            assert_eq!(told(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn resets_of_rate_limits_in_all_their_forms() {
        let told = |value| told(&headers(&[("x-ratelimit-reset", value)]), noon());
        let unix = noon().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(told("30"), resets(30.0));
        let too_long = (unix + 30).to_string();
        assert_eq!(told(&too_long), None, "1994 lies before 10^9 seconds");
        assert_eq!(told("1000000000"), resets((1_000_000_000 - unix) as f64));
        assert_eq!(told("6m0s"), resets(360.0));
        assert_eq!(told("120ms"), resets(0.12));
        assert_eq!(told("1h2m3.5s"), resets(3723.5));
        for nonsense in ["6m0", "m", "1d", "..s", "soon", "9e9h"] {
            assert_eq!(told(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn only_exhausted_limits_count_and_retry_after_comes_first() {
        let mut all = headers(&[
            ("x-ratelimit-remaining-requests", "3"),
            ("x-ratelimit-reset-requests", "1h"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "2s"),
        ]);
        assert_eq!(told(&all, noon()), resets(2.0));
        all.push(("retry-after".into(), "5".into()));
        assert_eq!(told(&all, noon()), after(5.0));
        all.push(("retry-after-ms".into(), "250".into()));
        assert_eq!(told(&all, noon()), after(0.25));
    }

    #[test]
    fn too_long_a_retry_after_ends_the_call_and_too_long_a_reset_does_not() {
        let policy =
            RetryPolicy::new(3, Duration::ZERO, SECOND).unwrap().with_patience(10 * SECOND);
        let decide = |told| policy.decide(1, Outcome::Status(429), told, &mut rng(0));
        assert_eq!(decide(after(10.0)), Decision::Retry(10 * SECOND));
        assert_eq!(decide(after(11.0)), Decision::AskedTooLong(11 * SECOND));
        assert_eq!(decide(resets(11.0)), Decision::Retry(10 * SECOND));
    }

    #[test]
    fn back_off_spreads_over_its_whole_range() {
        let policy = RetryPolicy::new(9, SECOND, 60 * SECOND).unwrap();
        let mut rng = rng(7);
        let mut draws: Vec<f64> =
            (0..2000).map(|_| policy.back_off(2, &mut rng).as_secs_f64()).collect();
        draws.sort_by(f64::total_cmp);
        // Evenly from 0 to 4 s: each quartile is within 5 standard errors (0.043 s at most) of its
        // place.
        for (at, expected) in [(500, 1.0), (1000, 2.0), (1500, 3.0)] {
            assert!((draws[at] - expected).abs() < 0.22, "{} at {at}", draws[at]);
        }
    }

    proptest! {
        #[test]
        fn pauses_keep_their_bounds(
            made in 1u32..80,
            base in 0u64..100_000,
            cap in 0u64..100_000,
            asked in prop::option::of(0u64..100_000),
            seed: u64,
        ) {
            let policy = RetryPolicy::new(60, Duration::from_millis(base), Duration::from_millis(cap))
                .unwrap()
                .with_patience(Duration::from_millis(50_000));
            let told = asked.map(|ms| Told::RetryAfter(Duration::from_millis(ms)));
            match policy.decide(made, Outcome::Status(503), told, &mut rng(seed)) {
                Decision::Retry(pause) => {
                    let ceiling = u128::from(base) << (made - 1).min(40);
                    let ceiling = ceiling.min(u128::from(cap));
                    let floor = u128::from(asked.unwrap_or(0));
                    prop_assert!(made < 60 && asked.is_none_or(|asked| asked <= 50_000));
                    prop_assert!(pause.as_millis() >= floor);
                    prop_assert!(pause.as_nanos() <= (floor + ceiling) * 1_000_000);
                }
                Decision::NoAttemptsLeft => prop_assert!(made >= 60),
                Decision::AskedTooLong(_) => prop_assert!(asked.unwrap() > 50_000),
                Decision::NotRetryable => prop_assert!(false, "503 is on the list"),
            }
        }

        #[test]
        fn any_header_is_read_without_a_panic(value in "\\PC{0,40}", name in 0usize..4) {
            let names = ["retry-after", "retry-after-ms", "x-ratelimit-reset", "x-ratelimit-reset-tokens"];
            let _ = told(&headers(&[(names[name], &value)]), noon());
        }

        #[test]
        fn any_number_is_read_without_a_panic(value: f64, unit in "(|h|m|s|ms)") {
            for name in ["retry-after", "x-ratelimit-reset"] {
                let _ = told(&headers(&[(name, &format!("{value}{unit}"))]), noon());
            }
        }

        #[test]
        fn a_budget_bounds_retries(
            most in 0u32..30,
            successes in prop::collection::vec(any::<bool>(), 0..400),
        ) {
            let mut budget = RetryBudget::new(most, 0.2);
            let (mut taken, mut succeeded) = (0_u32, 0_u32);
            for success in successes {
                if success {
                    budget.succeeded();
                    succeeded += 1;
                } else {
                    taken += u32::from(budget.take());
                }
            }
            prop_assert!(f64::from(taken) <= f64::from(most) + 0.2 * f64::from(succeeded) + 1e-9);
        }
    }

    #[test]
    fn a_budget_is_used_up_and_earned_back() {
        let mut budget = RetryBudget::new(2, 0.5);
        assert_eq!([(); 3].map(|()| budget.take()), [true, true, false]);
        budget.succeeded();
        assert!(!budget.take());
        budget.succeeded();
        assert!(budget.take());
    }
}
