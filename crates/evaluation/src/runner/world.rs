//! A small world for the runner's tests: queries, documents, judgements, candidates, and rerankers
//! whose scores are hashes of texts.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use secondpass_core::{
    Billed, BillingUnit, Context, Corpus, Dataset, Destination, DocId, Document, Failed, Hasher,
    Identity, Job, Origin, Price, Qrels, Query, Quote, Ranking, RerankError, Reranked, Reranker,
    Run, Scoring, Tariff, Timings, TruncationAudit, Usage,
};

use crate::experiment::Experiment;
use crate::testing::identity;

const CONFIG: &str = r#"
name = "world"
measures = ["nDCG@5", "RR"]
primary = "nDCG@5"
dataset = { kind = "beir", path = ".", split = "test" }
first_stage = { kind = "bm25", depth = 6 }
"#;

pub(super) struct World {
    pub experiment: Experiment,
    pub dataset: Dataset,
    pub candidates: Run,
}

impl World {
    /// This many queries with 6 candidates each of 12 documents; the last query has none.
    pub(super) fn new(queries: usize) -> Self {
        Self::of(queries, 12, 6)
    }

    /// So many candidates of so many documents, no multiple of 5.
    pub(super) fn of(queries: usize, documents: usize, depth: usize) -> Self {
        let document = |i: usize| Document {
            id: format!("d{i:02}").into(),
            title: String::new(),
            text: format!("text of document {i}"),
        };
        let corpus = Corpus::new((0..documents).map(document).collect()).unwrap();
        let query = |i: usize| Query {
            id: format!("q{i:02}").into(),
            text: format!("text of query {i}"),
            attributes: Default::default(),
        };
        let all: Vec<Query> = (0..queries).map(query).collect();
        let (mut qrels, mut candidates) = (Qrels::new(), Run::new("bm25"));
        for (i, query) in all.iter().enumerate() {
            for grade in 0..3 {
                let document: DocId = format!("d{:02}", (i * 5 + grade * 3) % documents).into();
                qrels.insert(query.id.clone(), document, grade as i32);
            }
            let places =
                (0..depth).map(|place| (format!("d{:02}", (i + place * 5) % documents), place));
            let scores = places.map(|(id, place)| (id.into(), -(place as f64)));
            if i + 1 < queries {
                candidates.rankings.insert(query.id.clone(), Ranking::from_scores(scores).unwrap());
            }
        }
        Self {
            experiment: Experiment::parse(
                &CONFIG.replace("depth = 6", &format!("depth = {depth}")),
                "world.toml",
            )
            .unwrap(),
            dataset: Dataset::new("world", "test", corpus, all, qrels).unwrap(),
            candidates,
        }
    }
}

/// Scores are hashes of the texts (of all candidates together where it is listwise) and of a salt.
pub(super) struct Hashing<'a> {
    identity: Identity,
    pub asked: Mutex<Vec<String>>,
    before: Box<dyn Fn(usize) + Send + Sync + 'a>,
}

impl<'a> Hashing<'a> {
    /// The model's name is the salt.
    pub(super) fn new(model: &str, scoring: Scoring) -> Self {
        let identity = Identity {
            provider: "test".to_owned(),
            model: model.to_owned(),
            scoring,
            max_length: Some(512),
            ..identity("hashing")
        };
        Self { identity, asked: Mutex::default(), before: Box::new(|_| ()) }
    }

    /// Called with the number of earlier calls before each call is answered.
    pub(super) fn before(self, before: impl Fn(usize) + Send + Sync + 'a) -> Self {
        Self { before: Box::new(before), ..self }
    }

    pub(super) fn calls(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn answer(&self, job: &Job) -> Reranked {
        let mut together = Hasher::new();
        for candidate in &job.candidates {
            together.field(&candidate.document.text);
        }
        let together = together.finish();
        let mut audit = TruncationAudit::default();
        let scores = job.candidates.iter().map(|candidate| {
            let mut hasher = Hasher::new();
            hasher.field(&self.identity.model).field(&job.query.text);
            hasher.field(&candidate.document.text);
            if self.identity.scoring == Scoring::Listwise {
                hasher.field(together.as_str());
            }
            let digits = hasher.finish().as_str()[..12].to_owned();
            let score = u64::from_str_radix(&digits, 16).unwrap() as f64 / (1_u64 << 48) as f64;
            audit.note(10, usize::from(score < 0.5));
            (candidate.document.id.clone(), score)
        });
        let ranking = Ranking::from_scores(scores.collect::<Vec<_>>()).unwrap();
        let pairs = job.candidates.len() as u64;
        let usage = Usage::free(pairs, 10 * pairs);
        Reranked {
            ranking,
            usage,
            timings: Timings::default(),
            truncation: Some(audit),
            origin: Origin::Live,
        }
    }
}

impl Reranker for Hashing<'_> {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn rerank_many(
        &self,
        jobs: &[Job],
        _: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        for (position, job) in jobs.iter().enumerate() {
            let earlier = {
                let mut asked = self.asked.lock().unwrap();
                asked.push(job.query.id.to_string());
                asked.len() - 1
            };
            (self.before)(earlier);
            done(position, Ok(self.answer(job)));
        }
    }
}

