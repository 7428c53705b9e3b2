use super::{JudgedRanking, Measure};

/// Share of the top k that was judged at all; a shorter ranking is divided by its own length, as
/// ir_measures does. Where it is low, the other measures say little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Ranks that count.
    pub cutoff: usize,
}

impl Measure for Judged {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        match joined.top(Some(self.cutoff)) {
            [] => 0.0,
            top => top.iter().flatten().count() as f64 / top.len() as f64,
        }
    }
}
