//! Rerankers that are asked over HTTP: one [`Api`] a provider, and one [`Hosted`] around it that
//! splits, sends, checks and counts.

mod api;
mod azure;
mod bedrock;
mod billing;
mod call;
mod catalogue;
mod check;
mod cohere;
mod cohere_compatible;
mod jina;
mod limits;
mod mixedbread;
mod open;
mod options;
mod pinecone;
mod refuse;
mod reranker;
mod sigv4;
mod split;
#[cfg(test)]
mod stub;
mod tei;
mod tokens;
mod voyage;
mod work;

#[cfg(test)]
mod tests;

pub use api::{Api, Bill, CallTokens, Scored};
pub use azure::Azure;
pub use bedrock::Bedrock;
pub use catalogue::{KeyKind, PROVIDERS, Provider, Tier, provider};
pub use check::{Checked, check};
pub use cohere::Cohere;
pub use cohere_compatible::CohereCompatible;
pub use jina::Jina;
pub use mixedbread::Mixedbread;
pub use open::{OpenError, OpenSettings, Through, destination, open};
pub use options::{OptionError, Options};
pub use pinecone::Pinecone;
pub use reranker::{Hosted, HostedParts};
pub use sigv4::{AwsKeys, SigV4};
pub use tei::{Tei, TeiInfo};
pub use tokens::{CountTokens, Counted, Guess};
pub use voyage::Voyage;
