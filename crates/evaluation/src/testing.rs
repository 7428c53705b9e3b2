//! A small record for this crate's tests: first stage 0.5, reranker `mini` 0.75, oracle 0.9.

use std::collections::BTreeMap;

use secondpass_core::{ContentHash, Identity, Origin, Ranking, Scoring, Usage};

use crate::record::{
    CandidatesInfo, DatasetInfo, Difference, Estimate, ExperimentInfo, Machine, QueryRow, Record,
    Role, SCHEMA, StatisticsInfo, SystemRecord, Unjudged,
};

pub(crate) fn record() -> Record {
    Record {
        schema: SCHEMA,
        experiment: ExperimentInfo {
            name: "quickstart".to_owned(),
            config: ContentHash::of(b"config"),
            demonstration: None,
            warnings: Vec::new(),
        },
        finished: "2026-02-03T04:05:06Z".to_owned(),
        version: "0.1.0".to_owned(),
        machine: Machine { cpu: "CPU".to_owned(), cores: 2, memory: 1, os: "linux".to_owned() },
        dataset: DatasetInfo {
            name: "set".to_owned(),
            split: "test".to_owned(),
            hash: ContentHash::of(b"set"),
            documents: 3,
            queries: 2,
            judgements: 2,
            sample: None,
            unanswerable: 0,
        },
        candidates: CandidatesInfo {
            first_stage: "BM25".to_owned(),
            depth: 50,
            mean: 50.0,
            hash: ContentHash::of(b"candidates"),
            with_relevant: 1.0,
            judged_at_10: 1.0,
            seconds: None,
        },
        measures: vec!["nDCG@10".to_owned(), "RR".to_owned()],
        primary: "nDCG@10".to_owned(),
        volumes: vec![10_000, 1_000_000],
        statistics: StatisticsInfo {
            alpha: 0.05,
            margin: 0.01,
            permutations: 100_000,
            resamples: 1000,
            corrected_over: 1,
        },
        systems: vec![
            system("first stage", Role::FirstStage, 0.5),
            system("mini", Role::Reranker, 0.75),
            system("oracle", Role::Oracle, 0.9),
        ],
    }
}

pub(crate) fn rows() -> Vec<QueryRow> {
    let row = |system: &str, seconds, pairs_cut, top: Option<&str>| QueryRow {
        query: "q1".into(),
        system: system.to_owned(),
        values: vec![0.25, 1.0],
        candidates: 50,
        seconds,
        tokens: 1_234,
        pairs_cut,
        top: top.map(str::to_owned),
        ranking: top.map(ranking),
    };
    vec![row("first stage", None, None, Some("d1")), row("mini", Some(0.125), Some(3), None)]
}

/// One scored document above one that is not.
fn ranking(top: &str) -> Ranking {
    Ranking::with_unscored([(top.into(), 0.75)], ["d9".into()]).unwrap()
}

pub(crate) fn identity(name: &str) -> Identity {
    Identity {
        name: name.to_owned(),
        provider: "baseline".to_owned(),
        model: name.to_owned(),
        revision: None,
        weights: None,
        endpoint: None,
        device: None,
        dtype: None,
        max_length: None,
        truncation: None,
        scoring: Scoring::Pointwise,
    }
}

fn system(name: &str, role: Role, mean: f64) -> SystemRecord {
    let estimate = |measure: &str| Estimate {
        measure: measure.to_owned(),
        mean,
        low: mean - 0.125,
        high: mean + 0.125,
        queries: 2,
        missing: 0,
    };
    SystemRecord {
        name: name.to_owned(),
        role,
        identity: identity(name),
        origin: Origin::Live,
        destination: None,
        quality: vec![estimate("nDCG@10"), estimate("RR")],
        versus_first_stage: (role != Role::FirstStage).then(|| Difference {
            measure: "nDCG@10".to_owned(),
            mean: mean - 0.5,
            low: 0.125,
            high: 0.375,
            helped: 1,
            hurt: 0,
            unchanged: 1,
        }),
        comparison: None,
        unjudged: Unjudged { judged_at_10: 1.0, low: mean, high: mean, condensed: mean },
        depths: Vec::new(),
        lengths: Vec::new(),
        scores: None,
        most_hurt: Vec::new(),
        most_helped: Vec::new(),
        agreement: Vec::new(),
        cached: 0,
        latency: None,
        truncation: None,
        usage: Usage::default(),
        cost: None,
        possibly_billed_twice: Vec::new(),
        failures: BTreeMap::new(),
        slices: Vec::new(),
    }
}
