use crate::Request;

/// One provider's API: a function from requests to answers. The server around it speaks HTTP, plays
/// faults and keeps the books.
pub trait Api: Send + Sync {
    /// What the provider would answer: also to a wrong key, a wrong path or a body that it refuses.
    fn answer(&self, request: &Request) -> Answer;

    /// What it answers when something went wrong on its side, in its own shape.
    fn failure(&self, status: u16) -> Answer;

    /// Where the scores stand in a good answer to this request, so that faults can spoil them. The
    /// default is Cohere's form, which many share.
    fn shape(&self, _request: &Request) -> Shape {
        Shape::default()
    }

    /// The header in which the provider tells a request's id. The server fills it where an answer
    /// has none.
    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    /// The headers in which the provider tells how many milliseconds it worked. The server fills
    /// them on good answers.
    fn time_headers(&self) -> &'static [&'static str] {
        &[]
    }
}

/// What a provider answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside content type and length.
    pub headers: Vec<(String, String)>,
    /// The body: JSON, but a lone string goes out as plain text, and null as nothing.
    pub body: serde_json::Value,
    /// Units on the bill: search units or tokens, as the provider counts; 0 for refusals.
    pub billed: u64,
}

impl Answer {
    /// A refusal, or anything else that costs nothing and has no headers of its own.
    pub fn free(status: u16, body: serde_json::Value) -> Self {
        Self { status, headers: Vec::new(), body, billed: 0 }
    }

    /// A good answer with its price.
    pub fn good(body: serde_json::Value, billed: u64) -> Self {
        Self { status: 200, headers: Vec::new(), body, billed }
    }
}

/// Where scores stand in the body of a good answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// JSON pointer (RFC 6901) to the array of results; empty where the body is that array.
    pub results: &'static str,
    /// A result's field that says which document it is about.
    pub index: &'static str,
    /// A result's field with the score.
    pub score: &'static str,
    /// The least and the greatest score that the provider gives; `None` where it gives raw logits.
    pub range: Option<(f64, f64)>,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            results: "/results",
            index: "index",
            score: "relevance_score",
            range: Some((0.0, 1.0)),
        }
    }
}
