//! Requests for the tests of imitations.

use serde_json::Value;

use crate::Request;

/// A POST of JSON with a Bearer key.
pub(super) fn post(path: &str, body: &Value) -> Request {
    let headers = [("content-type", "application/json"), ("authorization", "Bearer key")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let body = body.to_string().into_bytes();
    Request { method: "POST".into(), path: path.into(), headers, body }
}

/// The same request with another header.
pub(super) fn with(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.insert(name.into(), value.into());
    request
}

/// The same request without a header.
pub(super) fn without(mut request: Request, name: &str) -> Request {
    request.headers.remove(name);
    request
}

/// The places in an array of results, in its order.
pub(super) fn places(results: &Value) -> Vec<u64> {
    let results = results.as_array().unwrap().iter();
    results.map(|result| result["index"].as_u64().unwrap()).collect()
}
