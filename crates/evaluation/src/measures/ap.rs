use super::joined::is_relevant;
use super::{JudgedRanking, Measure};

/// Average precision: the precision at the rank of each relevant document, summed and divided by
/// the number of all relevant documents (trec_eval's `map` and `map_cut`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ap {
    /// Ranks that count; `None` for all.
    pub cutoff: Option<usize>,
}

impl Measure for Ap {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        if joined.relevant() == 0 {
            return 0.0;
        }
        let ranks = (1..).zip(joined.top(self.cutoff)).filter(|&(_, &grade)| is_relevant(grade));
        let sum: f64 =
            (1..).zip(ranks).map(|(found, (rank, _)): (u32, (u32, _))| ratio(found, rank)).sum();
        sum / joined.relevant() as f64
    }
}

fn ratio(found: u32, rank: u32) -> f64 {
    f64::from(found) / f64::from(rank)
}
