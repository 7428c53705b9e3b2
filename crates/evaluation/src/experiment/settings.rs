use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;
use super::keys::Keys;
use crate::statistics::Settings;

/// What else is tried beside the experiment's own depth and maximum lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepSpec {
    /// Numbers of candidates, ascending, none above the first stage's depth.
    pub depths: Vec<usize>,
    /// Maximum lengths of a pair in tokens, ascending.
    pub max_lengths: Vec<usize>,
    /// Queries that are timed at each of them, from 1.
    pub timed_queries: usize,
}

/// Randomization tests that end today show nothing at a smaller one.
const LEAST_ALPHA: f64 = 0.000_001;
/// Fewer move a p-value near the level by more than its own size from seed to seed.
const FEWEST_PERMUTATIONS: usize = 1_000;
/// More take long and change nothing that anyone would act on.
const MOST_PERMUTATIONS: usize = 10_000_000;
/// Depths that people weigh against each other.
const DEFAULT_DEPTHS: [usize; 5] = [10, 20, 30, 50, 100];
/// From a pilot to a busy product.
const DEFAULT_VOLUMES: [u64; 3] = [10_000, 100_000, 1_000_000];
/// Enough for a median.
const DEFAULT_TIMED_QUERIES: usize = 30;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStatistics {
    alpha: Option<f64>,
    margin: Option<f64>,
    permutations: Option<usize>,
}

/// What costs are told.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCost {
    pub prices: Option<PathBuf>,
    pub queries_per_month: Option<Vec<u64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSweep {
    depths: Option<Vec<usize>>,
    #[serde(default)]
    max_lengths: Vec<usize>,
    timed_queries: Option<usize>,
}

impl Keys<'_> {
    pub fn statistics(&self, raw: RawStatistics) -> Result<Settings, ConfigError> {
        let usual = Settings::default();
        let alpha = raw.alpha.unwrap_or(usual.alpha());
        let margin = raw.margin.unwrap_or(usual.margin());
        let permutations = raw.permutations.unwrap_or(usual.permutations());
        if !(LEAST_ALPHA..0.5).contains(&alpha) {
            let allowed = format!("a number from {LEAST_ALPHA} and below 0.5");
            return Err(self.number("statistics.alpha", alpha, &allowed));
        }
        if !(margin > 0.0 && margin.is_finite()) {
            return Err(self.number("statistics.margin", margin, "a number above 0"));
        }
        // The smallest p-value is 1 / (permutations + 1), and must be below alpha.
        let fewest = (1.0 / alpha).ceil().max(FEWEST_PERMUTATIONS as f64) as usize;
        if !(fewest..=MOST_PERMUTATIONS).contains(&permutations) {
            let allowed = format!("a whole number from {fewest} to {MOST_PERMUTATIONS}");
            return Err(self.number("statistics.permutations", permutations as f64, &allowed));
        }
        // Permutations first: they are enough for the usual level, and for a smaller one too.
        usual
            .with_permutations(permutations)
            .and_then(|settings| settings.with_alpha(alpha)?.with_margin(margin))
            .map_err(|error| self.number("statistics.alpha", alpha, &error.to_string()))
    }

    pub fn sweep(&self, raw: RawSweep, depth: usize) -> Result<SweepSpec, ConfigError> {
        let depths = match raw.depths {
            Some(depths) => {
                if let Some(&deep) = depths.iter().find(|&&swept| swept == 0 || swept > depth) {
                    let allowed = format!("whole numbers from 1 to first_stage.depth, {depth}");
                    return Err(self.number("sweep.depths", deep as f64, &allowed));
                }
                self.ascending("sweep.depths", depths)?
            }
            // The usual ones that these candidates reach.
            None => DEFAULT_DEPTHS.into_iter().filter(|&swept| swept <= depth).collect(),
        };
        if raw.max_lengths.contains(&0) {
            return Err(self.number("sweep.max_lengths", 0.0, "whole numbers from 1"));
        }
        let timed_queries = raw.timed_queries.unwrap_or(DEFAULT_TIMED_QUERIES);
        Ok(SweepSpec {
            depths,
            max_lengths: self.ascending("sweep.max_lengths", raw.max_lengths)?,
            timed_queries: self.positive("sweep.timed_queries", timed_queries)?,
        })
    }

    pub fn volumes(&self, volumes: Option<Vec<u64>>) -> Result<Vec<u64>, ConfigError> {
        let key = "cost.queries_per_month";
        let mut volumes = volumes.unwrap_or_else(|| DEFAULT_VOLUMES.to_vec());
        volumes.sort_unstable();
        match volumes.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => Err(self.number(key, twice[0] as f64, "each number once")),
            None if volumes.first() == Some(&0) => {
                Err(self.number(key, 0.0, "whole numbers from 1"))
            }
            None => Ok(volumes),
        }
    }

    /// `self-hosted` and names of regions, at least one.
    pub fn residency(
        &self,
        residency: Option<Vec<String>>,
    ) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(places) = residency else { return Ok(None) };
        if places.is_empty() {
            return Err(self.value("residency", "", "\"self-hosted\" and names of regions"));
        }
        let places = places.into_iter().map(|place| self.filled("residency", place));
        places.collect::<Result<_, _>>().map(Some)
    }

    fn ascending(&self, key: &str, mut values: Vec<usize>) -> Result<Vec<usize>, ConfigError> {
        values.sort_unstable();
        match values.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => Err(self.number(key, twice[0] as f64, "each number once")),
            None => Ok(values),
        }
    }
}
