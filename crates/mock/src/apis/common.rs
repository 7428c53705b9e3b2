//! What several imitations do alike.

use serde_json::{Map, Value};

use crate::{Request, score};

/// The key that an imitation takes.
pub(crate) struct Key(Option<String>);

impl Key {
    pub(crate) fn new(key: Option<&str>) -> Self {
        Self(key.map(str::to_owned))
    }

    /// A hosted provider: the one set, else any that is not empty.
    pub(crate) fn opens(&self, given: &str) -> bool {
        match &self.0 {
            Some(key) => key == given,
            None => !given.is_empty(),
        }
    }

    /// A server of one's own: without a key set, none is asked for.
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

/// The token of `Authorization: Bearer …`; `None` where the header is missing or of another scheme.
pub(crate) fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers.get("authorization")?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Whether the body is announced as JSON.
pub(crate) fn is_json(request: &Request) -> bool {
    let kind = request.headers.get("content-type").map_or("", String::as_str);
    kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json")
}

/// The body as a JSON object.
///
/// # Errors
/// What is wrong with it, as a phrase.
pub(crate) fn object(request: &Request) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("the body is not a JSON object".into()),
        Err(error) => Err(format!("the body is not JSON: {error}")),
    }
}

/// A field's value; `None` where it is missing or null.
pub(crate) fn given<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

/// The texts of an array of strings; `None` if anything else is in it.
pub(crate) fn texts(value: &Value) -> Option<Vec<String>> {
    let texts = value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned));
    texts.collect()
}

/// Places of documents and their scores, best first; ties in the order of the request.
pub(crate) fn ranked(query: &str, documents: &[String]) -> Vec<(usize, f64)> {
    let scores = documents.iter().map(|document| score::score(query, document));
    let mut ranked: Vec<_> = scores.enumerate().collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    ranked
}

/// The logit whose sigmoid is this score: what a server gives that leaves the sigmoid to its client.
pub(crate) fn logit(score: f64) -> f64 {
    (score / (1.0 - score)).ln()
}

/// An id that a provider would draw at random, in the form of a UUID; here equal for equal bytes.
pub(crate) fn id(bytes: &[u8]) -> String {
    let hash = secondpass_core::ContentHash::of(bytes);
    let [a, b, c, d, e] =
        [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hash.as_str().get(range).unwrap_or(""));
    [a, b, c, d, e].join("-")
}
