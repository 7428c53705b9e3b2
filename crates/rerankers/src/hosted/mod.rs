//! Rerankers that are asked over HTTP: one [`Api`] a provider, and one [`Hosted`] around it that
//! splits, sends, checks and counts.

mod api;
mod call;
mod options;
mod reranker;
mod split;
mod tokens;
mod work;

pub use api::{Api, Bill, CallTokens, Scored};
pub use options::{OptionError, Options};
pub use reranker::{Hosted, HostedParts};
pub use tokens::CountTokens;
