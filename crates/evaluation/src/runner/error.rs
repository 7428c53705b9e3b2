use secondpass_core::{BillingUnit, DocId, QueryId};

use crate::journal::JournalError;
use crate::money::usd;
use crate::plural;

/// Why an experiment gave no record.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A candidate is not in the corpus.
    #[error(
        "query '{query}' has candidate '{document}', which is not in the corpus; take the candidates \
         from the same corpus"
    )]
    UnknownDocument {
        /// Which query.
        query: QueryId,
        /// The document.
        document: DocId,
    },
    /// No query has a candidate.
    #[error(
        "no query of the dataset has candidates: the dataset asks query '{query}', {}; give the \
         candidates the query ids of the dataset",
        other_queries(.other.as_ref())
    )]
    NoCandidates {
        /// A query of the dataset.
        query: QueryId,
        /// A query that the candidates are for, and that the dataset does not ask.
        other: Option<QueryId>,
    },
    /// Stopped by the user or by the deadline.
    #[error("stopped after {done} of {} of '{system}'; {}", plural::queries(*.queries), what_next(*.kept))]
    Stopped {
        /// The system that ran.
        system: String,
        /// Queries it had finished in the pass that ran.
        done: usize,
        /// Queries in all.
        queries: usize,
        /// Whether finished queries are kept in a journal.
        kept: bool,
    },
    /// The next call could have passed the limit on costs. Amounts are in US dollars.
    #[error(
        "stopped after {done} of {} of '{system}', before the costs could pass the limit of {} USD: {} \
         USD are spent, and the next call may cost {}; {}",
        plural::queries(*.queries), usd(*.limit), usd(*.spent), usd(*.next), what_next_with_more(*.kept)
    )]
    OverBudget {
        /// The system that ran.
        system: String,
        /// Queries it had finished in the pass that ran.
        done: usize,
        /// Queries in all.
        queries: usize,
        /// The limit.
        limit: f64,
        /// What is spent, by earlier starts of this run too.
        spent: f64,
        /// The most the next call may cost.
        next: f64,
        /// Whether finished queries are kept in a journal.
        kept: bool,
    },
    /// Costs are limited, and nobody knows what a call costs.
    #[error(
        "costs are limited to {} USD, and no price of '{system}' ({provider} {model}) a {} is known, so \
         that the limit could not be kept; nothing was sent: put the price into the file that \
         'prices' in the config's [cost] or --prices names, or run without a limit",
        usd(*.limit), .unit.singular()
    )]
    NoPrice {
        /// The system.
        system: String,
        /// Who bills.
        provider: String,
        /// For which model.
        model: String,
        /// What the provider counts.
        unit: BillingUnit,
        /// The limit, in US dollars.
        limit: f64,
    },
    /// A finished query could not be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn other_queries(other: Option<&QueryId>) -> String {
    match other {
        Some(query) => format!("and the candidates are for others, such as '{query}'"),
        None => "and the first stage found nothing for it or for any other".to_owned(),
    }
}

fn what_next_with_more(kept: bool) -> &'static str {
    match kept {
        true => {
            "what is finished is kept: the same command with a higher --max-cost goes on from here"
        }
        false => "nothing was written, run it again with a higher --max-cost",
    }
}

fn what_next(kept: bool) -> &'static str {
    match kept {
        true => "what is finished is kept: the same command goes on from here",
        false => "nothing was written, run it again",
    }
}
