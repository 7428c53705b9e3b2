use std::collections::BTreeMap;

/// A request as it came in, body decompressed and whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, ….
    pub method: String,
    /// The path, without host and query.
    pub path: String,
    /// Header names in lower case, and their values.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}
