use secondpass_core::{Dataset, Reranker, Run, Tariff};

use crate::cache::ScoreCache;
use crate::experiment::{Experiment, SweepSpec};
use crate::journal::Journal;
use crate::statistics::Settings;

/// What to run, with everything loaded. [`Plan::new`] gives the plainest one; set what else is
/// wanted.
#[derive(Clone)]
pub struct Plan<'a> {
    /// The experiment; its depth cuts the candidates.
    pub experiment: &'a Experiment,
    /// Its dataset.
    pub dataset: &'a Dataset,
    /// What the first stage found. Queries outside the dataset are left out.
    pub candidates: &'a Run,
    /// The first stage with its settings, as [`secondpass_core::FirstStage::describe`] says it.
    pub first_stage: &'a str,
    /// Time the first stage took for all queries, in seconds; `None` where the candidates came from
    /// elsewhere or from a cache.
    pub first_stage_seconds: Option<f64>,
    /// Other first stages, for comparison.
    pub retrievers: &'a [Retriever<'a>],
    /// The rerankers under test, in the order of the config.
    pub rerankers: &'a [Contender<'a>],
    /// The best order of the candidates, where it is to be shown.
    pub oracle: Option<&'a dyn Reranker>,
    /// Why the figures predict nothing, where the set is a demonstration.
    pub demonstration: Option<&'a str>,
    /// What else is measured, beside the full depth.
    pub sweep: Sweep,
    /// How differences are judged.
    pub statistics: Settings,
    /// How often every query is timed, from 1 (0 counts as 1).
    pub repetitions: usize,
    /// What of a query's or document's text may stand in the record: the text itself, a keyed hash
    /// of it, or nothing.
    pub texts: &'a dyn Fn(&str) -> Option<String>,
    /// Where finished queries are kept until the record is written; `None` keeps nothing.
    pub journal: Option<&'a Journal>,
    /// Scores of earlier experiments; `None` asks for every score anew.
    pub cache: Option<&'a ScoreCache>,
}

/// Another first stage, whose documents are measured as it ranks them; nothing reranks them.
#[derive(Clone, Copy)]
pub struct Retriever<'a> {
    /// Its name in the config.
    pub name: &'a str,
    /// What it is, with its settings.
    pub description: &'a str,
    /// What it found. Queries outside the dataset are left out.
    pub run: &'a Run,
}

/// A reranker under test.
#[derive(Clone, Copy)]
pub struct Contender<'a> {
    /// Its name in the config.
    pub name: &'a str,
    /// The reranker.
    pub reranker: &'a dyn Reranker,
    /// The same reranker at other maximum lengths, for the sweep over lengths; empty for none. Its
    /// own length stands in the sweep beside them.
    pub lengths: &'a [LengthVariant<'a>],
    /// Queries in flight at a time (0 counts as 1).
    pub concurrency: usize,
    /// Whether a recording answers in a provider's place: nobody bills that, no text goes anywhere,
    /// and the score cache neither gives nor takes.
    pub replayed: bool,
}

impl<'a> Contender<'a> {
    /// A reranker that is asked one query at a time, at its own length only.
    pub fn new(name: &'a str, reranker: &'a dyn Reranker) -> Self {
        Self { name, reranker, lengths: &[], concurrency: 1, replayed: false }
    }

    /// How its calls are billed; `None` where nobody will bill them.
    pub(super) fn tariff(&self) -> Option<&'a Tariff> {
        self.reranker.tariff().filter(|_| !self.replayed)
    }
}

/// A reranker at another maximum length.
#[derive(Clone, Copy)]
pub struct LengthVariant<'a> {
    /// The longest pair in tokens.
    pub max_length: usize,
    /// The reranker that cuts there.
    pub reranker: &'a dyn Reranker,
}

/// What is measured beside the full depth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Numbers of candidates below the experiment's depth; empty for no sweep over depths. The
    /// experiment's own depth stands beside them; greater ones are left out with a warning.
    pub depths: Vec<usize>,
    /// Queries, evenly spaced, that are timed where quality is known without running: at each
    /// smaller depth of a pointwise reranker, and where scores come from the cache. 0 times none.
    pub timed_queries: usize,
}

impl From<&SweepSpec> for Sweep {
    fn from(spec: &SweepSpec) -> Self {
        Self { depths: spec.depths.clone(), timed_queries: spec.timed_queries }
    }
}

impl Default for Sweep {
    fn default() -> Self {
        Self { depths: Vec::new(), timed_queries: 50 }
    }
}

impl<'a> Plan<'a> {
    /// The first stage alone: no reranker, no sweep, no texts, nothing kept.
    pub fn new(
        experiment: &'a Experiment,
        dataset: &'a Dataset,
        candidates: &'a Run,
        first_stage: &'a str,
    ) -> Self {
        Self {
            experiment,
            dataset,
            candidates,
            first_stage,
            first_stage_seconds: None,
            retrievers: &[],
            rerankers: &[],
            oracle: None,
            demonstration: None,
            sweep: Sweep::default(),
            statistics: Settings::default(),
            repetitions: 1,
            texts: &|_| None,
            journal: None,
            cache: None,
        }
    }
}

/// How far the experiment has come. A pass is one system over its queries at one depth, length and
/// repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The system that runs.
    pub system: &'a str,
    /// What is special about this pass (`depth 20`, `length 256`, `repetition 2`); empty for the
    /// first one.
    pub pass: &'a str,
    /// Queries this pass has finished.
    pub done: usize,
    /// Of these, those that took no work now: kept in the journal or the cache, without candidates,
    /// or not asked because the system had been given up. A rate is over `done - reused`.
    pub reused: usize,
    /// Queries of this pass in all.
    pub queries: usize,
    /// Which pass of the experiment this is, from 1.
    pub number: usize,
    /// Passes of the experiment in all.
    pub passes: usize,
}
