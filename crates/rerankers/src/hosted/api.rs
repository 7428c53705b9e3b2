use std::ops::RangeInclusive;
use std::time::Duration;

use secondpass_core::TruncationAudit;
use secondpass_http::{Call, HttpError, Reply};

/// What is peculiar to one provider's rerank API: how to ask, how to read the answer, and what will
/// be billed. It sends nothing itself.
pub trait Api: Send + Sync {
    /// The call that scores these documents, all of them, against the query. [`super::Hosted`] adds
    /// its tokens.
    fn call(&self, query: &str, documents: &[String]) -> Call;

    /// The scores of an answer, as the provider gave them: [`super::Hosted`] checks that they belong
    /// to the documents asked about.
    ///
    /// # Errors
    /// An answer that is not of the provider's form.
    fn read(&self, reply: &Reply) -> Result<Scored, HttpError>;

    /// The scores that the provider says it gives, where it names a range; others make an answer
    /// wrong.
    fn score_range(&self) -> RangeInclusive<f64> {
        f64::MIN..=f64::MAX
    }

    /// Documents a call may hold at most, from 1.
    fn documents_a_call(&self) -> usize;

    /// What a call will be billed, by the provider's rules.
    fn bill(&self, tokens: &CallTokens<'_>) -> Bill;

    /// What the provider cuts before it scores, by our count; `None` where it does not tell its rule.
    fn truncation(&self, _tokens: &CallTokens<'_>) -> Option<TruncationAudit> {
        None
    }
}

/// The lengths of one call's texts in tokens, special tokens excluded.
#[derive(Clone, Copy, Debug)]
pub struct CallTokens<'a> {
    /// Of the query.
    pub query: u64,
    /// Of each document.
    pub documents: &'a [u64],
}

/// What one call is billed, in the tariff's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// Units; 0 where nobody bills a call.
    pub units: u64,
    /// Documents as the provider counts them, each chunk of a long one as one; 0 where it does not
    /// count documents.
    pub chunks: u64,
}

/// The answer to one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    /// Places of documents in the call, from 0, and their scores, in the provider's order.
    pub scores: Vec<(usize, f64)>,
    /// Units that the provider says it billed; `None` where it does not tell.
    pub units: Option<u64>,
    /// Tokens that it says it read; `None` where it does not tell.
    pub tokens: Option<u64>,
    /// How long it says it took.
    pub server: Option<Duration>,
}
