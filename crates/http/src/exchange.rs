use std::fmt;
use std::time::Duration;

use crate::Secret;

/// Sends one request and receives its answer: no retries, no redirects, no judgement of the status.
///
/// This is the seam for recording and replaying: whatever wraps or replaces [`crate::Network`] sees
/// each attempt once.
pub trait Exchange: Send + Sync {
    /// The answer, whatever its status.
    ///
    /// # Errors
    /// When there is none, or none that is whole, within `timeout`, or its body is longer than
    /// [`Request::largest_answer`].
    fn exchange(&self, request: &Request, timeout: Duration) -> Result<Answer, ExchangeError>;
}

/// What to do with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read it.
    Get,
    /// Send it a JSON body.
    Post,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Get => "GET",
            Self::Post => "POST",
        })
    }
}

/// One attempt as it goes out.
#[derive(Clone, Debug)]
pub struct Request {
    /// GET or POST.
    pub method: Method,
    /// Scheme, host and path.
    pub url: String,
    /// Header names and values, without those that prove who is calling.
    pub headers: Vec<(String, String)>,
    /// Headers that prove who is calling: not to be recorded.
    pub secrets: Vec<(String, Secret)>,
    /// JSON in UTF-8; empty for GET.
    pub body: Vec<u8>,
    /// The longest answer to read, in bytes after decompression.
    pub largest_answer: usize,
}

/// What came back. `Debug` shows neither values of headers nor the body: either may echo a key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

impl Request {
    /// What a body is sent as, in the header `content-type`; `None` where there is no body. For
    /// signatures, which cover what the network adds.
    pub fn content_type(&self) -> Option<&'static str> {
        (self.method == Method::Post).then_some("application/json")
    }
}

impl Answer {
    /// A header's value; of several equal names the first.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &names)
            .field("bytes", &self.body.len())
            .finish()
    }
}

pub(crate) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let header = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    header.map(|(_, value)| value.as_str())
}

/// Why there is no whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// No connection: nothing was sent.
    Connect,
    /// Nothing, or not all, within the time.
    Timeout,
    /// The connection broke after the request had gone out, or what came was no HTTP.
    Broken,
    /// The body is longer than may be read.
    TooLarge,
    /// The request could not be built: a malformed header or address.
    Request,
    /// A recording stands in for the provider and holds no such call: nothing was sent.
    NotRecorded,
}

/// An exchange that gave no whole answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct ExchangeError {
    /// In which way.
    pub kind: NoAnswer,
    /// Status and headers, where they had come before it failed.
    pub begun: Option<Answer>,
    /// What the network said.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_have_no_case() {
        let headers = vec![("x-request-id".to_owned(), "7".to_owned())];
        let answer = Answer { headers, ..Answer::default() };
        assert_eq!(answer.header("X-Request-Id"), Some("7"));
        assert_eq!(answer.header("x-request"), None);
    }
}
