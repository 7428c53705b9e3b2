use super::{JudgedRanking, Measure};

/// 1 when a relevant document stands in the top k, else 0 (trec_eval's `success`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Success {
    /// Ranks that count.
    pub cutoff: usize,
}

impl Measure for Success {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        f64::from(u8::from(joined.relevant_in_top(Some(self.cutoff)) > 0))
    }
}
