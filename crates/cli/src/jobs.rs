use secondpass_core::{Candidate, Dataset, Job, Query, Ranking, Run};

/// Every query of a dataset with its candidates, in the dataset's order.
pub fn jobs(dataset: &Dataset, candidates: &Run) -> Vec<Job> {
    let job = |query: &Query| {
        let ranked = candidates.rankings.get(&query.id).map_or(&[][..], Ranking::ranked);
        let candidates = (1..).zip(ranked).filter_map(|(rank, ranked)| {
            let document = dataset.corpus().get(&ranked.document)?.clone();
            // Unscored candidates stand below all scored ones.
            Some(Candidate { document, score: ranked.score.unwrap_or(f64::NEG_INFINITY), rank })
        });
        Job { query: query.clone(), candidates: candidates.collect() }
    };
    dataset.queries().iter().map(job).collect()
}
