use secondpass_core::Grade;

use super::{JudgedRanking, Measure};

/// 1 when a relevant document stands in the top k, else 0.
///
/// Reference: trec_eval's `success`, within 1e-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Success {
    /// Ranks that count.
    pub cutoff: usize,
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

impl Measure for Success {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        f64::from(u8::from(joined.relevant_in_top(self.rel, Some(self.cutoff)) > 0))
    }
}
