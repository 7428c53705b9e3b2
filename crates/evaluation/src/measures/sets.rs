use secondpass_core::Grade;

use super::joined::share;
use super::{JudgedRanking, Measure};

/// Precision of everything retrieved, whatever its order.
///
/// Reference: trec_eval's `set_P` and `set_relative_P`, within 1e-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetPrecision {
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
    /// Divides by the most that so many documents could hold.
    pub relative: bool,
}

/// Recall of everything retrieved.
///
/// Reference: trec_eval's `set_recall`, within 1e-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetRecall {
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

/// Weighted harmonic mean of [`SetPrecision`] P and [`SetRecall`] R: (b + 1) P R / (R + b P).
///
/// Reference: trec_eval's `set_F`, within 1e-6. Its b is not squared, unlike van Rijsbergen's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetF {
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
    /// b: above 1 recall weighs more.
    pub beta: f64,
}

/// [`SetPrecision`] times [`SetRecall`].
///
/// Reference: trec_eval's `set_map`, within 1e-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetAp {
    /// The lowest grade that is relevant, from 1.
    pub rel: Grade,
}

impl Measure for SetPrecision {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let retrieved = joined.grades().len();
        let whole = match self.relative {
            true => retrieved.min(joined.relevant(self.rel)),
            false => retrieved,
        };
        share(joined.relevant_in_top(self.rel, None), whole)
    }
}

impl Measure for SetRecall {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        share(joined.relevant_in_top(self.rel, None), joined.relevant(self.rel))
    }
}

impl Measure for SetF {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let precision = SetPrecision { rel: self.rel, relative: false }.of(joined);
        let recall = SetRecall { rel: self.rel }.of(joined);
        match precision * recall > 0.0 {
            true => (self.beta + 1.0) * precision * recall / (recall + self.beta * precision),
            false => 0.0,
        }
    }
}

impl Measure for SetAp {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        let precision = SetPrecision { rel: self.rel, relative: false }.of(joined);
        precision * SetRecall { rel: self.rel }.of(joined)
    }
}
