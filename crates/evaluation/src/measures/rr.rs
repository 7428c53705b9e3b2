use super::joined::is_relevant;
use super::{JudgedRanking, Measure};

/// Reciprocal rank of the first relevant document (trec_eval's `recip_rank`; with a cutoff, that of
/// the run cut there).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rr {
    /// Ranks that count; `None` for all.
    pub cutoff: Option<usize>,
}

impl Measure for Rr {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let first = joined.top(self.cutoff).iter().position(|&grade| is_relevant(grade));
        first.map_or(0.0, |place| 1.0 / (place + 1) as f64)
    }
}
