use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::abstention::{Abstention, abstention};
use super::error::CalibrationError;
use super::fit::{Calibration, Options};
use super::reliability::{Reliability, reliability};
use super::scored::{ScoredQuery, pairs, validate};

/// How a calibration fares on a split it has not seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationReport {
    /// How true the probabilities of all pairs are.
    pub pairs: Reliability,
    /// How true those of each query's best candidate are: the ones that a threshold rests on. They
    /// tend to promise too much, as whatever scores highest was lucky more often than not.
    pub top: Reliability,
    /// What the threshold does.
    pub abstention: Abstention,
}

impl Calibration {
    /// Holds it against a test split. Nothing is fitted: the calibration stays as it is.
    ///
    /// # Errors
    /// The split has no pairs, a score that is not finite, a query twice, or a query said to have no
    /// answer with a relevant candidate.
    pub fn report(&self, test: &[ScoredQuery]) -> Result<CalibrationReport, CalibrationError> {
        validate(test, "test")?;
        let predict = |pair: super::ScoredPair| (self.map.probability(pair.score), pair.relevant);
        let all: Vec<(f64, bool)> = pairs(test).into_iter().map(predict).collect();
        let top: Vec<(f64, bool)> = test.iter().filter_map(ScoredQuery::top).map(predict).collect();
        Ok(CalibrationReport {
            pairs: reliability(&all),
            top: reliability(&top),
            abstention: abstention(test, &self.map, self.threshold),
        })
    }
}

/// Fits on dev, reports on test.
///
/// # Errors
/// The splits share a query; or as [`Calibration::fit`] and [`Calibration::report`].
pub fn calibrate(
    dev: &[ScoredQuery],
    test: &[ScoredQuery],
    options: &Options,
) -> Result<(Calibration, CalibrationReport), CalibrationError> {
    let seen: HashSet<_> = dev.iter().map(|query| &query.query).collect();
    if let Some(shared) = test.iter().find(|query| seen.contains(&query.query)) {
        return Err(CalibrationError::Shared { query: shared.query.clone() });
    }
    let calibration = Calibration::fit(dev, options)?;
    let report = calibration.report(test)?;
    Ok((calibration, report))
}

#[cfg(test)]
mod tests;
