use super::{JudgedRanking, Measure};

/// Share of all relevant documents that stand in the top k (trec_eval's `recall`). At the depth of
/// the candidates no reranker changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recall {
    /// Ranks that count.
    pub cutoff: usize,
}

impl Measure for Recall {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        match joined.relevant() {
            0 => 0.0,
            relevant => joined.relevant_in_top(Some(self.cutoff)) as f64 / relevant as f64,
        }
    }
}
