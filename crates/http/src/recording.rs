//! The file in which exchanges are kept: a line that names the format, then a JSON object a line.

use std::io;
use std::path::PathBuf;

use secondpass_core::{ContentHash, Hasher, Origin};
use serde::{Deserialize, Serialize};

use crate::exchange::{Answer, Request};

/// The first line of every recording.
pub(crate) const HEAD: &str = "{\"format\":1,\"kind\":\"secondpass recording\"}";

/// What is kept of an answer's headers. Request ids, cookies and account names are not among them:
/// they tell who asked.
const KEPT: [&str; 18] = [
    "content-type",
    "retry-after",
    "retry-after-ms",
    Origin::MOCK_HEADER,
    // How long the server took, as Envoy, Bedrock, OpenAI's imitators and TEI tell it.
    "server-timing",
    "x-envoy-upstream-service-time",
    "x-amzn-bedrock-invocation-latency",
    "openai-processing-ms",
    "x-process-time",
    "x-response-time",
    "x-compute-time",
    "x-compute-type",
    "x-compute-characters",
    "x-compute-tokens",
    "x-total-time",
    "x-tokenization-time",
    "x-queue-time",
    "x-inference-time",
];

/// A recording that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The system would not have it written.
    #[error("cannot write the recording {path}: {source}; {}", remedy(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system would not have it read.
    #[error(
        "cannot read the recording {path}: {source}; check the path, or record it with --record"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another kind of file.
    #[error("{0}, line 1: this is no recording; give a file that --record wrote")]
    NotARecording(PathBuf),
    /// A recording of another version.
    #[error(
        "{path}, line 1: the recording has format {found}, and this version reads format 1; record \
         it again, or use the version that wrote it"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// A line that was changed after it was written.
    #[error("{path}, line {line}: {reason}; take the line out, or record again")]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// One exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchanged {
    /// Of the request: method, path and body.
    pub request: ContentHash,
    /// When the answer was there, RFC 3339 in UTC.
    pub recorded: String,
    /// From the start of the attempt to the answer's last byte, in microseconds.
    pub took_us: u64,
    /// The HTTP status.
    pub status: u16,
    /// The headers that are kept.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Exchanged {
    /// Whether nothing will come after it: a success ends a call.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// As it came, with the recording's own headers.
    pub fn into_answer(self) -> Answer {
        let mut headers = self.headers;
        headers.push((Origin::RECORDED_HEADER.to_owned(), self.recorded));
        headers.push((Origin::TOOK_HEADER.to_owned(), self.took_us.to_string()));
        Answer { status: self.status, headers, body: self.body.into_bytes() }
    }
}

/// Whether an answer's header is kept.
pub(crate) fn is_kept(header: &str) -> bool {
    KEPT.contains(&header)
}

/// What a request is found by: neither its host, so that a recording may be made through a proxy,
/// nor its headers, where keys are.
pub(crate) fn hash(request: &Request) -> ContentHash {
    let after_scheme = request.url.split_once("://").map_or(&*request.url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("/", |at| &after_scheme[at..]);
    let mut hasher = Hasher::new();
    hasher.field(request.method.to_string()).field(path).field(&request.body);
    hasher.finish()
}

/// What the first line says; `None` where the file is no recording.
pub(crate) fn format(line: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Head {
        format: u64,
        kind: String,
    }
    let head: Head = serde_json::from_slice(line).ok()?;
    (head.kind == "secondpass recording").then_some(head.format)
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space",
        io::ErrorKind::Unsupported => "choose a disk that can lock files",
        io::ErrorKind::NotFound => "make its folder first",
        _ => "choose a place you may write to",
    }
}

#[cfg(test)]
mod tests {
    use crate::Method;

    use super::*;

    #[test]
    fn requests_are_told_apart_by_method_path_and_body_alone() {
        let request = |method, url: &str, body: &str| {
            let (headers, secrets) = (Vec::new(), Vec::new());
            let (url, body) = (url.to_owned(), body.into());
            hash(&Request { method, url, headers, secrets, body, largest_answer: 1 })
        };
        let one = request(Method::Post, "https://api.cohere.com/v2/rerank", "{}");
        assert_eq!(one, request(Method::Post, "http://127.0.0.1:8080/v2/rerank", "{}"));
        assert_ne!(one, request(Method::Get, "https://api.cohere.com/v2/rerank", "{}"));
        assert_ne!(one, request(Method::Post, "https://api.cohere.com/v1/rerank", "{}"));
        assert_ne!(one, request(Method::Post, "https://api.cohere.com/v2/rerank", "{ }"));
        let root = request(Method::Get, "https://host", "");
        assert_eq!(root, request(Method::Get, "https://host/", ""));
    }

    #[test]
    fn the_head_names_its_format() {
        assert_eq!(format(HEAD.as_bytes()), Some(1));
        assert_eq!(format(br#"{"format":2,"kind":"secondpass recording","more":1}"#), Some(2));
        assert_eq!(format(br#"{"format":1,"kind":"journal"}"#), None);
    }
}
