use super::joined::share;
use super::{JudgedRanking, Measure};

/// Share of the top k that was judged at all; a shorter ranking is divided by its own length. Where
/// it is low, the other measures say little.
///
/// Reference: ir_measures' `Judged`, within 1e-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Ranks that count; `None` for all.
    pub cutoff: Option<usize>,
}

impl Measure for Judged {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let top = joined.top(self.cutoff);
        share(top.iter().flatten().count(), top.len())
    }
}
