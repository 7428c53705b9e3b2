use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use secondpass_core::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::echo::without_pieces;
use crate::error::{Parts, Peer};
use crate::exchange::find;
use crate::limit::{Limiter, Place};
use crate::sync::lock;
use crate::{
    Answer, Attempt, Authorize, Breaker, Clock, Decision, ErrorKind, Exchange, ExchangeError,
    GaveUp, HttpError, InFlight, Method, Network, NoAnswer, Outcome, Redactor, Request,
    RetryBudget, Settings, SetupError, SystemClock, Told, address, told,
};

/// Speaks to one provider. Many threads may send at once; they share its limits, its retry budget
/// and its circuit breaker.
pub struct Client {
    settings: Settings,
    base: String,
    authorize: Box<dyn Authorize>,
    exchange: Arc<dyn Exchange>,
    clock: Arc<dyn Clock>,
    peer: Arc<Peer>,
    in_flight: InFlight,
    limiter: Mutex<Limiter>,
    breaker: Mutex<Breaker>,
    budget: Mutex<RetryBudget>,
    rng: Mutex<StdRng>,
}

/// One thing to ask of a provider.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Result<Vec<u8>, String>,
    tokens: u64,
}

/// A success, and how it came about. `Debug` shows neither headers nor the body: either may echo a
/// key.
#[derive(Clone)]
pub struct Reply {
    /// From 200 to 299.
    pub status: u16,
    /// The provider's name for the request.
    pub request_id: Option<String>,
    /// Header names in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// Every time it was sent; the last one succeeded.
    pub attempts: Vec<Attempt>,
    /// The request's body, whose texts no error shows.
    sent: Vec<u8>,
    peer: Arc<Peer>,
}

/// Why a call may not go out (again).
#[derive(Clone, Copy)]
enum Halt {
    Stopped,
    NoTime,
    CircuitOpen,
}

/// An attempt without success.
struct Trouble {
    kind: ErrorKind,
    outcome: Outcome,
    answer: Answer,
    detail: Option<String>,
}

impl Call {
    /// Sends a value as JSON to a path under the base URL (`/v2/rerank`).
    pub fn post(path: impl Into<String>, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).map_err(|error| error.to_string());
        Self { method: Method::Post, path: path.into(), headers: Vec::new(), body, tokens: 0 }
    }

    /// Reads a path under the base URL.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            path: path.into(),
            headers: Vec::new(),
            body: Ok(Vec::new()),
            tokens: 0,
        }
    }

    /// Adds a header. Keys do not go here but into [`Authorize`].
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How many tokens it counts for in the provider's limit, by estimate.
    #[must_use]
    pub fn with_tokens(self, tokens: u64) -> Self {
        Self { tokens, ..self }
    }
}

impl Client {
    /// How often a long wait looks whether the user wants to stop.
    const LOOK: Duration = Duration::from_millis(20);

    /// A client over the real network and clock.
    ///
    /// # Errors
    /// Settings that cannot work, a base URL to which a key would travel readable, or a system
    /// without certificates.
    pub fn new(settings: Settings, authorize: Box<dyn Authorize>) -> Result<Self, SetupError> {
        settings.timeouts.check()?;
        let network = Arc::new(Network::new(&settings.timeouts, settings.proxy)?);
        Self::through(settings, authorize, network)
    }

