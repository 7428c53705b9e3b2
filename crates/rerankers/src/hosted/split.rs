use secondpass_core::{Job, TruncationAudit};

use super::billing::Billing;
use super::limits::pair_tokens;
use super::{Bill, CallTokens, CountTokens};

/// By which count of tokens to split and bill.
#[derive(Clone, Copy)]
pub(super) enum Count {
    /// The best guess.
    Likely,
    /// What no tokenizer exceeds.
    Most,
}

/// A job as the calls that score it, in the order of its candidates.
pub(super) struct Split<'a> {
    query: &'a str,
    query_tokens: u64,
    documents: Vec<String>,
    document_tokens: Vec<u64>,
    size: usize,
    billing: Billing<'a>,
}

/// One call of a job.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub query: &'a str,
    pub documents: &'a [String],
    pub tokens: CallTokens<'a>,
    pub bill: Bill,
}

impl<'a> Split<'a> {
    pub fn new(job: &'a Job, billing: Billing<'a>, tokens: &dyn CountTokens, count: Count) -> Self {
        let count = |text: &str| match count {
            Count::Likely => tokens.count(text),
            Count::Most => tokens.most(text),
        };
        let query = job.query.text.as_str();
        let documents: Vec<String> = job.candidates.iter().map(|c| c.document.passage()).collect();
        let document_tokens = documents.iter().map(|document| count(document)).collect();
        let size = billing.api.documents_a_call().max(1);
        Self { query, query_tokens: count(query), documents, document_tokens, size, billing }
    }

    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let tokens = self.document_tokens.chunks(self.size);
        self.documents.chunks(self.size).zip(tokens).map(|(documents, document_tokens)| {
            let tokens = CallTokens { query: self.query_tokens, documents: document_tokens };
            Part { query: self.query, documents, tokens, bill: self.billing.estimate(&tokens) }
        })
    }

    /// Units of all calls, each sent once.
    pub fn units(&self) -> u64 {
        self.parts().fold(0, |sum, part| sum.saturating_add(part.bill.units))
    }

    /// What all calls lose, by estimate; `None` where it is not known of one of them.
    pub fn truncation(&self) -> Option<TruncationAudit> {
        let mut whole = TruncationAudit { estimated: true, ..TruncationAudit::default() };
        for part in self.parts() {
            whole.merge(&self.billing.api.truncation(&part.tokens)?);
        }
        Some(whole)
    }
}

impl Part<'_> {
    /// Tokens that the model reads: the query with every document.
    pub fn read(&self) -> u64 {
        pair_tokens(&self.tokens)
    }
}
