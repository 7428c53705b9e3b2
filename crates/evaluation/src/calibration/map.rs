use serde::{Deserialize, Serialize};

use super::isotonic::Isotonic;
use super::platt::Platt;
use super::scored::ScoredPair;

/// A map from a model's scores to probabilities of relevance that never falls, so that it leaves
/// every ranking as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum MonotoneMap {
    /// Platt scaling.
    Platt(Platt),
    /// Isotonic regression.
    Isotonic(Isotonic),
}

/// Which kind of map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapKind {
    /// Platt scaling: two parameters, for few queries.
    Platt,
    /// Isotonic regression: any shape, for many.
    Isotonic,
}

impl MapKind {
    /// Both, the simpler first.
    pub(super) const ALL: [Self; 2] = [Self::Platt, Self::Isotonic];

    /// Fits pairs with finite scores, at least one.
    pub(super) fn fit(self, pairs: &[ScoredPair]) -> MonotoneMap {
        match self {
            Self::Platt => MonotoneMap::Platt(Platt::fit(pairs)),
            Self::Isotonic => MonotoneMap::Isotonic(Isotonic::fit(pairs)),
        }
    }
}

impl std::fmt::Display for MapKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Platt => "Platt",
            Self::Isotonic => "isotonic",
        })
    }
}

impl MonotoneMap {
    /// The probability that a candidate with this score is relevant, 0 to 1; NaN for NaN.
    pub fn probability(&self, score: f64) -> f64 {
        match self {
            Self::Platt(map) => map.probability(score),
            Self::Isotonic(map) => map.probability(score),
        }
    }

    /// Which kind it is.
    pub fn kind(&self) -> MapKind {
        match self {
            Self::Platt(_) => MapKind::Platt,
            Self::Isotonic(_) => MapKind::Isotonic,
        }
    }
}
