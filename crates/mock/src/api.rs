use crate::Request;

/// One provider's API: a function from requests to answers. The server around it speaks HTTP, plays
/// faults and keeps the books.
pub trait Api: Send + Sync {
    /// What the provider would answer: also to a wrong key, a wrong path or a body that it refuses.
    fn answer(&self, request: &Request) -> Answer;

    /// What it answers when something went wrong on its side, in its own shape.
    fn failure(&self, status: u16) -> Answer;
}

/// What a provider answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside content type and length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: serde_json::Value,
    /// Units on the bill: search units or tokens, as the provider counts; 0 for refusals.
    pub billed: u64,
}
