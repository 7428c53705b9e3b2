use secondpass_core::Grade;

use super::{JudgedRanking, Measure};

/// Binary preference (Buckley and Voorhees, SIGIR 2004): how seldom judged documents that are not
/// relevant stand above relevant ones. Unjudged documents and negative grades are passed over.
///
/// Not applicable (NaN) to a query without a document judged not relevant: there is no preference
/// to count. trec_eval gives such a query the share of its relevant documents that were retrieved,
/// which is another measure's value.
///
/// Reference: trec_eval's `bpref` for all other queries, within 1e-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bpref {
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

impl Measure for Bpref {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let (relevant, not_relevant) = (joined.relevant(self.rel), joined.not_relevant(self.rel));
        if not_relevant == 0 {
            return f64::NAN;
        }
        if relevant == 0 {
            return 0.0;
        }
        let most = relevant.min(not_relevant) as f64;
        let (mut above, mut sum) = (0_usize, 0.0);
        for grade in joined.grades().iter().flatten().filter(|&&grade| grade >= 0) {
            match *grade >= self.rel {
                true => sum += 1.0 - above.min(relevant) as f64 / most,
                false => above += 1,
            }
        }
        sum / relevant as f64
    }
}
