use std::collections::{BTreeSet, HashSet};

use secondpass_core::{Dataset, DocId, Job, Query, QueryId, Ranking, Run};

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
