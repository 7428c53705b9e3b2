use std::fmt;

use serde::{Deserialize, Serialize};

/// What a provider's bill counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BillingUnit {
    /// A query with up to so many documents or chunks, as the provider defines it.
    SearchUnit,
    /// A token, as the provider counts them.
    Token,
    /// A call.
    Request,
    /// An hour of a machine, whatever it does meanwhile.
    Hour,
}

impl BillingUnit {
    /// One of it, for sentences.
    pub fn singular(self) -> &'static str {
        match self {
            Self::SearchUnit => "search unit",
            Self::Token => "token",
            Self::Request => "request",
            Self::Hour => "hour",
        }
    }
}

impl fmt::Display for BillingUnit {
    /// Several of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.singular())
    }
}

/// How a provider bills.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tariff {
    /// What it counts.
    pub unit: BillingUnit,
    /// What one costs; `None` where no price is known, which is not the same as nothing.
    pub price: Option<Price>,
}

/// A price that somebody read somewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars a unit, from 0.
    pub usd: f64,
    /// When it was read, as `YYYY-MM-DD`.
    pub read: String,
    /// Where: an address, or whose agreement.
    pub source: String,
}

impl Tariff {
    /// What so many units cost, in US dollars; `None` where no price is known.
    pub fn cost(&self, units: u64) -> Option<f64> {
        self.price.as_ref().map(|price| price.usd * units as f64)
    }
}

/// What a job will be billed, before it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// Units by estimate, if every call succeeds at once.
    pub units: u64,
    /// The most units it can be: every attempt billed, and every text as long in tokens as its bytes
    /// allow.
    pub most: u64,
}
