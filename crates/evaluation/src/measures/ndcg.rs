use secondpass_core::Grade;

use super::{JudgedRanking, Measure};

/// Normalised discounted cumulative gain: linear gain over log2(rank + 1), divided by what the best
/// order of all judged documents would reach (trec_eval's `ndcg` and `ndcg_cut`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ndcg {
    /// Ranks that count; `None` for all.
    pub cutoff: Option<usize>,
}

impl Measure for Ndcg {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let depth = self.cutoff.unwrap_or(usize::MAX);
        let ideal = discounted(joined.ideal().iter().take(depth).copied());
        if ideal == 0.0 {
            return 0.0;
        }
        discounted(joined.top(self.cutoff).iter().map(|grade| grade.unwrap_or(0))) / ideal
    }
}

fn discounted(grades: impl Iterator<Item = Grade>) -> f64 {
    grades
        .enumerate()
        .filter(|&(_, grade)| grade > 0)
        .map(|(place, grade)| f64::from(grade) / ((place + 2) as f64).log2())
        .sum()
}