    /// A client over the system's clock whose exchanges come from elsewhere, as from a recording, or
    /// go there too.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn through(
        settings: Settings,
        authorize: Box<dyn Authorize>,
        exchange: Arc<dyn Exchange>,
    ) -> Result<Self, SetupError> {
        let seed = RandomState::new().build_hasher().finish();
        Self::over(settings, authorize, exchange, Arc::new(SystemClock), seed)
    }

    /// A client whose exchanges, time and dice come from elsewhere: a recording, a test.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn over(
        settings: Settings,
        authorize: Box<dyn Authorize>,
        exchange: Arc<dyn Exchange>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Result<Self, SetupError> {
        settings.timeouts.check()?;
        let secrets = authorize.secrets();
        let base = address::base(&settings.base_url, !secrets.is_empty())?;
        let peer = Peer {
            provider: settings.provider.clone(),
            host: address::host(&base).unwrap_or_default(),
            key: secrets.first().map(|secret| secret.origin().to_owned()),
            redactor: Redactor::new(secrets),
        };
        Ok(Self {
            base,
            peer: Arc::new(peer),
            in_flight: InFlight::new(settings.rates.in_flight),
            limiter: Mutex::new(Limiter::new(&settings.rates, clock.now())),
            breaker: Mutex::new(Breaker::new(settings.breaker)),
            budget: Mutex::new(settings.budget.clone()),
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
            settings,
            authorize,
            exchange,
            clock,
        })
    }

    /// What it was set to.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The base URL of all calls, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// Sends a call, again where that may help, and waits for its answer. When the user stops, no
    /// further attempt goes out, but the answer of one under way, which may have been paid for, is
    /// still awaited.
    ///
    /// Waiting for our own limits is bounded by the context's deadline alone: a call that would fail
    /// because many are in front of it says nothing about the provider.
    ///
    /// # Errors
    /// When no attempt succeeded; the error is the last attempt's.
    pub fn send(&self, call: &Call, context: &Context) -> Result<Reply, HttpError> {
        let mut since = self.clock.now();
        let mut left = self.settings.timeouts.total;
        let mut request = self.request(call)?;
        let mut attempts = Vec::new();
        let mut last = None;
        loop {
            let place = match self.turn(call.tokens, context) {
                Ok(place) => place,
                Err(halt) => return Err(self.halted(halt, last, attempts, &request)),
            };
            let sent = self.clock.now();
            let end = sent + left;
            let end = context.deadline.map_or(end, |deadline| end.min(deadline));
            request.secrets = self.authorize.headers(&request, self.clock.date());
            let within = end.saturating_duration_since(sent);
            let whole = within >= self.settings.timeouts.request;
            let timeout = within.min(self.settings.timeouts.request);
            let result = self.exchange.exchange(&request, timeout);
            drop(place);
            let now = self.clock.now();
            let judged = self.judge(result);
            let outcome = match &judged {
                Ok(answer) => Outcome::Status(answer.status),
                Err(trouble) => trouble.outcome,
            };
            self.note(outcome, whole, now);
            attempts.push(Attempt { waited: sent - since, took: now - sent, outcome });
            let trouble = match judged {
                Ok(answer) => return Ok(self.reply(answer, attempts, request)),
                Err(trouble) => trouble,
            };
            match self.again(&attempts, &trouble, end, context) {
                Ok(()) => last = Some(trouble),
                Err(gave_up) => return Err(self.error(trouble, attempts, gave_up, &request.body)),
            }
            // A pause may end late.
            left = end.saturating_duration_since(self.clock.now());
            if left.is_zero() {
                return Err(self.halted(Halt::NoTime, last, attempts, &request));
            }
            since = now;
        }
    }

    fn request(&self, call: &Call) -> Result<Request, HttpError> {
        let body = call.body.clone().map_err(|detail| {
            let trouble = Trouble {
                kind: ErrorKind::Request,
                outcome: Outcome::NoAnswer(NoAnswer::Request),
                answer: Answer::default(),
                detail: Some(detail),
            };
            self.error(trouble, Vec::new(), GaveUp::NotRetryable, &[])
        })?;
        Ok(Request {
            method: call.method,
            url: format!("{}{}", self.base, call.path),
            headers: call.headers.clone(),
            secrets: Vec::new(),
            body,
            largest_answer: self.settings.largest_answer,
        })
    }

    /// Waits until an attempt may go out.
    fn turn(&self, tokens: u64, context: &Context) -> Result<Place<'_>, Halt> {
        let end = context.deadline;
        let stopped = || match context.cancel.is_set() {
            true => Some(Halt::Stopped),
            false => {
                let over = context.is_over() || end.is_some_and(|end| self.clock.now() >= end);
                over.then_some(Halt::NoTime)
            }
        };
        if let Some(halt) = stopped() {
            return Err(halt);
        }
        let place = self.in_flight.enter(|| stopped().is_some());
        let place = place.ok_or_else(|| stopped().unwrap_or(Halt::NoTime))?;
        let now = self.clock.now();
        let wait = lock(&self.limiter).take(tokens, now);
        let unsent = |halt| {
            lock(&self.limiter).give_back(tokens);
            Err(halt)
        };
        if end.is_some_and(|end| wait >= end.saturating_duration_since(now)) {
            return unsent(Halt::NoTime);
        }
        self.pause(wait, context);
        if let Some(halt) = stopped() {
            return unsent(halt);
        }
        match lock(&self.breaker).allow(self.clock.now()) {
            Ok(()) => Ok(place),
            Err(_) => unsent(Halt::CircuitOpen),
        }
    }

    /// Sleeps, but ends early when the user stops.
    fn pause(&self, duration: Duration, context: &Context) {
        let until = self.clock.now() + duration;
        loop {
            let left = until.saturating_duration_since(self.clock.now());
            if left.is_zero() || context.is_over() {
                return;
            }
            self.clock.sleep(left.min(Self::LOOK));
        }
    }

    fn judge(&self, result: Result<Answer, ExchangeError>) -> Result<Answer, Trouble> {
        let answer = match result {
            Ok(answer) => answer,
            Err(ExchangeError { kind, begun, detail }) => {
                let outcome = Outcome::NoAnswer(kind);
                let kind = match kind {
                    NoAnswer::Connect => ErrorKind::Connect,
                    NoAnswer::Timeout => ErrorKind::Timeout,
                    NoAnswer::Broken => ErrorKind::Body,
                    NoAnswer::TooLarge => ErrorKind::TooLarge(self.settings.largest_answer),
                    NoAnswer::Request => ErrorKind::Request,
                    NoAnswer::NotRecorded => ErrorKind::NotRecorded,
                };
                let answer = begun.unwrap_or_default();
                return Err(Trouble { kind, outcome, answer, detail: Some(detail) });
            }
        };
        let kind = match answer.status {
            200..300 => return Ok(answer),
            300..400 => ErrorKind::Redirect(answer.header("location").and_then(address::host)),
            _ => ErrorKind::Status,
        };
        let outcome = Outcome::Status(answer.status);
        Err(Trouble { kind, outcome, answer, detail: None })
    }

    /// Tells the circuit breaker and the retry budget. `whole` is whether the attempt had the time
    /// that an attempt is given.
    fn note(&self, outcome: Outcome, whole: bool, now: Instant) {
        let mut breaker = lock(&self.breaker);
        match outcome {
            Outcome::Status(408 | 500..) => breaker.failed(now),
            Outcome::NoAnswer(NoAnswer::Timeout) if !whole => breaker.abandoned(now),
            Outcome::NoAnswer(NoAnswer::Request | NoAnswer::NotRecorded) => {
                breaker.abandoned(now);
            }
            Outcome::Status(_) | Outcome::NoAnswer(NoAnswer::TooLarge) => breaker.succeeded(),
            Outcome::NoAnswer(_) => breaker.failed(now),
        }
        if matches!(outcome, Outcome::Status(200..300)) {
            lock(&self.budget).succeeded();
        }
    }

    /// Waits for the next attempt, or says why there is none.
    fn again(
        &self,
        attempts: &[Attempt],
        trouble: &Trouble,
        end: Instant,
        context: &Context,
    ) -> Result<(), GaveUp> {
        let made = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
        let hint = told(&trouble.answer.headers, self.clock.date());
        let policy = &self.settings.retry;
        let now = self.clock.now();
        if let (Outcome::Status(429), Some(Told::RetryAfter(pause))) = (trouble.outcome, hint)
            && pause <= policy.patience()
        {
            // The limit is the account's, so that the other calls would be refused too.
            lock(&self.limiter).close(now + pause);
        }
        let decision = policy.decide(made, trouble.outcome, hint, &mut *lock(&self.rng));
        let pause = match decision {
            Decision::Retry(pause) => pause,
            Decision::NotRetryable => return Err(GaveUp::NotRetryable),
            Decision::NoAttemptsLeft => return Err(GaveUp::NoAttemptsLeft),
            Decision::AskedTooLong(pause) => return Err(GaveUp::AskedTooLong(pause)),
        };
        if context.cancel.is_set() {
            return Err(GaveUp::Stopped);
        }
        if pause >= end.saturating_duration_since(now) {
            return Err(GaveUp::NoTime);
        }
        if lock(&self.breaker).is_open() {
            return Err(GaveUp::CircuitOpen);
        }
        if !lock(&self.budget).take() {
            return Err(GaveUp::BudgetSpent);
        }
        self.pause(pause, context);
        Ok(())
    }

    fn reply(&self, answer: Answer, attempts: Vec<Attempt>, request: Request) -> Reply {
        Reply {
            status: answer.status,
            request_id: self.request_id(&answer),
            headers: answer.headers,
            body: answer.body,
            attempts,
            sent: request.body,
            peer: Arc::clone(&self.peer),
        }
    }

    fn request_id(&self, answer: &Answer) -> Option<String> {
        let names = self.settings.request_id_headers.iter();
        let id = names.filter_map(|name| answer.header(name)).next()?;
        Some(self.peer.redactor.identifier(id))
    }

    fn halted(
        &self,
        halt: Halt,
        last: Option<Trouble>,
        attempts: Vec<Attempt>,
        request: &Request,
    ) -> HttpError {
        let (kind, gave_up) = match halt {
            Halt::Stopped => (ErrorKind::Stopped, GaveUp::Stopped),
            Halt::NoTime => (ErrorKind::NoTime, GaveUp::NoTime),
            Halt::CircuitOpen => (ErrorKind::CircuitOpen, GaveUp::CircuitOpen),
        };
        let outcome = Outcome::NoAnswer(NoAnswer::Request);
        let unsent = Trouble { kind, outcome, answer: Answer::default(), detail: None };
        self.error(last.unwrap_or(unsent), attempts, gave_up, &request.body)
    }

    fn error(
        &self,
        trouble: Trouble,
        attempts: Vec<Attempt>,
        gave_up: GaveUp,
        sent: &[u8],
    ) -> HttpError {
        let Trouble { kind, answer, detail, .. } = trouble;
        let redactor = &self.peer.redactor;
        let kind = match kind {
            ErrorKind::Redirect(to) => ErrorKind::Redirect(to.map(|to| redactor.text(&to))),
            other => other,
        };
        HttpError::new(Parts {
            peer: Arc::clone(&self.peer),
            kind,
            status: (answer.status != 0).then_some(answer.status),
            request_id: self.request_id(&answer),
            detail: detail.map(|detail| redactor.text(&detail)),
            excerpt: excerpt(redactor, sent, &answer.body),
            attempts,
            gave_up,
        })
    }
}

