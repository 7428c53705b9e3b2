use std::fmt;

use crate::experiment::Expectation;
use crate::record::Record;

/// Whether a record gives a figure that its experiment is known to give.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectationResult {
    /// What was expected.
    pub expectation: Expectation,
    /// The mean that was found; `None` when the record lacks the system or the measure.
    pub found: Option<f64>,
}

impl ExpectationResult {
    /// Whether the figure is there and within its tolerance.
    pub fn is_met(&self) -> bool {
        let Expectation { value, tolerance, .. } = self.expectation;
        // Decimal fractions are not exact: 0.684 is within 0.679 +- 0.005.
        let rounding = 1e-12;
        self.found.is_some_and(|found| (found - value).abs() <= tolerance + rounding)
    }
}

/// Holds a record against what its experiment is known to give.
pub fn check(expectations: &[Expectation], record: &Record) -> Vec<ExpectationResult> {
    let found = |expectation: &Expectation| {
        let system = record.systems.iter().find(|system| system.name == expectation.system)?;
        let name = expectation.measure.to_string();
        Some(system.quality.iter().find(|estimate| estimate.measure == name)?.mean)
    };
    let result = |expectation: &Expectation| ExpectationResult {
        expectation: expectation.clone(),
        found: found(expectation),
    };
    expectations.iter().map(result).collect()
}

impl fmt::Display for ExpectationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expectation { system, measure, value, tolerance } = &self.expectation;
        match self.found {
            Some(found) => write!(f, "{system}: {measure} is {found:.4}, ")?,
            None => write!(f, "{system}: {measure} was not measured, ")?,
        }
        write!(f, "expected {value} +- {tolerance}: ")?;
        f.write_str(if self.is_met() { "as expected" } else { "NOT as expected" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::record;

    #[test]
    fn within_the_tolerance_or_not() {
        let expect = |system: &str, value| Expectation {
            system: system.to_owned(),
            measure: "nDCG@10".parse().unwrap(),
            value,
            tolerance: 0.005,
        };
        let expectations =
            [expect("first stage", 0.505), expect("first stage", 0.506), expect("absent", 0.5)];
        let results = check(&expectations, &record());
        assert_eq!(
            results.iter().map(ExpectationResult::is_met).collect::<Vec<_>>(),
            [true, false, false]
        );
        assert_eq!(
            results[1].to_string(),
            "first stage: nDCG@10 is 0.5000, expected 0.506 +- 0.005: NOT as expected"
        );
        assert!(results[2].to_string().contains("was not measured"));
    }
}
