use secondpass_core::Grade;

use super::joined::is_relevant;
use super::{JudgedRanking, Measure};

/// Reciprocal rank of the first relevant document.
///
/// Reference: trec_eval's `recip_rank`, within 1e-6; with a cutoff, that of the run cut there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rr {
    /// Ranks that count; `None` for all.
    pub cutoff: Option<usize>,
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

impl Measure for Rr {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let mut top = joined.top(self.cutoff).iter();
        let first = top.position(|&grade| is_relevant(grade, self.rel));
        first.map_or(0.0, |place| 1.0 / (place + 1) as f64)
    }
}
