use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{AddressError, Attempt, Redactor, TimeoutError};

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The base URL cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The timeouts cannot work.
    #[error(transparent)]
    Timeouts(#[from] TimeoutError),
    /// TLS or the thread that runs the network is not to be had.
    #[error("the network cannot be set up: {0}; check the system's certificates and its limits")]
    Network(String),
}

/// A call that gave no usable answer: in which way, what is known of it, and what to do next. Holds
/// and shows no keys.
#[derive(Clone)]
pub struct HttpError(Box<Parts>);

#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) peer: Arc<Peer>,
    pub(crate) kind: ErrorKind,
    pub(crate) status: Option<u16>,
    pub(crate) request_id: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) excerpt: Option<String>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) gave_up: GaveUp,
}

/// Who was called, as errors name them.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) provider: String,
    pub(crate) host: String,
    /// Where the key came from, if there is one.
    pub(crate) key: Option<String>,
    pub(crate) redactor: Redactor,
}

/// In which way a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection.
    Connect,
    /// No whole answer within the timeout of an attempt.
    Timeout,
    /// The time for the call was over before an attempt could end.
    NoTime,
    /// An answer that is neither a success nor a redirect.
    Status,
    /// The connection broke, or what came was no HTTP.
    Body,
    /// The answer is longer than this many bytes.
    TooLarge(usize),
    /// The provider points elsewhere: scheme and host, where they can be told.
    Redirect(Option<String>),
    /// A success whose body is not the JSON that was expected.
    NotJson,
    /// JSON of the right form whose content is wrong.
    BadAnswer,
    /// Not sent: too many attempts before it failed.
    CircuitOpen,
    /// The user stopped it.
    Stopped,
    /// The request could not be built.
    Request,
    /// A recording stands in for the provider and holds no such call.
    NotRecorded,
}

/// Why no further attempt was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// It would fail again.
    NotRetryable,
    /// All attempts were used.
    NoAttemptsLeft,
    /// The provider asked for a longer pause than the policy has patience for.
    AskedTooLong(Duration),
    /// Too many retries over all calls.
    BudgetSpent,
    /// The next attempt would have begun after the call's end.
    NoTime,
    /// The circuit breaker opened.
    CircuitOpen,
    /// The user stopped it.
    Stopped,
}

