//! How many pairs are scored at a time: as many tokens as the device likes best, as far as there is
//! memory for them.

mod room;
mod tuning;

pub use room::AvailableMemory;
pub(crate) use room::{Room, Verdict};
pub use tuning::{TUNING_QUERIES, TUNING_TOKENS, Trial, Tuned, Tuning};
