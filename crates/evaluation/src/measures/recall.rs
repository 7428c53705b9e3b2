use secondpass_core::Grade;

use super::joined::share;
use super::{JudgedRanking, Measure};

/// Share of all relevant documents that stand in the top k. At the depth of the candidates no
/// reranker changes it.
///
/// Reference: trec_eval's `recall`, within 1e-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recall {
    /// Ranks that count.
    pub cutoff: usize,
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

impl Measure for Recall {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        share(joined.relevant_in_top(self.rel, Some(self.cutoff)), joined.relevant(self.rel))
    }
}
