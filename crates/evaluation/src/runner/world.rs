//! A small world for the runner's tests: queries, documents, judgements, candidates, and rerankers
//! whose scores are hashes of texts.

use std::sync::Mutex;

use secondpass_core::{
    Context, Corpus, Dataset, DocId, Document, Failed, Hasher, Identity, Job, Origin, Qrels, Query,
    Ranking, Reranked, Reranker, Run, Scoring, Timings, TruncationAudit, Usage,
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
        let document = |i: usize| Document {
            id: format!("d{i:02}").into(),
            title: String::new(),
            text: format!("text of document {i}"),
        };
        let corpus = Corpus::new((0..12).map(document).collect()).unwrap();
        let query = |i: usize| Query {
            id: format!("q{i:02}").into(),
            text: format!("text of query {i}"),
            attributes: Default::default(),
        };
        let all: Vec<Query> = (0..queries).map(query).collect();
        let (mut qrels, mut candidates) = (Qrels::new(), Run::new("bm25"));
        for (i, query) in all.iter().enumerate() {
            for grade in 0..3 {
                let document: DocId = format!("d{:02}", (i * 5 + grade * 3) % 12).into();
                qrels.insert(query.id.clone(), document, grade as i32);
            }
            let places = (0..6).map(|place| (format!("d{:02}", (i + place * 5) % 12), place));
            let scores = places.map(|(id, place)| (id.into(), -(place as f64)));
            if i + 1 < queries {
                candidates.rankings.insert(query.id.clone(), Ranking::from_scores(scores).unwrap());
            }
        }
        Self {
            experiment: Experiment::parse(CONFIG, "world.toml").unwrap(),
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
