//! One file a provider.

mod azure;
mod cohere;
mod cohere_compatible;
mod common;
mod infinity;
mod llama_cpp;

pub use azure::Azure;
pub use cohere::Cohere;
pub use cohere_compatible::CohereCompatible;
pub use infinity::Infinity;
pub use llama_cpp::LlamaCpp;

use serde_json::json;

use crate::{Answer, Api, Kind, Request};

/// The imitation of a provider. With a `key`, only that one is taken; without, a hosted provider's
/// takes any that is not empty, and a self-hosted server's needs none.
pub fn api(kind: Kind, key: Option<&str>) -> Box<dyn Api> {
    match kind {
        Kind::Cohere => Box::new(Cohere::new(key)),
        Kind::Azure => Box::new(Azure::new(key)),
        Kind::CohereCompatible => Box::new(CohereCompatible::new(key)),
        Kind::Infinity => Box::new(Infinity::new(key)),
        Kind::LlamaCpp => Box::new(LlamaCpp::new(key)),
        Kind::Tei => Box::new(NotYet),
        Kind::Jina => Box::new(NotYet),
        Kind::Voyage => Box::new(NotYet),
        Kind::Bedrock => Box::new(NotYet),
        Kind::Mixedbread => Box::new(NotYet),
        Kind::Pinecone => Box::new(NotYet),
    }
}

/// Stands where an imitation has yet to be written.
struct NotYet;

impl Api for NotYet {
    fn answer(&self, _: &Request) -> Answer {
        self.failure(501)
    }

    fn failure(&self, status: u16) -> Answer {
        Answer::free(status, json!({ "message": "this provider cannot be imitated yet" }))
    }
}
