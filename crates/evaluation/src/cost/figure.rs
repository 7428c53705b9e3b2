use statrs::distribution::{ContinuousCDF, Normal};

use serde::{Deserialize, Serialize};

/// Standard deviations from the middle to the end of a 95% interval.
const HALF_INTERVAL: f64 = 1.959_963_984_540_054;

/// What a figure rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Somebody measured it.
    Measured,
    /// The seller says so.
    Vendor,
    /// It was assumed.
    Assumed,
}

/// A number with what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The number itself, in the unit of the place it stands at; from 0.
    pub value: f64,
    /// The low end of where it may lie: of a 95% interval where it was measured, else of the range
    /// in which every value is as likely as any other. Equal to `value` where it is taken as exact.
    pub low: f64,
    /// The high end.
    pub high: f64,
    /// What it rests on.
    pub basis: Basis,
    /// When it was measured or read, as `YYYY-MM-DD`; `None` where nobody said.
    pub date: Option<String>,
    /// Where: an address, a record, a config.
    pub source: String,
}

/// A number that is none.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{value}, from {low} to {high}; give a number from 0 that lies within its range")]
pub struct FigureError {
    /// The number.
    pub value: f64,
    /// Its low end.
    pub low: f64,
    /// Its high end.
    pub high: f64,
}

impl Figure {
    /// A figure that is taken as exact.
    pub fn exact(value: f64, basis: Basis, date: Option<String>, source: &str) -> Self {
        Self { value, low: value, high: value, basis, date, source: source.to_owned() }
    }

    /// The same with a range.
    ///
    /// # Errors
    /// The range does not hold the value, or begins below 0.
    pub fn within(self, low: f64, high: f64) -> Result<Self, FigureError> {
        let value = self.value;
        let ordered = 0.0 <= low && low <= value && value <= high && high.is_finite();
        // The logarithm of a measured one is spread, which zero has none of.
        let spreads = low > 0.0 || low == high || self.basis != Basis::Measured;
        match ordered && spreads {
            true => Ok(Self { low, high, ..self }),
            false => Err(FigureError { value, low, high }),
        }
    }

    /// Whether it has no range.
    pub fn is_exact(&self) -> bool {
        self.low == self.high
    }

    /// The value below which it lies with a chance of `share`, above 0 and below 1: of a log-normal
    /// distribution around `value` where it was measured, else of an even one over the range.
    pub fn at(&self, share: f64) -> f64 {
        if self.is_exact() {
            return self.value;
        }
        match self.basis {
            Basis::Measured => {
                let deviation = (self.high / self.low).ln() / (2.0 * HALF_INTERVAL);
                self.value * (deviation * Normal::standard().inverse_cdf(share)).exp()
            }
            Basis::Vendor | Basis::Assumed => self.low + share * (self.high - self.low),
        }
    }

    /// Whether both are one and the same fact, so that they can only move together: what was
    /// measured twice was measured apart.
    pub fn is_same_fact(&self, other: &Self) -> bool {
        self.basis != Basis::Measured && self == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(basis: Basis) -> Figure {
        Figure::exact(10.0, basis, None, "here").within(8.0, 12.5).unwrap()
    }

    #[test]
    fn a_measured_one_has_its_interval_and_an_assumed_one_its_range() {
        let measured = figure(Basis::Measured);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
        close(measured.at(0.5), 10.0);
        close(measured.at(0.025), 8.0);
        close(measured.at(0.975), 12.5);
        let assumed = figure(Basis::Assumed);
        close(assumed.at(0.5), 10.25);
        close(assumed.at(0.02), 8.09);
        let exact = Figure::exact(3.0, Basis::Measured, None, "here");
        assert_eq!((exact.at(0.01), exact.is_exact()), (3.0, true));
    }

    #[test]
    fn a_range_holds_its_value() {
        let exact = |basis| Figure::exact(10.0, basis, None, "here");
        for (low, high) in [(11.0, 12.0), (-1.0, 12.0), (8.0, 9.0), (8.0, f64::INFINITY)] {
            assert!(exact(Basis::Vendor).within(low, high).is_err(), "{low} {high}");
        }
        assert!(exact(Basis::Vendor).within(0.0, 12.0).is_ok());
        let error = exact(Basis::Measured).within(0.0, 12.0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "10, from 0 to 12; give a number from 0 that lies within its range"
        );
    }

    #[test]
    fn only_what_was_told_is_one_fact() {
        assert!(figure(Basis::Vendor).is_same_fact(&figure(Basis::Vendor)));
        assert!(!figure(Basis::Measured).is_same_fact(&figure(Basis::Measured)));
        assert!(!figure(Basis::Vendor).is_same_fact(&figure(Basis::Assumed)));
    }
}
