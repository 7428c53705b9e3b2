//! What a log of shown and cited documents tells, where nobody judged anything.
//!
//! **These figures are biased towards what was shown.** A document that stood high was seen and
//! cited more often, one that was not among the candidates could not be cited at all, and an LLM
//! does not cite everything it used. They compare a system with the one that was live; they do not
//! say how good either is.

mod cited;
mod overlap;
mod rbo;

pub use cited::cited_rr;
pub use overlap::overlap_at;
pub use rbo::{PERSISTENCE, rbo_ext};
