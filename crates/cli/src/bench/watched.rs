use indicatif::ProgressBar;
use secondpass_core::{
    Context, Destination, Failed, Identity, Job, Quote, Reranked, Reranker, Tariff,
};

/// A reranker whose answers move a bar. The bar moves after an answer's time was taken.
pub struct Watched<'a> {
    pub reranker: &'a dyn Reranker,
    pub bar: &'a ProgressBar,
}

impl Reranker for Watched<'_> {
    fn identity(&self) -> &Identity {
        self.reranker.identity()
    }

    fn destination(&self) -> Option<&Destination> {
        self.reranker.destination()
    }

    fn tariff(&self) -> Option<&Tariff> {
        self.reranker.tariff()
    }

    fn quote(&self, job: &Job) -> Option<Quote> {
        self.reranker.quote(job)
    }

    fn rerank_many(
        &self,
        jobs: &[Job],
        context: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        self.reranker.rerank_many(jobs, context, done);
        self.bar.inc(jobs.len() as u64);
    }
}
