use secondpass_core::Grade;

use super::{JudgedRanking, Measure};

/// 1 for every query, so that its sum is their number (trec_eval's `num_q`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumQueries;

/// Number of retrieved documents: all, or those at a grade and above (trec_eval's `num_ret` and
/// `num_rel_ret`, exactly).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumRetrieved {
    /// The lowest grade that counts, from 1; `None` counts every document, judged or not.
    pub rel: Option<Grade>,
}

/// Number of relevant documents of the query, retrieved or not (trec_eval's `num_rel`, exactly).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumRelevant {
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

impl Measure for NumQueries {
    fn of(&self, _: &JudgedRanking) -> f64 {
        1.0
    }
}

impl Measure for NumRetrieved {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        match self.rel {
            Some(rel) => joined.relevant_in_top(rel, None) as f64,
            None => joined.grades().len() as f64,
        }
    }
}

impl Measure for NumRelevant {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        joined.relevant(self.rel) as f64
    }
}
