use super::config::DecideConfig;
use super::constraints::Failed;
use crate::cost::{CostModel, Figure};
use crate::warning::HIGH_AGREEMENT;

/// What is known of the choices, each on the same queries.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The measure that quality is.
    pub measure: String,
    /// The first stage's quality, one value a query.
    pub first_stage: Vec<f64>,
    /// The rerankers.
    pub choices: Vec<Choice>,
    /// How far any reranker could come; `None` where nobody looked.
    pub ceiling: Option<Ceiling>,
    /// Documents of the corpus.
    pub documents: usize,
    /// Why these figures predict nothing, where the set is a demonstration.
    pub demonstration: Option<String>,
    /// The level of the test that a gain must pass, 0 to 1.
    pub alpha: f64,
}

/// What is known of one reranker.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its name in the record.
    pub name: String,
    /// Its quality, one value a query, in the order of [`Case::first_stage`].
    pub quality: Vec<f64>,
    /// How long it takes; `None` where nobody knows.
    pub timing: Option<Timing>,
    /// Who is paid for it, and how; `None` where nobody knows.
    pub cost: Option<CostModel>,
    /// Why it is out whatever the figures are drawn as.
    pub barred: Vec<Failed>,
    /// The share of the top k that it has in common with the first stage's, by k; only where that
    /// tells anything.
    pub agreement: Vec<(usize, f64)>,
}

impl Choice {
    /// The rules that it breaks whatever its figures are drawn as.
    pub(super) fn out(&self, config: &DecideConfig) -> Vec<Failed> {
        let mut failed = self.barred.clone();
        if let Some(used) = config.documents_used {
            let high = |&&(k, overlap): &&(usize, f64)| k == used && overlap > HIGH_AGREEMENT;
            let high = self.agreement.iter().find(high);
            failed.extend(high.map(|&(k, overlap)| Failed::Agreement { k, overlap }));
        }
        failed
    }
}

/// How long a choice takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// The 95th percentile of a query's time, in seconds.
    pub p95: Figure,
    /// The times themselves, in seconds; empty where only the percentile is known.
    pub seconds: Vec<f64>,
}

/// How far any reranker could come with these candidates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceiling {
    /// What the best order of the candidates reaches on the measure; `None` where nobody asked.
    pub oracle: Option<f64>,
    /// The share of the queries with a relevant document among the candidates, 0 to 1.
    pub with_relevant: f64,
}
