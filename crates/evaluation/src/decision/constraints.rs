use secondpass_core::Origin;
use serde::{Deserialize, Serialize};

/// What a choice failed on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failed {
    /// Its answers are not live: those of a mock, or of a recording.
    NotLive(Origin),
    /// Queries failed.
    Queries(usize),
    /// Texts would go to a place that is not allowed.
    Residency {
        /// The host.
        host: String,
        /// Where it is; `None` where that is unknown.
        region: Option<String>,
    },
    /// The weights' licence does not allow commercial use.
    Licence {
        /// The licence.
        licence: String,
        /// When it was read, as `YYYY-MM-DD`.
        read: Option<String>,
    },
    /// Nobody knows whether the weights' licence allows it.
    LicenceUnknown {
        /// The model.
        model: String,
    },
    /// Languages that it is not made for.
    Languages(Vec<String>),
    /// Nobody said which languages it is made for.
    LanguagesUnknown,
    /// It takes too long.
    P95 {
        /// The 95th percentile, in seconds.
        seconds: f64,
        /// The most it may be.
        limit: f64,
    },
    /// Nobody knows how long it takes.
    P95Unknown,
    /// It costs too much.
    Budget {
        /// US dollars a month.
        usd: f64,
        /// The most it may be.
        limit: f64,
    },
    /// Nobody knows what it costs.
    CostUnknown,
    /// The documents that are read together are nearly the first stage's.
    Agreement {
        /// How many are read.
        k: usize,
        /// The share of them that both have, 0 to 1.
        overlap: f64,
    },
    /// That it is better than the first stage is not shown.
    NoGain {
        /// The mean difference.
        gain: f64,
        /// The p-value, corrected over all choices.
        p: f64,
        /// The smallest difference that these queries could show; `None` where none is.
        detectable: Option<f64>,
    },
    /// It is inferior to the best choice by more than the margin.
    Inferior {
        /// By how much.
        by: f64,
        /// To which choice.
        to: String,
    },
    /// Another choice that is good enough costs less.
    Dearer {
        /// US dollars a month more.
        by: f64,
        /// Than which choice.
        than: String,
    },
    /// It is the best at the figures' own values, and less often than another when they are drawn.
    LessOften {
        /// The share of the resamples in which it is, 0 to 1.
        best: f64,
        /// The share of those in which the chosen one is.
        chosen: f64,
    },
}

impl Failed {
    /// Whether it says that figures are missing or made up, rather than that they are bad.
    pub fn is_for_want_of_evidence(&self) -> bool {
        matches!(
            self,
            Self::NotLive(_)
                | Self::Queries(_)
                | Self::LicenceUnknown { .. }
                | Self::LanguagesUnknown
                | Self::P95Unknown
                | Self::CostUnknown
        )
    }

    /// Whether it is a rule that was broken, rather than a comparison that was lost.
    pub fn is_of_constraint(&self) -> bool {
        !matches!(
            self,
            Self::NoGain { .. }
                | Self::Inferior { .. }
                | Self::Dearer { .. }
                | Self::LessOften { .. }
        )
    }
}