impl HttpError {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Box::new(parts))
    }

    /// The provider's name.
    pub fn provider(&self) -> &str {
        &self.0.peer.provider
    }

    /// In which way it failed.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The last answer's status, where there was one.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The provider's name for the last request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The beginning of the last answer, redacted.
    pub fn excerpt(&self) -> Option<&str> {
        self.0.excerpt.as_deref()
    }

    /// What was sent, in order.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// Why no further attempt was made.
    pub fn gave_up(&self) -> GaveUp {
        self.0.gave_up
    }

    /// Whether later calls to this provider will fail too: a wrong key, an exhausted account, or a
    /// provider that has been given up.
    pub fn is_final(&self) -> bool {
        match self.0.kind {
            ErrorKind::CircuitOpen => true,
            ErrorKind::Status => matches!(self.0.status, Some(401..=403)),
            _ => self.0.gave_up == GaveUp::CircuitOpen,
        }
    }

    /// What to do next.
    pub fn remedy(&self) -> String {
        let key = self.0.peer.key.as_deref();
        match (&self.0.kind, self.0.status.unwrap_or(0)) {
            (ErrorKind::Connect, _) => {
                "check the base URL, that the server runs, and the proxy settings".into()
            }
            (ErrorKind::Timeout, _) => {
                "raise the request timeout, or send fewer or shorter texts a call".into()
            }
            (ErrorKind::NoTime, _) => "raise the total timeout, or lower the load".into(),
            (ErrorKind::Status, 401) => match key {
                Some(origin) => format!("check the key in {origin}"),
                None => "it wants a key; set the provider's key variable".into(),
            },
            (ErrorKind::Status, 402) => {
                "the account's billing limit is reached; raise it with the provider".into()
            }
            (ErrorKind::Status, 403) => match key {
                Some(origin) => format!("check what the key in {origin} may use"),
                None => "it wants a key; set the provider's key variable".into(),
            },
            (ErrorKind::Status, 404) => "check the base URL and the model's name".into(),
            (ErrorKind::Status, 413) => "send fewer or shorter texts a call".into(),
            (ErrorKind::Status, 429) => {
                "set requests and tokens a minute to what your tier allows, or wait".into()
            }
            (ErrorKind::Status, 408 | 500..) => {
                "the provider has trouble of its own; run again later".into()
            }
            (ErrorKind::Status, _) => "check the model's name and the provider's limits".into(),
            (ErrorKind::Body, _) => "run again; if it stays, look for a proxy in between".into(),
            (ErrorKind::TooLarge(_), _) => "send fewer texts a call".into(),
            (ErrorKind::Redirect(_), _) => {
                "if you trust that address, set the base URL to it; keys are not sent on".into()
            }
            (ErrorKind::NotJson, _) => {
                "check that the base URL is an API's, and no web page's or login's".into()
            }
            (ErrorKind::BadAnswer, _) => {
                "check the model's name; if it is right, tell the provider the request id".into()
            }
            (ErrorKind::CircuitOpen, _) => {
                "see the errors before this one, and run again when it answers".into()
            }
            (ErrorKind::Stopped, _) => "run the same command again to go on".into(),
            (ErrorKind::Request, _) => "check the settings it was built from".into(),
            (ErrorKind::NotRecorded, _) => {
                "replay with the texts, model and options it was recorded with, or record again"
                    .into()
            }
        }
    }

    fn what(&self) -> String {
        let Peer { provider, host, .. } = &*self.0.peer;
        let status = self.0.status.map_or("an answer".to_owned(), phrase);
        match &self.0.kind {
            ErrorKind::Connect => format!("cannot connect to {provider} at {host}"),
            ErrorKind::Timeout => format!("{provider} at {host} gave no whole answer in time"),
            ErrorKind::NoTime => format!("the time for a call to {provider} at {host} is over"),
            ErrorKind::Status => format!("{provider} at {host} answered {status}"),
            ErrorKind::Body => format!("the answer of {provider} at {host} broke off"),
            ErrorKind::TooLarge(limit) => {
                format!("the answer of {provider} at {host} is longer than {limit} bytes")
            }
            ErrorKind::Redirect(Some(to)) => {
                format!("{provider} at {host} answered {status} and points to {to}")
            }
            ErrorKind::Redirect(None) => {
                format!("{provider} at {host} answered {status} and points elsewhere")
            }
            ErrorKind::NotJson => {
                format!("{provider} at {host} answered {status} without the JSON expected")
            }
            ErrorKind::BadAnswer => {
                format!("{provider} at {host} answered {status} with wrong content")
            }
            ErrorKind::CircuitOpen => {
                format!("{provider} at {host} is not called, because it failed too often in a row")
            }
            ErrorKind::Stopped => format!("stopped before {provider} at {host} had answered"),
            ErrorKind::Request => format!("no request to {provider} at {host} can be built"),
            ErrorKind::NotRecorded => format!("no recorded answer of {provider} at {host}"),
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())?;
        if let Some(detail) = &self.0.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(excerpt) = &self.0.excerpt {
            write!(f, ": \"{excerpt}\"")?;
        }
        let mut notes = Vec::new();
        if let Some(id) = &self.0.request_id {
            notes.push(format!("request id {id}"));
        }
        let attempts = self.0.attempts.len();
        if attempts > 1 {
            notes.push(format!("{attempts} attempts"));
        }
        notes.extend(self.0.gave_up.note());
        if !notes.is_empty() {
            write!(f, " ({})", notes.join(", "))?;
        }
        write!(f, "; {}", self.remedy())
    }
}

impl fmt::Debug for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpError")
            .field("provider", &self.0.peer.provider)
            .field("host", &self.0.peer.host)
            .field("kind", &self.0.kind)
            .field("status", &self.0.status)
            .field("request_id", &self.0.request_id)
            .field("detail", &self.0.detail)
            .field("excerpt", &self.0.excerpt)
            .field("attempts", &self.0.attempts)
            .field("gave_up", &self.0.gave_up)
            .finish()
    }
}

impl std::error::Error for HttpError {}

impl GaveUp {
    /// Where it is not plain from the error itself.
    fn note(self) -> Option<String> {
        match self {
            Self::NotRetryable | Self::NoAttemptsLeft | Self::Stopped => None,
            Self::AskedTooLong(pause) => {
                Some(format!("it asks to come back after {} s", pause.as_secs()))
            }
            Self::BudgetSpent => Some("too many retries over all calls".into()),
            Self::NoTime => Some("no time for another attempt".into()),
            Self::CircuitOpen => Some("it failed too often in a row".into()),
        }
    }
}

/// `404 Not Found`, or the number alone.
fn phrase(status: u16) -> String {
    let known = reqwest::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
    known.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"))
}
