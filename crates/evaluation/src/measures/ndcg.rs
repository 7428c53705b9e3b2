use secondpass_core::Grade;

use super::{JudgedRanking, Measure};

/// Normalised discounted cumulative gain (Järvelin and Kekäläinen, TOIS 2002): gain over
/// log2(rank + 1), summed and divided by what the best order of all judged documents would reach.
///
/// Reference: trec_eval's `ndcg` and `ndcg_cut`, within 1e-6; with exponential gain, the same over
/// gains of 2^grade - 1 (ir_measures' `dcg='exp-log2'`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ndcg {
    /// Ranks that count; `None` for all.
    pub cutoff: Option<usize>,
    /// What a grade is worth.
    pub gain: Gain,
}

/// What a grade is worth. Negative grades are worth nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gain {
    /// The grade itself.
    #[default]
    Linear,
    /// 2^grade - 1 (Burges et al., ICML 2005).
    Exponential,
}

impl Measure for Ndcg {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let Some(&highest) = joined.ideal().first() else { return 0.0 };
        let depth = self.cutoff.unwrap_or(usize::MAX);
        let ideal = self.discounted(joined.ideal().iter().take(depth).copied(), highest);
        let top = joined.top(self.cutoff).iter().map(|grade| grade.unwrap_or(0));
        self.discounted(top, highest) / ideal
    }
}

impl Ndcg {
    fn discounted(&self, grades: impl Iterator<Item = Grade>, highest: Grade) -> f64 {
        let gained = grades.enumerate().filter(|&(_, grade)| grade > 0);
        let gains = gained.map(|(place, grade)| self.gain.of(grade, highest) / discount(place));
        // The sum of nothing is -0.0, which would be shown with its sign.
        gains.sum::<f64>() + 0.0
    }
}

impl Gain {
    /// The gain of a positive grade, up to a factor that every gain of the query shares.
    fn of(self, grade: Grade, highest: Grade) -> f64 {
        match self {
            Self::Linear => f64::from(grade),
            // Over 2^highest: the factor is exact, cancels, and keeps large grades from overflow.
            Self::Exponential => {
                (f64::from(grade) - f64::from(highest)).exp2() - (-f64::from(highest)).exp2()
            }
        }
    }
}

fn discount(place: usize) -> f64 {
    ((place + 2) as f64).log2()
}
