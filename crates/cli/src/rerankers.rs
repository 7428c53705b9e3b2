use anyhow::Result;
use secondpass_core::Reranker;
use secondpass_evaluation::{Contender, Experiment, LengthVariant, RerankerKind, RerankerSpec};

use crate::hosted::Shared;
use crate::own::{self, Opening, Own};

/// The reranker of a table of the config, and itself at other maximum lengths.
pub struct Contending {
    pub reranker: Box<dyn Reranker>,
    pub concurrency: usize,
    /// Whether a recording answers in its place.
    pub replayed: bool,
    pub lengths: Vec<(usize, Box<dyn Reranker>)>,
    /// What it computes with in this process; `None` for one that is asked over HTTP.
    pub own: Option<Own>,
}

impl Contending {
    /// It under its name in the config, beside itself at other maximum lengths.
    pub fn contender<'a>(
        &'a self,
        name: &'a str,
        lengths: &'a [LengthVariant<'a>],
    ) -> Contender<'a> {
        let Self { reranker, concurrency, replayed, .. } = self;
        let (concurrency, replayed) = (*concurrency, *replayed);
        Contender { name, reranker: &**reranker, lengths, concurrency, replayed }
    }
}

/// Opens every reranker of an experiment. Where texts may go is settled before anyone is asked.
/// Without caches (`cached`), batches are of the usual size.
pub fn open(experiment: &Experiment, shared: &Shared<'_>, cached: bool) -> Result<Vec<Contending>> {
    let specs = || experiment.rerankers.iter().enumerate();
    for (index, spec) in specs() {
        if let RerankerKind::Hosted(hosted) = &spec.kind {
            shared.may_go(experiment, index, &spec.name, hosted)?;
        }
    }
    specs().map(|(index, spec)| contending(experiment, index, spec, shared, cached)).collect()
}

fn contending(
    experiment: &Experiment,
    index: usize,
    spec: &RerankerSpec,
    shared: &Shared<'_>,
    cached: bool,
) -> Result<Contending> {
    let (name, concurrency) = (&*spec.name, spec.concurrency);
    if let RerankerKind::Hosted(settings) = &spec.kind {
        let replayed = settings.recording.is_some();
        let reranker = Box::new(shared.open(experiment, index, (name, concurrency), settings)?);
        return Ok(Contending { reranker, concurrency, replayed, lengths: Vec::new(), own: None });
    }
    let opening = Opening { hashed: true, cached };
    let own = own::open(experiment, index, name, &spec.kind, opening)?;
    let own = own.ok_or_else(|| anyhow::anyhow!("'{name}' is of a kind that cannot be opened"))?;
    let (reranker, lengths) = (own.reranker(None)?, own.lengths(experiment)?);
    Ok(Contending { reranker, concurrency, replayed: false, lengths, own: Some(own) })
}
