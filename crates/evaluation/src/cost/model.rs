use serde::{Deserialize, Serialize};

use super::{Figure, Hosted, HostedTerms, Load, SelfHosted, SelfHostedTerms};

/// Who is paid for a reranker, and by which rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CostModel {
    /// Nobody: the first stage's order is there anyway.
    Free,
    /// Whoever rents machines out.
    SelfHosted(Box<SelfHosted>),
    /// A provider.
    Hosted(Hosted),
}

/// The same with a number in place of every figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Terms<'a> {
    /// Nobody is paid.
    Free,
    /// Machines of one's own.
    SelfHosted(SelfHostedTerms),
    /// A provider's bill.
    Hosted(HostedTerms<'a>),
}

impl CostModel {
    /// Its figures, in the order in which [`CostModel::terms`] takes their numbers.
    pub fn figures(&self) -> Vec<&Figure> {
        match self {
            Self::Free => Vec::new(),
            Self::SelfHosted(model) => model.figures(),
            Self::Hosted(model) => model.figures(),
        }
    }

    /// With the figures' own values.
    pub fn point(&self) -> Terms<'_> {
        self.terms(|figure| figure.value)
    }

    /// With a number for each figure, asked for in the order of [`CostModel::figures`].
    pub fn terms(&self, number: impl FnMut(&Figure) -> f64) -> Terms<'_> {
        match self {
            Self::Free => Terms::Free,
            Self::SelfHosted(model) => Terms::SelfHosted(model.terms(number)),
            Self::Hosted(model) => Terms::Hosted(model.terms(number)),
        }
    }
}

impl Terms<'_> {
    /// US dollars a month at so many queries.
    pub fn month(&self, load: &Load, volume: f64) -> f64 {
        match self {
            Self::Free => 0.0,
            Self::SelfHosted(terms) => terms.month(load, volume),
            Self::Hosted(terms) => terms.month(volume),
        }
    }
}
