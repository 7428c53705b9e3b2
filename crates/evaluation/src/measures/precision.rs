use secondpass_core::Grade;

use super::{JudgedRanking, Measure};

/// Share of the top k that is relevant; a shorter ranking is still divided by k.
///
/// Reference: trec_eval's `P`, within 1e-6, at any k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precision {
    /// Ranks that count.
    pub cutoff: usize,
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

impl Measure for Precision {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        joined.relevant_in_top(self.rel, Some(self.cutoff)) as f64 / self.cutoff as f64
    }
}
