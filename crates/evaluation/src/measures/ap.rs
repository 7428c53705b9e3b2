use secondpass_core::Grade;

use super::joined::is_relevant;
use super::{JudgedRanking, Measure};

/// Average precision: the precision at the rank of each relevant document, summed and divided by
/// the number of all relevant documents.
///
/// Reference: trec_eval's `map` and `map_cut`, within 1e-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ap {
    /// Ranks that count; `None` for all.
    pub cutoff: Option<usize>,
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

impl Measure for Ap {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let relevant = joined.relevant(self.rel);
        if relevant == 0 {
            return 0.0;
        }
        let (mut found, mut sum) = (0.0, 0.0);
        for (place, &grade) in joined.top(self.cutoff).iter().enumerate() {
            if is_relevant(grade, self.rel) {
                found += 1.0;
                sum += found / (place + 1) as f64;
            }
        }
        sum / relevant as f64
    }
}
