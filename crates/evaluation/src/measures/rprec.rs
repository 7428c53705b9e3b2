use secondpass_core::Grade;

use super::joined::share;
use super::{JudgedRanking, Measure};

/// R-precision: the precision at rank R, where R is the number of relevant documents of the query.
///
/// Reference: trec_eval's `Rprec`, within 1e-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rprec {
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

impl Measure for Rprec {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let relevant = joined.relevant(self.rel);
        share(joined.relevant_in_top(self.rel, Some(relevant)), relevant)
    }
}
