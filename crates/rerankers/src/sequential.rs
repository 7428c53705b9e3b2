use std::time::Instant;

use secondpass_core::{
    Context, DocId, Failed, Identity, Job, Origin, Ranking, RerankError, Reranked, Scoring,
    Timings, TruncationAudit, Usage,
};

/// Reranks job after job and reports each once; those that the context leaves no time for are
/// stopped, not dropped.
pub(crate) fn each(
    jobs: &[Job],
    context: &Context,
    done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    mut rerank: impl FnMut(&Job) -> Result<Reranked, Failed>,
) {
    for (index, job) in jobs.iter().enumerate() {
        done(
            index,
            if context.is_over() { Err(stopped(job, Usage::default())) } else { rerank(job) },
        );
    }
}

/// A job that was not finished in time, with what it had consumed.
pub(crate) fn stopped(job: &Job, usage: Usage) -> Failed {
    Failed { error: RerankError::Stopped(job.query.id.clone()), usage }
}

/// The result of a baseline: documents already in their order, each scored by the number of places
/// from it to the end, so that no two tie and a ranking keeps the order.
pub(crate) fn ordered(documents: Vec<DocId>, started: Instant) -> Result<Reranked, Failed> {
    let places = (1..=documents.len()).rev().map(|place| place as f64);
    let ranking = Ranking::from_scores(documents.into_iter().zip(places))
        .map_err(|error| Failed { error: error.into(), usage: Usage::default() })?;
    Ok(Reranked {
        ranking,
        usage: Usage::default(),
        timings: Timings { compute: started.elapsed(), ..Timings::default() },
        truncation: Some(TruncationAudit::default()),
        origin: Origin::Live,
    })
}

/// The identity of a baseline, which has no model, device or limit.
pub(crate) fn baseline(name: &str) -> Identity {
    Identity {
        name: name.into(),
        provider: "baseline".into(),
        model: name.into(),
        revision: None,
        weights: None,
        endpoint: None,
        device: None,
        dtype: None,
        max_length: None,
        truncation: None,
        scoring: Scoring::Listwise,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use secondpass_core::{Candidate, Document, Query, Reranker};

    use super::*;

    pub(crate) fn job(query: &str, texts: &[(&str, &str)]) -> Job {
        let candidate = |(at, (id, text)): (usize, &(&str, &str))| Candidate {
            document: Document { id: (*id).into(), title: String::new(), text: (*text).into() },
            score: 1.0,
            rank: at + 1,
        };
        Job {
            query: Query { id: "q".into(), text: query.into(), attributes: Default::default() },
            candidates: texts.iter().enumerate().map(candidate).collect(),
        }
    }

    /// All outcomes, by job; fails when a job is reported twice or never.
    pub(crate) fn outcomes(
        reranker: &dyn Reranker,
        jobs: &[Job],
        context: &Context,
    ) -> Vec<Result<Reranked, Failed>> {
        let mut outcomes: Vec<_> = jobs.iter().map(|_| None).collect();
        reranker.rerank_many(jobs, context, &mut |index, outcome| {
            assert!(outcomes[index].replace(outcome).is_none(), "job {index} was reported twice");
        });
        outcomes.into_iter().map(|outcome| outcome.expect("every job is reported")).collect()
    }

    pub(crate) fn order(reranked: &Reranked) -> Vec<&str> {
        reranked.ranking.documents().map(DocId::as_str).collect()
    }
}
