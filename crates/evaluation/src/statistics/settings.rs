use crate::record::StatisticsInfo;

/// How verdicts are reached: validated, so that [`compare`](super::compare()) cannot fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    alpha: f64,
    margin: f64,
    permutations: usize,
    seed: u64,
}

/// Why statistics cannot be done as told.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// A level that is none.
    #[error("alpha is {0}, and must be above 0 and at most 0.5; the usual level is 0.05")]
    Alpha(f64),
    /// A margin that is none.
    #[error(
        "margin is {0}, and must be a number from 0: the difference on the primary measure below \
         which two systems are as good as each other; 0.01 is a common choice for nDCG"
    )]
    Margin(f64),
    /// With so few permutations nothing can be shown.
    #[error(
        "with {permutations} permutations no p-value can be below alpha = {alpha}; take 100000"
    )]
    Permutations {
        /// How many were asked for.
        permutations: usize,
        /// The level.
        alpha: f64,
    },
}

impl Default for Settings {
    /// alpha 0.05, margin 0.01, 100,000 permutations, a fixed seed.
    fn default() -> Self {
        Self { alpha: 0.05, margin: 0.01, permutations: 100_000, seed: 20_261_123 }
    }
}

impl Settings {
    /// The level of every test.
    ///
    /// # Errors
    /// It is not above 0 and at most 0.5, or too small for the permutations.
    pub fn with_alpha(self, alpha: f64) -> Result<Self, SettingsError> {
        Self { alpha, ..self }.validated()
    }

    /// The difference on the primary measure within which two systems count as equivalent, in its
    /// own unit. With 0 only systems that give the same values can be.
    ///
    /// # Errors
    /// It is negative or not a number.
    pub fn with_margin(self, margin: f64) -> Result<Self, SettingsError> {
        Self { margin, ..self }.validated()
    }

    /// Permutations drawn where there are too many to go through all.
    ///
    /// # Errors
    /// They are so few that nothing could be shown at this level.
    pub fn with_permutations(self, permutations: usize) -> Result<Self, SettingsError> {
        Self { permutations, ..self }.validated()
    }

    /// Where the random numbers start.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The level of every test.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The margin of equivalence.
    pub fn margin(&self) -> f64 {
        self.margin
    }

    /// Permutations drawn.
    pub fn permutations(&self) -> usize {
        self.permutations
    }

    /// Where the random numbers start.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What a record says of these settings; `corrected_over` is the number of rerankers compared.
    pub fn info(&self, corrected_over: usize) -> StatisticsInfo {
        StatisticsInfo {
            alpha: self.alpha,
            margin: self.margin,
            permutations: self.permutations,
            resamples: crate::RESAMPLES,
            corrected_over,
        }
    }

    fn validated(self) -> Result<Self, SettingsError> {
        let Self { alpha, margin, permutations, .. } = self;
        if !(0.0 < alpha && alpha <= 0.5) {
            Err(SettingsError::Alpha(alpha))
        } else if !(0.0 <= margin && margin.is_finite()) {
            Err(SettingsError::Margin(margin))
        } else if 1.0 / (permutations as f64 + 1.0) >= alpha {
            Err(SettingsError::Permutations { permutations, alpha })
        } else {
            Ok(self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused() {
        let settings = Settings::default();
        for alpha in [0.0, -0.1, 0.51, f64::NAN] {
            assert!(matches!(settings.with_alpha(alpha), Err(SettingsError::Alpha(_))), "{alpha}");
        }
        for margin in [-0.01, f64::INFINITY, f64::NAN] {
            let refused = settings.with_margin(margin);
            assert!(matches!(refused, Err(SettingsError::Margin(_))), "{margin}");
        }
        let few = settings.with_permutations(19);
        assert_eq!(few, Err(SettingsError::Permutations { permutations: 19, alpha: 0.05 }));
        assert!(few.unwrap_err().to_string().contains("take 100000"));
        assert!(settings.with_permutations(20).is_ok());
    }

    #[test]
    fn the_record_says_what_was_set() {
        let settings = Settings::default().with_margin(0.02).unwrap().with_alpha(0.1).unwrap();
        let info = settings.info(3);
        assert_eq!((info.alpha, info.margin, info.corrected_over), (0.1, 0.02, 3));
        assert_eq!((info.permutations, info.resamples), (100_000, crate::RESAMPLES));
    }
}