/// The beginning of an answer without keys and without texts of the request.
fn excerpt(redactor: &Redactor, sent: &[u8], body: &[u8]) -> Option<String> {
    let begun = String::from_utf8_lossy(&body[..body.len().min(Redactor::LOOKED_AT)]);
    redactor.excerpt(without_pieces(sent, &begun).as_bytes())
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("provider", &self.peer.provider)
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .field("bytes", &self.body.len())
            .field("attempts", &self.attempts)
            .finish()
    }
}

impl Reply {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none, or not of the form that `T` wants.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.error(ErrorKind::NotJson, &error.to_string()))
    }

    /// An error for JSON of the right form whose content is wrong: an index twice, a score that is
    /// no number.
    pub fn bad_answer(&self, reason: &str) -> HttpError {
        self.error(ErrorKind::BadAnswer, reason)
    }

    /// Waiting in all: for limits, and between attempts.
    pub fn queued(&self) -> Duration {
        self.attempts.iter().map(|attempt| attempt.waited).sum()
    }

    /// The attempt that succeeded, from its start to the last byte: the call's latency without what
    /// our own limits and the attempts before it cost.
    pub fn network(&self) -> Duration {
        self.attempts.last().map_or(Duration::ZERO, |attempt| attempt.took)
    }

    fn error(&self, kind: ErrorKind, detail: &str) -> HttpError {
        HttpError::new(Parts {
            peer: Arc::clone(&self.peer),
            kind,
            status: Some(self.status),
            request_id: self.request_id.clone(),
            detail: Some(self.peer.redactor.text(&without_pieces(&self.sent, detail))),
            excerpt: excerpt(&self.peer.redactor, &self.sent, &self.body),
            attempts: self.attempts.clone(),
            gave_up: GaveUp::NotRetryable,
        })
    }
}
