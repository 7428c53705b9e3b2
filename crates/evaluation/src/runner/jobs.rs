use std::collections::{BTreeSet, HashSet};

use secondpass_core::{Candidate, Dataset, DocId, Job, Query, QueryId, Ranking, Run};

/// One query with its first `depth` candidates.
pub(super) fn job(dataset: &Dataset, query: &Query, candidates: &Run, depth: usize) -> Job {
    let ranked = candidates.rankings.get(&query.id).map_or(&[][..], Ranking::ranked);
    let candidates = (1..).zip(ranked.iter().take(depth)).filter_map(|(rank, ranked)| {
        let document = dataset.corpus().get(&ranked.document)?.clone();
        // Unscored candidates stand below all scored ones.
        Some(Candidate { document, score: ranked.score.unwrap_or(f64::NEG_INFINITY), rank })
    });
    Job { query: query.clone(), candidates: candidates.collect() }
}

/// At most `count` of the queries that have candidates, evenly spaced over the dataset.
pub(super) fn evenly_spaced(
    dataset: &Dataset,
    candidates: &Run,
    count: usize,
) -> BTreeSet<QueryId> {
    let has_candidates =
        |query: &&Query| candidates.rankings.get(&query.id).is_some_and(|r| !r.is_empty());
    let queries: Vec<&Query> = dataset.queries().iter().filter(has_candidates).collect();
    let count = count.min(queries.len());
    (0..count).map(|i| queries[i * queries.len() / count].id.clone()).collect()
}

/// What is wrong with a ranking that does not hold exactly the job's candidates.
pub(super) fn other_documents(job: &Job, ranking: &Ranking) -> Option<String> {
    let given: HashSet<&DocId> =
        job.candidates.iter().map(|candidate| &candidate.document.id).collect();
    if let Some(stranger) = ranking.documents().find(|id| !given.contains(id)) {
        return Some(format!("the reranker gave document '{stranger}', which is no candidate"));
    }
    (ranking.len() != given.len()).then(|| {
        let (returned, all) = (ranking.len(), given.len());
        format!("the reranker gave {returned} of {all} candidates back")
    })
}
