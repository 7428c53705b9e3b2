use serde::{Deserialize, Serialize};

/// Hours of a month: a year's 8,760 over twelve.
pub const HOURS_A_MONTH: f64 = 730.0;
/// Days of a month.
pub const DAYS_A_MONTH: f64 = HOURS_A_MONTH / 24.0;

/// How a month's queries spread over its days: the shape, whatever the volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The share of a day's queries in each hour; they sum to 1.
    hours: [f64; 24],
    /// The peak of queries a second over the mean of its hour, from 1.
    burst: f64,
}

/// Why there is no such load.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// Not a share for each hour.
    #[error(
        "a daily curve has {0} numbers; give 24, from midnight on, that are 0 or more and not all 0"
    )]
    Hours(usize),
    /// A number that is none.
    #[error("hour {hour} of the daily curve is {value}; give a number from 0, of any unit")]
    Hour {
        /// From 0, which begins at midnight.
        hour: usize,
        /// What stands there.
        value: f64,
    },
    /// A peak below the mean.
    #[error(
        "the peak is {peak} queries a second, but the busiest hour alone has {mean} on average; give a \
         peak of at least as much, or a lower volume"
    )]
    Peak {
        /// As it was given.
        peak: f64,
        /// Of the busiest hour.
        mean: f64,
    },
}

impl Load {
    /// The same at every hour, without peaks.
    pub fn flat() -> Self {
        Self { hours: [1.0 / 24.0; 24], burst: 1.0 }
    }

    /// A day's curve: a number an hour from midnight on, of any unit.
    ///
    /// # Errors
    /// There are not 24, one is negative or none, or all are 0.
    pub fn over_day(curve: &[f64]) -> Result<Self, LoadError> {
        let hours: [f64; 24] = curve.try_into().map_err(|_| LoadError::Hours(curve.len()))?;
        let wrong = |value: &f64| !(value.is_finite() && *value >= 0.0);
        if let Some(hour) = hours.iter().position(wrong) {
            return Err(LoadError::Hour { hour, value: hours[hour] });
        }
        let sum: f64 = hours.iter().sum();
        match sum > 0.0 && sum.is_finite() {
            true => Ok(Self { hours: hours.map(|hour| hour / sum), burst: 1.0 }),
            false => Err(LoadError::Hours(24)),
        }
    }

    /// The same curve with a peak in queries a second, at so many queries a month. At another volume
    /// the peak is in proportion.
    ///
    /// # Errors
    /// The peak is below the mean of the busiest hour.
    pub fn with_peak(self, peak: f64, volume: f64) -> Result<Self, LoadError> {
        let mean = self.busiest() * volume / (DAYS_A_MONTH * 3600.0);
        let burst = peak / mean;
        // A peak that was computed from the mean may miss it by rounding.
        match burst.is_finite() && burst >= 1.0 - 1e-9 {
            true => Ok(Self { burst: burst.max(1.0), ..self }),
            false => Err(LoadError::Peak { peak, mean }),
        }
    }

    /// Queries a second at the peak of an hour, at so many queries a month.
    pub fn peak_of(&self, hour: usize, volume: f64) -> f64 {
        let share = self.hours.get(hour).copied().unwrap_or_default();
        share * volume / (DAYS_A_MONTH * 3600.0) * self.burst
    }

    /// Queries a second at the peak of the busiest hour, at so many queries a month.
    pub fn peak(&self, volume: f64) -> f64 {
        self.busiest() * volume / (DAYS_A_MONTH * 3600.0) * self.burst
    }

    fn busiest(&self) -> f64 {
        self.hours.iter().copied().fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_day_peaks_at_its_mean() {
        let peak = Load::flat().peak(DAYS_A_MONTH * 86_400.0 * 5.0);
        assert!((peak - 5.0).abs() < 1e-9, "{peak}");
    }

    #[test]
    fn a_curve_has_any_unit_and_its_peak_is_in_proportion() {
        let mut curve = [1.0; 24];
        curve[9] = 25.0;
        let load = Load::over_day(&curve).unwrap();
        let volume = 48.0 * DAYS_A_MONTH * 3600.0;
        assert!((load.peak(volume) - 25.0).abs() < 1e-9);
        assert!((load.peak_of(3, volume) - 1.0).abs() < 1e-9);
        let load = load.with_peak(50.0, volume).unwrap();
        assert!((load.peak(2.0 * volume) - 100.0).abs() < 1e-9);
        assert!((load.peak_of(3, volume) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(Load::over_day(&[1.0; 23]), Err(LoadError::Hours(23)));
        assert_eq!(Load::over_day(&[0.0; 24]), Err(LoadError::Hours(24)));
        let mut curve = [1.0; 24];
        curve[3] = -1.0;
        assert_eq!(Load::over_day(&curve), Err(LoadError::Hour { hour: 3, value: -1.0 }));
        let error = Load::flat().with_peak(1.0, 10_000_000.0).unwrap_err();
        assert!(error.to_string().contains("the peak is 1 queries a second"), "{error}");
    }
}
