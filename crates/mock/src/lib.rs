//! A server that imitates the hosted rerank APIs: it validates as the provider does, answers with
//! its shapes, bills as it does, and plays faults on demand. Every answer says in a header
//! ([`secondpass_core::Origin::MOCK_HEADER`]) that it is an imitation.

mod api;
pub mod apis;
mod kind;
mod request;
pub mod score;
pub mod tokens;

pub use api::{Answer, Api, Shape};
pub use kind::{Kind, UnknownKind};
pub use request::Request;
