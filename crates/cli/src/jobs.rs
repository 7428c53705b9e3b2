use secondpass_core::{Dataset, Job, Run};

/// Every query of a dataset with its candidates, in the dataset's order.
pub fn jobs(dataset: &Dataset, candidates: &Run) -> Vec<Job> {
    let job = |query| Job::new(dataset, query, candidates, usize::MAX);
    dataset.queries().iter().map(job).collect()
}
