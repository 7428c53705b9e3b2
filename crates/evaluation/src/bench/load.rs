use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::error::BenchError;

/// How queries arrive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "loop")]
pub enum Load {
    /// Each client asks again as soon as it is answered. Tells what the reranker can do; a stall
    /// shows in one query a client only, since nobody asks meanwhile.
    Closed {
        /// Clients that ask side by side.
        clients: usize,
    },
    /// Queries arrive whether or not the earlier ones are answered, as users do. Latency counts from
    /// the moment a query was to be asked, so that all who wait through a stall are counted.
    Open {
        /// Queries a second.
        rate: f64,
        /// How they are spread.
        arrivals: Arrivals,
        /// Queries in work at a time; the others wait for their turn, and their wait counts.
        workers: usize,
    },
}

/// How the arrivals of an open loop are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "arrivals")]
pub enum Arrivals {
    /// At equal distances.
    Constant,
    /// At random and independent of each other: exponential distances.
    Poisson {
        /// The same seed gives the same arrivals.
        seed: u64,
    },
}

/// How long a load lasts: until the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// So many queries were asked.
    pub queries: usize,
    /// So much time passed; queries that were asked before are answered.
    pub at_most: Option<Duration>,
    /// A query waited so long for its turn: more arrive than are answered, and the queue would grow
    /// for as long as the load lasts. Applies to open loops.
    pub patience: Option<Duration>,
}

impl Extent {
    /// So many queries, however long they take.
    pub fn queries(queries: usize) -> Self {
        Self { queries, at_most: None, patience: None }
    }
}

impl Load {
    /// Queries that can be in work at a time.
    pub fn workers(&self) -> usize {
        match *self {
            Self::Closed { clients } => clients,
            Self::Open { workers, .. } => workers,
        }
    }

    /// Whether this load can be put on anything.
    ///
    /// # Errors
    /// No clients, no workers, or a rate that is not above 0.
    pub fn check(&self) -> Result<(), BenchError> {
        if self.workers() == 0 {
            return Err(BenchError::NoWorkers);
        }
        match *self {
            Self::Open { rate, .. } if !(rate.is_finite() && rate > 0.0) => {
                Err(BenchError::Rate { rate })
            }
            _ => Ok(()),
        }
    }

    /// When each query is to be asked, counted from the start; `None` where that depends on the
    /// answers.
    pub(super) fn schedule(&self, extent: &Extent) -> Option<Vec<Duration>> {
        let Self::Open { rate, arrivals, .. } = *self else { return None };
        let mut moments = match arrivals {
            Arrivals::Constant => {
                (0..extent.queries).map(|place| seconds(place as f64 / rate)).collect()
            }
            Arrivals::Poisson { seed } => poisson(rate, extent.queries, seed),
        };
        if let Some(at_most) = extent.at_most {
            moments.truncate(moments.partition_point(|moment| *moment <= at_most));
        }
        Some(moments)
    }
}

fn poisson(rate: f64, count: usize, seed: u64) -> Vec<Duration> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut moment = 0.0;
    let mut next = || {
        // Above 0, so that the logarithm is finite.
        let share = 1.0 - random.random::<f64>();
        moment -= share.ln() / rate;
        seconds(moment)
    };
    (0..count).map(|_| next()).collect()
}

/// A moment further away than can be told never comes.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(rate: f64, arrivals: Arrivals) -> Load {
        Load::Open { rate, arrivals, workers: 1 }
    }

    #[test]
    fn constant_arrivals_do_not_drift() {
        let moments = open(3.0, Arrivals::Constant).schedule(&Extent::queries(30_001)).unwrap();
        assert_eq!(moments[0], Duration::ZERO);
        assert_eq!(moments[30_000], Duration::from_secs(10_000));
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_an_exponentials_spread() {
        let load = open(50.0, Arrivals::Poisson { seed: 7 });
        let moments = load.schedule(&Extent::queries(40_000)).unwrap();
        assert_eq!(load.schedule(&Extent::queries(40_000)).unwrap(), moments);
        let gaps: Vec<f64> =
            moments.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let squares: f64 = gaps.iter().map(|gap| (gap - mean).powi(2)).sum();
        let deviation = (squares / gaps.len() as f64).sqrt();
        // Standard errors are 0.5% of the mean and 0.7% of the deviation.
        assert!((mean * 50.0 - 1.0).abs() < 0.02, "{mean}");
        assert!((deviation * 50.0 - 1.0).abs() < 0.03, "{deviation}");
        let other =
            open(50.0, Arrivals::Poisson { seed: 8 }).schedule(&Extent::queries(9)).unwrap();
        assert_ne!(other, moments[..9]);
    }

    #[test]
    fn a_load_ends_with_its_time() {
        let extent = Extent { at_most: Some(Duration::from_secs(1)), ..Extent::queries(100) };
        let moments = open(10.0, Arrivals::Constant).schedule(&extent).unwrap();
        assert_eq!(moments.len(), 11);
        assert_eq!(Load::Closed { clients: 2 }.schedule(&extent), None);
    }

    #[test]
    fn loads_that_cannot_be_put_on_are_refused() {
        assert!(open(0.5, Arrivals::Constant).check().is_ok());
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = open(rate, Arrivals::Constant).check().unwrap_err();
            assert!(error.to_string().contains("above 0"), "{error}");
        }
        assert!(matches!(Load::Closed { clients: 0 }.check(), Err(BenchError::NoWorkers)));
    }
}
