//! What providers charge and machines cost: a dated table that says for each figure when it was read
//! and where. The program carries one ([`OWN_PRICES`]); a user's file overrides it.

mod error;
mod listed;
mod parse;
mod table;
#[cfg(test)]
mod tests;

pub use error::{PriceError, UnitMismatch};
pub use listed::{Listed, Machine};
pub use table::PriceTable;

/// The table that the program carries, `configs/prices.toml`.
pub const OWN_PRICES: &str = include_str!("../../../../configs/prices.toml");
