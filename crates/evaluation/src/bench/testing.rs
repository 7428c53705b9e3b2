//! Simulated rerankers and goldens for this folder's tests.

use std::sync::Mutex;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use secondpass_core::{
    Candidate, Context, Document, Failed, Identity, Job, Origin, Query, Ranking, RerankError,
    Reranked, Reranker, Timings, Usage,
};
use serde::Deserialize;

use super::clock::Clock;
use super::virtual_clock::VirtualClock;
use super::{
    BENCH_SCHEMA, BenchRecord, BenchSystem, Cell, CellRecord, ColdStart, Environment, Measured,
    Sample, SampleRow, WarmUp, Warmed,
};
use crate::testing::identity;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/bench/expected.json");

type Ranks = (usize, f64, f64, Option<usize>, Option<usize>);

#[derive(Deserialize)]
pub(super) struct Golden {
    /// Samples, share, confidence, rank below, rank above.
    pub ranks: Vec<Ranks>,
    /// Share, confidence, samples.
    pub needed: Vec<(f64, f64, usize)>,
    /// Load, the quantiles [`super::summary::SHARES`] of latency in service times.
    pub md1: Vec<(f64, Vec<f64>)>,
    /// Load, quantiles of latency in mean service times.
    pub mm1: Vec<(f64, Vec<f64>)>,
    /// Workers, load, chance to wait, quantiles of the wait in mean service times.
    pub mmc: Vec<(usize, f64, f64, Vec<f64>)>,
}

pub(super) fn golden() -> Golden {
    serde_json::from_str(&std::fs::read_to_string(GOLDEN).unwrap()).unwrap()
}

/// A reranker that takes the time it is told to take, and gives the candidates back as they came.
pub(super) struct Simulated<'a> {
    clock: &'a VirtualClock,
    identity: Identity,
    /// The time of the n-th query, and whether it is answered.
    service: Box<dyn Fn(usize) -> (Duration, Outcome) + Send + Sync + 'a>,
    /// One query at a time: the next begins when this one has ended.
    single: bool,
    state: Mutex<(usize, Duration)>,
}

#[derive(Clone, Copy)]
pub(super) enum Outcome {
    Answer,
    Failure,
    Unavailable,
}

impl<'a> Simulated<'a> {
    pub(super) fn new(
        clock: &'a VirtualClock,
        service: impl Fn(usize) -> (Duration, Outcome) + Send + Sync + 'a,
    ) -> Self {
        let service = Box::new(service);
        let identity = identity("simulated");
        Self { clock, identity, service, single: false, state: Mutex::default() }
    }

    pub(super) fn constant(clock: &'a VirtualClock, service: Duration) -> Self {
        Self::new(clock, move |_| (service, Outcome::Answer))
    }

    pub(super) fn exponential(clock: &'a VirtualClock, mean: Duration, seed: u64) -> Self {
        let random = Mutex::new(ChaCha8Rng::seed_from_u64(seed));
        Self::new(clock, move |_| {
            let share = 1.0 - random.lock().unwrap().random::<f64>();
            (mean.mul_f64(-share.ln()), Outcome::Answer)
        })
    }

    /// As a machine that works on one query at a time, however many are sent.
    pub(super) fn single(self) -> Self {
        Self { single: true, ..self }
    }
}

impl Reranker for Simulated<'_> {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn rerank_many(
        &self,
        jobs: &[Job],
        _: &Context,
        done: &mut dyn FnMut(usize, Result<Reranked, Failed>),
    ) {
        for (place, job) in jobs.iter().enumerate() {
            let now = self.clock.now();
            let (end, outcome) = {
                let mut state = self.state.lock().unwrap();
                let (service, outcome) = (self.service)(state.0);
                state.0 += 1;
                let begin = if self.single { now.max(state.1) } else { now };
                state.1 = begin + service;
                (begin + service, outcome)
            };
            self.clock.sleep_until(end);
            let query = job.query.id.clone();
            let error = match outcome {
                Outcome::Answer => {
                    done(place, Ok(reranked(job, self.clock.now() - now)));
                    continue;
                }
                Outcome::Failure => RerankError::Scoring { query, source: "no luck".into() },
                Outcome::Unavailable => RerankError::Unavailable { query, source: "no key".into() },
            };
            done(place, Err(Failed { error, usage: Usage::default() }));
        }
    }
}

fn reranked(job: &Job, compute: Duration) -> Reranked {
    let documents = job.candidates.iter().map(|candidate| candidate.document.id.clone());
    let pairs = job.candidates.len() as u64;
    Reranked {
        ranking: Ranking::with_unscored([], documents).unwrap(),
        usage: Usage::free(pairs, 100 * pairs),
        timings: Timings { compute, ..Timings::default() },
        truncation: None,
        origin: Origin::Live,
    }
}

/// So many jobs of so many candidates each.
pub(super) fn jobs(queries: usize, candidates: usize) -> Vec<Job> {
    let candidate = |rank: usize| Candidate {
        document: Document {
            id: format!("d{rank}").as_str().into(),
            title: String::new(),
            text: "text".to_owned(),
        },
        score: -(rank as f64),
        rank,
    };
    let job = |query: usize| Job {
        query: Query {
            id: format!("q{query}").as_str().into(),
            text: "what".to_owned(),
            attributes: Default::default(),
        },
        candidates: (1..=candidates).map(candidate).collect(),
    };
    (0..queries).map(job).collect()
}

/// 400 answers of 10 ms each, and nothing to warn of.
pub(crate) fn bench_system() -> BenchSystem {
    let samples: Vec<Sample> = sample_rows().into_iter().map(|row| row.sample).collect();
    let cell = CellRecord {
        cell: Cell::default(),
        jobs: 50,
        filled: 0,
        warmed: Warmed {
            queries: 60,
            failed: 0,
            seconds: 0.6,
            first: 0.5,
            medians: vec![0.02, 0.01, 0.01],
            steady: true,
        },
        measured: Measured::of(&samples),
        live: true,
        cut_short: None,
    };
    BenchSystem {
        name: "simulated".to_owned(),
        identity: identity("simulated"),
        destination: None,
        environment: Environment::default(),
        cold_start: Some(ColdStart { load: Some(0.25), ..ColdStart::default() }),
        peak_memory: Some(1 << 30),
        cells: vec![cell],
        capacities: Vec::new(),
        ended: None,
        spent: None,
        warnings: Vec::new(),
    }
}

/// A record of that alone.
pub(crate) fn bench_record() -> BenchRecord {
    BenchRecord {
        schema: BENCH_SCHEMA,
        name: "bench".to_owned(),
        finished: "2026-02-03T04:05:06Z".to_owned(),
        version: "0.1.0".to_owned(),
        machine: crate::testing::record().machine,
        source: "synthetic".to_owned(),
        warm_up: WarmUp::default(),
        systems: vec![bench_system()],
    }
}

pub(super) fn sample_rows() -> Vec<SampleRow> {
    let row = |place: u32| {
        let at = |milliseconds| Duration::from_millis(u64::from(10 * place) + milliseconds);
        let sample = Sample {
            job: place as usize % 50,
            candidates: 50,
            intended: at(0),
            start: at(0),
            end: at(10),
            pairs: 50,
            tokens: 5_000,
            live: true,
            ..Sample::default()
        };
        SampleRow { system: 0, cell: 0, probe: 0, sample }
    };
    (0..400).map(row).collect()
}
