use std::collections::BTreeMap;

use secondpass_core::{
    Candidate, Context, Document, Failed, Job, Query, RerankError, Reranked, Reranker, Usage,
};

use super::Hosted;

/// A call that a provider answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// What came back: usage, timings, and whether it was live.
    pub reranked: Reranked,
    /// Whether the document that answers came first. Where it did not, the model may be no reranker.
    pub in_order: bool,
}

/// Makes one of the smallest calls: a query with two short documents.
///
/// # Errors
/// What the provider said, with what to do next.
pub fn check(hosted: &Hosted, context: &Context) -> Result<Checked, Failed> {
    let document = |id: &str, text: &str| Document {
        id: id.into(),
        title: String::new(),
        text: text.to_owned(),
    };
    let documents = [
        document("cats", "Cats sleep all day."),
        document("paris", "Paris is the capital of France."),
    ];
    let candidates = (1..).zip(documents).map(|(rank, document)| Candidate {
        document,
        score: -f64::from(rank),
        rank: rank as usize,
    });
    let job = Job {
        query: Query {
            id: "check".into(),
            text: "What is the capital of France?".to_owned(),
            attributes: BTreeMap::new(),
        },
        candidates: candidates.collect(),
    };
    let mut outcome = None;
    hosted
        .rerank_many(std::slice::from_ref(&job), context, &mut |_, result| outcome = Some(result));
    let stopped =
        || Failed { error: RerankError::Stopped(job.query.id.clone()), usage: Usage::default() };
    let reranked = outcome.unwrap_or_else(|| Err(stopped()))?;
    let first = reranked.ranking.ranked().first();
    let in_order = first.is_some_and(|ranked| ranked.document.as_str() == "paris");
    Ok(Checked { reranked, in_order })
}
