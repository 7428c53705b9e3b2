use super::{JudgedRanking, Measure};

/// Share of the top k that is relevant; a shorter ranking is divided by k all the same (trec_eval's
/// `P`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precision {
    /// Ranks that count.
    pub cutoff: usize,
}

impl Measure for Precision {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        joined.relevant_in_top(Some(self.cutoff)) as f64 / self.cutoff as f64
    }
}
