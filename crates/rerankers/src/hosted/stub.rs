//! Drives an [`Api`] without sockets, for its tests.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use secondpass_core::Context;
use secondpass_http::{
    Anonymous, Answer, Client, Exchange, ExchangeError, HttpError, ManualClock, Request,
    RetryPolicy, Settings,
};
use serde_json::Value;

use super::{Api, Scored};

/// Answers always the same and notes what it was asked.
pub(super) struct Stub {
    answer: Answer,
    seen: Mutex<Vec<Request>>,
}

impl Exchange for Stub {
    fn exchange(&self, request: &Request, _timeout: Duration) -> Result<Answer, ExchangeError> {
        self.seen.lock().unwrap().push(request.clone());
        Ok(self.answer.clone())
    }
}

impl Stub {
    pub fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Arc<Self> {
        let headers = headers.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect();
        let answer = Answer { status, headers, body: body.as_bytes().to_vec() };
        Arc::new(Self { answer, seen: Mutex::default() })
    }

    /// A client that sends each call once, to this stub.
    pub fn client(self: &Arc<Self>) -> Client {
        let retry = RetryPolicy::new(1, Duration::ZERO, Duration::ZERO).unwrap();
        let settings = Settings { retry, ..Settings::new("example", "https://rerank.example") };
        let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
        Client::over(settings, Box::new(Anonymous), self.clone(), clock, 7).unwrap()
    }

    /// The only request so far.
    pub fn request(&self) -> Request {
        let seen = self.seen.lock().unwrap();
        assert_eq!(seen.len(), 1);
        seen[0].clone()
    }
}

/// The request that scores these documents: its address and its body.
pub(super) fn asked(api: &dyn Api, query: &str, documents: &[&str]) -> (Request, Value) {
    let stub = Stub::new(200, &[], "");
    let documents: Vec<String> = documents.iter().map(|&d| d.to_owned()).collect();
    stub.client().send(&api.call(query, &documents), &Context::default()).unwrap();
    let request = stub.request();
    let body = serde_json::from_slice(&request.body).unwrap();
    (request, body)
}

/// What an [`Api`] reads from a success with this body.
pub(super) fn read(
    api: &dyn Api,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Scored, HttpError> {
    let client = Stub::new(200, headers, body).client();
    let reply = client.send(&api.call("q", &["d".to_owned()]), &Context::default())?;
    api.read(&reply)
}

/// The error that a refusal with this body becomes.
pub(super) fn refused(api: &dyn Api, status: u16, body: &str) -> HttpError {
    let client = Stub::new(status, &[], body).client();
    client.send(&api.call("q", &["d".to_owned()]), &Context::default()).unwrap_err()
}
