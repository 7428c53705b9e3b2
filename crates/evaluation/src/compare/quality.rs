use serde::Serialize;

use crate::bootstrap::mean;
use crate::record;
use crate::statistics::{Settings, can_show, compare, interval};

/// One measure of one system, before and now, over the same queries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualityComparison {
    /// The measure.
    pub measure: String,
    /// Whether it can shut the gate; the others are told and exploratory.
    pub gates: bool,
    /// Queries that it applies to on both sides.
    pub queries: usize,
    /// Its mean over them, before.
    pub baseline: f64,
    /// Its mean over them, now.
    pub current: f64,
    /// Mean change.
    pub difference: f64,
    /// Lower end of the change's interval.
    pub low: f64,
    /// Upper end of the change's interval.
    pub high: f64,
    /// The level of the interval, 0 to 1: higher than that of all together where several gate.
    pub level: f64,
    /// The loss beyond which the gate shuts.
    pub margin: f64,
    /// What the interval says of a loss beyond the margin.
    pub verdict: QualityVerdict,
    /// The smallest true loss that these queries would show to be beyond the margin, with a chance of
    /// 80%; `None` without any spread, where they are too few, and where the measure does not gate.
    pub detectable: Option<f64>,
    /// The tests behind it, as in every record; `None` where the measure does not gate.
    pub tests: Option<record::Comparison>,
}

/// What an interval says of a loss beyond the margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QualityVerdict {
    /// All of it is below the margin.
    Regression,
    /// All of it is above.
    NoRegression,
    /// The margin lies within: the queries are too few to tell.
    Inconclusive,
}

/// What is to be compared: one value a query on both sides, in the same order.
pub(super) struct Cell {
    pub measure: String,
    pub gates: bool,
    pub baseline: Vec<f64>,
    pub current: Vec<f64>,
    /// Whether the ranks behind it are the same, so that there is nothing to test.
    pub same_ranks: bool,
}

/// Compares cells; the level holds over those that gate together (Bonferroni).
pub(super) fn quality(cells: Vec<Cell>, settings: &Settings) -> Vec<QualityComparison> {
    let changes: Vec<Vec<f64>> = cells.iter().map(Cell::changes).collect();
    let gating = || cells.iter().zip(&changes).filter(|(cell, _)| cell.gates);
    let gated: Vec<&[f64]> = gating().map(|(_, changes)| changes.as_slice()).collect();
    let mut tests = compare(&gated, settings).into_iter();
    let strict = settings.alpha() / gated.len().max(1) as f64;
    let of = |(cell, changes): (&Cell, &Vec<f64>)| {
        let tests = if cell.gates { tests.next() } else { None };
        cell.comparison(
            changes,
            settings,
            if cell.gates { strict } else { settings.alpha() },
            tests,
        )
    };
    cells.iter().zip(&changes).map(of).collect()
}

impl Cell {
    /// Now minus before, of the queries to which the measure applies.
    fn changes(&self) -> Vec<f64> {
        let both = self.current.iter().zip(&self.baseline);
        both.map(|(new, old)| new - old).filter(|change| change.is_finite()).collect()
    }

