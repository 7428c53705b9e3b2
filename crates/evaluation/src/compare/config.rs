use std::path::PathBuf;

use secondpass_core::line_of;
use serde::{Deserialize, Serialize};

/// What a gate lets through: validated.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// How much quality may be lost.
    pub quality: QualityRules,
    /// What counts as another order.
    pub ranks: RankRules,
    /// How much dearer a query may be.
    pub cost: CostRules,
    /// How stored latencies are held against each other.
    pub latency: LatencyRules,
    /// How two builds are run side by side.
    pub interleaved: InterleavedRules,
    /// What is known of hosted models that changed by themselves.
    pub canary: CanaryRules,
}

/// What is done about something that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFinding {
    /// It is told.
    Warn,
    /// The gate is shut.
    Fail,
}

/// How much quality may be lost.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QualityRules {
    /// The loss that counts, in the measure's own unit.
    pub margin: f64,
    /// The chance, over all systems and measures that gate, that one is called worse by mistake, to
    /// either side: intervals hold 95% together at 0.05.
    pub alpha: f64,
    /// The measures that gate; empty for the primary one alone. The others are told.
    pub measures: Vec<String>,
    /// What is done where the queries are too few to tell.
    pub on_inconclusive: OnFinding,
}

/// What counts as another order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RankRules {
    /// How far two scores of a pair may lie apart and still be the same, as a share of the larger of
    /// 1 and the score.
    pub tolerance: f64,
    /// What is done where the same weights rank the same candidates otherwise.
    pub on_change: OnFinding,
}

/// How much dearer a query may be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CostRules {
    /// The share by which a query's cost may rise.
    pub tolerance: f64,
    /// What is done about more.
    pub on_rise: OnFinding,
}

/// Whether a runner's times can be compared from one day to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runner {
    /// A machine of its own, always the same: stored latencies gate.
    Pinned,
    /// Anything else: stored latencies only warn.
    Shared,
}

/// How stored latencies are held against each other.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LatencyRules {
    /// What runs the measurements.
    pub runner: Runner,
    /// The share by which a percentile may grow.
    pub tolerance: f64,
}

/// How two builds are run side by side.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InterleavedRules {
    /// Rounds, each of both builds.
    pub rounds: usize,
    /// The share by which a percentile may grow.
    pub tolerance: f64,
    /// What is done where the rounds are too few to tell.
    pub on_inconclusive: OnFinding,
}

/// What is known of hosted models that changed by themselves.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CanaryRules {
    /// What `canary check --out` wrote: who is in it as changed is not held against us.
    pub report: Option<PathBuf>,
    /// How far a hosted model's score may move, as in [`RankRules`].
    pub tolerance: f64,
}

impl Default for QualityRules {
    fn default() -> Self {
        let on_inconclusive = OnFinding::Warn;
        Self { margin: 0.01, alpha: 0.05, measures: Vec::new(), on_inconclusive }
    }
}

impl Default for RankRules {
    fn default() -> Self {
        Self { tolerance: 1e-4, on_change: OnFinding::Fail }
    }
}

impl Default for CostRules {
    fn default() -> Self {
        Self { tolerance: 0.01, on_rise: OnFinding::Fail }
    }
}

impl Default for LatencyRules {
    fn default() -> Self {
        Self { runner: Runner::Shared, tolerance: 0.1 }
    }
}

impl Default for InterleavedRules {
    fn default() -> Self {
        Self { rounds: 32, tolerance: 0.05, on_inconclusive: OnFinding::Warn }
    }
}

impl Default for CanaryRules {
    fn default() -> Self {
        Self { report: None, tolerance: 1e-3 }
    }
}

/// Why a gate's config cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// Not TOML, a key that does not exist, or a value of the wrong type.
    #[error("{file}, line {line}: {message}")]
    Toml {
        /// The config.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the parser found, with the keys or types it takes.
        message: String,
    },
    /// A value that cannot be.
    #[error("{file}: key '{key}' is {found}; allowed: {allowed}")]
    Value {
        /// The config.
        file: String,
        /// The key with its table.
        key: String,
        /// What was found.
        found: String,
        /// What may stand there.
        allowed: String,
    },
}

impl GateConfig {
    /// Reads a config. `file` is its path, which errors name. What is not in it has its default.
    ///
    /// # Errors
    /// Broken TOML, unknown keys, values that cannot be.
    pub fn parse(text: &str, file: &str) -> Result<Self, GateError> {
        let config: Self = toml::from_str(text).map_err(|error| GateError::Toml {
            file: file.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        config.check(file)?;
        Ok(config)
    }

    fn check(&self, file: &str) -> Result<(), GateError> {
        let value = |key: &str, found: f64, fine: bool, allowed: &str| match fine {
            true => Ok(()),
            false => Err(GateError::Value {
                file: file.to_owned(),
                key: key.to_owned(),
                found: found.to_string(),
                allowed: allowed.to_owned(),
            }),
        };
        let at_least_zero = |number: f64| number >= 0.0 && number.is_finite();
        let QualityRules { margin, alpha, .. } = self.quality;
        value("quality.margin", margin, at_least_zero(margin), "a number from 0, such as 0.01")?;
        let level = 1e-4 < alpha && alpha <= 0.5;
        value("quality.alpha", alpha, level, "a chance above 0.0001, at most 0.5")?;
        for (key, number) in [
            ("ranks.tolerance", self.ranks.tolerance),
            ("cost.tolerance", self.cost.tolerance),
            ("latency.tolerance", self.latency.tolerance),
            ("interleaved.tolerance", self.interleaved.tolerance),
            ("canary.tolerance", self.canary.tolerance),
        ] {
            value(key, number, at_least_zero(number), "a share from 0, such as 0.05")?;
        }
        let rounds = self.interleaved.rounds;
        let some = (1..=1000).contains(&rounds);
        value("interleaved.rounds", rounds as f64, some, "a whole number from 1 to 1000")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_has_its_default() {
        assert_eq!(GateConfig::parse("", "gate.toml").unwrap(), GateConfig::default());
        let config = GateConfig::parse("[quality]\nmargin = 0.02\n", "gate.toml").unwrap();
        assert_eq!((config.quality.margin, config.quality.alpha), (0.02, 0.05));
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let error = |text: &str| GateConfig::parse(text, "gate.toml").unwrap_err().to_string();
        assert!(error("[quality]\nmargn = 1").starts_with("gate.toml, line 2: "));
        assert!(error("[quality]\nmargin = -1").contains("'quality.margin' is -1; allowed: "));
        assert!(error("[quality]\nalpha = 0").contains("'quality.alpha'"));
        assert!(error("[latency]\nrunner = \"mine\"").contains("pinned"));
        assert!(error("[interleaved]\nrounds = 0").contains("'interleaved.rounds'"));
        assert!(error("[cost]\ntolerance = nan").contains("'cost.tolerance'"));
    }
}
