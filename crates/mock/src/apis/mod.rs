//! One file a provider.

mod azure;
mod bedrock;
mod cohere;
mod cohere_compatible;
mod common;
mod fields;
mod infinity;
mod jina;
mod llama_cpp;
mod mixedbread;
mod pinecone;
mod signature;
mod tei;
#[cfg(test)]
mod testing;
mod voyage;

pub use azure::Azure;
pub use bedrock::Bedrock;
pub use cohere::Cohere;
pub use cohere_compatible::CohereCompatible;
pub use infinity::Infinity;
pub use jina::Jina;
pub use llama_cpp::LlamaCpp;
pub use mixedbread::Mixedbread;
pub use pinecone::Pinecone;
pub use tei::Tei;
pub use voyage::Voyage;

use crate::{Api, Kind};

/// The imitation of a provider. With a `key`, only that one is taken; without, a hosted provider's
/// takes any that is not empty, and a self-hosted server's needs none.
pub fn api(kind: Kind, key: Option<&str>) -> Box<dyn Api> {
    match kind {
        Kind::Cohere => Box::new(Cohere::new(key)),
        Kind::Azure => Box::new(Azure::new(key)),
        Kind::CohereCompatible => Box::new(CohereCompatible::new(key)),
        Kind::Infinity => Box::new(Infinity::new(key)),
        Kind::LlamaCpp => Box::new(LlamaCpp::new(key)),
        Kind::Tei => Box::new(Tei::new(key)),
        Kind::Jina => Box::new(Jina::new(key)),
        Kind::Voyage => Box::new(Voyage::new(key)),
        Kind::Bedrock => Box::new(Bedrock::new(key)),
        Kind::Mixedbread => Box::new(Mixedbread::new(key)),
        Kind::Pinecone => Box::new(Pinecone::new(key)),
    }
}
