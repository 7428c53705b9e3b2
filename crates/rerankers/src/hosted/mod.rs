//! Rerankers that are asked over HTTP: one [`Api`] a provider, and one [`Hosted`] around it that
//! splits, sends, checks and counts.

mod api;
mod options;
mod tokens;

pub use api::{Api, Bill, CallTokens, Scored};
pub use options::{OptionError, Options};
pub use tokens::CountTokens;
