use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secondpass_core::ContentHash;
use serde::Serialize;

/// What the server did, call by call. Copies show the same books.
///
/// An answer is entered as delivered before its last bytes leave, so that whoever has read an answer
/// finds it here.
#[derive(Clone, Debug)]
pub struct Books(Arc<Mutex<Pages>>);

#[derive(Debug)]
struct Pages {
    opened: Instant,
    calls: Vec<Call>,
    in_flight: usize,
    most_in_flight: usize,
}

/// One `POST` request and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// From 1, in the order of arrival.
    pub number: u64,
    /// Hash of method, path and body; `None` until the body has arrived.
    pub request: Option<ContentHash>,
    /// When it arrived, since the server started.
    pub arrived: Duration,
    /// When it ended, since the server started: answered, cut or given up by the client.
    pub ended: Option<Duration>,
    /// The status sent; `None` where no answer was begun.
    pub status: Option<u16>,
    /// The fault that it met. One that could not be played, such as a spoiled score on a refusal, is
    /// left out.
    pub fault: Option<String>,
    /// Units on the bill, whether or not the client saw the answer.
    pub billed: u64,
    /// Whether the whole body left this process.
    pub delivered: bool,
    /// Whether what was sent is a good answer: status 200, and not spoiled.
    pub good: bool,
}

impl Call {
    /// A good answer of which the client can have all.
    pub fn is_acknowledged(&self) -> bool {
        self.good && self.delivered
    }
}

impl Books {
    pub(crate) fn open() -> Self {
        let opened = Instant::now();
        let pages = Pages { opened, calls: Vec::new(), in_flight: 0, most_in_flight: 0 };
        Self(Arc::new(Mutex::new(pages)))
    }

    /// All calls, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.pages().calls.clone()
    }

    /// Units billed in all.
    pub fn billed(&self) -> u64 {
        self.pages().calls.iter().map(|call| call.billed).sum()
    }

    /// The most calls that were open at the same time.
    pub fn most_in_flight(&self) -> usize {
        self.pages().most_in_flight
    }

    /// Calls that are open now.
    pub fn in_flight(&self) -> usize {
        self.pages().in_flight
    }

    /// Good answers that were wholly delivered.
    pub fn acknowledged(&self) -> usize {
        self.pages().calls.iter().filter(|call| call.is_acknowledged()).count()
    }

    /// Requests that were acknowledged more than once, and how often: work asked for again though its
    /// answer had come.
    pub fn repeated(&self) -> Vec<(ContentHash, usize)> {
        let pages = self.pages();
        let mut times = BTreeMap::new();
        for call in pages.calls.iter().filter(|call| call.is_acknowledged()) {
            if let Some(request) = &call.request {
                *times.entry(request.clone()).or_insert(0) += 1;
            }
        }
        times.into_iter().filter(|(_, times)| *times > 1).collect()
    }

    /// Enters a call's arrival.
    pub(crate) fn arrive(&self) -> Entry {
        let mut pages = self.pages();
        let number = pages.calls.len() as u64 + 1;
        let arrived = pages.opened.elapsed();
        pages.calls.push(Call {
            number,
            request: None,
            arrived,
            ended: None,
            status: None,
            fault: None,
            billed: 0,
            delivered: false,
            good: false,
        });
        pages.in_flight += 1;
        pages.most_in_flight = pages.most_in_flight.max(pages.in_flight);
        Entry { books: self.clone(), place: pages.calls.len() - 1 }
    }

    /// A panic while the books were open leaves them as good as they were.
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The line of one open call. It ends when this is dropped, at the latest.
pub(crate) struct Entry {
    books: Books,
    place: usize,
}

impl Entry {
    /// The call's number, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.place as u64 + 1
    }

    pub(crate) fn write(&self, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self.books.pages().calls.get_mut(self.place) {
            change(call);
        }
    }

    /// Ends the call, with its answer delivered or not.
    pub(crate) fn end(&self, delivered: bool) {
        let mut pages = self.books.pages();
        let now = pages.opened.elapsed();
        let Some(call) = pages.calls.get_mut(self.place) else { return };
        call.delivered = delivered;
        if call.ended.is_none() {
            call.ended = Some(now);
            pages.in_flight -= 1;
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let delivered = self.books.pages().calls.get(self.place).is_some_and(|call| call.delivered);
        self.end(delivered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_follow_the_calls() {
        let books = Books::open();
        let answer = |text: &str, good, delivered| {
            let entry = books.arrive();
            entry.write(|call| {
                call.request = Some(ContentHash::of(text.as_bytes()));
                (call.good, call.billed) = (good, 2);
            });
            entry.end(delivered);
        };
        let open = books.arrive();
        answer("a", true, true);
        answer("a", true, false);
        answer("b", false, true);
        assert!(books.repeated().is_empty());
        answer("a", true, true);
        assert_eq!(books.repeated(), [(ContentHash::of(b"a"), 2)]);
        assert_eq!((books.acknowledged(), books.billed()), (2, 8));
        assert_eq!((books.in_flight(), books.most_in_flight(), open.number()), (1, 2, 1));
        drop(open);
        assert_eq!(books.in_flight(), 0);
        assert!(books.calls().iter().all(|call| call.ended >= Some(call.arrived)));
    }
}
