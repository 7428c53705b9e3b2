use serde::{Deserialize, Serialize};

/// Documents below which a corpus counts as small.
pub const SMALL_CORPUS: usize = 1000;
/// Seconds below which there is seldom time to rerank.
pub const FAST: f64 = 0.1;

/// A rule of thumb that holds until something was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// Which one.
    pub rule: Rule,
    /// Whether the outcome is another than it suggests.
    pub overridden: bool,
}

/// What a rule of thumb looks at. Both suggest not to rerank.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// In a small corpus the first stage finds nearly everything.
    SmallCorpus {
        /// Its documents.
        documents: usize,
    },
    /// Under 100 ms there is seldom time.
    Fast {
        /// The limit of the 95th percentile, in seconds.
        limit: f64,
    },
}

/// The rules that apply, beside what was found.
pub(super) fn priors(documents: usize, limit: Option<f64>, reranks: bool) -> Vec<Prior> {
    let small = (documents < SMALL_CORPUS).then_some(Rule::SmallCorpus { documents });
    let fast = limit.filter(|limit| *limit < FAST).map(|limit| Rule::Fast { limit });
    [small, fast].into_iter().flatten().map(|rule| Prior { rule, overridden: reranks }).collect()
}