/// What a provider does with one query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// Units reported for the answer.
    pub units: u64,
    /// Units of attempts whose answers were lost, which are billed too.
    pub doubtful: u64,
    /// By how much the quote's most is above that.
    pub slack: u64,
    /// How it ends.
    pub end: Ending,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    #[default]
    Answers,
    Fails,
    Unavailable,
}

/// [`Hashing`] behind a provider that bills: a unit costs 1/1024 USD, so that sums are exact.
pub(super) struct Provider<'a> {
    pub hashing: Hashing<'a>,
    pub tariff: Tariff,
    /// Of every answer; an empty date stands for the query's id.
    pub origin: Origin,
    /// The query that a server that imitates the provider answers all the same.
    pub mocked: Option<&'static str>,
    destination: Destination,
    turn: Box<dyn Fn(&str) -> Turn + Send + Sync + 'a>,
    /// Units on the bill.
    pub bill: AtomicU64,
    in_flight: AtomicUsize,
    /// The most that were in flight at once.
    pub most_in_flight: AtomicUsize,
}

impl<'a> Provider<'a> {
    pub(super) const USD: f64 = 1.0 / 1024.0;

    /// Every query takes its turn, by its id.
    pub(super) fn new(turn: impl Fn(&str) -> Turn + Send + Sync + 'a) -> Self {
        let mut hashing = Hashing::new("model", Scoring::Pointwise);
        hashing.identity.endpoint = Some("https://api.example.com".to_owned());
        let price =
            Price { usd: Self::USD, read: "2026-01-01".to_owned(), source: "a test".to_owned() };
        Self {
            hashing,
            tariff: Tariff { unit: BillingUnit::SearchUnit, price: Some(price) },
            origin: Origin::Live,
            mocked: None,
            destination: Destination {
                host: "api.example.com".to_owned(),
                region: None,
                self_hosted: false,
                fields: Vec::new(),
                retention: None,
            },
            turn: Box::new(turn),
            bill: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        }
    }

    /// What is on the bill, in US dollars.
    pub(super) fn usd(&self) -> f64 {
        self.bill.load(Ordering::SeqCst) as f64 * Self::USD
    }

    fn serve(&self, job: &Job, context: &Context) -> Result<Reranked, Failed> {
        let query = job.query.id.clone();
        let Turn { units, doubtful, end, .. } = (self.turn)(query.as_str());
        // Out of order, and the same on every machine.
        let digits =
            &secondpass_core::ContentHash::of(query.as_str().as_bytes()).as_str()[..2].to_owned();
        let millis = u64::from_str_radix(digits, 16).unwrap() % 4;
        std::thread::sleep(Duration::from_millis(millis));
        self.bill.fetch_add(units + doubtful, Ordering::SeqCst);
        let billed =
            Billed { calls: 1, estimated: units, reported: units, doubtful, ..Billed::default() };
        let mut answer = None;
        self.hashing.rerank_many(std::slice::from_ref(job), context, &mut |_, r| answer = r.ok());
        let reranked = answer.unwrap();
        let usage = Usage { billed, ..reranked.usage };
        let source = "the provider is gone".into();
        let error = match end {
            Ending::Answers => {
                let timings = Timings { network: Duration::from_secs(2), ..Timings::default() };
                let origin = match &self.origin {
                    _ if self.mocked == Some(query.as_str()) => Origin::Mock,
                    Origin::Replay { recorded } if recorded.is_empty() => {
                        Origin::Replay { recorded: query.to_string() }
                    }
                    origin => origin.clone(),
                };
                return Ok(Reranked { usage, timings, origin, ..reranked });
            }
            Ending::Fails => RerankError::Scoring { query, source },
            Ending::Unavailable => RerankError::Unavailable { query, source },
        };
        Err(Failed { error, usage })
    }
}

impl Reranker for Provider<'_> {
    fn identity(&self) -> &Identity {
        self.hashing.identity()
    }

    fn destination(&self) -> Option<&Destination> {
        Some(&self.destination)
    }

    fn tariff(&self) -> Option<&Tariff> {
        Some(&self.tariff)
    }

    fn quote(&self, job: &Job) -> Option<Quote> {
        let Turn { units, doubtful, slack, .. } = (self.turn)(job.query.id.as_str());
        Some(Quote { units, most: units + doubtful + slack })
    }

    fn rerank_many(
        &self,
        jobs: &[Job],
        context: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        for (place, job) in jobs.iter().enumerate() {
            let out = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_in_flight.fetch_max(out, Ordering::SeqCst);
            let served = self.serve(job, context);
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            done(place, served);
        }
    }
}
