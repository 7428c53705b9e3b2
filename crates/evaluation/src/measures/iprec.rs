use secondpass_core::Grade;

use super::joined::is_relevant;
use super::{JudgedRanking, Measure};

/// Interpolated precision: the highest precision at any rank where the recall is reached.
///
/// Reference: trec_eval's `iprec_at_recall`, within 1e-6. Its versions 9 and 10 differ in how many
/// documents reach a recall; ir_measures and pytrec_eval have version 9, and so has `IPrec`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Iprec {
    /// The recall to reach, 0 to 1.
    pub recall: f64,
    /// How many documents that is.
    pub rounding: RecallRounding,
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

/// How a share of the relevant documents becomes a whole number of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecallRounding {
    /// A part of a document counts as a whole one from a tenth on (trec_eval 9).
    #[default]
    FromATenth,
    /// To the nearest whole number, halves up (trec_eval 10).
    Nearest,
}

impl Measure for Iprec {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let share = self.recall * joined.relevant(self.rel) as f64;
        let needed = match self.rounding {
            RecallRounding::FromATenth => (share + 0.9) as usize,
            RecallRounding::Nearest => share.round() as usize,
        };
        let (mut found, mut best) = (0_usize, 0.0_f64);
        for (place, &grade) in joined.grades().iter().enumerate() {
            if is_relevant(grade, self.rel) {
                found += 1;
                // Between relevant documents precision only falls.
                if found >= needed {
                    best = best.max(found as f64 / (place + 1) as f64);
                }
            }
        }
        best
    }
}
