//! What the client does over time, without sockets: exchanges from a script, time from a clock that
//! moves only when somebody sleeps.
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use secondpass_core::{Cancel, Context};
use secondpass_http::{
    Answer, Authorize, BreakerSettings, Call, Client, Clock, ErrorKind, Exchange, ExchangeError,
    GaveUp, HttpError, ManualClock, NoAnswer, Outcome, Rates, Reply, Request, RetryBudget,
    RetryPolicy, Secret, Settings, Timeouts,
};

const SECOND: Duration = Duration::from_secs(1);

/// What an exchange does: how long it takes and how it ends.
#[derive(Clone, Debug)]
enum Step {
    Status(u16, Vec<(&'static str, &'static str)>),
    Fails(NoAnswer),
    /// Takes this long, or as long as it may.
    Takes(Duration),
    /// Succeeds, and the user stops meanwhile.
    Cancels(Cancel),
}

struct Script {
    clock: Arc<ManualClock>,
    steps: Mutex<VecDeque<Step>>,
    /// When each exchange began, and what it carried.
    seen: Mutex<Vec<(Duration, Request)>>,
}

impl Exchange for Script {
    fn exchange(&self, request: &Request, timeout: Duration) -> Result<Answer, ExchangeError> {
        self.seen.lock().unwrap().push((self.clock.passed(), request.clone()));
        let step = self.steps.lock().unwrap().pop_front();
        let fails = |kind| Err(ExchangeError { kind, begun: None, detail: "as told".into() });
        match step.unwrap_or(Step::Status(200, Vec::new())) {
            Step::Status(status, headers) => {
                let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
                Ok(Answer { status, headers: headers.collect(), body: Vec::new() })
            }
            Step::Fails(kind) => fails(kind),
            Step::Takes(time) => {
                self.clock.advance(time.min(timeout));
                if time > timeout {
                    return fails(NoAnswer::Timeout);
                }
                Ok(Answer { status: 200, ..Answer::default() })
            }
            Step::Cancels(cancel) => {
                cancel.set();
                Ok(Answer { status: 503, ..Answer::default() })
            }
        }
    }
}

/// Signs with the date, as SigV4 does.
struct Dated(Secret);

impl Authorize for Dated {
    fn headers(&self, request: &Request, date: SystemTime) -> Vec<(String, Secret)> {
        let seconds = date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let signature = format!("{}-{seconds}-{}", self.0.expose(), request.body.len());
        vec![("signature".into(), Secret::new(&signature, "test").unwrap())]
    }

    fn secrets(&self) -> Vec<&Secret> {
        vec![&self.0]
    }
}

struct Room {
    client: Client,
    clock: Arc<ManualClock>,
    script: Arc<Script>,
}

impl Room {
    fn new(settings: Settings, steps: impl IntoIterator<Item = Step>) -> Self {
        let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
        let script = Arc::new(Script {
            clock: Arc::clone(&clock),
            steps: Mutex::new(steps.into_iter().collect()),
            seen: Mutex::default(),
        });
        let authorize = Box::new(Dated(Secret::new("k3y", "KEY").unwrap()));
        let exchange = Arc::clone(&script) as Arc<dyn Exchange>;
        let of_client = Arc::clone(&clock) as Arc<dyn Clock>;
        let client = Client::over(settings, authorize, exchange, of_client, 1).unwrap();
        Self { client, clock, script }
    }

    fn send(&self) -> Result<Reply, HttpError> {
        self.send_tokens(0)
    }

    fn send_tokens(&self, tokens: u64) -> Result<Reply, HttpError> {
        let call = Call::post("/x", &[1, 2, 3]).with_tokens(tokens);
        self.client.send(&call, &Context::default())
    }

    /// When each exchange began.
    fn times(&self) -> Vec<Duration> {
        self.script.seen.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }
}

fn settings() -> Settings {
    let mut settings = Settings::new("acme", "https://acme.example");
    settings.timeouts = Timeouts { connect: SECOND, request: 10 * SECOND, total: 100 * SECOND };
    settings.retry = RetryPolicy::new(4, SECOND, 4 * SECOND).unwrap();
    settings.breaker = BreakerSettings { failures: 100, pause: 30 * SECOND };
    settings
}

fn status(status: u16) -> Step {
    Step::Status(status, Vec::new())
}

#[test]
fn pauses_grow_within_their_ceilings() {
    let room = Room::new(settings(), [status(503), status(502), status(500)]);
    let reply = room.send().unwrap();
    let waited: Vec<Duration> = reply.attempts.iter().map(|a| a.waited).collect();
    assert_eq!(waited[0], Duration::ZERO);
    for (pause, ceiling) in waited[1..].iter().zip([1, 2, 4]) {
        assert!(*pause > Duration::ZERO && *pause <= ceiling * SECOND, "{pause:?}");
    }
    assert_eq!(reply.queued(), room.clock.passed());
}

