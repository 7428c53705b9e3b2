//! How much memory a large experiment takes: `memory [queries] [depth] [documents]`, 10,000 queries
//! with 100 candidates each over 200,000 documents by default. The reranker is a stand-in that
//! answers at once; corpus, candidates, journal, cache, sweep and table are real. On Linux the peak
//! is told as the kernel counted it.

use std::error::Error;
use std::time::Instant;

use secondpass_core::{
    Context, Corpus, Dataset, DocId, Document, Failed, Identity, Job, Qrels, Query, Ranking,
    Reranked, Reranker, Run, Scoring, Timings, TruncationAudit, Usage,
};
use secondpass_evaluation::{Contender, Experiment, Journal, Plan, ScoreCache, Sweep, run, store};

const WORDS_A_DOCUMENT: usize = 160;

fn main() -> Result<(), Box<dyn Error>> {
    let mut sizes = std::env::args().skip(1).map(|size| size.parse::<usize>());
    let mut next = |default| sizes.next().unwrap_or(Ok(default));
    let (queries, depth, documents) = (next(10_000)?, next(100)?, next(200_000)?);
    let started = Instant::now();
    let told =
        |what: &str| println!("{:7.1} s {what}: {}", started.elapsed().as_secs_f64(), peak());

    let dataset = dataset(queries, documents)?;
    told("dataset");
    let candidates = candidates(&dataset, depth)?;
    told("candidates");
    let config = format!(
        "name = \"memory\"\nmeasures = [\"nDCG@10\", \"RR\", \"R@50\", \"AP\"]\n\
         primary = \"nDCG@10\"\ndataset = {{ kind = \"beir\", path = \".\", split = \"test\" }}\n\
         first_stage = {{ kind = \"bm25\", depth = {depth} }}\n"
    );
    let experiment = Experiment::parse(&config, "memory.toml")?;
    let folder = std::env::temp_dir().join(format!("secondpass-memory-{}", std::process::id()));
    let cache = ScoreCache::open(&folder.join("scores"))?;
    let rerankers = [StandIn::new("one"), StandIn::new("two")];
    let contenders: Vec<Contender<'_>> =
        rerankers.iter().map(|reranker| Contender::new(&reranker.0.name, reranker)).collect();
    // The second round finds the first one's journal, the third its scores alone.
    for (round, fresh) in [("anew", false), ("resumed", false), ("from the cache", true)] {
        let journal = Journal::open(&folder.join("out"), "memory", fresh)?;
        told(&format!("{round}: {} answers in the journal", journal.finished()));
        let plan = Plan {
            rerankers: &contenders,
            oracle: Some(&rerankers[0]),
            sweep: Sweep { depths: vec![10, 20, 30, 50], timed_queries: 50 },
            journal: Some(&journal),
            cache: Some(&cache),
            ..Plan::new(&experiment, &dataset, &candidates, "made up")
        };
        let (record, rows) = run(&plan, &Context::default(), &mut |step| {
            if step.done == step.queries {
                let reused = step.reused;
                told(&format!("{} {} ({reused} of {} reused)", step.system, step.pass, step.done));
            }
        })?;
        store::write(&folder.join("out"), &record, &rows)?;
        told(&format!("record of {} rows, cache of {} bytes", rows.len(), cache.size()?.bytes));
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Texts of made-up words, one relevant document a query.
fn dataset(queries: usize, documents: usize) -> Result<Dataset, Box<dyn Error>> {
    let words = |seed: usize, count: usize| {
        let words = (0..count).map(|i| format!("w{}", (seed * 31 + i * i * 17) % 30_000));
        words.collect::<Vec<_>>().join(" ")
    };
    let document = |i: usize| Document {
        id: format!("document-{i}").into(),
        title: words(i, 5),
        text: words(i, WORDS_A_DOCUMENT),
    };
    let corpus = Corpus::new((0..documents).map(document).collect())?;
    let query = |i: usize| Query {
        id: format!("query-{i}").into(),
        text: words(i, 8),
        attributes: Default::default(),
    };
    let mut qrels = Qrels::new();
    for i in 0..queries {
        qrels.insert(format!("query-{i}").into(), format!("document-{i}").into(), 1);
    }
    Ok(Dataset::new("memory", "test", corpus, (0..queries).map(query).collect(), qrels)?)
}

/// The relevant document somewhere among others.
fn candidates(dataset: &Dataset, depth: usize) -> Result<Run, Box<dyn Error>> {
    let documents = dataset.corpus().documents();
    let mut run = Run::new("made up");
    for (i, query) in dataset.queries().iter().enumerate() {
        let ids = (0..depth).map(|place| (i + (place + 3) % depth * 1_999) % documents.len());
        let scores = ids.enumerate().map(|(place, i)| (documents[i].id.clone(), -(place as f64)));
        run.rankings.insert(query.id.clone(), Ranking::from_scores(scores.collect::<Vec<_>>())?);
    }
    Ok(run)
}

/// Scores by the length of id and text, at once.
struct StandIn(Identity);

impl StandIn {
    fn new(name: &str) -> Self {
        Self(Identity {
            name: name.to_owned(),
            provider: "stand-in".to_owned(),
            model: name.to_owned(),
            revision: None,
            weights: None,
            endpoint: None,
            device: None,
            dtype: None,
            max_length: None,
            truncation: None,
            scoring: Scoring::Pointwise,
        })
    }
}

impl Reranker for StandIn {
    fn identity(&self) -> &Identity {
        &self.0
    }

    fn rerank_many(
        &self,
        jobs: &[Job],
        _: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        for (position, job) in jobs.iter().enumerate() {
            let mut truncation = TruncationAudit::default();
            let scores: Vec<(DocId, f64)> = job
                .candidates
                .iter()
                .map(|candidate| {
                    truncation.note(200, 0);
                    let document = &candidate.document;
                    let bytes = document.text.bytes().chain(self.0.model.bytes());
                    let sum: u32 = bytes.map(u32::from).sum();
                    (document.id.clone(), f64::from(sum % 997) / 97.0)
                })
                .collect();
            let pairs = scores.len() as u64;
            done(
                position,
                Ranking::from_scores(scores)
                    .map(|ranking| Reranked {
                        ranking,
                        usage: Usage::free(pairs, pairs * 200),
                        timings: Timings::default(),
                        truncation: Some(truncation),
                        origin: secondpass_core::Origin::Live,
                    })
                    .map_err(|error| Failed { error: error.into(), usage: Usage::default() }),
            );
        }
    }
}

/// The most memory this process has had, where the kernel tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("peak unknown".to_owned(), |peak| format!("peak {}", peak.trim()))
}
