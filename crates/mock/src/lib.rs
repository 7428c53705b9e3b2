//! A server that imitates the hosted rerank APIs: it validates as the provider does, answers with
//! its shapes, bills as it does, and plays faults on demand. Every answer says in a header
//! ([`secondpass_core::Origin::MOCK_HEADER`]) that it is an imitation.

mod another;
mod api;
pub mod apis;
mod body;
mod books;
mod faults;
mod kind;
mod request;
pub mod score;
mod server;
mod settings;
pub mod tokens;
mod wire;

pub use api::{Answer, Api, Shape};
pub use books::{Books, Call};
pub use faults::{Fault, Plan, Rule, UnknownFault, UnknownRule, Wait, When};
pub use kind::{Kind, UnknownKind};
pub use request::Request;
pub use server::{Mock, MockError};
pub use settings::Settings;