#[test]
fn each_attempt_is_signed_with_its_own_date() {
    let room = Room::new(settings(), [Step::Status(429, vec![("retry-after", "30")])]);
    room.send().unwrap();
    let seen = room.script.seen.lock().unwrap();
    let signatures: Vec<&str> = seen.iter().map(|(_, r)| r.secrets[0].1.expose()).collect();
    assert_eq!(signatures[0], "k3y-0-7");
    let second: u64 = signatures[1].split('-').nth(1).unwrap().parse().unwrap();
    assert!((30..=31).contains(&second), "{signatures:?}");
    assert!(!format!("{seen:?}").contains("k3y"));
}

#[test]
fn what_one_call_is_told_holds_for_the_next() {
    let mut settings = settings();
    settings.retry = RetryPolicy::new(1, SECOND, SECOND).unwrap();
    let room = Room::new(settings, [Step::Status(429, vec![("retry-after", "30")])]);
    assert_eq!(room.send().unwrap_err().gave_up(), GaveUp::NoAttemptsLeft);
    room.send().unwrap();
    assert_eq!(room.times()[1], 30 * SECOND);
}

#[test]
fn no_attempt_begins_after_the_end() {
    let mut settings = settings();
    settings.timeouts.total = 25 * SECOND;
    let room = Room::new(
        settings,
        [Step::Takes(60 * SECOND), Step::Takes(60 * SECOND), Step::Takes(60 * SECOND)],
    );
    let error = room.send().unwrap_err();
    assert_eq!((error.kind(), error.gave_up()), (&ErrorKind::Timeout, GaveUp::NoTime));
    assert!(room.clock.passed() <= 25 * SECOND, "{:?}", room.clock.passed());
    assert_eq!(error.attempts().len(), 3);
}

#[test]
fn our_own_limits_take_none_of_a_calls_time() {
    let mut settings = settings();
    settings.rates = Rates { tokens: Some(600.0), ..Rates::default() };
    let room = Room::new(settings, [status(200), status(503), Step::Takes(60 * SECOND)]);
    room.send_tokens(5001).unwrap();
    let reply = room.send_tokens(5000).unwrap();
    assert_eq!(reply.attempts.len(), 3, "500 s for its turn, and 500 more before each other one");
    assert_eq!(room.times()[1], 500 * SECOND);
    assert!(room.times()[3] >= 1500 * SECOND, "{:?}", room.times());
}

#[test]
fn a_rate_with_a_wait_beyond_the_deadline_is_not_waited_for_and_costs_nothing() {
    let mut settings = settings();
    settings.rates = Rates { tokens: Some(600.0), ..Rates::default() };
    let room = Room::new(settings, []);
    room.send_tokens(5001).unwrap();
    let deadline = Some(room.clock.now() + 100 * SECOND);
    let context = Context { deadline, ..Context::default() };
    let call = Call::post("/x", &[1, 2, 3]).with_tokens(5000);
    let error = room.client.send(&call, &context).unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (&ErrorKind::NoTime, 0));
    room.clock.advance(500 * SECOND);
    room.send_tokens(10).unwrap();
    assert_eq!(room.times(), [Duration::ZERO, 500 * SECOND]);
}

#[test]
fn requests_keep_to_their_rate() {
    let mut settings = settings();
    settings.rates = Rates { requests: Some(600.0), ..Rates::default() };
    let room = Room::new(settings, []);
    for _ in 0..611 {
        room.send().unwrap();
    }
    let times = room.times();
    let minute = times.iter().filter(|at| **at < 60 * SECOND).count();
    assert!((600..=602).contains(&minute), "{minute} in the first minute");
}

#[test]
fn a_dead_provider_sees_few_requests_and_is_tried_again_later() {
    let mut settings = settings();
    settings.breaker = BreakerSettings { failures: 6, pause: 30 * SECOND };
    let room = Room::new(settings, vec![Step::Fails(NoAnswer::Connect); 6]);
    let first = room.send().unwrap_err();
    assert_eq!((first.attempts().len(), first.is_final()), (4, false));
    let second = room.send().unwrap_err();
    assert_eq!((second.attempts().len(), second.gave_up()), (2, GaveUp::CircuitOpen));
    assert_eq!((second.kind(), second.is_final()), (&ErrorKind::Connect, true));
    let third = room.send().unwrap_err();
    assert_eq!((third.kind(), third.attempts().len()), (&ErrorKind::CircuitOpen, 0));
    assert!(third.is_final() && third.to_string().contains("not called"), "{third}");
    assert_eq!(room.times().len(), 6);
    room.clock.advance(30 * SECOND);
    assert_eq!(room.send().unwrap().attempts.len(), 1);
}