    fn comparison(
        &self,
        changes: &[f64],
        settings: &Settings,
        alpha: f64,
        tests: Option<record::Comparison>,
    ) -> QualityComparison {
        let applies = |values: &[f64], others: &[f64]| {
            let both = values.iter().zip(others).filter(|(a, b)| (*a - *b).is_finite());
            mean(&both.map(|(value, _)| *value).collect::<Vec<_>>())
        };
        let (difference, margin) = (mean(changes), settings.margin());
        let unsure = (f64::NEG_INFINITY, f64::INFINITY);
        let (low, high) = match interval(changes, alpha) {
            Some(ends) => ends,
            // The same change on all: a point, if so many queries can show anything.
            None if self.same_ranks || can_show(changes.len(), alpha) => (difference, difference),
            None => unsure,
        };
        let verdict = match (high < -margin, low > -margin) {
            _ if changes.is_empty() => QualityVerdict::Inconclusive,
            (true, _) => QualityVerdict::Regression,
            (_, true) => QualityVerdict::NoRegression,
            // With a margin of 0 the same values are no loss, though they do not lie above it.
            _ if low == high && low >= -margin => QualityVerdict::NoRegression,
            _ => QualityVerdict::Inconclusive,
        };
        let detectable = tests.as_ref().and_then(|tests| tests.detectable);
        QualityComparison {
            measure: self.measure.clone(),
            gates: self.gates,
            queries: changes.len(),
            baseline: applies(&self.baseline, &self.current),
            current: applies(&self.current, &self.baseline),
            difference,
            low: low.max(-f64::MAX),
            high: high.min(f64::MAX),
            level: 1.0 - alpha,
            margin,
            verdict,
            detectable: detectable.map(|shown| shown + margin),
            tests,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(changes: &[f64], gates: bool) -> Cell {
        Cell {
            measure: "nDCG@10".to_owned(),
            gates,
            baseline: vec![0.5; changes.len()],
            current: changes.iter().map(|change| 0.5 + change).collect(),
            same_ranks: false,
        }
    }

    fn wave(queries: u32, mean: f64, spread: f64) -> Vec<f64> {
        let place = |i| std::f64::consts::TAU * (f64::from(i) + 0.5) / f64::from(queries);
        (0..queries).map(|i| mean + spread * place(i).sin()).collect()
    }

    fn one(changes: &[f64]) -> QualityComparison {
        quality(vec![cell(changes, true)], &Settings::default()).remove(0)
    }

    #[test]
    fn each_verdict() {
        let lost = one(&wave(100, -0.1, 0.2));
        assert_eq!(lost.verdict, QualityVerdict::Regression);
        assert!(lost.high < -0.01 && (lost.current - 0.4).abs() < 1e-12, "{lost:?}");
        assert_eq!(one(&wave(100, 0.0, 0.02)).verdict, QualityVerdict::NoRegression);
        assert_eq!(one(&wave(100, 0.1, 0.2)).verdict, QualityVerdict::NoRegression);
        let unclear = one(&wave(100, -0.02, 0.3));
        assert_eq!(unclear.verdict, QualityVerdict::Inconclusive);
        // The interval reaches about two standard errors, and 80% power takes 2.8 of them.
        let detectable = unclear.detectable.unwrap();
        assert!((detectable - 0.01 - 2.83 * 0.2132 / 10.0).abs() < 0.002, "{detectable}");
    }

    #[test]
    fn a_loss_smaller_than_the_margin_is_none_though_it_is_sure() {
        assert_eq!(one(&wave(400, -0.004, 0.01)).verdict, QualityVerdict::NoRegression);
    }

    #[test]
    fn the_same_values_are_no_loss_if_there_are_enough_or_the_ranks_are_the_same() {
        assert_eq!(one(&[0.0; 6]).verdict, QualityVerdict::NoRegression);
        assert_eq!(one(&[0.0; 5]).verdict, QualityVerdict::Inconclusive);
        let same = Cell { same_ranks: true, ..cell(&[0.0; 2], true) };
        let none = Settings::default().with_margin(0.0).unwrap();
        assert_eq!(quality(vec![same], &none)[0].verdict, QualityVerdict::NoRegression);
        assert_eq!(one(&[-0.3; 6]).verdict, QualityVerdict::Regression);
        assert_eq!(one(&[]).verdict, QualityVerdict::Inconclusive);
    }

    #[test]
    fn several_that_gate_share_the_level_and_the_others_do_not() {
        let slight = wave(60, -0.07, 0.3);
        let alone = one(&slight);
        let cells = (0..4).map(|_| cell(&slight, true)).chain([cell(&slight, false)]);
        let shared = quality(cells.collect(), &Settings::default());
        assert!((shared[0].level - 0.9875).abs() < 1e-12 && shared[0].high > alone.high);
        assert!(shared[0].detectable > alone.detectable);
        assert_eq!((shared[4].level, shared[4].high), (0.95, alone.high));
        assert_eq!((&shared[4].tests, shared[4].detectable), (&None, None));
    }

    #[test]
    fn where_a_measure_does_not_apply_the_query_is_left_out() {
        let mut changes = wave(60, -0.2, 0.1);
        let whole = one(&changes);
        changes.push(f64::NAN);
        let with = one(&changes);
        assert_eq!((with.queries, with.verdict), (60, whole.verdict));
        assert!((with.current - whole.current).abs() < 1e-12);
    }
}
