use std::time::SystemTime;

use crate::{Request, Secret};

/// Proves to a provider who is calling. Asked before every attempt, so that signatures carry the
/// attempt's own date.
pub trait Authorize: Send + Sync {
    /// The headers to add to this request. Their values are secret.
    fn headers(&self, request: &Request, date: SystemTime) -> Vec<(String, Secret)>;

    /// The keys behind them, whose text is taken out of everything that is shown.
    fn secrets(&self) -> Vec<&Secret>;
}

/// No key: a self-hosted server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anonymous;

impl Authorize for Anonymous {
    fn headers(&self, _: &Request, _: SystemTime) -> Vec<(String, Secret)> {
        Vec::new()
    }

    fn secrets(&self) -> Vec<&Secret> {
        Vec::new()
    }
}

/// `Authorization: Bearer KEY` (RFC 6750).
#[derive(Clone, Debug)]
pub struct Bearer(pub Secret);

impl Authorize for Bearer {
    fn headers(&self, _: &Request, _: SystemTime) -> Vec<(String, Secret)> {
        vec![("authorization".to_owned(), self.0.prefixed("Bearer "))]
    }

    fn secrets(&self) -> Vec<&Secret> {
        vec![&self.0]
    }
}

/// The key alone in a header of the provider's own (`Api-Key: KEY`).
#[derive(Clone, Debug)]
pub struct KeyHeader {
    /// The header's name.
    pub name: String,
    /// The key.
    pub key: Secret,
}

impl Authorize for KeyHeader {
    fn headers(&self, _: &Request, _: SystemTime) -> Vec<(String, Secret)> {
        vec![(self.name.clone(), self.key.clone())]
    }

    fn secrets(&self) -> Vec<&Secret> {
        vec![&self.key]
    }
}