#[test]
fn every_kind_of_breakdown_opens_the_circuit() {
    let breakdowns = [
        status(500),
        status(408),
        Step::Fails(NoAnswer::Broken),
        Step::Fails(NoAnswer::Timeout),
        Step::Takes(11 * SECOND),
    ];
    for breakdown in breakdowns {
        let mut settings = settings();
        settings.breaker = BreakerSettings { failures: 2, pause: 30 * SECOND };
        let room = Room::new(settings, vec![breakdown.clone(); 4]);
        assert_eq!(room.send().unwrap_err().gave_up(), GaveUp::CircuitOpen, "{breakdown:?}");
        assert_eq!(room.times().len(), 2);
    }
}

#[test]
fn an_attempt_cut_short_by_the_end_of_the_call_says_nothing_of_the_provider() {
    let mut settings = settings();
    settings.timeouts.total = 10 * SECOND;
    settings.breaker = BreakerSettings { failures: 1, pause: 30 * SECOND };
    let refused = Step::Status(429, vec![("retry-after", "6")]);
    let room = Room::new(settings, [refused, Step::Takes(9 * SECOND)]);
    // It pauses for 6 of its 10 seconds.
    assert_eq!(room.send().unwrap_err().kind(), &ErrorKind::Timeout);
    room.send().unwrap();
}

#[test]
fn refusals_do_not_open_the_circuit() {
    let mut settings = settings();
    settings.breaker = BreakerSettings { failures: 2, pause: 30 * SECOND };
    let room = Room::new(settings, [400, 401, 404, 422].map(status));
    for _ in 0..4 {
        assert_eq!(room.send().unwrap_err().kind(), &ErrorKind::Status);
    }
    room.send().unwrap();
}

#[test]
fn retries_over_all_calls_are_bounded() {
    let mut settings = settings();
    settings.budget = RetryBudget::new(5, 0.1);
    let room = Room::new(settings, vec![status(503); 100]);
    let errors: Vec<HttpError> = (0..20).map(|_| room.send().unwrap_err()).collect();
    assert_eq!(room.times().len(), 20 + 5);
    assert!(errors[2..].iter().all(|error| error.gave_up() == GaveUp::BudgetSpent));
    assert!(errors[9].to_string().contains("too many retries"), "{}", errors[9]);
}

#[test]
fn a_user_who_stops_gets_no_further_attempt() {
    let context = Context::default();
    let room = Room::new(settings(), [Step::Cancels(context.cancel.clone())]);
    let call = Call::get("/x");
    let error = room.client.send(&call, &context).unwrap_err();
    assert_eq!((error.status(), error.gave_up()), (Some(503), GaveUp::Stopped));
    let error = room.client.send(&call, &context).unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (&ErrorKind::Stopped, 0));
    assert_eq!(room.times().len(), 1);
}

#[test]
fn a_deadline_that_has_passed_sends_nothing() {
    let room = Room::new(settings(), []);
    let context = Context { deadline: Some(Instant::now()), ..Context::default() };
    let error = room.client.send(&Call::get("/x"), &context).unwrap_err();
    assert_eq!((error.kind(), room.times().len()), (&ErrorKind::NoTime, 0));
}

#[test]
fn what_is_no_json_is_not_sent() {
    let room = Room::new(settings(), []);
    let keys = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = room.client.send(&Call::post("/x", &keys), &Context::default()).unwrap_err();
    assert_eq!((error.kind(), room.times().len()), (&ErrorKind::Request, 0));
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::sample::select(vec![200, 302, 400, 401, 404, 408, 429, 500, 503, 504])
            .prop_map(status),
        prop::sample::select(vec!["0", "3", "70", "soon"])
            .prop_map(|value| Step::Status(429, vec![("retry-after", value)])),
        prop::sample::select(vec![
            NoAnswer::Connect,
            NoAnswer::Timeout,
            NoAnswer::Broken,
            NoAnswer::TooLarge
        ])
        .prop_map(Step::Fails),
        (0u32..30).prop_map(|seconds| Step::Takes(seconds * SECOND)),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_the_bounds_hold(steps in prop::collection::vec(any_step(), 0..12)) {
        let room = Room::new(settings(), steps);
        for _ in 0..3 {
            let (before, sent) = (room.clock.passed(), room.times().len());
            let result = room.send();
            let attempts = match &result {
                Ok(reply) => &reply.attempts,
                Err(error) => error.attempts(),
            };
            prop_assert!(attempts.len() <= 4);
            prop_assert_eq!(room.times().len() - sent, attempts.len());
            prop_assert!(room.clock.passed() - before <= 100 * SECOND);
            // Whatever ended the call, only what may be retried came before it.
            let retried = attempts.len().saturating_sub(1);
            for attempt in &attempts[..retried] {
                prop_assert!(room.client.settings().retry.is_retryable(attempt.outcome));
            }
            let succeeded = matches!(attempts.last().map(|a| a.outcome), Some(Outcome::Status(200)));
            prop_assert_eq!(succeeded, result.is_ok());
        }
    }
}
