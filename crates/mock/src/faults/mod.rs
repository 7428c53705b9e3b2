//! What can go wrong on the way to a provider and back, played on demand.

mod fault;
mod plan;
mod spoil;

pub use fault::{Fault, UnknownFault, Wait};
pub use plan::{Plan, Rule, UnknownRule, When};
pub(crate) use spoil::{BARE_WORDS, spoil};
